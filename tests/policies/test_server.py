"""A model behind an API: what is sent, what is read, what it is when the server fails. The stand-in speaks the real protocol."""

from __future__ import annotations

import base64
import io
import json
import logging
import math
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from engine.drivers.asynchronous import run_async
from engine.drivers.streaming import stream
from engine.drivers.together import Prompt
from engine.errors import InvalidSetting, Unavailable
from engine.media import load_media, write_clip
from engine.policies.address import Address
from engine.policies.server.blocking import BlockingServerPolicy
from engine.policies.server.opening import open_server
from engine.policies.server.reading import Reading
from engine.protocols import protocol_named
from engine.protocols.budgets import PUBLISHED_BUDGETS, PixelBudget, smart_resize
from engine.protocols.calls import written_call
from engine.reasoning import Finished, Limits, Thinking
from engine.trace import Example, SelectFrames, ZoomIn
from tests.drivers.asking import awaited
from tests.policies.stand_in import MODEL, StandIn, serve

CALL = '<tool_call>\n{"name": "image_zoom_in_tool", "arguments": {"bbox_2d": [0, 0, 500, 500], "img_idx": 0}}\n</tool_call>'
TURNS = ("I look closer.\n" + CALL, "I read it.\n\n\\boxed{KX7421}")


@pytest.fixture(autouse=True)
def _no_pauses(monkeypatch):
    monkeypatch.setattr("openai._base_client.INITIAL_RETRY_DELAY", 0.001)
    monkeypatch.setattr("openai._base_client.MAX_RETRY_DELAY", 0.002)


@pytest.fixture(scope="module")
def picture(tmp_path_factory):
    path = tmp_path_factory.mktemp("media") / "picture.png"
    Image.effect_noise((900, 700), 80).convert("RGB").save(path)
    return load_media(path)


def ask(stand_in: StandIn, loaded, is_cancelled=lambda: False, key: str = "", seed: int | None = None):
    policy = BlockingServerPolicy(open_server(Address(stand_in.url, MODEL), key=key))
    stand_in.asked.clear()
    example = Example("What is written?", (loaded.media,))
    pictures = {loaded.media.sha256: loaded}
    return list(stream(policy, example, pictures, Limits(), is_cancelled=is_cancelled, seed=seed))


def test_an_attempt_over_the_wire(picture):
    with serve(StandIn(TURNS)) as stand_in:
        notices = ask(stand_in, picture, key="sk-secret", seed=7)
        finished = notices[-1]
        assert isinstance(finished, Finished)
        trace = finished.trace
        assert (trace.stop_reason, trace.answer, trace.policy) == ("answered", "KX7421", "Qwen3-VL-4B-Instruct")
        assert isinstance(trace.steps[0].operation, ZoomIn)
        assert trace.steps[0].operation.box.as_list() == [0, 0, 0.5, 0.5]
        assert finished.confidence == pytest.approx(math.exp(-0.25))
        assert [notice.thought for notice in notices if isinstance(notice, Thinking)][1] == "I look"

        first, second = stand_in.asked
        assert [message["role"] for message in first["messages"]] == ["system", "user"]
        assert [message["role"] for message in second["messages"]] == ["system", "user", "assistant", "user"]
        assert second["messages"][2]["content"] == TURNS[0]  # word for word, with the stop string
        assert (first["stop"], first["stream"], first["seed"], first["temperature"]) == (["</tool_call>"], True, 7, 1.0)
        for message, role, size in (
            (first["messages"][1], "image", (900, 700)),
            (second["messages"][3], "crop", (450, 350)),
        ):
            [url] = [part["image_url"]["url"] for part in message["content"] if part["type"] == "image_url"]
            sent = Image.open(io.BytesIO(base64.b64decode(url.removeprefix("data:image/png;base64,"))))
            assert sent.size == smart_resize(size, PUBLISHED_BUDGETS[role], 32)
        assert set(stand_in.keys) == {"Bearer sk-secret"}


def test_a_clip_goes_frame_by_frame_and_is_selected_from(tmp_path):
    write_clip([Image.new("RGB", (64, 48), (8 * k, 0, 0)) for k in range(32)], tmp_path / "clip.mp4", 8)
    clip = load_media(tmp_path / "clip.mp4")
    selection = {"name": "select_frames", "arguments": {"target_frames": [3, 4]}, "thought": "Between."}
    with serve(StandIn((selection, "\\boxed{red}"))) as stand_in:
        trace = ask(stand_in, clip)[-1].trace
        assert trace.steps[0].operation == SelectFrames((3, 4))
        assert trace.steps[0].thought == "Between."
        pictures = [part for part in stand_in.asked[0]["messages"][1]["content"] if part["type"] == "image_url"]
        assert len(pictures) == 16
        assert stand_in.asked[0]["temperature"] == 0
        assert "seed" not in stand_in.asked[0]


def test_many_conversations_are_on_the_wire_at_once(picture):
    with serve(StandIn(TURNS, delay_s=0.05)) as stand_in:
        policy = open_server(Address(stand_in.url, MODEL))
        prompts = [
            Prompt(Example(f"Number {k}?", (picture.media,)), {picture.media.sha256: picture}, (k,)) for k in range(6)
        ]

        async def collect():
            return [ended async for ended in run_async(policy, prompts, at_once=6)]

        ended = awaited(collect())
        assert sorted(number for number, _, _ in ended) == list(range(6))
        assert {finished.trace.answer for _, _, finished in ended} == {"KX7421"}
        assert stand_in.most_at_once >= 4

        blocking = BlockingServerPolicy(policy)
        conversations = [blocking.converse({picture.media.sha256: picture}, None) for _ in range(4)]
        for conversation in conversations:
            conversation.awaited.messages.append({"role": "user", "content": "?"})
        stand_in.most_at_once = 0
        assert [turn.text for turn in blocking.speak(conversations, [64] * 4, lambda: False)] == [TURNS[0]] * 4
        assert stand_in.most_at_once >= 3


@pytest.mark.parametrize(
    "refused", [("logprobs",), ("stream_options",), ("seed",), ("logprobs", "seed", "stream_options")]
)
def test_what_a_server_does_not_take_is_left_out(picture, refused):
    with serve(StandIn((TURNS[0] + " and so on, and so on", TURNS[1]), refuses=frozenset(refused))) as stand_in:
        finished = ask(stand_in, picture, seed=1)[-1]
        assert finished.trace.answer == "KX7421"
        assert stand_in.asked[1]["messages"][2]["content"] == TURNS[0]
        assert (finished.confidence is None) == ("logprobs" in refused)


@pytest.mark.parametrize("faults", [[429, 429], [500, 503], ["cut"], ["cut", "cut"], ["garbage"]])
def test_a_server_that_stumbles_is_asked_again(picture, faults):
    with serve(StandIn(TURNS)) as stand_in:
        policy = BlockingServerPolicy(open_server(Address(stand_in.url, MODEL)))
        stand_in.faults += faults
        example = Example("What is written?", (picture.media,))
        *_, finished = stream(policy, example, {picture.media.sha256: picture}, Limits())
        assert finished.trace.answer == "KX7421"
        assert finished.trace.steps[0].thought == "I look closer."


@pytest.mark.parametrize(
    ("faults", "sentence"),
    [
        ([401] * 9, "does not take the key; set OPENAI_API_KEY"),
        ([404] * 9, f"has no model '{MODEL}'"),
        ([429] * 9, "is asked too much"),
        ([500] * 9, "refused with 500: .*fault 500, key ..."),
        (["cut"] * 9, "broke off its answer 3 times"),
        (["garbage"] * 9, "did not answer as an OpenAI-compatible server does"),
    ],
)
def test_a_server_that_fails_is_one_sentence_without_the_key(picture, faults, sentence, caplog):
    caplog.set_level(logging.DEBUG)
    with serve(StandIn(TURNS)) as stand_in:
        policy = BlockingServerPolicy(open_server(Address(stand_in.url, MODEL), key="sk-secret"))
        stand_in.faults += faults
        notices = stream(policy, Example("?", (picture.media,)), {picture.media.sha256: picture}, Limits())
        with pytest.raises(Unavailable, match=sentence) as caught:
            list(notices)
    for told in (str(caught.value), caplog.text, repr(policy), json.dumps(dict(policy.settings()))):
        assert "sk-secret" not in told


def test_a_call_named_in_every_piece_is_named_once():
    from openai.types.chat import ChatCompletionChunk

    reading = Reading("</tool_call>")
    for call in (
        {"index": 0, "id": "1"},
        {"index": 0, "id": "1", "function": {"name": "zoom_in", "arguments": '{"factor"'}},
        {"index": 0, "id": "1", "function": {"name": "zoom_in", "arguments": ": 2}"}},
    ):
        choice = {"index": 0, "delta": {"role": "assistant", "tool_calls": [call]}, "finish_reason": None}
        head = {"id": "1", "object": "chat.completion.chunk", "created": 1, "model": MODEL}
        reading.take(ChatCompletionChunk.model_validate({**head, "choices": [choice]}))
    assert reading.turn().text == written_call("zoom_in", {"factor": 2})


def test_cancelling_waits_for_nobody(picture):
    with serve(StandIn(TURNS, faults=[])) as stand_in:
        policy = BlockingServerPolicy(open_server(Address(stand_in.url, MODEL)))
        stand_in.faults += ["hang"]
        began = time.monotonic()
        is_cancelled = lambda: time.monotonic() > began + 0.3  # noqa: E731
        example = Example("?", (picture.media,))
        *_, finished = stream(policy, example, {picture.media.sha256: picture}, Limits(), is_cancelled=is_cancelled)
        assert finished.trace.stop_reason == "cancelled"
        assert time.monotonic() - began < 2


def test_a_turn_that_is_too_long_is_cut(picture):
    with serve(StandIn(("one two three four five six",))) as stand_in:
        policy = BlockingServerPolicy(open_server(Address(stand_in.url, MODEL)))
        *_, finished = stream(
            policy, Example("?", (picture.media,)), {picture.media.sha256: picture}, Limits(max_tokens=3)
        )
        assert finished.trace.stop_reason == "max_tokens"
        assert finished.trace.steps[0].thought == "one two three"


def test_the_wire_format_is_chosen_by_the_name_or_asked_for():
    with serve(StandIn(models=("gpt-9", "TIGER-Lab/PixelReasoner-RL-v1", "Qwen/Qwen2.5-VL-7B-Instruct"))) as stand_in:
        assert open_server(Address(stand_in.url, "TIGER-Lab/PixelReasoner-RL-v1")).protocol.NAME == "pixel-reasoner"
        assert open_server(Address(stand_in.url, "Qwen/Qwen2.5-VL-7B-Instruct")).protocol.NAME == "pixel-reasoner"
        with pytest.raises(InvalidSetting, match="set STUDIO_PROTOCOL to one of"):
            open_server(Address(stand_in.url, "gpt-9"))
        assert open_server(Address(stand_in.url, "gpt-9"), "deepeyes").protocol == protocol_named("deepeyes")
        with pytest.raises(Unavailable, match="has no model 'other'; it has: gpt-9, TIGER-Lab"):
            open_server(Address(stand_in.url, "other"), "studio")


def test_a_server_that_is_not_there_is_told_soon():
    began = time.monotonic()
    with pytest.raises(Unavailable, match=r"the server at http://127.0.0.1:9/v1 cannot be reached"):
        open_server(Address("http://127.0.0.1:9/v1", MODEL))
    assert time.monotonic() - began < 10


def test_addresses():
    assert Address.parse("openai:http://host:8000/v1/#a/b") == Address("http://host:8000/v1", "a/b")
    for wrong in ("openai:host:8000", "openai:http://host:8000/v1", "openai:ftp://host/#m", "openai:#m"):
        with pytest.raises(InvalidSetting, match=r"openai:http://HOST:PORT/v1#MODEL"):
            Address.parse(wrong)
    with pytest.raises(InvalidSetting) as caught:
        Address.parse("openai:http://me:secret@host/v1#m")
    assert "secret" not in str(caught.value)
    with pytest.raises(InvalidSetting) as caught:
        Address.parse("openai:ftp://me:secret@host/v1#m")
    assert "secret" not in str(caught.value)


@given(
    st.integers(1, 4000), st.integers(1, 4000), st.sampled_from([28, 32]),
    st.sampled_from([*PUBLISHED_BUDGETS.values(), PixelBudget(4 * 784, 16 * 784)]),
)  # fmt: skip
def test_sizes_are_those_of_the_published_processor(width, height, factor, budget):
    from transformers.models.qwen2_vl.image_processing_qwen2_vl import smart_resize as published

    from engine.protocols.budgets import within_aspect

    w, h = within_aspect((width, height))
    expected = published(h, w, factor, budget.min_pixels, budget.max_pixels)
    assert smart_resize((width, height), budget, factor) == (expected[1], expected[0])
