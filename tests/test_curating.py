"""The routes of the Curate screen on a real store and real pictures, without a browser: what is refused, what two people do to
one trace, what is kept when a message comes twice or late."""

from __future__ import annotations

import io
import json
import threading
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import TYPE_CHECKING

import anyio
import numpy as np
import pytest
from PIL import Image

from engine.access import Access
from engine.errors import PersonError
from engine.jobs.worker import Worker
from engine.media import MediaFolder
from engine.operations import cut
from engine.policies.scripted import ScriptedPolicy
from engine.settings import Settings
from engine.store import Store
from tests.browser.traces import BOX, clip_trace, picture_trace
from ui.guests import GUEST_COOKIE, WhoAsks
from ui.studio import Studio

if TYPE_CHECKING:
    from fastapi.testclient import TestClient

ANN, BEN = "guest-000000aa", "guest-000000bb"


@pytest.fixture
def studio(tmp_path):
    settings = Settings.from_environment({"STUDIO_HOME": str(tmp_path), "STUDIO_MODEL": "scripted"})
    store, media = Store(tmp_path / "annotations.db"), MediaFolder(tmp_path / "artifacts" / "media")
    policy = ScriptedPolicy()
    worker = Worker(store, settings.artifacts, {})
    yield Studio(
        settings=settings,
        store=store,
        media=media,
        policy=lambda: policy,
        samples=lambda: (),
        worker=worker,
        access=Access(settings, store),
    )
    store.close()


@pytest.fixture
def people(studio):
    """people(name): a client of that guest's."""
    from fastapi import FastAPI
    from fastapi.testclient import TestClient

    from ui.curating.continuing import continue_routes
    from ui.curating.lists import list_routes
    from ui.curating.messages import refuse
    from ui.curating.presence import Presence
    from ui.curating.routes import curate_routes
    from ui.curating.sharing_routes import sharing_routes
    from ui.curating.versions import version_routes
    from ui.curating.work_routes import work_routes
    from ui.media_routes import media_routes

    app = FastAPI()
    for routes in (
        curate_routes,
        continue_routes,
        version_routes,
        list_routes,
        sharing_routes,
        media_routes,
    ):
        app.include_router(routes(studio))
    app.include_router(work_routes(studio, Presence(studio.workbench)))
    app.add_exception_handler(PersonError, refuse)
    app.add_middleware(WhoAsks, access=studio.access, pages=(), open_paths=(), header="")

    def client(name: str) -> TestClient:
        return TestClient(app, cookies={GUEST_COOKIE: studio.access.signed(name)}, headers={"X-Studio": "1"})

    return client


def make(studio, seed: int = 0, **options) -> str:
    return picture_trace(studio.store, studio.media, seed, size=(320, 240), **options).id


def edit(client, trace, change, key="k1", counter=None):
    return client.post("/curate/edit", json={"trace": trace, "counter": counter, "key": key, "edit": change})


def set_box(box, step=0):
    return {"edit": "set_box", "step": step, "box": box}


def test_an_edit_is_executed_at_once_and_its_crop_is_the_engine_s(studio, people):
    ann, trace = people(ANN), make(studio, is_nested=True)
    work = edit(ann, trace, set_box([0.1, 0.1, 0.4, 0.5])).json()
    assert work["views"][1]["box"] == [0.1, 0.1, 0.4, 0.5]
    assert [bool(step["stale"]) for step in work["steps"]] == [False, True, True]
    assert work["changes"][0]["box"]["old"] == BOX.as_list()
    assert len(work["problems"]) == 2 and work["draft"]["can_undo"]
    shown = np.asarray(Image.open(io.BytesIO(ann.get("/" + work["views"][1]["url"]).content)))
    pictures = studio.media.pictures(studio.store.revisions.head(trace).trace.media)
    view = studio.workbench.open(trace, ANN).draft.trace.view(2)
    assert np.array_equal(shown, np.asarray(cut(view, pictures)))


def test_a_row_says_how_sure_the_policy_was_where_it_told(studio, people):
    trace = studio.store.revisions.head(make(studio)).trace
    studio.store.traces.record(trace, author="tiny", confidence=0.875)
    rows = people(ANN).get("/curate/queue").json()["items"]
    assert [row["confidence"] for row in rows] == [0.875, None]


def test_what_is_sent_twice_is_done_once(studio, people):
    ann, trace = people(ANN), make(studio)
    first = edit(ann, trace, set_box([0.1, 0.1, 0.4, 0.5])).json()
    again = edit(ann, trace, set_box([0.1, 0.1, 0.4, 0.5])).json()
    assert first["draft"]["counter"] == again["draft"]["counter"] == 1
    edit(ann, trace, {"edit": "set_thought", "step": 0, "thought": "new"}, key="k2", counter=1)
    undone = ann.post("/curate/undo", json={"trace": trace, "counter": 2}).json()
    assert undone["draft"]["can_undo"] and undone["draft"]["can_redo"]
    assert ann.post("/curate/undo", json={"trace": trace, "counter": 2}).status_code == 409
    undone = ann.post("/curate/undo", json={"trace": trace, "counter": 3}).json()
    assert undone["views"][1]["box"] == BOX.as_list() and not undone["draft"]["is_changed"]


def test_approval_saves_the_draft_and_stale_steps_forbid_it(studio, people):
    ann, trace = people(ANN), make(studio, is_nested=True)
    head = studio.store.revisions.head(trace).id
    edit(ann, trace, set_box([0.1, 0.1, 0.4, 0.5]))
    review = {"trace": trace, "revision": head, "verdict": "accepted", "reason": ""}
    refused = ann.post("/curate/review", json=review)
    assert refused.status_code == 422 and "stale" in refused.json()["error"]
    edit(ann, trace, {"edit": "confirm", "step": None}, key="k2")
    assert ann.post("/curate/review", json=review).json()["status"] == "accepted"
    chain = studio.store.revisions.chain(trace)
    assert [r.author for r in chain] == ["tiny", ANN] and chain[1].trace.steps[0].operation.box.x1 == 0.1
    assert studio.store.verify(studio.media).problems == ()
    assert ann.post("/curate/review/undo", json={"trace": trace}).json()["status"] == "edited"


def test_two_people_on_one_trace_lose_nothing(studio, people):
    ann, ben, trace = people(ANN), people(BEN), make(studio)
    head = studio.store.revisions.head(trace).id
    edit(ann, trace, {"edit": "set_thought", "step": 0, "thought": "ann's"})
    edit(ben, trace, {"edit": "set_thought", "step": 0, "thought": "ben's"})
    for client in (ann, ben):
        edit(client, trace, {"edit": "confirm", "step": None}, key="k2")
    review = {"trace": trace, "revision": head, "verdict": "accepted", "reason": ""}
    assert ann.post("/curate/review", json=review).status_code == 200
    late = ben.post("/curate/review", json=review)
    assert late.status_code == 409 and ANN in late.json()["error"]
    shown = ben.get(f"/curate/trace/{trace}").json()
    assert shown["draft"]["is_behind"] and shown["steps"][0]["thought"] == "ben's"
    both = ben.get("/curate/compare", params={"trace": trace, "old": shown["head"]["id"], "new": "draft"}).json()
    assert [side["steps"][0]["thought"] for side in both["sides"]] == ["ann's", "ben's"]
    assert len(studio.store.revisions.branches(trace)) == 1
    ben.post("/curate/rebase", json={"trace": trace})
    shown = ben.get(f"/curate/trace/{trace}").json()
    assert not shown["draft"]["is_behind"] and shown["draft"]["is_changed"]
    review["revision"] = shown["head"]["id"]
    assert ben.post("/curate/review", json=review).json()["status"] == "accepted"
    assert [r.trace.steps[0].thought for r in studio.store.revisions.chain(trace)][1:] == ["ann's", "ben's"]


def test_taking_theirs_keeps_mine_beside(studio, people):
    ann, ben, trace = people(ANN), people(BEN), make(studio)
    edit(ann, trace, {"edit": "set_thought", "step": 0, "thought": "ann's"})
    edit(ben, trace, {"edit": "set_thought", "step": 0, "thought": "ben's"})
    ann.post("/curate/save", json={"trace": trace})
    shown = ben.post("/curate/discard", json={"trace": trace}).json()
    assert shown["steps"][0]["thought"] == "ann's" and not shown["draft"]["is_changed"]
    assert [r.trace.steps[0].thought for r in studio.store.revisions.branches(trace)] == ["ben's"]


def test_a_trace_is_held_by_one_and_let_go(studio, people):
    ann, ben, trace = people(ANN), people(BEN), make(studio)
    assert ann.post("/curate/hold", json={"trace": trace}).json()["holder"] is None
    told = ben.post("/curate/hold", json={"trace": trace}).json()["holder"]
    assert told["name"] == ANN and told["sentence"].startswith(f"{ANN} is working on this trace")
    assert ben.get(f"/curate/trace/{trace}").json()["holder"]["name"] == ANN
    assert ann.get("/curate/queue").json()["items"][0]["holder"] is None
    assert ben.get("/curate/queue").json()["items"][0]["holder"] == ANN
    ann.post("/curate/hold", json={"trace": None, "release": [trace]})
    assert ben.post("/curate/hold", json={"trace": trace}).json()["holder"] is None


def posted(client, path, body):
    """What the app sends to a page that posts and goes away at once."""
    messages = [{"type": "http.request", "body": json.dumps(body).encode(), "more_body": False}]
    sent = []

    async def receive():
        return messages.pop(0) if messages else {"type": "http.disconnect"}

    async def send(message):
        sent.append(message)

    headers = [(b"x-studio", b"1"), (b"cookie", f"{GUEST_COOKIE}={client.cookies[GUEST_COOKIE]}".encode())]
    scope = {"type": "http", "method": "POST", "path": path, "query_string": b"", "headers": headers}
    with ThreadPoolExecutor(1) as apart:  # the browser tests' Playwright keeps a loop in this thread
        apart.submit(anyio.run, client.app, scope, receive, send).result()
    return sent


def test_a_page_that_went_away_while_it_asked_holds_nothing(studio, people):
    trace = make(studio)
    sent = posted(people(ANN), "/curate/hold", {"trace": trace})
    assert json.loads(sent[1]["body"])["holder"] is None
    assert studio.store.reservations.of(trace) is None


def test_the_policy_goes_on_line_by_line_and_is_taken(studio, people):
    ann, trace = people(ANN), make(studio, is_nested=True)
    reply = ann.post("/curate/continue", json={"trace": trace, "step": 0, "seed": None})
    lines = [json.loads(line) for line in reply.text.splitlines()]
    assert lines[-1]["stop_reason"] == "answered" and lines[-1]["answer"] == "scripted"
    work = edit(ann, trace, lines[-1]["edit"]).json()
    assert work["answer"] == "scripted" and work["problems"] == []
    assert ann.post("/curate/continue", json={"trace": trace, "step": 9}).status_code == 422


def test_frames_of_a_clip(studio, people):
    ann, trace = people(ANN), clip_trace(studio.store, studio.media).id
    work = edit(ann, trace, {"edit": "set_frames", "step": 0, "frames": [2, 9, 11]}).json()
    assert [view["frame"] for view in work["views"][16:]] == [2, 9, 11]
    refused = edit(ann, trace, {"edit": "set_frames", "step": 0, "frames": list(range(1, 11))}, key="k2")
    assert refused.status_code == 422 and "at most 8" in refused.json()["error"]


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"trace": 7},
        {"trace": "x" * 1000},
        {"trace": "nothing", "key": "k", "edit": {"edit": "set_box", "step": 0, "box": [0, 0, 1, 1]}},
        {"trace": None, "key": "k", "edit": []},
    ],
)
def test_nonsense_is_refused_in_one_sentence(people, body):
    for path in ("edit", "review", "undo", "save", "bulk", "prefer", "view", "tag", "continue", "blank", "weigh"):
        reply = people(ANN).post(f"/curate/{path}", json=body)
        assert reply.status_code in (404, 422), path
        assert isinstance(reply.json()["error"], str)


POSTS = """
    edit undo redo save rebase discard hold review review/undo bulk bulk/undo view tag assign round adjudicate prefer
    prefer/undo blank weigh continue
""".split()  # noqa: SIM905


@pytest.mark.parametrize(
    ("body", "said"),
    [
        (b'{"trace": "a\\ud800"}', "half a character"),
        (b'{"trace": "x", "\\udfff": 1}', "half a character"),
        (b'{"trace": ' + b"[" * 100_000 + b"]" * 100_000 + b"}", "nothing that can be read"),
        (b"[1]", "nothing that can be read"),
        (b"\xff", "nothing that can be read"),
        (b'"' + b"x" * 2_000_001 + b'"', "too much"),
    ],
    ids=["surrogate", "surrogate name", "deep", "list", "no UTF-8", "long"],
)
def test_what_no_route_can_use_is_refused_where_all_are_read(people, body, said):
    for path in POSTS:
        reply = people(ANN).post(f"/curate/{path}", content=body)
        assert reply.status_code == 422 and said in reply.json()["error"], path


def test_a_trace_with_half_a_character_is_shown(studio, people):
    trace = studio.store.revisions.head(make(studio)).trace
    odd = replace(trace, steps=(*trace.steps[:-1], replace(trace.steps[-1], thought="half \ud800")))
    trace_id = studio.store.traces.record(odd, author="tiny").id
    assert people(ANN).get(f"/curate/trace/{trace_id}").json()["steps"][-1]["thought"] == "half \ud800"


def test_what_is_not_there_is_neither_decided_nor_taken_back(studio, people):
    ann, ben, trace = people(ANN), people(BEN), make(studio)
    for path, body in (
        ("review", {"trace": "none", "revision": "none", "verdict": "skipped", "reason": ""}),
        ("review/undo", {"trace": "none"}),
        ("bulk/undo", {"action": "none"}),
        ("prefer/undo", {"preference": "none"}),
        ("tag", {"trace": "none", "tag": "x", "is_on": False}),
        ("assign", {"trace": "none", "person": BEN, "is_on": False}),
        ("hold", {"trace": "none"}),
    ):
        reply = ann.post(f"/curate/{path}", json=body)
        assert reply.status_code == 404 and "none" in reply.json()["error"], path
    done = ann.post("/curate/bulk", json={"traces": [trace], "verdict": "rejected"}).json()
    taken = {"action": done["action"]}
    assert ben.post("/curate/bulk/undo", json=taken).status_code == 403
    assert ann.post("/curate/bulk/undo", json=taken).json()["undone"] == 1
    assert "already" in ann.post("/curate/bulk/undo", json=taken).json()["error"]


def test_in_bulk_what_may_not_be_approved_is_named(studio, people):
    good, bad = make(studio, 1), make(studio, 2)
    edit(people(BEN), bad, {"edit": "set_answer", "step": 1, "answer": None})
    people(BEN).post("/curate/save", json={"trace": bad})
    done = people(ANN).post("/curate/bulk", json={"traces": [good, bad], "verdict": "accepted"}).json()
    assert done["reviewed"] == 1 and [one["id"] for one in done["passed_over"]] == [bad]
    assert "no answer" in done["passed_over"][0]["why"] and done["counts"]["accepted"] == 1


def test_the_score_on_the_screen_is_that_of_the_answer_on_the_screen(studio, people):
    trace = studio.store.revisions.head(make(studio)).trace
    trace_id = studio.store.traces.record(
        trace, author="tiny", example=replace(trace.example, answer="two", rule="number"), score=0.0
    ).id
    work = edit(people(ANN), trace_id, {"edit": "set_answer", "step": 1, "answer": "2 of them"}).json()
    assert work["score"] == 1.0
    assert people(ANN).post("/curate/save", json={"trace": trace_id}).json()["score"] == 1.0
    assert studio.store.traces.get(trace_id).score == 1.0


def test_raw_call_text_is_marked_as_unreadable(studio, people):
    trace = make(studio)
    text = 'So {"name": "zoom_in", "arguments": {}}'
    work = edit(people(ANN), trace, {"edit": "set_thought", "step": 1, "thought": text}).json()
    assert [badge["text"] for badge in work["steps"][1]["badges"]] == ["unreadable"] and work["problems"]
    work = edit(people(ANN), trace, {"edit": "set_thought", "step": 1, "thought": "So."}, key="k2", counter=1).json()
    assert work["steps"][1]["badges"] == [] and not work["problems"]


def test_a_post_without_our_header_is_refused(studio, people):
    trace = make(studio)
    client = people(ANN)
    del client.headers["X-Studio"]
    body = {"trace": trace, "revision": studio.store.revisions.head(trace).id, "verdict": "accepted", "reason": ""}
    assert client.post("/curate/review", json=body).status_code == 422
    assert studio.store.reviews.list(trace) == []


def test_filters_views_tags_and_bulk(studio, people):
    ann = people(ANN)
    traces = [make(studio, seed, score=float(seed % 2)) for seed in range(6)]
    assert ann.get("/curate/queue", params={"outcome": "wrong"}).json()["total"] == 3
    assert ann.get("/curate/queue", params={"outcome": "nonsense"}).status_code == 422
    ann.post("/curate/tag", json={"trace": traces[0], "tag": "blurred"})
    assert [row["id"] for row in ann.get("/curate/queue", params={"tag": "blurred"}).json()["items"]] == [traces[0]]
    kept = ann.post("/curate/view", json={"name": "mine", "query": {"outcome": "wrong"}}).json()
    assert kept["views"] == [{"name": "mine", "query": {"outcome": "wrong"}}] and kept["tag"] == ["blurred"]
    done = ann.post("/curate/bulk", json={"traces": traces[:4], "verdict": "accepted"}).json()
    assert done["reviewed"] == 4 and done["counts"]["accepted"] == 4
    assert ann.post("/curate/bulk/undo", json={"action": done["action"]}).json()["counts"]["accepted"] == 0


def test_two_attempts_are_compared_and_one_preferred(studio, people):
    ann, trace = people(ANN), make(studio)
    head = studio.store.revisions.head(trace)
    other = studio.store.traces.record(
        type(head.trace)(
            **{n: getattr(head.trace, n) for n in head.trace.__slots__}
            | {"steps": head.trace.steps[-1:], "views": head.trace.views[:1]}
        ),
        author="other",
    )
    assert [item["id"] for item in ann.get(f"/curate/siblings/{trace}").json()["items"]] == [other.id]
    pair = ann.get("/curate/pair", params={"left": trace, "right": other.id}).json()
    left, right = (side["id"] for side in pair["sides"])
    assert pair["changes"]
    made = ann.post("/curate/prefer", json={"chosen": right, "rejected": left}).json()["preference"]
    assert [p.chosen_id for p in studio.store.preferences.list()] == [other.head_id]
    ann.post("/curate/prefer/undo", json={"preference": made})
    assert studio.store.preferences.list() == []


def test_many_are_tagged_assigned_and_put_up_for_reviews(studio, people):
    ann, traces = people(ANN), [make(studio, seed) for seed in range(3)]
    for path, more in (("tag", {"tag": "plates"}), ("assign", {"person": BEN}), ("round", {"wanted": 2})):
        done = ann.post(f"/curate/bulk/{path}", json={"traces": [*traces[:2], "gone"], **more}).json()
        assert done["changed"] == 2 and [one["id"] for one in done["passed_over"]] == ["gone"]
    for query in ({"tag": "plates"}, {"assigned_to": BEN}, {"round": "open"}):
        items = ann.get("/curate/queue", params=query).json()["items"]
        assert {item["id"] for item in items} == set(traces[:2])
    ann.post("/curate/bulk/tag", json={"traces": traces, "tag": "plates", "is_on": False})
    assert ann.get("/curate/queue", params={"tag": "plates"}).json()["total"] == 0
    assert ann.post("/curate/bulk/tag", json={"traces": [], "tag": "x"}).status_code == 422
    assert ann.post("/curate/bulk/round", json={"traces": traces, "wanted": 99}).status_code == 422


def test_my_drafts_are_those_that_i_changed_and_did_not_save(studio, people):
    ann, ben, traces = people(ANN), people(BEN), [make(studio, seed) for seed in range(2)]

    def drafts(client, of: str) -> set[str]:
        return {item["id"] for item in client.get("/curate/queue", params={"drafted_by": of}).json()["items"]}

    opened = edit(ann, traces[0], set_box([0.1, 0.1, 0.2, 0.2])).json()
    edit(ben, traces[1], set_box([0.1, 0.1, 0.2, 0.2]))
    assert (drafts(ann, ANN), drafts(ann, BEN)) == ({traces[0]}, {traces[1]})
    ann.post("/curate/undo", json={"trace": traces[0], "counter": opened["draft"]["counter"], "key": "u"})
    assert drafts(ann, ANN) == set()
    ben.post("/curate/save", json={"trace": traces[1], "counter": 1, "key": "s", "is_insisting": True})
    assert drafts(ann, BEN) == set()


def test_pairs_that_differ_are_blind_and_each_is_compared_once(studio, people):
    ann, ben = people(ANN), people(BEN)
    first = studio.store.revisions.head(make(studio)).trace
    for policy, answer in (("other", "KX9999"), ("other", first.answer), ("third", "KX1111")):
        steps = (*first.steps[:-1], replace(first.steps[-1], answer=answer))
        studio.store.traces.record(replace(first, steps=steps, policy=policy), author=policy)
    make(studio, 1)  # alone with its question

    def next_pair(client, after: str = "") -> dict:
        return client.get("/curate/pairs", params={"after": after}).json()

    pair = next_pair(ann)
    assert "policy" not in str(pair) and pair["question"] == first.question
    assert first.answer in {side["answer"] for side in pair["sides"]}, "the most frequent answer first"
    assert next_pair(ann)["sides"] == pair["sides"], "the same sides again"
    assert next_pair(ann, pair["key"]) == {"key": None}, "one pair of an example at a time"
    compared = []
    while (pair := next_pair(ann))["key"]:
        compared.append(frozenset(side["answer"] for side in pair["sides"]))
        left, right = (side["id"] for side in pair["sides"])
        made = ann.post("/curate/prefer", json={"chosen": left, "rejected": right}).json()
    assert len(made["policies"]) == 2
    answers = (first.answer, "KX9999", "KX1111")
    assert set(compared) == {frozenset((a, b)) for a in answers for b in answers if a != b} and len(compared) == 3
    assert next_pair(ben)["key"] is not None, "another person compares for themselves"
    ann.post("/curate/prefer/undo", json={"preference": made["preference"]})
    assert next_pair(ann)["key"] is not None


def test_blanking_is_asked_on_request_and_shown(studio, people):
    ann, trace = people(ANN), make(studio)
    work = ann.post("/curate/blank", json={"trace": trace, "step": 0}).json()
    assert "answers without this crop" in [badge["text"] for badge in work["steps"][0]["badges"]]
    assert ann.get("/curate/queue", params={"blanking": "keeps"}).json()["total"] == 1


def test_what_the_model_was_asked_moves_with_its_step(studio, people):
    ann, trace = people(ANN), make(studio)
    head = studio.store.revisions.head(trace)
    studio.store.history.record_blank_check(head.id, 0, "KX0000", "KX0000", False)
    studio.store.history.record_weighed_look(head.id, 0, "KX", 0.1, 0.9, "tiny")

    def asked(opened: dict) -> list[int]:
        return [sum("this" in badge["text"] for badge in step["badges"]) for step in opened["steps"]]

    opened = ann.get(f"/curate/trace/{trace}").json()
    assert asked(opened) == [2, 0]
    thought = {"edit": "insert_step", "at": 0, "thought": "Where could it be?"}
    opened = edit(ann, trace, thought).json()
    assert asked(opened) == [0, 2, 0]
    # The box was moved: what was asked was asked of another crop.
    opened = edit(ann, trace, set_box([0.1, 0.1, 0.2, 0.2], step=1), key="k2").json()
    assert asked(opened) == [0, 0, 0]


def test_a_page_that_is_gone_lets_go_but_of_what_another_of_the_person_holds(studio):
    from ui.curating.presence import Presence

    presence, first, second = Presence(studio.workbench), make(studio), make(studio, 1)
    for page, trace in (("one", first), ("one", second), ("two", second)):
        studio.workbench.hold(trace, ANN)
        presence.holds(page, ANN, trace)
    presence.is_gone("one")
    assert [studio.store.reservations.of(trace) is None for trace in (first, second)] == [True, False]
    presence.is_gone("two")
    assert studio.store.reservations.of(second) is None
    for number in range(2500):
        presence.holds(f"page {number}", ANN, first)
    presence.lets_go("page 2499", [first])
    assert len(presence._held) == 1999 and "page 2498" in presence._held and "page 2499" not in presence._held


def test_what_a_look_was_worth_is_asked_on_request_and_shown(studio, people):
    ann, trace = people(ANN), make(studio)
    reply = ann.post("/curate/weigh", json={"trace": trace})
    assert reply.status_code == 422 and "does not tell how likely" in reply.json()["error"]
    head = studio.store.revisions.head(trace)
    studio.store.history.record_weighed_look(head.id, 0, "KX", 0.001, 0.934, "tiny")
    (badge,) = (
        one for one in ann.get(f"/curate/trace/{trace}").json()["steps"][0]["badges"] if "this look" in one["text"]
    )
    assert (badge["text"], badge["kind"]) == ("this look: <1% → 93%", "good") and "KX was to tiny" in badge["title"]


def test_blanking_stops_when_the_page_goes_and_keeps_nothing(studio, people):
    from fastapi import FastAPI
    from fastapi.testclient import TestClient

    from ui.curating.continuing import continue_routes

    trace, slow = make(studio), ScriptedPolicy(("word " * 100_000,), delay_s=0.01)
    app = FastAPI()
    app.include_router(continue_routes(replace(studio, policy=lambda: slow)))
    app.add_middleware(WhoAsks, access=studio.access, pages=(), open_paths=(), header="")
    ann = TestClient(app, cookies={GUEST_COOKIE: studio.access.signed(ANN)})
    sent = posted(ann, "/curate/blank", {"trace": trace, "step": 0})
    assert sent[0]["status"] == 200 and studio.store.history.blank_checks(studio.store.revisions.head(trace).id) == []


def test_two_blind_reviews_that_disagree_are_decided_by_a_third(studio, people):
    ann, ben, trace = people(ANN), people(BEN), make(studio)
    head = studio.store.revisions.head(trace).id
    assert ann.post("/curate/round", json={"trace": trace, "wanted": 2}).json()["round"]["wanted"] == 2
    review = {"trace": trace, "revision": head, "reason": ""}
    ann.post("/curate/review", json=review | {"verdict": "accepted"})
    assert ben.get(f"/curate/trace/{trace}").json()["reviews"] == []
    ben.post("/curate/review", json=review | {"verdict": "rejected", "reason": "wrong place"})
    assert [row["id"] for row in ann.get("/curate/queue", params={"round": "disputed"}).json()["items"]] == [trace]
    body = {"trace": trace, "revision": head, "verdict": "accepted", "reason": "it is there"}
    assert ann.post("/curate/adjudicate", json=body).json()["status"] == "accepted"
    agreement = ann.get("/curate/agreement").json()
    assert agreement["revisions"] == 1 and agreement["alpha"] <= 0


def test_an_assignment_is_found_by_the_queue(studio, people):
    ann, trace = people(ANN), make(studio)
    assert ann.post("/curate/assign", json={"trace": trace, "person": BEN}).json()["assigned"] == [BEN]
    assert ann.get("/curate/queue", params={"assigned_to": BEN}).json()["total"] == 1
    assert ann.post("/curate/assign", json={"trace": trace, "person": BEN, "is_on": False}).json()["assigned"] == []


def test_the_history_knows_who_did_what(studio, people):
    ann, trace = people(ANN), make(studio)
    edit(ann, trace, {"edit": "set_thought", "step": 0, "thought": "mine"})
    ann.post("/curate/save", json={"trace": trace})
    history = ann.get(f"/curate/history/{trace}").json()
    assert [(e["who"], e["kind"]) for e in history["events"]] == [(ANN, "revised"), ("tiny", "recorded")]
    assert [(r["number"], r["is_head"]) for r in history["revisions"]] == [(2, True), (1, False)]


def test_many_people_edit_at_once_without_a_lost_update(studio, people):
    traces = [make(studio, seed) for seed in range(3)]
    failures: list[str] = []

    def work(name: str) -> None:
        client = people(name)
        for round in range(6):
            trace = traces[round % 3]
            reply = edit(
                client, trace, {"edit": "set_thought", "step": 0, "thought": f"{name} {round}"}, key=f"{name}{round}"
            )
            if reply.status_code != 200:
                failures.append(reply.text)

    names = [f"guest-{k:08x}" for k in range(8)]
    threads = [threading.Thread(target=work, args=(name,)) for name in names]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []
    for name in names:
        for place, trace in enumerate(traces):
            kept = people(name).get(f"/curate/trace/{trace}").json()
            assert kept["steps"][0]["thought"] == f"{name} {place + 3}"
