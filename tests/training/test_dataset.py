"""Which tokens carry loss, and that training sees exactly what inference sees."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from engine.drivers.streaming import stream
from engine.errors import InvalidInput
from engine.policies.base import Turn
from engine.protocols import protocol_named
from engine.reasoning import Limits
from engine.trace import Box, Example, Observation, Step, Trace, ZoomIn

from .conftest import zoom_trace

if TYPE_CHECKING:
    from engine.backbone.session import Session
    from engine.policies.local import LocalConversation

WRONG_BOX = Step("Perhaps here.", ZoomIn(1, Box(0.0, 0.0, 0.25, 0.25)), Observation(views=(2,)), is_erroneous=True)
FAILED = Step("I look at 9.", ZoomIn(9, Box(0.0, 0.0, 0.25, 0.25)), Observation(error="there is no picture 9"))


@pytest.fixture(scope="module", params=["qwen3_vl", "qwen2_5_vl"])
def backbone(request, fresh_backbone):
    return fresh_backbone(request.param, "none")


def spoken(encoded, backbone) -> list[str]:
    """The texts of the runs of tokens that carry loss."""
    from engine.training.dataset import IGNORED

    runs: list[list[int]] = []
    previous = IGNORED
    for token, label in zip(encoded.ids.tolist(), encoded.labels.tolist(), strict=True):
        if label != IGNORED:
            assert label == token
            if previous == IGNORED:
                runs.append([])
            runs[-1].append(label)
        previous = label
    return [backbone.tokenizer.decode(run) for run in runs]


def written(step: Step, trace: Trace) -> str:
    from engine.backbone.session import TURN_END

    return protocol_named("studio").render(step, trace.views, trace.media) + TURN_END


def test_exactly_the_models_own_turns_carry_loss(backbone, examples, pictures):
    from engine.training.dataset import encode

    trace = examples[0].trace
    encoded = encode(examples[0], backbone, pictures)
    assert spoken(encoded, backbone) == [written(step, trace) for step in trace.steps]
    assert spoken(encoded, backbone)[-1] == "I read it. \\boxed{KX7421}<|im_end|>"


def test_a_trace_asked_without_operations_trains_under_that_question(backbone, pictures):
    from engine.training.dataset import TrainingExample, encode

    zoomed = zoom_trace(next(iter(pictures.values())))
    plain = Trace(
        zoomed.question,
        zoomed.media,
        zoomed.views[:1],
        (Step("I guess.", answer="17"),),
        "answered",
        "tiny",
        "studio",
        is_operating=False,
    )
    told = backbone.tokenizer.decode(encode(TrainingExample(plain, plain.example), backbone, pictures).ids)
    assert "Answer without operations." in told
    # A person who gave it an operation made it an answer to the other question.
    edited = dataclasses.replace(zoomed, is_operating=False)
    told = backbone.tokenizer.decode(encode(TrainingExample(edited, edited.example), backbone, pictures).ids)
    assert "Answer without operations." not in told


@pytest.mark.parametrize("masked", [WRONG_BOX, FAILED], ids=["erroneous", "failed"])
def test_a_turn_not_to_be_learned_stays_in_the_sequence_without_loss(backbone, pictures, masked):
    from engine.training.dataset import TrainingExample, encode

    trace = zoom_trace(next(iter(pictures.values())), first_step=masked)
    encoded = encode(TrainingExample(trace, trace.example), backbone, pictures)
    assert spoken(encoded, backbone) == [written(step, trace) for step in trace.steps[1:]]
    everything = backbone.tokenizer.decode(encoded.ids)
    assert masked.thought in everything
    if masked.observation.error:
        assert "Execution error: there is no picture 9" in everything


def test_a_turn_that_was_cut_off_carries_no_loss(backbone, pictures):
    from engine.training.dataset import TrainingExample, encode

    whole = zoom_trace(next(iter(pictures.values())))
    cut_off = Trace(
        whole.question, whole.media, whole.views, (whole.steps[0], Step("I read")), "max_tokens", "tiny", "studio"
    )
    encoded = encode(TrainingExample(cut_off, cut_off.example), backbone, pictures)
    assert spoken(encoded, backbone) == [written(whole.steps[0], whole)]
    assert backbone.tokenizer.decode(encoded.ids).endswith("I read")


def test_no_picture_or_question_token_carries_loss(backbone, examples, pictures):
    from engine.training.dataset import IGNORED, encode

    encoded = encode(examples[0], backbone, pictures)
    image_pad = backbone.tokenizer.convert_tokens_to_ids("<|image_pad|>")
    assert (encoded.ids == image_pad).sum() == encoded.grids.prod(1).sum() // 4
    assert not (encoded.labels == image_pad).any()
    asked = backbone.tokenizer.decode(encoded.ids[encoded.labels == IGNORED])
    assert "What is written on the red disc?" in asked
    assert "Here is the cropped image" in asked


def saying(turns: Iterator[str], session: Session, pictures) -> LocalConversation:
    """A real conversation whose model says these turns, token by token, as `Session.generate` records them."""

    from engine.backbone.session import TURN_END
    from engine.policies.local import LocalConversation

    class Saying(LocalConversation):
        def generate(self, max_tokens, is_cancelled):
            text = next(turns)
            tokens = session.backbone.tokenizer(text, add_special_tokens=False)["input_ids"]
            # A turn that ends in a call stops there; only an answer is followed by the end of turn.
            if not text.endswith("</tool_call>"):
                tokens.append(session._id(TURN_END))
            session._append_ids(tokens)
            yield Turn(text, len(tokens), True)

        def close(self):
            """What was said is looked at afterwards."""

    return Saying(session, pictures)


@pytest.mark.parametrize("protocol", ["studio", "pixel-reasoner"])
@pytest.mark.parametrize("first_step", [None, FAILED], ids=["zoom", "error-then-zoom"])
def test_training_and_inference_agree_token_for_token(fresh_backbone, pictures, protocol, first_step):
    import torch

    from engine.backbone.session import Session
    from engine.policies.local import LocalPolicy
    from engine.training.dataset import TrainingExample, encode

    backbone = fresh_backbone("qwen2_5_vl", "none", protocol)
    wire = protocol_named(protocol)
    trace = zoom_trace(next(iter(pictures.values())), first_step=first_step)
    made: list[LocalConversation] = []

    class Policy:
        name = "repeating"
        protocol = wire
        shown_sizes = LocalPolicy(backbone).shown_sizes

        def converse(self, pictures, seed):
            turns = iter([wire.render(step, trace.views, trace.media) for step in trace.steps])
            made.append(saying(turns, Session(backbone), pictures))
            return made[-1]

    example = Example(trace.question, trace.media)
    *_, finished = stream(Policy(), example, pictures, Limits(max_steps=4))
    # What was said and came back decides the views, so the trace to compare is the one that the loop made of it.
    encoded = encode(TrainingExample(finished.trace, finished.trace.example), backbone, pictures)
    session = made[0].session
    assert finished.trace.answer == trace.answer
    assert encoded.ids.equal(session.ids[0])
    assert encoded.positions.equal(session.positions()[0][:, 0])
    assert encoded.pixels.equal(torch.cat(session.pixels))
    assert encoded.grids.equal(torch.cat(session.grids))


def test_logits_of_a_batch_equal_those_of_each_conversation(backbone, examples, pictures, load_pictures):
    import torch

    from engine.backbone.session import Session
    from engine.policies.local import LocalConversation
    from engine.training.dataset import Collator, recall

    batch = Collator(examples, backbone, load_pictures, 4096)([{"example": 0}, {"example": 1}])
    assert batch["input_ids"].shape[1] > batch["attention_mask"].sum(1).min()  # one of them is padded
    inputs = {name: value for name, value in batch.items() if name != "labels"}
    with torch.no_grad():
        together = backbone.model(**inputs).logits
    for row, example in enumerate(examples):
        session = Session(backbone)
        recall(LocalConversation(session, pictures), example)
        alone = session.next_logits()
        last = int(batch["attention_mask"][row].sum()) - 1
        assert (together[row, last].float() - alone).abs().max() < 1e-4


def test_options_and_question_are_those_of_the_opening(backbone, examples, pictures):
    from engine.training.dataset import TrainingExample, encode

    example = TrainingExample(examples[0].trace, replace(examples[0].example, options=("red", "blue")))
    text = backbone.tokenizer.decode(encode(example, backbone, pictures).ids)
    assert "(A) red\n(B) blue" in text


def test_a_long_conversation_is_refused_by_name(backbone, examples, load_pictures):
    from engine.training.dataset import Collator

    with pytest.raises(InvalidInput, match="trace .a. has .* the limit is 20"):
        Collator(examples, backbone, load_pictures, 20)([{"example": 0}])


@pytest.mark.parametrize(("most_bytes", "encoded"), [(2**30, 2), (0, 4)])
def test_a_trace_is_encoded_once_where_memory_allows(
    backbone, examples, load_pictures, monkeypatch, most_bytes, encoded
):
    from engine.training import dataset

    said, encode = [], dataset.encode
    monkeypatch.setattr(dataset, "encode", lambda example, *rest: said.append(example) or encode(example, *rest))
    collate = dataset.Collator(examples, backbone, load_pictures, 4096, most_bytes)
    rows = [{"example": 0}, {"example": 1}]
    first, again = collate(rows), collate(rows)
    assert len(said) == encoded
    assert all(first[name].equal(again[name]) for name in first)


def test_objections(examples, pictures):
    from engine.lessons import carries_loss
    from engine.training.fitting import objection

    studio = protocol_named("studio")
    trace = examples[0].trace
    assert objection(trace, studio) is None
    unwritable = Trace(
        trace.question, trace.media, trace.views[:1], (Step("", answer="a } b"),), "answered", "tiny", "studio"
    )
    assert "cannot be written" in objection(unwritable, studio)
    wrong = Trace(trace.question, trace.media, trace.views[:1], (FAILED,), "max_steps", "tiny", "studio")
    assert "no step to learn from" in objection(wrong, studio)
    assert not carries_loss(Step("cut off"))
