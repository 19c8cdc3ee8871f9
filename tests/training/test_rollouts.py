"""Rollouts are what the loop would do, their tokens what was said, their log-probabilities the model's own."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from engine.drivers.streaming import stream
from engine.drivers.together import Prompt
from engine.policies.base import never
from engine.protocols import protocol_named
from engine.reasoning import Finished, Limits
from engine.trace import Example

if TYPE_CHECKING:
    import torch

    from engine.training.rollouts import Rollout

LIMITS = Limits(max_steps=3, max_tokens=140, max_turn_tokens=70)


@pytest.fixture(scope="module")
def backbone(undecided):
    return undecided()


@pytest.fixture(scope="module")
def prompts(pictures) -> list[Prompt]:
    return [
        Prompt(Example("What is written on the red disc?", (loaded.media,), "KX7421"), pictures, tuple(range(6)))
        for loaded in pictures.values()
    ]


@pytest.fixture(scope="module")
def groups(backbone, prompts) -> list[list[Rollout]]:
    from engine.training.rollouts import roll_out

    return roll_out(backbone, prompts, LIMITS)


def exact_log_probs(backbone, rollout: Rollout, shown) -> torch.Tensor:
    """Of every token but the first, by one forward of the stock model over the whole conversation; `shown` are its
    pictures."""
    import torch

    from engine.backbone.session import IMAGE_PAD

    image_pad = backbone.tokenizer.convert_tokens_to_ids(IMAGE_PAD)
    ids = rollout.ids[None]
    with torch.no_grad():
        logits = backbone.model(
            input_ids=ids,
            attention_mask=torch.ones_like(ids),
            mm_token_type_ids=(ids == image_pad).int(),
            pixel_values=torch.cat([pixels for pixels, _ in shown]),
            image_grid_thw=torch.cat([grid for _, grid in shown]),
        ).logits[0]
    return torch.log_softmax(logits[:-1].float(), -1).gather(1, rollout.ids[1:, None])[:, 0]


def test_both_ways_are_taken_and_pictures_come_with_them(groups):
    everything = [rollout for group in groups for rollout in group]
    operating = [rollout for rollout in everything if rollout.trace.has_operation]
    assert 0 < len(operating) < len(everything)
    assert {rollout.shown for rollout in operating} >= {2}
    assert {rollout.trace.answer for rollout in everything} & {"KX7421", "17"}


def test_log_probabilities_agree_with_one_forward(backbone, groups, pictures):
    from engine.training.rollout_batch import shown_pictures

    for rollout in groups[0] + groups[1]:
        expected = exact_log_probs(backbone, rollout, shown_pictures(backbone, rollout, pictures))
        found = rollout.log_probs[1:]
        mask = rollout.sampled[1:]
        assert (expected - found)[mask].abs().max() < 1e-4
        assert (found[~mask] == 0).all()


def test_rollouts_are_what_the_loop_does_with_the_same_seed(backbone, prompts, groups):
    from engine.policies.local import LocalPolicy

    for prompt, group in zip(prompts, groups, strict=True):
        for seed, rollout in zip(prompt.seeds, group, strict=True):
            *_, finished = stream(LocalPolicy(backbone), prompt.example, prompt.pictures, LIMITS, seed=seed)
            assert isinstance(finished, Finished)
            assert rollout.trace == finished.trace


def test_exactly_what_was_said_is_marked(backbone, groups):
    from engine.backbone.session import TURN_END
    from engine.training.fitting import objection

    protocol = protocol_named("studio")
    answered = [rollout for rollout in groups[0] if rollout.trace.stop_reason == "answered"]
    # What was sampled may end in a brace that nobody opened, which no protocol writes.
    whole = [rollout for rollout in answered if objection(rollout.trace, protocol) is None]
    assert whole
    for rollout in whole:
        trace = rollout.trace
        said = backbone.tokenizer.decode(rollout.ids[rollout.sampled])
        # A call ends its turn: the end of turn after it is ours, that after an answer the model's.
        expected = "".join(
            protocol.render(step, trace.views, trace.media) + ("" if step.observation else TURN_END)
            for step in trace.steps
        )
        if all(step.observation is None or step.observation.error is None for step in trace.steps):
            assert said == expected
        assert not rollout.sampled[: rollout.prompt_tokens].any()
        assert rollout.said_tokens == rollout.sampled.sum() > 0


def test_training_on_a_rollouts_trace_sees_the_same_sequence(backbone, groups, pictures):
    """SFT's encoding of the trace and the rollout's own tokens are one sequence."""
    import torch

    from engine.training.dataset import TrainingExample, encode
    from engine.training.rollout_batch import shown_pictures

    clean = [
        rollout
        for rollout in groups[0]
        if rollout.trace.stop_reason == "answered" and not rollout.trace.operation_errors
    ]
    assert clean
    for rollout in clean:
        encoded = encode(TrainingExample(rollout.trace, rollout.trace.example), backbone, pictures)
        assert encoded.ids.equal(rollout.ids)
        shown = shown_pictures(backbone, rollout, pictures)
        assert encoded.pixels.equal(torch.cat([pixels for pixels, _ in shown]))
        assert encoded.grids.equal(torch.cat([grid for _, grid in shown]))


def test_a_rollout_that_is_cut_behind_what_is_taught_sees_what_it_saw_there(backbone, groups, pictures):
    """Taught in the first and in the last turn: the words and pictures before are the same, and so is what they are given."""
    import torch

    from engine.training.rollout_batch import shown_pictures
    from engine.training.rollouts import taught_at

    for rollout in groups[0]:
        said = rollout.sampled.nonzero().flatten() - rollout.prompt_tokens
        for chosen in (said[:2], said[[1, -2]], said):
            places = torch.zeros(len(rollout.ids) - rollout.prompt_tokens, dtype=torch.bool)
            places[chosen] = True
            cut = taught_at(rollout, places.tolist())
            assert len(cut.ids) == rollout.prompt_tokens + chosen[-1] + 1 and cut.ids.equal(rollout.ids[: len(cut.ids)])
            assert (cut.sampled.nonzero().flatten() - cut.prompt_tokens).equal(chosen)
            assert cut.shown == (1 if chosen[-1] < 3 else rollout.shown)
            found = exact_log_probs(backbone, cut, shown_pictures(backbone, cut, pictures))
            assert (found - cut.log_probs[1:])[cut.sampled[1:]].abs().max() < 1e-4


def test_how_many_speak_at_once_changes_nothing(backbone, prompts, groups):
    from engine.training.rollouts import roll_out

    few = roll_out(backbone, prompts, LIMITS, most_rows=3)
    assert [[one.trace for one in group] for group in few] == [[one.trace for one in group] for group in groups]
    assert not backbone.lease.is_held


def test_stopping_ends_all_attempts(backbone, prompts):
    from engine.training.rollouts import RolloutsStopped, roll_out

    asked = []

    def is_cancelled():
        asked.append(True)
        return len(asked) > 40

    with pytest.raises(RolloutsStopped):
        roll_out(backbone, prompts, LIMITS, is_cancelled=is_cancelled)
    assert not backbone.lease.is_held
    assert roll_out(backbone, prompts[:1], Limits(max_steps=1, max_tokens=3), is_cancelled=never)


def test_a_clip_is_learned_from_as_it_was_seen(fresh_backbone, tmp_path):
    """As one video, in its own time: what the session gave its words is what the update gives them."""
    import torch
    from PIL import Image

    from engine.media import load_media, write_clip
    from engine.training.rollout_batch import batch_tensors
    from engine.training.rollouts import roll_out
    from engine.training.shared_opening import log_probs_and_entropies

    write_clip([Image.new("RGB", (64, 48), (8 * k, 0, 90)) for k in range(32)], tmp_path / "clip.mp4", 8)
    clip = load_media(tmp_path / "clip.mp4")
    media = {clip.media.sha256: clip}
    backbone = fresh_backbone("qwen2_5_vl", "none", "pixel-reasoner")
    limits = Limits(max_steps=1, max_tokens=6)
    [rollouts] = roll_out(backbone, [Prompt(Example("What happens?", (clip.media,), "x"), media, (1, 2))], limits)
    assert [rollout.shown for rollout in rollouts] == [16, 16]
    rows = batch_tensors(backbone, rollouts, lambda media_of_trace: media)
    assert (rows["num_images"], rows["opening_images"].tolist()) == ([1, 1], [1, 1])
    assert rows["image_grid_thw"][:, 0].tolist() == [8, 8]

    with torch.no_grad():
        log_probs, _ = log_probs_and_entropies(backbone, rows)
    for rollout, found in zip(rollouts, log_probs, strict=True):
        told = rollout.log_probs[rollout.prompt_tokens :]
        said = rollout.sampled[rollout.prompt_tokens :]
        assert said.sum() == 6
        assert (found[: len(told)] - told)[said].abs().max() < 1e-4
