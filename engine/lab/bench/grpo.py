"""One optimiser step of RL, against TRL's own trainer on the same rollouts: 160 million random weights, pictures and clips.

    rollouts   each question is attempted several times, in three turns with two operations; what is said is given in advance,
               since random weights would say nothing, and costs what it costs to sample it
    update     GRPO's loss of all rollouts, its gradients, a step of AdamW on a LoRA adapter

The baseline is GRPOTrainer's way with tools that return pictures: before each turn it processes every picture of the
conversation again, `generate` forwards the whole of it again (its `_generate_single_turn`), and the update forwards every
rollout from its first token (its `_compute_loss`), all of it TRL's own code, on PEFT's own
layers. Only the text of a conversation is ours, so that both sides have the same tokens and pictures.

Invariant: both sides begin with the same fresh adapter and end with the same one but for rounding (`update_difference`), so
what is compared is work. Times are CPU seconds of the process: nothing else may run in it. `max_log_prob_difference` holds the
log-probabilities of ours, those noted while the words were said and those of the update, to single forwards of each rollout
by the bare network.
"""

from __future__ import annotations

import dataclasses
import itertools
import math
import tempfile
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

import torch
from datasets import Dataset
from transformers import LogitsProcessor, LogitsProcessorList
from trl import GRPOConfig, GRPOTrainer

from engine.backbone.adapters import lora_config
from engine.backbone.loading import Backbone
from engine.backbone.session import TURN_END, Session
from engine.backbone.unpacked import unpacked
from engine.drivers.together import Prompt, run_together
from engine.evaluation.benchmarks import draw
from engine.evaluation.drawn import required_benchmark
from engine.evaluation.examples import Posed, pose
from engine.lab.bench.made_up import made_up_backbone
from engine.media import Pictures
from engine.policies.base import never
from engine.policies.local import LocalConversation, LocalPolicy
from engine.protocols import protocol_named
from engine.protocols.budgets import PixelBudget
from engine.trace import Box, Media, SelectFrames, Step, ZoomIn, first_views
from engine.training.arguments import shared_arguments
from engine.training.candidate import candidate
from engine.training.checkpoints import Fingerprint
from engine.training.episodes import Episode, Episodes, Group
from engine.training.footprints import seeded, unseeded, untouched
from engine.training.grpo_config import GrpoConfig
from engine.training.leased import Quantum
from engine.training.leased_grpo import GRPO_NAMES, LeasedGrpoTrainer, no_reward
from engine.training.on_backbone import adapter_on
from engine.training.rewards import Reward, advantages
from engine.training.rollout_batch import batch_tensors, shown_pictures
from engine.training.rollouts import Rollout, as_rollout

__all__ = ["TARGET_LOG_PROB_DIFFERENCE", "TARGET_RATIO", "measure", "report"]

TARGET_RATIO = 2.5
"""Issue 15: how many times as long TRL's step takes."""
TARGET_LOG_PROB_DIFFERENCE = 1e-4

_BENCHMARKS = ("mini-signs", "mini-clips")
_TURNS = 3
_BASELINE_ROWS = 2
"""Rollouts that TRL's update takes at a time: eight whole ones need 13 GB at 160 million weights. Their loss is the same."""


def measure(
    prompts: int,
    rollouts: int,
    progress: Callable[[str], None] = print,
    backbone: Backbone | None = None,
) -> dict[str, Any]:
    """`rollouts` of each of `prompts` questions, pictures and clips in turn, one step of each side on `backbone`, by default
    160 million made-up weights."""
    backbone = backbone or made_up_backbone(tower_layers=6)
    area = (backbone.processor.image_processor.patch_size * backbone.processor.image_processor.merge_size) ** 2
    tokens = {"image": 256, "crop": 96, "frame": 32, "selected_frame": 96}
    budgets = {role: PixelBudget(most * area // 2, most * area) for role, most in tokens.items()}
    backbone = dataclasses.replace(backbone, budgets=budgets)
    drawn = [draw(required_benchmark(name), prompts) for name in _BENCHMARKS]
    posed = [pose(one) for one in itertools.islice(itertools.chain(*zip(*drawn, strict=True)), prompts)]
    config = GrpoConfig(
        steps=1, queries_a_step=prompts, rollouts=rollouts, micro_batch_size=rollouts, warmup_share=0, replay_groups=0
    )
    pictures = {key: value for one in posed for key, value in one.pictures.items()}
    ours = _Ours(backbone, posed, config, lambda media: {one.sha256: pictures[one.sha256] for one in media})
    ours.step()
    progress(f"  ours: {ours.rolling_s:.1f} s of rollouts, {ours.update_s:.1f} s of update")
    parts = dataclasses.replace(config, micro_batch_size=math.gcd(rollouts, _BASELINE_ROWS))
    theirs = _Theirs(backbone, ours.rolled, parts, ours.load_pictures)
    theirs.step()
    progress(f"  TRL:  {theirs.rolling_s:.1f} s of rollouts, {theirs.update_s:.1f} s of update")
    lengths = [len(one.ids) for one in ours.rolled]
    shown = [shown_pictures(backbone, one, ours.load_pictures(one.trace.media)) for one in ours.rolled]
    exact = [_exact(backbone, one, some) for one, some in zip(ours.rolled, shown, strict=True)]
    return {
        "bench": "grpo",
        "model": backbone.name,
        "threads": torch.get_num_threads(),
        "questions": prompts,
        "rollouts": len(ours.rolled),
        "tokens": [min(lengths), sum(lengths) // len(lengths), max(lengths)],
        "pictures": sum(map(len, shown)),
        "rollouts_s": round(ours.rolling_s, 2),
        "update_s": round(ours.update_s, 2),
        "baseline_rollouts_s": round(theirs.rolling_s, 2),
        "baseline_update_s": round(theirs.update_s, 2),
        "update_difference": max(float((ours.adapter[k] - theirs.adapter[k]).abs().max()) for k in ours.adapter),
        "target_ratio": TARGET_RATIO,
        "target_log_prob_difference": TARGET_LOG_PROB_DIFFERENCE,
        "ratio": round((theirs.rolling_s + theirs.update_s) / (ours.rolling_s + ours.update_s), 2),
        "max_log_prob_difference": max(
            float((one - right).abs().max())
            for noted in (ours.said, ours.updated)
            for one, right in zip(noted, exact, strict=True)
        ),
    }


def report(found: Mapping[str, Any]) -> list[str]:
    """The same for people."""
    least, mean, most = found["tokens"]
    lines = [
        f"grpo: a step of {found['rollouts']} rollouts at {found['questions']} questions, {found['pictures']} pictures, "
        f"{least} to {most} tokens, {mean} on average ({found['model']}, {found['threads']} threads)"
    ]
    for name, side in (("", "ours"), ("baseline_", "TRL's")):
        lines.append(
            f"  {side:6} {found[name + 'rollouts_s']:7.1f} s rollouts {found[name + 'update_s']:7.1f} s update"
        )
    return [
        *lines,
        f"  {found['ratio']:.2f} times (target {found['target_ratio']}); log-probabilities within "
        f"{found['max_log_prob_difference']:.1e} of exact ones (target {found['target_log_prob_difference']:.0e}); "
        f"weights within {found['update_difference']:.1e} of TRL's",
    ]


# --- what is said ----------------------------------------------------------------------------------------------------


@dataclass(slots=True)
class _ToldSession(Session):
    """Says what it is told, and notes how likely that was."""

    told: Iterator[int] = iter(())

    def _choose(self, logits: torch.Tensor, never_said: torch.Tensor) -> int:
        Session._choose(self, logits, never_said)  # what choosing costs; it leaves logits alone where a generator draws
        token = next(self.told)
        scaled = logits / self.temperature
        self.sampled_log_probs[-1] = float(scaled[token] - scaled.logsumexp(-1))
        return token


@dataclass(slots=True)
class _ToldConversation(LocalConversation):
    texts: Sequence[Sequence[int]] = ()

    def fork(self, seed: int | None) -> LocalConversation:
        forked = LocalConversation.fork(self, seed)
        assert isinstance(forked.session, _ToldSession) and seed is not None
        forked.session.told = iter(self.texts[seed])
        return forked


@dataclass(frozen=True, slots=True)
class _ToldPolicy(LocalPolicy):
    """The rollout with the seed k of a question about `media` says the k-th of its texts."""

    texts: Mapping[str, Sequence[Sequence[int]]] = field(default_factory=dict)

    def converse(self, pictures: Pictures, seed: int | None) -> LocalConversation:
        session = _ToldSession(self.backbone, seed, self.temperature)
        (media,) = pictures
        return _ToldConversation(session, pictures, texts=self.texts[media])


def _texts(backbone: Backbone, posed: Posed, rollouts: int) -> list[list[int]]:
    """What each rollout of a question says in its turns, as tokens."""
    protocol, media = protocol_named(backbone.protocol_name), posed.example.media
    views = first_views(media)
    is_clip, found = len(views) > 1, []
    for k in range(rollouts):
        box = Box(0.05 * (k % 8), 0.1, 0.05 * (k % 8) + 0.5, 0.7)
        frame = 1 + k % len(views)
        first = SelectFrames((frame,)) if is_clip else ZoomIn(1, box)
        steps = (
            Step(f"I begin at place {k}.", first, None),
            Step("I look closer.", ZoomIn(len(views) + 1, box), None),
            Step("That can be read.", answer=f"K{k}"),
        )
        *calls, answer = [backbone.tokenizer.encode(protocol.render(step, views, media)) for step in steps]
        end = backbone.tokenizer.convert_tokens_to_ids(TURN_END)
        found.append([*itertools.chain(*calls), *answer, end])
    return found


@dataclass(slots=True)
class _ToldEpisodes(Episodes):
    """One step's rollouts as they are told; every other one is rewarded, so that each group carries a signal."""

    texts: Mapping[str, Sequence[Sequence[int]]] = field(default_factory=dict)
    posed: Sequence[Posed] = ()

    def run(self, step: int) -> Episode:
        config = self.config
        prompts = [Prompt(one.example, one.pictures, tuple(range(config.rollouts))) for one in self.posed]
        policy = _ToldPolicy(self.policy, config.temperature, texts=self.texts)
        rolled: dict[tuple[int, int], Rollout] = {}
        for ended in run_together(policy, prompts, config.limits, at_once=config.batch_size):
            assert isinstance(ended.conversation, LocalConversation)
            rolled[ended.prompt, ended.rollout] = as_rollout(ended.finished.trace, ended.conversation)
        groups = []
        for number in range(len(prompts)):
            found = tuple(rolled[number, k] for k in range(config.rollouts))
            rewards = tuple(Reward(float(k % 2), 0.0, 0.0) for k in range(config.rollouts))
            groups.append(Group(found, rewards, advantages([one.total for one in rewards], "normalised")))
        return Episode(tuple(groups), {}, ())


# --- the two sides ---------------------------------------------------------------------------------------------------

LoadPictures = Callable[[Iterable[Media]], Pictures]


@dataclass(slots=True)
class _Side:
    """A step of one side; `adapter` afterwards is what was learned, the times are told apart."""

    backbone: Backbone
    rolling_s: float = field(default=0.0, init=False)
    update_s: float = field(default=0.0, init=False)
    adapter: dict[str, torch.Tensor] = field(default_factory=dict, init=False)

    def _train(self, trainer: Any) -> None:
        began_s = time.process_time()
        trainer.train()
        self.update_s = time.process_time() - began_s - self.rolling_s
        self.adapter = {name: value.clone() for name, value in self.backbone.adapters.training_state().items()}

    def _arguments(self, config: GrpoConfig, folder: str) -> GRPOConfig:
        return GRPOConfig(
            **shared_arguments(self.backbone, config, 1, Path(folder)) | {"save_strategy": "no"},
            steps_per_generation=config.batch_size // config.micro_batch_size,
            num_generations=config.rollouts,
            shuffle_dataset=False,
            max_completion_length=config.max_tokens,
            beta=0.0,
            epsilon=config.clip,
            loss_type="grpo",
        )


def _rows(config: GrpoConfig) -> Dataset:
    return Dataset.from_dict({"prompt": ["-"] * config.queries_a_step})


@dataclass(slots=True)
class _Ours(_Side):
    posed: Sequence[Posed]
    config: GrpoConfig
    load_pictures: LoadPictures
    rolled: list[Rollout] = field(default_factory=list, init=False)
    updated: list[torch.Tensor] = field(default_factory=list, init=False)
    """Of each rollout, [said tokens]: what the update gave them."""

    def step(self) -> None:
        backbone, config, side = self.backbone, self.config, self
        texts = {one.example.media[0].sha256: _texts(backbone, one, config.rollouts) for one in self.posed}

        class Noting(LeasedGrpoTrainer):
            def _generate_and_score_completions(self, inputs: Sequence[Any]) -> dict[str, Any]:
                began_s = time.process_time()
                output = LeasedGrpoTrainer._generate_and_score_completions(self, inputs)
                side.rolling_s = time.process_time() - began_s
                return output

            def _get_per_token_logps_and_entropies(self, model: Any, *given: Any, **named: Any) -> Any:
                found = LeasedGrpoTrainer._get_per_token_logps_and_entropies(self, model, *given, **named)
                for row, said in zip(found[0].detach(), self._taught["tool_mask"].bool(), strict=True):
                    side.updated.append(row[: len(said)][said])
                return found

        with tempfile.TemporaryDirectory() as folder:
            quantum = Quantum(backbone, config.seed, never, lambda *told: None, 1, GRPO_NAMES)
            make = partial(
                Noting,
                reward_funcs=no_reward,  # type: ignore[arg-type]
                args=self._arguments(config, folder),
                train_dataset=_rows(config),
                processing_class=backbone.processor,
                callbacks=[quantum],
            )
            lora = lora_config(config.rank, config.alpha)
            with adapter_on(
                backbone,
                lora,
                lambda network: make(model=network),
                seed=config.seed,
                quantum=quantum,
                fingerprint=Fingerprint("", "", ""),
            ) as trainer:
                policy = candidate(backbone, "in training")
                examples = [one.example for one in self.posed]
                trainer.episodes = _ToldEpisodes(
                    policy,
                    examples,
                    config,
                    self.load_pictures,
                    never,
                    lambda traces, example: (),
                    texts=texts,
                    posed=self.posed,
                )
                trainer.on_episode = lambda step, episode: self.rolled.extend(
                    one for group in episode.groups for one in group.rollouts
                )
                self._train(trainer)
        with backbone.lease.held():
            backbone.adapters.drop_training()

    @property
    def said(self) -> list[torch.Tensor]:
        """Of each rollout, [said tokens]: what was noted when they were said."""
        return [one.log_probs[one.sampled] for one in self.rolled]


class _Told(LogitsProcessor):
    """Leaves `generate` one token to choose: row k says the k-th of `turns`, and ends its turn."""

    def __init__(self, turns: Sequence[Sequence[int]], end: int) -> None:
        self._turns = [[*turn, end] if turn[-1] != end else [*turn] for turn in turns]
        self._end, self._said = end, 0

    def __call__(self, input_ids: torch.Tensor, scores: torch.Tensor) -> torch.Tensor:
        said, self._said = self._said, self._said + 1
        told = torch.tensor([turn[said] if said < len(turn) else self._end for turn in self._turns])[:, None]
        return torch.full_like(scores, -torch.inf).scatter(1, told, scores.gather(1, told))


@dataclass(slots=True)
class _Theirs(_Side):
    rolled: Sequence[Rollout]
    config: GrpoConfig
    load_pictures: LoadPictures

    def step(self) -> None:
        backbone, config, side = self.backbone, self.config, self

        class Plain(GRPOTrainer):
            def _generate_and_score_completions(self, inputs: Sequence[Any]) -> dict[str, Any]:
                began_s = time.process_time()
                for turn in range(_TURNS):
                    side._say(self, turn)
                output = batch_tensors(backbone, side.rolled, side.load_pictures)
                del output["opening_images"]
                group = advantages([float(k % 2) for k in range(config.rollouts)], "normalised")
                output["advantages"] = torch.tensor(group * config.queries_a_step)
                output["num_items_in_batch"] = (output["completion_mask"] * output["tool_mask"]).sum()
                side.rolling_s = time.process_time() - began_s
                return output

        with tempfile.TemporaryDirectory() as folder, untouched(backbone.model), unpacked(backbone.model):
            with seeded(config.seed), unseeded():
                backbone.adapters.is_lean = False
                network = backbone.adapters.start_training(lora_config(config.rank, config.alpha))
                backbone.adapters.is_lean = True
                trainer = Plain(
                    model=network,  # type: ignore[arg-type]
                    reward_funcs=no_reward,  # type: ignore[arg-type]
                    args=self._arguments(config, folder),
                    train_dataset=_rows(config),
                    processing_class=backbone.processor,
                )
            self._train(trainer)
            backbone.adapters.drop_training()

    def _say(self, trainer: GRPOTrainer, turn: int) -> None:
        """One turn of all rollouts, as TRL's tool loop has it said: of the whole conversation up to there."""
        end = self.backbone.tokenizer.convert_tokens_to_ids(TURN_END)
        is_picture = self.backbone.tokenizer.convert_tokens_to_ids("<|image_pad|>")
        histories, turns, pixels, grids = [], [], [], []
        for one in self.rolled:
            start, stop = _turns(one)[turn]
            histories.append(one.ids[:start].tolist())
            turns.append(one.ids[start:stop].tolist())
            seen = _seen_before(self.backbone, one, start, self.load_pictures)
            pixels += [part for part, _ in seen]
            grids += [grid for _, grid in seen]
        network: Any = trainer.model
        network.generate = partial(
            type(network).generate, network, logits_processor=LogitsProcessorList([_Told(turns, end)])
        )
        fields = {
            "pixel_values": torch.cat(pixels),
            "image_grid_thw": torch.cat(grids),
            "mm_token_type_ids": [[int(token == is_picture) for token in ids] for ids in histories],
        }
        said, _ = trainer._generate_single_turn(histories, None, fields, 1)
        del network.generate
        wrong = [k for k, turn in enumerate(turns) if said[k][: len(turn)] != turn]
        if wrong:
            raise RuntimeError(f"TRL said something else in rollout {wrong[0]}")


def _turns(rollout: Rollout) -> list[tuple[int, int]]:
    """From where to where the model said its turns."""
    edges = torch.diff(rollout.sampled.int(), prepend=torch.zeros(1), append=torch.zeros(1))
    return list(zip(*((edges == way).nonzero().flatten().tolist() for way in (1, -1)), strict=True))


def _seen_before(backbone: Backbone, rollout: Rollout, end: int, load_pictures: LoadPictures) -> list[Any]:
    """The pictures of the tokens before `end`, processed anew."""
    shown = shown_pictures(backbone, rollout, load_pictures(rollout.trace.media))
    area = backbone.processor.image_processor.merge_size**2
    left = int((rollout.ids[:end] == backbone.tokenizer.convert_tokens_to_ids("<|image_pad|>")).sum())
    found = []
    for pixels, grid in shown:
        left -= int(grid.prod()) // area
        if left < 0:
            break
        found.append((pixels, grid))
    return found


@torch.no_grad()
def _exact(backbone: Backbone, rollout: Rollout, shown: Sequence[Any]) -> torch.Tensor:
    """[said tokens]: what one forward of the whole rollout by the bare network gives them; a fresh adapter changes nothing."""
    ids = rollout.ids[None]
    seen = (ids == backbone.tokenizer.convert_tokens_to_ids("<|image_pad|>")).int()
    logits = backbone.model(
        input_ids=ids,
        attention_mask=torch.ones_like(ids),
        mm_token_type_ids=seen,
        pixel_values=torch.cat([pixels for pixels, _ in shown]),
        image_grid_thw=torch.cat([grid for _, grid in shown]),
        use_cache=False,
    ).logits[0, :-1]
    said = rollout.sampled[1:]
    return torch.log_softmax(logits[said], -1).gather(1, ids[0, 1:][said][:, None])[:, 0]
