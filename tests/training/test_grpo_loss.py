"""What a step of RL computes: GRPO's own loss, on what was said and nothing else, however the rows are batched."""

from __future__ import annotations

from itertools import pairwise

import pytest

from engine.training.grpo_config import GrpoConfig

from .grpo_runs import CONFIG, losses, train

STEP = 1e-2
"""Length of the step of a finite difference, in the space of all weights of the adapter."""


def test_the_loss_is_grpos_on_what_was_said_and_nothing_else(undecided, rl_examples, load_pictures, tmp_path):
    backbone = undecided()
    config = GrpoConfig(**CONFIG.as_json() | {"steps": 1, "queries_a_step": 1, "replay_groups": 0})
    (inputs,), (loss,), _ = losses(backbone, rl_examples[:1], load_pictures, tmp_path, config)
    said = (inputs["tool_mask"] * inputs["completion_mask"]).bool()
    # With a ratio of 1 everywhere a rollout's loss is minus its advantage; only the mask decides the gradient's weights.
    assert loss == pytest.approx(-float(inputs["advantages"].mean()), abs=1e-4)
    image_pad = backbone.tokenizer.convert_tokens_to_ids("<|image_pad|>")
    assert not (inputs["completion_ids"][said] == image_pad).any()
    texts = {backbone.tokenizer.decode(row[mask]) for row, mask in zip(inputs["completion_ids"], said, strict=True)}
    assert not any("Here is the cropped image" in text for text in texts)
    everything = {backbone.tokenizer.decode(row) for row in inputs["completion_ids"]}
    assert any("Here is the cropped image" in text for text in everything)


def test_the_trainers_log_probabilities_are_the_rollouts(undecided, rl_examples, load_pictures, tmp_path, monkeypatch):
    """Padded, batched and with pictures, in fp32, before the first update changed anything."""
    from engine.training.leased_grpo import LeasedGrpoTrainer

    backbone = undecided()
    config = GrpoConfig(**CONFIG.as_json() | {"steps": 1})
    groups, ratios = [], []
    original = LeasedGrpoTrainer._note_log_probs

    def spy(self, rows, log_probs):
        original(self, rows, log_probs)
        ratios.append((rows["old_per_token_logps"] - log_probs)[rows["tool_mask"].bool()])

    monkeypatch.setattr(LeasedGrpoTrainer, "_note_log_probs", spy)
    train(
        backbone,
        rl_examples,
        load_pictures,
        tmp_path,
        config,
        on_episode=lambda step, episode: groups.extend(episode.groups),
    )
    assert ratios and not any(ratio.any() for ratio in ratios)
    noted = [group for group in groups if group.weight]
    assert noted
    for group in noted:
        for rollout, old in zip(group.rollouts, group.old_log_probs, strict=True):
            mask = rollout.sampled[rollout.prompt_tokens :]
            assert (old - rollout.log_probs[rollout.prompt_tokens :])[mask].abs().max() < 1e-4


def test_a_step_takes_every_rollout_once_and_those_of_a_question_together(
    undecided, rl_examples, load_pictures, tmp_path
):
    config = GrpoConfig(**CONFIG.as_json() | {"steps": 2, "micro_batch_size": 2})
    parts, *_ = losses(undecided(), rl_examples, load_pictures, tmp_path, config)
    assert [part["row"].tolist() for part in parts] == [[0, 1], [2, 3], [4, 5], [6, 7]] * 2
    for part in parts:
        assert len({row.numpy().tobytes() for row in part["prompt_ids"]}) == 1
        assert part["prompt_mask"].all()


@pytest.mark.parametrize("micro_batch_size", [2, 4, 8])
def test_an_opening_that_is_forwarded_once_teaches_what_whole_rows_teach(
    undecided, rl_examples, load_pictures, tmp_path, micro_batch_size
):
    """Against TRL's own forward pass, in fp32: pictures in the opening and in what came back, rows of unequal lengths."""
    import torch
    from trl import GRPOTrainer

    config = GrpoConfig(**CONFIG.as_json() | {"steps": 1, "micro_batch_size": micro_batch_size})

    def whole(trainer):
        trainer._by_opening = lambda rows: GRPOTrainer._get_per_token_logps_and_entropies(
            trainer,
            trainer.model,
            torch.cat([rows["prompt_ids"], rows["completion_ids"]], dim=1),
            torch.cat([rows["prompt_mask"], rows["completion_mask"]], dim=1),
            rows["completion_ids"].shape[1],
            compute_entropy=True,
            **{k: rows[k] for k in ("pixel_values", "image_grid_thw", "num_images", "mm_token_type_ids")},
        )[:2]

    parts, _, ours = losses(undecided(), rl_examples, load_pictures, tmp_path / "ours", config)
    *_, stock = losses(undecided(), rl_examples, load_pictures, tmp_path / "stock", config, whole)
    assert any((part["image_grid_thw"].shape[0] > part["opening_images"].sum()) for part in parts)
    assert len(ours) == len(stock) > 10
    assert max(float(value.abs().max()) for value in stock) > 1e-3
    for one, other in zip(ours, stock, strict=True):
        torch.testing.assert_close(one, other, atol=1e-5, rtol=1e-3)


def test_rows_without_an_advantage_cost_nothing_and_change_nothing(
    undecided, rl_examples, load_pictures, tmp_path, monkeypatch
):
    """TRL's own loss over the whole batch, and ours over the rows that teach: the same loss and the same gradient."""
    import torch
    from trl import GRPOTrainer

    from engine.training.leased_grpo import LeasedGrpoTrainer

    backbone = undecided()
    config = GrpoConfig(**CONFIG.as_json() | {"steps": 1, "queries_a_step": 1, "replay_groups": 0})
    found = []
    original = LeasedGrpoTrainer._compute_loss

    def compare(self, model, inputs):
        advantages = torch.zeros_like(inputs["advantages"])
        advantages[1::2] = torch.arange(1.0, len(advantages) // 2 + 1)
        for compute in (original, GRPOTrainer._compute_loss):
            model.zero_grad()
            self._taught = whole = inputs | {"advantages": advantages}
            loss = compute(self, model, whole)
            loss.backward()
            gradient = [value.grad.clone() for value in model.parameters() if value.grad is not None]
            found.append((float(loss.detach()), gradient))
        model.zero_grad()
        return original(self, model, inputs | {"advantages": torch.zeros_like(advantages)})

    monkeypatch.setattr(LeasedGrpoTrainer, "_compute_loss", compare)
    _, seen, _ = train(backbone, rl_examples[:1], load_pictures, tmp_path, config)
    (ours, our_gradient), (theirs, their_gradient) = found
    assert ours == pytest.approx(theirs, abs=1e-5) and ours != 0
    assert len(our_gradient) == len(their_gradient) > 0
    for one, other in zip(our_gradient, their_gradient, strict=True):
        assert (one - other).abs().max() <= 1e-4 * max(1.0, float(other.abs().max()))
    # A step that teaches nothing says so by a loss and a gradient of 0.
    assert seen[0]["loss"] == 0 and seen[0]["gradient_norm"] == 0


@pytest.mark.parametrize(("advantage", "taught"), [("normalised", "all"), ("by-prefix", "decisions")])
def test_the_gradient_agrees_with_a_finite_difference(
    undecided, rl_examples, load_pictures, tmp_path, monkeypatch, advantage, taught
):
    """In fp32, along the gradient itself: the loss with the old log-probabilities held changes by |gradient| per length."""
    import torch

    from engine.training.leased_grpo import LeasedGrpoTrainer

    original, found = LeasedGrpoTrainer._compute_loss, []

    def compared(self, model, inputs):
        loss = original(self, model, inputs)
        weights = [value for value in model.parameters() if value.requires_grad]
        gradients = torch.autograd.grad(loss, weights)
        length = float(torch.sqrt(sum((one**2).sum() for one in gradients)))
        # What was said just now has learned its old log-probabilities: they stay those of the weights in the middle.
        held = inputs | {"old_per_token_logps": inputs["old_per_token_logps"].clone()}
        taught = inputs["advantages"].view(len(inputs["advantages"]), -1).any(1)
        held["old_per_token_logps"][taught] = self._taught["old_per_token_logps"]
        sides = []
        with torch.no_grad():
            for way in (1, -1):
                for value, gradient in zip(weights, gradients, strict=True):
                    value += way * STEP / length * gradient
                sides.append(float(original(self, model, held)))
                for value, gradient in zip(weights, gradients, strict=True):
                    value -= way * STEP / length * gradient
        found.append((length, (sides[0] - sides[1]) / (2 * STEP)))
        return original(self, model, inputs)

    monkeypatch.setattr(LeasedGrpoTrainer, "_compute_loss", compared)
    config = GrpoConfig(
        **CONFIG.as_json() | {"steps": 1, "queries_a_step": 1, "advantage": advantage, "taught": taught}
    )
    train(undecided(), rl_examples[:1], load_pictures, tmp_path, config)
    ((length, slope),) = found
    assert length > 1e-3 and slope == pytest.approx(length, rel=1e-2)


def test_a_clip_stands_in_its_own_time_with_checkpointing_too(fresh_backbone, tmp_path):
    """What the update gives the words is what the session gave them: positions are ours, not what the model would derive."""
    from PIL import Image

    from engine.media import load_media, write_clip
    from engine.trace import Example
    from engine.training.rewards import Reward

    write_clip([Image.new("RGB", (64, 48), (8 * k, 0, 90)) for k in range(32)], tmp_path / "clip.mp4", 8)
    clip = load_media(tmp_path / "clip.mp4")
    config = GrpoConfig(
        **CONFIG.as_json()
        | {"steps": 1, "queries_a_step": 1, "rollouts": 2, "micro_batch_size": 2, "max_turns": 1, "max_tokens": 6}
        | {"max_turn_tokens": 6, "is_checkpointing_gradients": True}
    )
    groups = []
    train(
        fresh_backbone("qwen2_5_vl", "none", "pixel-reasoner"),
        [Example("What happens?", (clip.media,), "x")],
        lambda media: {clip.media.sha256: clip},
        tmp_path / "run",
        config,
        on_episode=lambda step, episode: groups.extend(episode.groups),
        reward=lambda traces, example: [Reward(float(k), 0.0, 0.0) for k in range(len(traces))],
    )
    (group,) = groups
    for rollout, noted in zip(group.rollouts, group.old_log_probs, strict=True):
        said = rollout.sampled[rollout.prompt_tokens :]
        assert said.any() and (noted - rollout.log_probs[rollout.prompt_tokens :])[said].abs().max() < 1e-4


def test_agreement_by_hand():
    """Equal vectors agree wholly, those at right angles not at all; who teaches nothing does not count."""
    from engine.training.leased_grpo import agreement

    assert agreement(9.0, [1.0, 1.0, 1.0]) == 1 and agreement(2.0, [1.0, 1.0, 0.0]) == 0
    assert agreement(0.0, [1.0, 1.0]) == -1 and agreement(4.0, [4.0]) == 0


def test_agreement_is_of_the_micro_batches_of_a_step(undecided, rl_examples, load_pictures, tmp_path, monkeypatch):
    import torch

    from engine.training import leased_grpo

    config = GrpoConfig(**CONFIG.as_json() | {"steps": 1, "micro_batch_size": 2})
    sums: list[torch.Tensor] = []
    asked: list[tuple[float, list[float]]] = []

    def note(trainer):
        gradients = [value.grad.flatten() for value in trainer.model.parameters() if value.grad is not None]
        sums.append(torch.cat(gradients) if gradients else torch.zeros(()))

    monkeypatch.setattr(leased_grpo, "agreement", lambda *given: asked.append(given) or 0.0)
    _, _, gradients = losses(undecided(), rl_examples, load_pictures, tmp_path, config, note)
    whole = torch.cat([one.flatten() for one in gradients])
    lengths = [float((after - before).square().sum()) for before, after in pairwise([*sums, whole])]
    assert len(lengths) == 4 and sum(length > 0 for length in lengths) >= 2
    ((together, found),) = asked
    assert together == pytest.approx(float(whole.square().sum())) and found == pytest.approx(lengths)
