"""What the key-value cache saves an answer, and what sharing and batching save a step of RL.

The idea: each is measured against the loop that a first draft would have, on the same questions with the same weights, one
after the other in the same process:

    cache   a conversation that throws its cache away before every turn, so that each turn encodes every picture and
            forwards every token again (the demo of the paper's repository does)
    rl      the rollouts of a step one by one, each from its own question on; ours share the question and speak in one batch,
            of 4-bit weights that are unpacked once for the whole step (and, as a part apart, of packed ones)

Invariant: both sides give the same traces (`same_share` says how many; rounding may part a few), so what is compared is work,
not luck. Times are CPU seconds of the process: nothing else may run in it.

Not covered: the update of a step, which is TRL's; memory.
"""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from engine.backbone.loading import Backbone
from engine.backbone.unpacked import unpacked
from engine.drivers.together import Prompt
from engine.evaluation.benchmarks import draw
from engine.evaluation.drawn import required_benchmark
from engine.evaluation.examples import Posed, pose
from engine.evaluation.runner import attempt
from engine.media import Pictures
from engine.policies.base import Said
from engine.policies.local import LocalConversation, LocalPolicy
from engine.reasoning import Limits
from engine.trace import Trace
from engine.training.rollouts import roll_out

__all__ = ["measure_cache", "measure_rl", "report"]

_BENCHMARKS = ("mini-signs", "mini-clips")
_ROLLOUTS = 8


@dataclass(slots=True)
class _ForgettingConversation(LocalConversation):
    def add(self, said: Sequence[Said]) -> None:
        LocalConversation.add(self, said)
        self.session.forget_cache()


@dataclass(frozen=True, slots=True)
class _ForgettingPolicy(LocalPolicy):
    def converse(self, pictures: Pictures, seed: int | None) -> LocalConversation:
        kept = LocalPolicy.converse(self, pictures, seed)
        return _ForgettingConversation(kept.session, pictures)


def measure_cache(backbone: Backbone, answers: int, progress: Callable[[str], None] = print) -> dict[str, Any]:
    """`answers` questions of mini-signs and as many of mini-clips, each answered with the cache and without."""
    found: dict[str, Any] = {"bench": "cache", "model": backbone.name, "quantization": backbone.quantization}
    for name in _BENCHMARKS:
        examples = _examples(name, answers)
        _answer(LocalPolicy(backbone), examples[:1])  # the first answer also pays for what is made once
        ours, ours_s = _answer(LocalPolicy(backbone), examples)
        theirs, theirs_s = _answer(_ForgettingPolicy(backbone), examples)
        found[name] = _compared(ours, ours_s, theirs, theirs_s)
        progress(f"  {name}: {_line(found[name], 'an answer')}")
    return found


def measure_rl(backbone: Backbone, prompts: int, progress: Callable[[str], None] = print) -> dict[str, Any]:
    """8 rollouts of each of `prompts` questions, half of them about clips: together and one by one."""
    examples = [*_examples("mini-signs", prompts - prompts // 2), *_examples("mini-clips", prompts // 2)]
    limits, seeds = Limits(max_steps=4, max_tokens=1024, max_turn_tokens=512), tuple(range(_ROLLOUTS))
    policy = LocalPolicy(backbone)
    _answer(policy, examples[:1])
    prompts_of_step = [Prompt(one.example, one.pictures, seeds) for one in examples]

    def roll() -> tuple[list[Trace], list[float]]:
        began_s = time.process_time()
        rolled = [rollout.trace for group in roll_out(backbone, prompts_of_step, limits) for rollout in group]
        return rolled, [(time.process_time() - began_s) / len(rolled)] * len(rolled)

    with unpacked(backbone.model):
        ours = roll()
    packed = roll()
    began_s = time.process_time()
    alone = [attempt(policy, one, limits, seed=seed) for one in examples for seed in seeds]
    alone_s = [(time.process_time() - began_s) / len(alone)] * len(alone)
    found: dict[str, Any] = {"bench": "rl", "model": backbone.name, "quantization": backbone.quantization}
    found |= {"rollouts": _compared(*ours, alone, alone_s), "unpacked": _compared(*ours, *packed)}
    for line in report(found)[1:]:
        progress(line)
    return found


def report(found: dict[str, Any]) -> list[str]:
    """The same for people."""
    lines = [f"{found['bench']}: {found['model']}, {found['quantization']}"]
    parts = {key: part for key, part in found.items() if isinstance(part, dict)}
    what = "an answer" if found["bench"] == "cache" else "a rollout"
    return lines + [f"  {name:10} {_line(part, what)}" for name, part in parts.items()]


def _examples(name: str, count: int) -> list[Posed]:
    return [pose(drawn) for drawn in draw(required_benchmark(name), count)] if count else []


def _answer(policy: LocalPolicy, examples: Sequence[Posed]) -> tuple[list[Trace], list[float]]:
    traces, times_s = [], []
    for posed in examples:
        began_s = time.process_time()
        traces.append(attempt(policy, posed))
        times_s.append(time.process_time() - began_s)
    return traces, times_s


def _compared(
    ours: Sequence[Trace], ours_s: Sequence[float], theirs: Sequence[Trace], theirs_s: Sequence[float]
) -> dict[str, Any]:
    same = sum(one.steps == other.steps for one, other in zip(ours, theirs, strict=True))
    return {
        "n": len(ours),
        "cpu_s": round(statistics.median(ours_s), 3),
        "baseline_cpu_s": round(statistics.median(theirs_s), 3),
        "ratio": round(sum(theirs_s) / sum(ours_s), 2),
        "same_share": round(same / len(ours), 3),
    }


def _line(part: dict[str, Any], what: str) -> str:
    return (
        f"{part['cpu_s']:.3f} s of CPU {what}, baseline {part['baseline_cpu_s']:.3f} s: {part['ratio']:.2f} times "
        f"(n = {part['n']}, {part['same_share']:.0%} the same traces)"
    )
