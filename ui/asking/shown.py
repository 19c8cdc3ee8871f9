"""An attempt, under way or kept, as the values that the parts of the Ask screen show.

The idea: one `Shown` of everything on the page, whether it comes from a thread that is thinking or from the store, so that
an address shows the same however one came to it. `None` in a field leaves that part as it is.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from engine.evaluation.reading import read_letter
from engine.store import TraceRecord
from engine.trace import Example, Trace
from ui.answering import Attempt, Progress
from ui.asking.sureness import sureness_value
from ui.studio import Studio
from ui.trace_values import filmstrip_value, media_value, outcome, source_value, steps_value

__all__ = ["NO_STEPS", "Shown", "asked_twice", "fresh", "kept", "media_values", "refused", "running"]

HINT = "Ask something that is too small to read at first sight. The model zooms in, or picks frames, and you see what it sees."
NO_STEPS = "Each look the model takes will stand here: what it thought, what it did, what it saw."


@dataclass(frozen=True, slots=True)
class Shown:
    """The values of the stage (for source and crops), the filmstrip, the steps and the answer; `question` and `options` are
    those of the fields, None where the person's own text stays; whether it `is_running`, and can be sent to review; `pair` is
    that of two answers to choose between (`ui.asking.pairing`), which goes with the stage."""

    answer: dict[str, Any]
    stage: dict[str, Any] | None = None
    film: dict[str, Any] | None = None
    steps: dict[str, Any] | None = None
    question: str | None = None
    options: Sequence[str] | None = None
    is_running: bool = False
    is_kept: bool = False
    pair: Mapping[str, Any] = field(default_factory=lambda: {"state": "none"})


def media_values(studio: Studio, hashes: Sequence[str], person: str) -> list[dict[str, Any]]:
    """Media as a person sees them. Raises NotFound for one that is not there for them."""
    for sha256 in hashes:
        studio.workbench.require_media_seen(person, sha256)
    return [media_value(studio.media.load(sha256), studio.store.media.name_of(sha256)) for sha256 in hashes]


def fresh(media: list[dict[str, Any]], question: str | None = None, options: Sequence[str] | None = None) -> Shown:
    """Media on the stage, nothing asked yet."""
    address = "?media=" + ",".join(medium["sha256"] for medium in media) if media else ""
    return Shown(
        answer={"state": "empty", "hint": HINT, "address": address},
        stage=source_value(media) | {"of": address},
        film=filmstrip_value(media),
        steps={"steps": [], "empty": NO_STEPS},
        question=question,
        options=options,
    )


def asked_twice(media: list[dict[str, Any]], example: Example, pair: Mapping[str, Any]) -> Shown:
    """A question that two answer: the stage bare, the answers side by side."""
    is_running = pair["state"] == "running"
    note = pair["note"] if is_running else "Two answers stand side by side below the picture."
    told = {
        "question": example.question,
        "options": list(example.options),
        "note": note,
        "tone": "plain",
        "status": note,
    }
    bare = fresh(media)
    return replace(
        bare,
        answer={
            "address": bare.answer["address"],
            "state": "running" if is_running else "done",
            "answer": None,
            **told,
        },
        steps={"steps": [], "empty": "The steps of both stand below the picture once both have answered."},
        is_running=is_running,
        pair=pair,
    )


def refused(sentence: str, before: Shown) -> Shown:
    """The sentence, and everything else as it was."""
    return replace(before, answer={**before.answer, "problem": sentence}, is_kept=bool(before.answer.get("trace_id")))


def running(studio: Studio, media: list[dict[str, Any]], attempt: Attempt, progress: Progress) -> Shown:
    """An attempt so far, or at its end."""
    example = attempt.example
    value = _answer(attempt.id, example.question, example.options, progress)
    if not progress.is_over:
        return _shown(media, example.question, example.options, progress, value | {"attempt": attempt.id})
    settings = None
    if progress.trace_id is not None:
        settings = studio.store.traces.get(progress.trace_id).policy_settings
    value |= {"sure": sureness_value(progress.policy, progress.confidence, progress.answer, settings)}
    return _shown(media, example.question, example.options, progress, value)


def kept(media: list[dict[str, Any]], record: TraceRecord, trace: Trace) -> Shown:
    """A recorded trace, as the page stood when it ended."""
    progress = Progress(
        views=trace.views,
        steps=trace.steps,
        stop_reason=trace.stop_reason,
        answer=trace.answer,
        confidence=record.item.confidence,
        trace_id=record.id,
        policy=trace.policy,
    )
    options = record.example.options
    value = _answer(record.id, trace.question, options, progress)
    # A person's corrected answer is theirs: how sure the model was of its own says nothing of it.
    is_own = record.item.status != "edited"
    value |= {
        "sure": sureness_value(
            trace.policy, record.item.confidence if is_own else None, trace.answer, record.policy_settings
        )
    }
    return _shown(media, trace.question, options, progress, value)


def _shown(
    media: list[dict[str, Any]], question: str, options: Sequence[str], progress: Progress, value: dict[str, Any]
) -> Shown:
    views, done = progress.views, progress.steps
    return Shown(
        answer=value,
        stage=source_value(media, views, done) | {"of": value["address"]},
        film=filmstrip_value(media, views, done),
        steps=steps_value(media, views, done, progress.thought),
        question=question,
        options=options,
        is_running=not progress.is_over,
        is_kept=progress.trace_id is not None,
    )


def _answer(id: str, question: str, options: Sequence[str], progress: Progress) -> dict[str, Any]:
    return {
        "state": "done" if progress.is_over else "running",
        "address": f"?trace={id}",
        "question": question,
        "options": list(options),
        "answer": None if progress.answer is None else _in_words(progress.answer, options),
        "elapsed_s": None if progress.elapsed_s is None else round(progress.elapsed_s, 1),
        "policy": progress.policy,
        "trace_id": progress.trace_id,
        "number": progress.number,
        **told(progress),
    }


def _in_words(answer: str, options: Sequence[str]) -> str:
    """A letter with the text of its option; any other answer as it is."""
    letter = read_letter(answer, options) if options else None
    return answer if letter is None else f"{letter}: {options[ord(letter) - ord('A')]}"


def told(progress: Progress) -> dict[str, str]:
    """The line below the answer, how serious it is, and what a screen reader says."""
    count = len(progress.steps)
    if progress.waiting is not None:
        return {"note": f"{progress.waiting}; your question waits", "tone": "plain", "status": "The model is loading."}
    if progress.stop_reason is None:
        last = progress.steps[-1] if count else None
        saw = f"Step {count} is done. " if last else ""
        if progress.before is not None:
            line = f"In line: {progress.before} before you" if progress.before else "In line: you are next"
            return {"note": line, "tone": "plain", "status": f"{saw}{line}."}
        return {"note": f"Step {count + 1}: thinking", "tone": "plain", "status": f"{saw}Thinking."}
    note = progress.problem or outcome(progress.stop_reason, count)
    tone = {"answered": "plain", "failed": "bad"}.get(progress.stop_reason, "warn")
    answer = f"The answer is {progress.answer}. " if progress.answer else ""
    return {"note": note, "tone": tone, "status": answer + note}
