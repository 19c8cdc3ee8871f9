"""TRL's GRPOTrainer on our own rollouts: it computes the loss and steps the optimiser, everything before that is ours.

The seam is `_generate_and_score_completions`, one level above `_generate` (docs/libraries.md): from there on TRL would
resize pictures at the processor's own budget instead of each role's, where tokens and pixels then disagree and every
picture of the batch is dropped; refuse chat templates without tools; and normalise rewards its own way. So what it gets is
the finished batch: tokens, masks, pixels, advantages, and old log-probabilities where groups are replayed.

    loss = - mean over rollouts of mean over said tokens of min(ratio * A, clip(ratio, 1 - c, 1 + c) * A)
    ratio = exp(log p(token) - old log p(token)), 1 for what was said just now     (GRPO without a KL term, as the paper)

Where a server says the words, the term of a token is multiplied by its importance weight (`engine.training.vllm_server`).

What TRL logs of an update (entropy, share of clipped tokens) is of the rollouts that have an advantage. Ours beside it is
how far the micro-batches of an update agree, g_k the gradient of the k-th of N that have one:

    agreement = (|sum g_k|^2 - sum |g_k|^2) / ((N - 1) sum |g_k|^2)     0 where they have nothing in common, 1 where all are
                equal; of groups, 1 / agreement is how many it takes until what they share outweighs what they do not
                (the gradient noise scale of McCandlish et al. 2018, arXiv 1812.06162). One step tells little: take the mean

Invariants: during rollouts the lease is lent between tokens, so answers go on; whatever is drawn at random in a step is
drawn from the step's own seed. Not covered: the order of steps and checkpoints (`engine.training.leased`).
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import torch
from torch.nn.utils.rnn import pad_sequence
from trl import GRPOTrainer

from engine.training.averaging import Averaging
from engine.training.episodes import Episode, Episodes, Group
from engine.training.leased import Leased
from engine.training.prefixes import prefix_advantages
from engine.training.rollout_batch import batch_tensors
from engine.training.rollouts import Rollout
from engine.training.shared_opening import log_probs_and_entropies, of_whole_rows
from engine.training.vllm_server import SentWeights, importance_weights

__all__ = ["GRPO_NAMES", "LeasedGrpoTrainer", "agreement", "layer_of", "no_reward"]

REPLAY = "replay.pt"
MEAN = "mean.safetensors"
OWN_NAMES = (
    "reward",
    "correctness",
    "bonus",
    "penalty",
    "rapr",
    "called_share",
    "operation_errors",
    "uniform_share",
    "replayed_share",
    "answered_share",
    "turns",
    "said_tokens",
    "agreement",
    "importance_weight",
    "rollout_seconds",
)
GRPO_NAMES = {
    "loss": "loss",
    "learning_rate": "learning_rate",
    "grad_norm": "gradient_norm",
    "entropy": "entropy",
    "clip_ratio/region_mean": "clipped_share",
} | {name: name for name in OWN_NAMES}
"""TRL's names of what it logs, and ours."""


def no_reward(**_: Any) -> list[float]:
    """GRPOTrainer wants a reward function; ours come with the rollouts."""
    raise RuntimeError("rewards are computed with the rollouts, never by TRL")


class LeasedGrpoTrainer(Leased, GRPOTrainer):
    """GRPOTrainer on the shared backbone; set `episodes`, `on_episode` and `averaging` before `train`."""

    episodes: Episodes
    on_episode: Callable[[int, Episode], None]
    averaging: Averaging
    served: SentWeights | None = None
    """Set by `say_elsewhere`: the weights of the server that says the words of rollouts."""
    first_layer: int = 0
    """Of the language model, from 0: those before it do not learn."""
    _said: list[tuple[Group, int]]
    """The group of every row of the step's batch, and its place there."""
    _taught: dict[str, Any]
    """The rows whose loss is being computed."""
    _buffered_inputs: Any
    """TRL's name for the micro-batches of a step."""
    _lengths: list[float]
    """|g_k|^2 of the micro-batches of a step so far, 0 where one teaches nothing."""
    _gradient: torch.Tensor | None
    """Their sum, flat."""

    def say_elsewhere(self, served: SentWeights) -> None:
        """Rollouts are said by that server: it is sent the weights before each step, and tokens weigh as
        `engine.training.vllm_server` says, in TRL's own loss."""
        self.served, self.use_vllm = served, True

    def training_step(self, *args: Any, **kwargs: Any) -> torch.Tensor:
        parts = self.args.gradient_accumulation_steps
        if self._step % parts == 0:
            self._lengths, self._gradient = [], None
        loss = super().training_step(*args, **kwargs)
        for name, value in self.model.named_parameters():
            if self.first_layer and layer_of(name) < self.first_layer:
                value.grad = None  # neither clipped with the rest nor stepped along
        gradients = [value.grad.flatten() for value in self.model.parameters() if value.grad is not None]
        together, before = torch.cat(gradients), self._gradient
        self._lengths.append(float((together if before is None else together - before).square().sum()))
        self._gradient = together
        if self._step % parts == 0:
            self._metrics["train"]["agreement"].append(agreement(float(together.square().sum()), self._lengths))
        return loss

    def _generate_and_score_completions(self, inputs: Sequence[Any]) -> dict[str, Any]:
        step = self.state.global_step + 1
        if self.served is not None:
            self.served.send()
        self._quantum.release()
        try:
            episode = self.episodes.run(step)
            self.on_episode(step, episode)
        finally:
            self._quantum.begin(self.state.global_step)
            self.model.train()
        output = self._batch(episode)
        for name, value in episode.numbers.items():
            self._metrics["train"][name].append(value)
        return output

    def _prepare_inputs(self, generation_batch: Any) -> dict[str, Any]:
        """The next micro-batch. TRL shuffles the rows of a step; ours stay beside those that share their opening."""
        parts = self.args.steps_per_generation
        if self._step % parts == 0 or self._buffered_inputs is None:
            output = self._generate_and_score_completions(generation_batch)
            rows = output["row"].view(parts, -1).tolist()
            self._buffered_inputs = [_rows(output, some) for some in rows]
        micro_batch: dict[str, Any] = self._buffered_inputs[self._step % parts]
        return micro_batch

    def _batch(self, episode: Episode) -> dict[str, Any]:
        rollouts = [rollout for group in episode.groups for rollout in group.rollouts]
        output = batch_tensors(self._backbone, rollouts, self.episodes.load_pictures)
        output["row"] = torch.arange(len(rollouts))
        if self.episodes.config.replay_groups:
            self._said = [(group, place) for group in episode.groups for place in range(len(group.rollouts))]
            output["old_per_token_logps"] = _old_log_probs(episode.groups).to(self._backbone.device)
        if self.served is not None:
            there = pad_sequence([_as_sampled(one) for one in rollouts], batch_first=True)
            output["sampling_per_token_logps"] = there.to(self._backbone.device)
        output["advantages"] = self._advantages(episode.groups).to(self._backbone.device)
        output["num_items_in_batch"] = (output["completion_mask"] * output["tool_mask"]).sum()
        return output

    def _advantages(self, groups: Sequence[Group]) -> torch.Tensor:
        """[rows], or [rows, tokens] where they are told token by token."""
        kind = self.episodes.config.advantage_kind
        if not kind.endswith("by-prefix"):
            return torch.tensor([value for group in groups for value in group.advantages])
        rows = []
        for group in groups:
            said = [rollout.ids[rollout.prompt_tokens :].tolist() for rollout in group.rollouts]
            totals = [reward.total if group.weight else 0.0 for reward in group.rewards]
            rows += prefix_advantages(said, totals, is_normalised=kind == "by-prefix")
        return pad_sequence([torch.tensor(row) for row in rows], batch_first=True)

    def _compute_loss(self, model: Any, inputs: dict[str, Any]) -> torch.Tensor:
        """TRL's loss of the rows that have an advantage: the others add exactly 0 to it, and half of all groups are
        uniform, for the price of a forward and a backward pass."""
        advantages = inputs["advantages"]
        taught = advantages.view(len(advantages), -1).any(1).nonzero().flatten().tolist()
        if not taught:
            return sum(value.sum() for value in model.parameters() if value.requires_grad) * 0.0
        self._taught = _rows(inputs, taught)
        loss: torch.Tensor = super()._compute_loss(model, self._taught)
        return loss * (len(taught) / len(advantages))

    def _get_per_token_logps_and_entropies(self, model: Any, *given: Any, **named: Any) -> Any:
        """In the middle of TRL's loss, of the rows whose loss it is. What is said for the first time learns its old
        log-probabilities here, so that they cost no forward pass of their own."""
        if self.args.gradient_checkpointing:
            log_probs, entropies = of_whole_rows(self._backbone, self._taught, self.temperature)
        else:
            log_probs, entropies = self._by_opening(self._taught)
        if "old_per_token_logps" in self._taught:
            self._note_log_probs(self._taught, log_probs.detach().float())
        if self.served is not None:
            here = self._taught.get("old_per_token_logps", log_probs.detach().float())
            is_said = (self._taught["tool_mask"] * self._taught["completion_mask"]).bool()
            weights = importance_weights(here, self._taught["sampling_per_token_logps"], is_said)
            self._taught["importance_sampling_ratio"] = weights
            self._metrics["train"]["importance_weight"].append(float(weights[is_said].mean()))
        return log_probs, entropies, None

    def _by_opening(self, rows: dict[str, Any]) -> tuple[torch.Tensor, torch.Tensor]:
        """[rows, tokens] each; rows of one group are forwarded together."""
        width = rows["completion_ids"].shape[1]
        groups = (rows["row"] // self.episodes.config.rollouts).tolist()
        found = []
        for _, places in itertools.groupby(range(len(groups)), groups.__getitem__):
            some = _rows(rows, list(places))
            both = log_probs_and_entropies(self._backbone, some, self.temperature)
            found.append([torch.nn.functional.pad(one, (0, width - one.shape[1])) for one in both])
        log_probs, entropies = (torch.cat(parts) for parts in zip(*found, strict=True))
        return log_probs, entropies

    def _note_log_probs(self, rows: dict[str, Any], log_probs: torch.Tensor) -> None:
        """What the policy of now, `log_probs` [rows, tokens], gives the words of now: the denominator of the ratio, today 1
        and when the group is replayed something else."""
        old = rows["old_per_token_logps"]
        for row, (number, unknown) in enumerate(zip(rows["row"].tolist(), old.isnan().any(1).tolist(), strict=True)):
            if unknown:
                group, place = self._said[number]
                known = list(group.old_log_probs or map(_as_sampled, group.rollouts))
                known[place] = log_probs[row, : len(known[place])].cpu()
                group.old_log_probs = tuple(known)
                old[row] = log_probs[row]

    # --- checkpoints -------------------------------------------------------------------------------------------------

    def save_beside(self, folder: Path) -> None:
        self.episodes.save(folder / REPLAY)
        self.averaging.save(folder / MEAN)

    def _load_from_checkpoint(self, resume_from_checkpoint: str, model: Any = None) -> None:
        super()._load_from_checkpoint(resume_from_checkpoint, model)
        self.episodes.load(Path(resume_from_checkpoint) / REPLAY)
        self.averaging.load(Path(resume_from_checkpoint) / MEAN, self.model)


def layer_of(name: str) -> int:
    """The layer of the language model that a weight belongs to, -1 for one of no layer."""
    found = re.search(r"\blanguage_model\.layers\.(\d+)\.", name)
    return -1 if found is None else int(found[1])


def agreement(together: float, lengths: Sequence[float]) -> float:
    """As in the module docstring, of the squared length of the sum of vectors and those of each; 0 for fewer than two."""
    taught = [length for length in lengths if length > 0]
    if len(taught) < 2:
        return 0.0
    return (together - sum(taught)) / ((len(taught) - 1) * sum(taught))


def _old_log_probs(groups: Sequence[Group]) -> torch.Tensor:
    """[rows, tokens] of the policy that said the words, NaN where that is the present one."""
    rows = [
        torch.full_like(sampled, torch.nan)
        if group.old_log_probs is None
        else group.old_log_probs[place].where(sampled != 0, 0.0)
        for group in groups
        for place, sampled in enumerate(map(_as_sampled, group.rollouts))
    ]
    return pad_sequence(rows, batch_first=True)


def _as_sampled(rollout: Rollout) -> torch.Tensor:
    """[completion tokens], as they were noted while the words were said: near enough for what teaches nothing."""
    return rollout.log_probs[rollout.prompt_tokens :]


def _rows(output: dict[str, Any], rows: Sequence[int]) -> dict[str, Any]:
    """Some rows of a batch, with their pictures, and no wider than they need."""
    images = [0, *itertools.accumulate(int(count) for count in output["num_images"])]
    patches = [0, *itertools.accumulate(output["image_grid_thw"].prod(-1).tolist())]
    shown = [slice(images[row], images[row + 1]) for row in rows]
    some: dict[str, Any] = {
        name: value[list(rows)] if isinstance(value, torch.Tensor) and value.ndim else value
        for name, value in output.items()
        if name not in ("pixel_values", "image_grid_thw", "num_images")
    }
    some["num_images"] = [one.stop - one.start for one in shown]
    some["image_grid_thw"] = torch.cat([output["image_grid_thw"][one] for one in shown])
    some["pixel_values"] = torch.cat([output["pixel_values"][patches[one.start] : patches[one.stop]] for one in shown])
    asked, said = some["prompt_mask"].any(0), some["completion_mask"].any(0)
    columns = {"prompt": asked, "completion": said, "tool": said, "old": said, "sampling": said, "advantages": said}
    columns["mm"] = torch.cat([asked, said])
    for name, value in some.items():
        if name == "advantages" and value.ndim == 1:  # of whole rows
            continue
        if (used := columns.get(name.partition("_")[0])) is not None:
            some[name] = value[:, used]
    return some
