"""The one JSON form of each value of `engine.trace`, for files, the store, exchange and programs.

    box          [x1, y1, x2, y2]
    media        {"sha256", "kind": "image" | "video", "width", "height"}
    view         {"number", "sha256", "frame": null | 1 to 16, "box"}
    evidence     {"boxes": [box], "frames": [3, 4]}, only those that there are
    step         {"thought", "operation": null | {"name": "zoom_in", "view", "box"} | {"name": "select_frames", "frames"},
                  "observation": null | {"views", "error"}, "is_erroneous"}, or {"thought", "answer", "is_erroneous"?}
    example      {"question", "media": [media], "answer", "options"?, "evidence"?, "other_answers"?, "rule"?, "category"?,
                  "difficulty"?, "source"?}
    trace        {"version": 1, "id", "question", "answer", "stop_reason", "policy", "protocol", "media", "views", "steps",
                  "is_operating"?}: the public form

Beside a trace, which says question and media itself and whose "answer" is what was said, an example is written as what is
*known*: {"gold", "other_answers", "options", "rule", "evidence", "category", "difficulty", "source"}, all of them.

Invariants: `x_from_json(x_to_json(x)) == x`; the bytes of a trace's form are a contract, for revisions are named by their
hash; fields that are not named here are left alone. Every `..._from_json` raises InvalidInput in one sentence that begins
with the field: "steps[0].operation.box: ... is expected, not ...".

Not covered: texts around the values (one object a line, `engine.evaluation.examples`); identity (`engine.store`).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, get_args

from engine.errors import InvalidBox, InvalidInput
from engine.json_fields import (
    Misread,
    expected,
    list_of,
    made,
    one_of,
    optional,
    require_object,
    required,
    text,
    truth,
    whole,
)
from engine.trace import (
    RULES,
    STOP_REASONS,
    Box,
    Evidence,
    Example,
    Media,
    MediaKind,
    Observation,
    Operation,
    Rule,
    SelectFrames,
    Step,
    Trace,
    View,
    ZoomIn,
)

__all__ = [
    "evidence_from_json",
    "evidence_to_json",
    "example_from_json",
    "example_to_json",
    "known_from_json",
    "known_to_json",
    "media_from_json",
    "media_to_json",
    "step_from_json",
    "step_to_json",
    "trace_from_json",
    "trace_to_json",
    "view_from_json",
    "view_to_json",
]

# --- media, views, evidence -----------------------------------------------------------------------------------------


def media_to_json(media: Media) -> dict[str, Any]:
    return {"sha256": media.sha256, "kind": media.kind, "width": media.width, "height": media.height}


def media_from_json(data: Any) -> Media:
    require_object(data)
    return Media(
        required(data, "sha256", text),
        required(data, "kind", one_of(get_args(MediaKind))),
        required(data, "width", whole),
        required(data, "height", whole),
    )


def view_to_json(view: View) -> dict[str, Any]:
    return {"number": view.number, "sha256": view.sha256, "frame": view.frame, "box": view.box.as_list()}


def view_from_json(data: Any) -> View:
    require_object(data)
    return View(
        required(data, "number", whole),
        required(data, "sha256", text),
        optional(data, "frame", whole, None),
        required(data, "box", _box),
    )


def evidence_to_json(evidence: Evidence) -> dict[str, Any]:
    parts = {"boxes": [box.as_list() for box in evidence.boxes], "frames": list(evidence.frames)}
    return {name: part for name, part in parts.items() if part}


def evidence_from_json(data: Any) -> Evidence:
    if not isinstance(data, Mapping) or not set(data) <= {"boxes", "frames"}:
        raise expected('{"boxes": [[x1, y1, x2, y2]]} or {"frames": [3, 4]}', data)
    return Evidence(optional(data, "boxes", list_of(_box), ()), optional(data, "frames", list_of(whole), ()))


# --- steps ----------------------------------------------------------------------------------------------------------


def step_to_json(step: Step) -> dict[str, Any]:
    if step.answer is not None:
        data: dict[str, Any] = {"thought": step.thought, "answer": step.answer}
        return data | ({"is_erroneous": True} if step.is_erroneous else {})
    operation: dict[str, Any] | None = None
    if isinstance(step.operation, ZoomIn):
        operation = {"name": "zoom_in", "view": step.operation.view, "box": step.operation.box.as_list()}
    elif isinstance(step.operation, SelectFrames):
        operation = {"name": "select_frames", "frames": list(step.operation.frames)}
    observation = step.observation
    return {
        "thought": step.thought,
        "operation": operation,
        "observation": None if observation is None else {"views": list(observation.views), "error": observation.error},
        "is_erroneous": step.is_erroneous,
    }


def step_from_json(data: Any) -> Step:
    require_object(data)
    return made(
        Step,
        required(data, "thought", text),
        optional(data, "operation", _operation, None),
        optional(data, "observation", _observation, None),
        optional(data, "answer", text, None),
        optional(data, "is_erroneous", truth, False),
    )


def _operation(data: Any) -> Operation:
    require_object(data)
    if required(data, "name", one_of(("zoom_in", "select_frames"))) == "zoom_in":
        return ZoomIn(required(data, "view", whole), required(data, "box", _box))
    return SelectFrames(required(data, "frames", list_of(whole)))


def _observation(data: Any) -> Observation:
    require_object(data)
    return made(Observation, optional(data, "views", list_of(whole), ()), optional(data, "error", text, None))


# --- examples -------------------------------------------------------------------------------------------------------


def example_to_json(example: Example) -> dict[str, Any]:
    unknown = known_to_json(Example("", ()))
    said = {name: value for name, value in known_to_json(example).items() if value != unknown[name]}
    media = [media_to_json(medium) for medium in example.media]
    return {"question": example.question, "media": media, "answer": said.pop("gold", None)} | said


def example_from_json(data: Any) -> Example:
    """An answer may be a number, and is its text then; under a rule for numbers 3.0 is 3."""
    require_object(data)
    rule: Rule | None = optional(data, "rule", one_of(RULES), None)

    def answer(value: Any) -> str:
        is_number = isinstance(value, (int, float)) and not isinstance(value, bool) and abs(value) < float("inf")
        if not is_number and not isinstance(value, str):
            raise expected("a text, a number or null", value)
        return str(int(value) if rule in ("number", "only-number") and is_number and value == int(value) else value)

    return Example(
        question=required(data, "question", text),
        media=required(data, "media", list_of(media_from_json)),
        answer=optional(data, "answer", answer, None),
        options=optional(data, "options", list_of(text), ()),
        evidence=optional(data, "evidence", evidence_from_json, None),
        other_answers=optional(data, "other_answers", list_of(answer), ()),
        rule=rule,
        category=optional(data, "category", text, None),
        difficulty=optional(data, "difficulty", text, None),
        source=optional(data, "source", text, ""),
    )


def known_to_json(example: Example) -> dict[str, Any]:
    """What is known of an example beside its question and media, as it stands beside a trace."""
    return {
        "gold": example.answer,
        "other_answers": list(example.other_answers),
        "options": list(example.options),
        "rule": example.rule,
        "evidence": None if example.evidence is None else evidence_to_json(example.evidence),
        "category": example.category,
        "difficulty": example.difficulty,
        "source": example.source,
    }


def known_from_json(data: Any, trace: Trace) -> Example:
    """The inverse of `known_to_json`: the example that `trace` is an attempt at."""
    require_object(data)
    media = [media_to_json(medium) for medium in trace.media]
    return example_from_json({**data, "question": trace.question, "media": media, "answer": data.get("gold")})


# --- traces, version 1 ----------------------------------------------------------------------------------------------


def trace_to_json(trace: Trace, id: str | None = None) -> dict[str, Any]:
    """The public form, version 1: plain dicts, lists, strings and numbers. `is_operating` is written where it is False."""
    return {
        "version": 1,
        "id": id,
        "question": trace.question,
        "answer": trace.answer,
        "stop_reason": trace.stop_reason,
        "policy": trace.policy,
        "protocol": trace.protocol,
        "media": [media_to_json(medium) for medium in trace.media],
        "views": [view_to_json(view) for view in trace.views],
        "steps": [step_to_json(step) for step in trace.steps],
    } | ({} if trace.is_operating else {"is_operating": False})


def trace_from_json(data: Any) -> tuple[Trace, str | None]:
    """The inverse of `trace_to_json`."""
    if not isinstance(data, Mapping) or data.get("version") != 1:
        found = data.get("version") if isinstance(data, Mapping) else type(data).__name__
        raise InvalidInput(f"a trace in JSON version 1 is needed, not version {found!r}")
    try:
        trace = made(
            Trace,
            required(data, "question", text),
            required(data, "media", list_of(media_from_json)),
            required(data, "views", list_of(view_from_json)),
            required(data, "steps", list_of(step_from_json)),
            required(data, "stop_reason", one_of(STOP_REASONS)),
            required(data, "policy", text),
            required(data, "protocol", text),
            optional(data, "is_operating", truth, True),
        )
        return trace, optional(data, "id", text, None)
    except Misread as error:
        raise InvalidInput(f"this is not a trace in JSON version 1: {error}") from None


def _box(value: Any) -> Box:
    if not isinstance(value, (list, tuple)) or len(value) != 4 or any(isinstance(edge, bool) for edge in value):
        raise expected("[x1, y1, x2, y2] from 0 to 1 with x1 < x2 and y1 < y2", value)
    try:
        return Box(*value)
    except InvalidBox as error:
        raise Misread(str(error)) from None
