"""The Ask screen: a picture or clip, a question, and the model looking closer step by step until it answers.

What stands on the page is its own affair: the media are named by the stage's value, the question by its box, so two
tabs never meet. An attempt has an address from its first moment, `/?trace=ID`, and media without a question have one,
`/?media=SHA256`: whoever opens it, reloads or goes back sees the same, an attempt under way included. Values that come back
from the browser are read for hashes, indexes and texts only, and looked up again.

Not covered: several turns of one conversation (each question is an attempt of its own at the same media), changing a
trace (Curate), what the values look like (`ui.asking.shown`).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import gradio as gr

from engine.errors import InvalidInput, NotFound, PersonError
from engine.jobs.answering import LIVE, LIVE_WORDS
from engine.rights import may
from ui.answerers import answerers
from ui.answering import Attempt
from ui.asking.first import ASK_HEADING, ASK_NOTE
from ui.asking.pairing import NO_PAIR, NOBODY, ask_twice, beside_choices, pair_value, stop_second, watch_pair
from ui.asking.reading import MAX_FILES, example_of, hashes_of, options_of, seed_of
from ui.asking.shown import NO_STEPS, Shown, asked_twice, fresh, kept, media_values, refused, running
from ui.components.answer import Answer
from ui.components.blind import Blind
from ui.components.crops import Crops
from ui.components.drop import Drop
from ui.components.filmstrip import Filmstrip
from ui.components.questions import Questions
from ui.components.samples import Samples
from ui.components.source import Source
from ui.components.steps import Steps
from ui.guests import person_of, query, user_of
from ui.page import Page, eyebrow, heading
from ui.rights import handles, permitted
from ui.studio import Studio
from ui.trace_values import filmstrip_value, source_value, thumbnail_url

__all__ = ["build"]

_PLACES = ("trace", "media")
_CHOOSING = "prefer"
"""The act of choosing who answers, and between two answers."""
_WAIT, _GO_ON = (f"() => ({{__type__: 'update', interactive: {can}}})" for can in ("false", "true"))
_QUIET: dict[str, Any] = {"show_progress": "hidden", "api_name": False}


def build(studio: Studio, page: Page) -> None:
    answering = page.answering
    with gr.Row(elem_classes="columns"):
        with gr.Column(scale=0, min_width=296, elem_classes="column-left"):
            heading(ASK_HEADING, ASK_NOTE)
            eyebrow("Samples")
            samples = Samples(elem_id="ask-samples")
            Questions(elem_id="ask-questions")
        with gr.Column(scale=1, min_width=320, elem_classes="column-middle", elem_id="ask-media"):
            source = Source(source_value(()))
            film = Filmstrip(filmstrip_value(()))
            crops = Crops(source_value(()))
            blind = Blind(NO_PAIR, elem_id="ask-blind")
            drop = Drop({"media": None, "is_compact": False}, max_files=MAX_FILES, max_mb=studio.settings.max_upload_mb)
        with gr.Column(scale=0, min_width=416, elem_classes="column-right"):
            # Without a max_length: a browser cuts what is too long in silence, the server says so.
            question = gr.Textbox(
                label="Question",
                placeholder="What is written on the red sign?",
                lines=1,
                max_lines=5,
                interactive=True,
                elem_id="ask-question",
            )
            with gr.Row(elem_classes="ask-buttons"):
                run = gr.Button("Ask", variant="primary", elem_id="ask-run", scale=3, min_width=120)
                stop = gr.Button("Stop", interactive=False, elem_id="ask-stop", scale=1, min_width=80)
            with gr.Accordion("Options and more", open=False, elem_classes="ask-advanced") as more:
                choices = gr.Textbox(
                    label="Options to choose among, one a line (empty: any answer)",
                    lines=1,
                    max_lines=6,
                    elem_id="ask-options",
                )
                is_plain = gr.Checkbox(label="Answer at first sight, without zooming or picking frames", value=False)
                seed = gr.Textbox(
                    label="Seed, a whole number (empty: the most likely words)", max_length=12, elem_id="ask-seed"
                )
                with gr.Row(elem_classes="ask-who", visible=False) as choosing:
                    # One below the other: beside each other they cut what is chosen.
                    who = gr.Dropdown(
                        [(LIVE_WORDS, LIVE)], value=LIVE, label="Who answers", elem_id="ask-who", min_width=300
                    )
                    beside = gr.Dropdown(
                        beside_choices([]),
                        value=NOBODY,
                        label="Beside it, to compare blind",
                        min_width=300,
                        elem_id="ask-beside",
                    )
            answer = Answer(fresh([]).answer, elem_id="ask-answer")
            review = gr.Button("Send to review", interactive=False, elem_id="ask-review")
            eyebrow("Steps")
            steps = Steps({"steps": [], "empty": NO_STEPS}, elem_id="ask-steps")

    fields = [drop, question, choices, source, film, crops, steps, answer, run, stop, review, blind]

    unchanged = tuple(gr.skip() for _ in fields)

    def watched(page_key: str, attempt: Attempt, media: list[dict[str, Any]]) -> Iterator[tuple]:
        for progress in answering.watch(page_key, attempt):
            yield _updates(running(studio, media, attempt, progress))
        if not answering.is_seen(page_key, attempt):
            # Gradio says the last update again at the end: it must not stand where the page is by then.
            yield unchanged

    def twice(page_key: str, pair: tuple[Attempt, Attempt], media: list[dict[str, Any]]) -> Iterator[tuple]:
        answering.turn(page_key, pair[0].id)
        for news in watch_pair(pair, lambda: answering.is_seen(page_key, pair[0])):
            yield _updates(asked_twice(media, pair[0].example, pair_value(studio, pair, news)))
        if not answering.is_seen(page_key, pair[0]):
            yield unchanged

    def look_at(request: gr.Request, trace: str | None, named: str | None) -> Iterator[tuple]:
        """What stands at an address for whoever asks: an attempt under way until it ends, one that is kept, media (hashes with
        commas between), or nothing."""
        page_key, person = str(request.session_hash), user_of(request)
        place = trace or named
        answering.turn(page_key, place)
        try:
            attempt = answering.find_for(trace, person) if trace else None
            if attempt is not None and attempt.progress.trace_id is None:
                media = media_values(studio, [medium.sha256 for medium in attempt.example.media], person)
                yield from watched(page_key, attempt, media)
            elif trace:
                studio.workbench.require_seen(person, trace)
                record, head = studio.store.traces.get(trace), studio.store.revisions.head(trace)
                media = media_values(studio, [medium.sha256 for medium in head.trace.media], person)
                shown = kept(media, record, head.trace)
                yield _updates(shown) if answering.is_at(page_key, place) else unchanged
            else:
                yield _updates(fresh(media_values(studio, named.split(",")[:MAX_FILES] if named else [], person)))
        except NotFound as error:
            nothing = fresh([])
            yield _updates(refused(str(error), replace(nothing, answer=nothing.answer | {"address": None})))

    @handles("look")
    def list_samples(request: gr.Request) -> dict:
        return _samples_value(studio)

    @handles("look")
    def arrive(request: gr.Request) -> Iterator[tuple]:
        trace, media = query(request, "trace"), query(request, "media")
        if trace or media:
            asked = query(request, "question")
            for updates in look_at(request, trace, media):
                yield (updates[0], asked, *updates[2:]) if asked and not trace else updates
        else:
            yield unchanged

    @handles("look")
    def open_address(value: Any, request: gr.Request) -> Iterator[tuple]:
        """The page went back or forward, or comes back to an attempt whose stream broke."""
        wanted = value.get("wanted") if isinstance(value, dict) else None
        trace, media = (
            str(wanted[name]) if isinstance(wanted, dict) and wanted.get(name) else None for name in _PLACES
        )
        is_same = bool(trace) and value.get("address") == f"?trace={trace}"
        for updates in look_at(request, trace, media):
            # Who comes back to the same attempt may have begun to write the next question.
            yield (*(unchanged if is_same else updates)[:3], *updates[3:7], _to(wanted, updates[7]), *updates[8:])

    @handles("look")
    def pick_sample(value: Any, request: gr.Request) -> tuple:
        answering.turn(str(request.session_hash), None)
        sample = studio.samples()[_index(value)]
        shown = fresh(media_values(studio, [sample.sha256], user_of(request)), sample.question, sample.options)
        return _updates(shown)

    @handles("look")
    def take_files(value: Any, request: gr.Request) -> tuple:
        answering.turn(str(request.session_hash), None)
        return _updates(fresh(media_values(studio, hashes_of(value), user_of(request))))

    @handles("look")
    def list_answerers(request: gr.Request) -> tuple:
        if not may(person_of(request).role, _CHOOSING):
            return gr.skip(), gr.skip(), gr.skip()
        names = [(one["name"], one["id"]) for one in answerers(studio)]
        return gr.Row(visible=True), gr.Dropdown(names), gr.Dropdown(beside_choices(names))

    @handles("ask")
    def ask(
        stage: Any,
        text: str,
        options: str,
        plain: bool,
        number: str,
        adapter: str | None,
        other: str | None,
        before: Any,
        request: gr.Request,
    ) -> Iterator[tuple]:
        try:
            person, hashes = user_of(request), hashes_of(stage)
            media, seed_number = media_values(studio, hashes, person), seed_of(number)
            example = example_of(studio, person, hashes, text, options_of(options))
            adapter, other = adapter or LIVE, other or NOBODY
            if (adapter, other) != (LIVE, NOBODY):
                permitted(request, _CHOOSING)
            if other == adapter:
                raise InvalidInput("Choose two who differ, or the same once more, sampled.")
            for _ in range(1 if other == NOBODY else 2):
                studio.access.use.ask(person_of(request))
        except PersonError as error:
            is_told = isinstance(before, dict) and before.get("state")
            yield _updates(refused(str(error), Shown(before if is_told else fresh([]).answer)))
            return
        page_key = str(request.session_hash)
        asked: dict[str, Any] = {"author": person, "is_operating": not plain, "seed": seed_number, "adapter": adapter}
        if other != NOBODY:
            pair = ask_twice(answering, page_key, example, other=other, **asked)
            for updates in twice(page_key, pair, media):
                yield (*unchanged[:3], *updates[3:])
            return
        stop_second(answering, page_key)
        attempt = answering.ask(page_key, example, **asked)
        for updates in watched(page_key, attempt, media):
            # The fields are the person's, who may be writing the next question already.
            yield (*unchanged[:3], *updates[3:])

    @handles("ask")
    def stop_asking(value: Any, pair: Any, request: gr.Request) -> Any:
        told = [one for one in (value, pair) if isinstance(one, dict)]
        for id in [one.get("attempt") for one in told] + [id for one in told for id in one.get("attempts") or ()]:
            answering.stop(str(id), user_of(request))
        return gr.Button(interactive=False)

    @handles("send_to_review")
    def send_to_review(value: Any, request: gr.Request) -> tuple:
        return _sent(studio, value, user_of(request))

    long: dict[str, Any] = {"concurrency_limit": 64, **_QUIET}
    page.blocks.load(list_samples, None, samples, **_QUIET)
    page.blocks.load(arrive, None, fields, **long)
    more.expand(list_answerers, None, [choosing, who, beside], **_QUIET)
    # What is asked stands on the page: until the sample or the files have come, Ask waits.
    for begun in (samples.pick, drop.take):
        begun(None, None, run, js=_WAIT, **_QUIET)
    samples.pick(pick_sample, samples, fields, trigger_mode="always_last", **_QUIET).failure(None, None, run, js=_GO_ON)
    # One after another, each with its own files: "always_last" would read the drop again when the first look has emptied it.
    drop.take(take_files, drop, fields, trigger_mode="multiple", **_QUIET).failure(None, None, run, js=_GO_ON)
    question.submit(None, None, None, js="() => document.querySelector('#ask-run').click()", **_QUIET)
    run.click(
        ask,
        [source, question, choices, is_plain, seed, who, beside, answer],
        fields,
        trigger_mode="once",
        **long,
    )
    answer.open(open_address, answer, fields, trigger_mode="multiple", **long)
    stop.click(stop_asking, [answer, blind], stop, trigger_mode="multiple", queue=False, **_QUIET)
    review.click(send_to_review, answer, [answer, review], trigger_mode="once", **_QUIET)


def _updates(shown: Shown) -> tuple:
    """What goes to the parts of the page, in the order of `fields`."""

    def given(value: Any) -> Any:
        return gr.skip() if value is None else value

    return (
        gr.skip() if shown.stage is None else {"media": None, "is_compact": bool(shown.stage["media"])},
        given(shown.question),
        gr.skip() if shown.options is None else "\n".join(shown.options),
        given(shown.stage),
        given(shown.film),
        given(shown.stage),
        given(shown.steps),
        shown.answer,
        gr.Button(interactive=not shown.is_running),
        gr.Button(interactive=shown.is_running),
        gr.Button(interactive=shown.is_kept),
        gr.skip() if shown.stage is None else shown.pair,
    )


def _to(wanted: Any, answer: Any) -> Any:
    """The answer's value with the wish that it answers, by which the page knows one that comes late."""
    return answer | {"wanted": wanted} if "address" in answer else answer


def _index(value: Any) -> int:
    current = value.get("current") if isinstance(value, dict) else None
    return current if isinstance(current, int) and current >= 0 else 0


def _samples_value(studio: Studio) -> dict:
    items = []
    for sample in studio.samples():
        medium = studio.media.load(sample.sha256).media
        url = thumbnail_url(sample.sha256, 1 if medium.kind == "video" else None)
        items.append(
            {
                "title": sample.title,
                "question": sample.question,
                "kind": medium.kind,
                "url": url,
                "sha256": sample.sha256,
            }
        )
    return {"items": items, "current": None}


def _sent(studio: Studio, value: Any, reviewer: str) -> tuple:
    """Flags the trace for review; the answer gets a link to where it is reviewed."""
    trace_id = str(value.get("trace_id")) if isinstance(value, dict) else ""
    try:
        studio.workbench.send_to_review(trace_id, reviewer)
    except PersonError as error:
        return {**value, "problem": str(error)}, gr.skip()
    link = {"href": f"curate?trace={trace_id}", "text": "Sent to review: open it in Curate"}
    return {**value, "link": link, "status": "Sent to review."}, gr.Button(interactive=False)
