"""Going on from an edited step: the policy continues as if it had taken the edited steps itself.

The idea: `stream(earlier=...)` recalls the steps up to the edited one and generates on. What comes out is a candidate;
nothing changes until a person takes it, as an edit (`TakeSteps`) that can be undone like any other. Several candidates
are several calls with several seeds; throwing them away is doing nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace

from engine.drivers.streaming import stream
from engine.editing.draft import Draft
from engine.editing.edits import TakeSteps
from engine.errors import InvalidInput
from engine.media import Pictures
from engine.policies.base import Policy, never
from engine.reasoning import Limits, Notice
from engine.trace import Example, Trace

__all__ = ["continuation", "continue_from", "prefix"]


def prefix(trace: Trace, step_index: int) -> Trace:
    """The trace up to and with step `step_index` (from 0; -1 keeps none). Raises InvalidInput where nothing can follow
    that step: it is not there, it answers, or it has no observation that a policy could answer to."""
    if not -1 <= step_index < len(trace.steps):
        raise InvalidInput(f"there is no step {step_index + 1} to continue from: the trace has {len(trace.steps)}")
    kept = trace.steps[: step_index + 1]
    if kept and kept[-1].answer is not None:
        raise InvalidInput(f"step {step_index + 1} answers; continue from the step before it")
    if kept and kept[-1].observation is None:
        raise InvalidInput(f"step {step_index + 1} does not look at anything yet; draw a box or choose frames first")
    later = sum(len(s.observation.views) for s in trace.steps[step_index + 1 :] if s.observation)
    return replace(trace, steps=kept, views=trace.views[: len(trace.views) - later], stop_reason="cancelled")


def continue_from(
    draft: Draft,
    step_index: int,
    policy: Policy,
    pictures: Pictures,
    *,
    options: Sequence[str] = (),
    limits: Limits | None = None,
    seed: int | None = None,
    is_cancelled: Callable[[], bool] = never,
) -> Iterator[Notice]:
    """The policy goes on after step `step_index` of the draft, as the notices of the loop; step indices go on from the
    kept steps, and `limits.max_steps` counts new steps only. The last notice is Finished: pass its trace to
    `continuation` for the edit that takes it. A seed samples; None is greedy where the policy can be.

    Raises InvalidInput where nothing can follow that step, and whatever the policy raises.
    """
    earlier = prefix(draft.trace, step_index)
    limits = limits or Limits()
    limits = replace(limits, max_steps=limits.max_steps + len(earlier.steps))
    example = Example(earlier.question, earlier.media, options=tuple(options))
    yield from stream(
        policy,
        example,
        pictures,
        limits,
        is_operating=earlier.invites_operations,
        is_cancelled=is_cancelled,
        seed=seed,
        earlier=earlier,
    )


def continuation(step_index: int, finished: Trace) -> TakeSteps:
    """The edit that takes what `continue_from` at `step_index` finished with, or a whole other revision (-1)."""
    return TakeSteps(
        step_index, finished.steps[step_index + 1 :], finished.views, finished.stop_reason, finished.policy
    )
