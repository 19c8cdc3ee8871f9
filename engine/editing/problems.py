"""Problems: what stands in the way of approving a trace, in sentences for a person.

The idea: what is approved is trained on, so a trace must be one that the wire can write and that ends in an answer, and
whoever approves must have looked at every step as it is now.

Invariant: a trace without problems is learned from whole; nothing of it is dropped later in silence.
"""

from __future__ import annotations

from engine.editing.draft import Draft
from engine.errors import InvalidInput
from engine.protocols import protocol_named
from engine.protocols.calls import CALL_START, boxed, holds_call
from engine.settings import PROTOCOLS
from engine.trace import Step, Trace, shown_before

__all__ = ["is_unreadable", "problems", "trace_problems"]


def problems(draft: Draft) -> tuple[str, ...]:
    """What stands in the way of approving, one sentence each; steps are counted from 1."""
    stale = [f"Step {n} is stale: {why}." for n, why in enumerate(draft.stale, 1) if why is not None]
    return (*stale, *trace_problems(draft.trace))


def trace_problems(trace: Trace) -> tuple[str, ...]:
    """`problems` of a trace that nobody is changing."""
    found: list[str] = []
    shown_at = shown_before(trace.views, trace.steps)
    for number, (step, shown) in enumerate(zip(trace.steps, shown_at, strict=True), 1):
        told = len(found)
        if step.answer is not None and number < len(trace.steps):
            found.append(f"Step {number} answers, but is not the last step.")
        if step.answer is None and step.observation is None:
            found.append(f"Step {number} neither looks closer nor answers.")
        is_written = step.operation is not None or step.answer is not None
        if is_written and CALL_START in step.thought:
            found.append(f"The thought of step {number} contains {CALL_START}, which would be read as a call.")
        elif CALL_START in (step.answer or ""):
            found.append(f"The answer of step {number} contains {CALL_START}, which would be read as a call.")
        elif is_unreadable(step) and not step.is_erroneous:
            found.append(f"Step {number} holds the text of a call that was not read: mend it, or mark it as erroneous.")
        if step.answer:
            try:
                boxed(step.answer)
            except InvalidInput:
                found.append(f"The answer of step {number} cannot be written: pair its curly braces.")
        if is_written and len(found) == told and (reason := _unwritable(trace, step, shown)):
            found.append(f"Step {number} cannot be written: {reason}.")
    if not trace.steps or trace.steps[-1].answer is None:
        found.append("There is no answer at the end.")
    elif not trace.steps[-1].answer.strip():
        found.append("The answer is empty.")
    return tuple(found)


def _unwritable(trace: Trace, step: Step, shown: int) -> str | None:
    """Why the trace's own wire format cannot say the step, which may be for marks that only its family reads."""
    if trace.protocol not in PROTOCOLS:
        return None
    try:
        protocol_named(trace.protocol).render(step, trace.views[:shown], trace.media)
    except InvalidInput as error:
        return str(error)
    return None


def is_unreadable(step: Step) -> bool:
    """Whether the step's thought or answer holds the raw text of a call, which nobody executed."""
    return holds_call(step.thought) or holds_call(step.answer or "")
