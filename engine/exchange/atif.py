"""The format `atif`: Harbor's Agent Trajectory Interchange Format 1.7, a trajectory a line, pictures by path.

    {"schema_version": "ATIF-v1.7", "session_id", "trajectory_id",
     "agent": {"name", "version", "model_name", "tool_definitions"},
     "steps": [
       {"step_id": 1, "source": "system", "message": "..."},
       {"step_id": 2, "source": "user", "message": [{"type": "image", "source": {"media_type", "path"}}, {"type": "text"}]},
       {"step_id": 3, "source": "agent", "message": "thought", "llm_call_count": 1,
        "tool_calls": [{"tool_call_id", "function_name": "zoom_in", "arguments": {...}}],
        "observation": {"results": [{"source_call_id", "content": [{"type": "text"}, {"type": "image", ...}]}]},
        "extra": {"is_erroneous": true}},
       {"step_id": 4, "source": "agent", "message": "thought\\n\\n\\\\boxed{A}", "extra": {"answer": "A"}}],
     "final_metrics": {"total_steps": 4},
     "extra": {"trace": {"media", "protocol", "stop_reason", "is_operating"}, "studio": {...}}}

The observation stands inside the agent's step. What ATIF has no place for is in `extra`: under "studio" what `trace-json`
has there, so that the head comes back with all that is known of it; the originals lie in media/. Harbor keeps one
trajectory in a file; a folder of such files is read as well. Names and numbers of operations are those of
`engine.exchange.plain`. Known from harbor 0.26.0 (harbor.models.trajectories), which reads what is written here.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from engine import __version__
from engine.errors import InvalidInput
from engine.exchange import plain
from engine.exchange.conversation import Turn, conversation, without_call
from engine.exchange.files import Kept, Source, file_named, json_rows
from engine.exchange.format import Brought, Format, Read, Row, read_rows
from engine.exchange.openai_chat import PLAIN, asked
from engine.exchange.placeholders import ESCAPED, escaped, unescaped
from engine.exchange.replaying import SaidTurn, question_and_options, replayed
from engine.exchange.sheet import Sheet
from engine.exchange.trace_json import dossier_of, known_of
from engine.json_fields import list_of, one_of, optional, require_object, required, text, truth
from engine.media import MediaFolder
from engine.protocols import TextPart
from engine.store import Dossier, first_hash
from engine.trace import STOP_REASONS, Example, Media, Step, first_views
from engine.trace_json import media_from_json, media_to_json

__all__ = ["ATIF", "FILE_NAME", "read"]

FILE_NAME = "trajectories.jsonl"
SCHEMA = "ATIF-v1.7"
CHANGED = "trajectories that were changed since they were written, which come in as traces of their own"
EARLIER = "earlier versions, of as many edited traces: the head alone is written"
_TYPES = {".jpg": "image/jpeg", ".png": "image/png", ".webp": "image/webp", ".gif": "image/gif"}


def _rows(dossier: Dossier, sheet: Sheet) -> Iterator[Row]:
    said = conversation(dossier, PLAIN)
    trace = dossier.trace
    sheet.lose(ESCAPED, said.escaped)
    sheet.lose(EARLIER, dossier.revision_number > 1)
    for medium in trace.media:
        sheet.keep(medium.sha256)
    steps: list[dict[str, Any]] = []
    for turn in said.turns:
        if turn.role == "observation":
            steps[-1]["observation"] = _observation(turn, steps[-1], trace.media, sheet)
        else:
            steps.append({"step_id": len(steps) + 1} | _step(turn, trace.media, sheet))
    opening = trace.views[: len(first_views(trace.media))]
    agent = {"name": "pixel-reasoner-studio", "version": __version__, "model_name": trace.policy}
    declared = {"tool_definitions": plain.declarations(opening)} if trace.invites_operations else {}
    named = {"session_id": dossier.id, "trajectory_id": dossier.id} if dossier.id else {}
    known = known_of(replace(dossier, versions=()))
    media = [media_to_json(medium) for medium in trace.media]
    about = {"media": media, "protocol": trace.protocol, "stop_reason": trace.stop_reason, "question": trace.question}
    yield {
        "schema_version": SCHEMA,
        **named,
        "agent": agent | declared,
        "steps": steps,
        "final_metrics": {"total_steps": len(steps)},
        "extra": {"trace": about | {"is_operating": trace.is_operating}, "studio": known},
    }


def _step(turn: Turn, media: tuple[Media, ...], sheet: Sheet) -> dict[str, Any]:
    if turn.role == "system":
        return {"source": "system", "message": turn.text}
    if turn.role == "user":
        return {"source": "user", "message": _content(turn, media, sheet)}
    assert turn.step is not None
    step: dict[str, Any] = {"source": "agent", "message": without_call(turn), "llm_call_count": 1}
    if turn.call is not None:
        called = {"function_name": turn.call.name, "arguments": dict(turn.call.arguments)}
        step["tool_calls"] = [{"tool_call_id": f"call_{turn.index}"} | called]
    extra: dict[str, Any] = {"is_erroneous": True} if turn.step.is_erroneous else {}
    # Word for word, as far as a message in which thought and answer are one cannot tell.
    extra |= {"thought": turn.step.thought} | ({} if turn.step.answer is None else {"answer": turn.step.answer})
    return step | {"extra": extra}


def _observation(turn: Turn, step: Mapping[str, Any], media: tuple[Media, ...], sheet: Sheet) -> dict[str, Any]:
    call = {"source_call_id": step["tool_calls"][0]["tool_call_id"]} if "tool_calls" in step else {}
    return {"results": [call | {"content": turn.text if turn.is_error else _content(turn, media, sheet)}]}


def _content(turn: Turn, media: tuple[Media, ...], sheet: Sheet) -> list[dict[str, Any]]:
    parts: list[dict[str, Any]] = []
    for part in turn.parts:
        if isinstance(part, TextPart):
            parts.append({"type": "text", "text": part.text})
            continue
        path = sheet.picture(part.view, media)
        parts.append({"type": "image", "source": {"media_type": _TYPES[Path(path).suffix], "path": path}})
    return parts


# --- reading --------------------------------------------------------------------------------------------------------


def read(path: Path) -> Iterator[Read]:
    """The traces of a file of trajectories, of one trajectory, or of a folder of them; paths of pictures are relative to the
    file. Raises InvalidInput."""
    for file in _files(path):
        yield from _read_file(file)


def _read_file(file: Path) -> Iterator[Read]:
    folder = MediaFolder(file.parent / "media", cache_bytes=0) if (file.parent / "media").is_dir() else None
    rows = ((place if file.suffix == ".jsonl" else file.name, row) for place, row in json_rows(file))
    return read_rows(rows, lambda where, row: _brought(where, row, file, folder))


def _files(path: Path) -> list[Path]:
    if path.is_file():
        return [path]
    found = [path / FILE_NAME] if (path / FILE_NAME).is_file() else sorted(path.glob("*.json"))
    if not found:
        raise InvalidInput(f"there is no {FILE_NAME} and no *.json in {path}")
    return found


def _brought(place: str, row: Mapping[str, Any], file: Path, folder: MediaFolder | None) -> Brought:
    schema = required(row, "schema_version", text)
    if not schema.startswith("ATIF-v1."):
        raise InvalidInput(f"schema_version: ATIF-v1.0 to ATIF-v1.8 is expected, not {schema[:40]!r}")
    steps = [step for step in required(row, "steps", list_of(_checked)) if step["source"] != "system"]
    if not steps or steps[0]["source"] != "user":
        raise InvalidInput("steps: a question of the source user is expected first")
    if any(step["source"] != "agent" for step in steps[1:]):
        raise InvalidInput("steps: one question is expected, and after it only steps of the agent")
    files, said = asked(_parts(steps[0]["message"], file.parent))
    extra = optional(row, "extra", _object, {})
    about = optional(extra, "trace", _object, {})
    media = optional(about, "media", list_of(media_from_json), ())
    if media and folder is not None:
        files = [Kept(folder, medium.sha256) for medium in media]
    question, options = question_and_options(said.removesuffix(plain.NO_OPERATIONS))
    question = escaped(required(about, "question", text)) if "question" in about else question
    example = Example(question, (), options=options, source=f"{file.stem}/{_name(row) or place}")
    agent = optional(row, "agent", _object, {})
    brought = replayed(
        place,
        example,
        files,
        [_turn(step, file.parent) for step in steps[1:]],
        PLAIN,
        is_operating=optional(about, "is_operating", truth, not said.endswith(plain.NO_OPERATIONS)),
        policy=optional(agent, "model_name", text, None) or optional(agent, "name", text, "imported"),
    )
    return _with_known(brought, row, steps[1:], about, extra)


def _with_known(
    brought: Brought,
    row: Mapping[str, Any],
    steps: Sequence[Mapping[str, Any]],
    about: Mapping[str, Any],
    extra: Mapping[str, Any],
) -> Brought:
    """The trace as a studio had written it, where one had."""
    trace = brought.dossier.trace
    if not about:
        return brought
    exact = [_exact(step, said) for step, said in zip(trace.steps, steps, strict=True)]
    trace = replace(
        trace,
        steps=tuple(exact),
        protocol=optional(about, "protocol", text, trace.protocol),
        stop_reason=optional(about, "stop_reason", one_of(STOP_REASONS), trace.stop_reason),
    )
    if "studio" not in extra:
        return replace(brought, dossier=replace(brought.dossier, trace=trace))
    dossier = required(extra, "studio", lambda known: dossier_of(known, trace, _name(row)))
    if dossier.revision_number == 1 and dossier.revision != first_hash(trace):
        fresh = Dossier(trace, dossier.example, policy_settings=dossier.policy_settings, names=dossier.names)
        return replace(brought, dossier=fresh, notes=(*brought.notes, CHANGED))
    return replace(brought, dossier=dossier)


def _exact(step: Step, said: Mapping[str, Any]) -> Step:
    """The step word for word, where a studio has told its words apart."""
    own = optional(said, "extra", _object, {})
    if "thought" not in own:
        return step
    operation = step.operation if said.get("tool_calls") else None
    answer = None if operation or step.observation else optional(own, "answer", text, None)
    thought = required(own, "thought", text)
    return replace(
        step,
        thought=unescaped(thought),
        operation=operation,
        answer=None if answer is None else unescaped(answer),
    )


def _name(row: Mapping[str, Any]) -> str | None:
    return optional(row, "trajectory_id", text, None) or optional(row, "session_id", text, None)


def _object(data: Any) -> Mapping[str, Any]:
    require_object(data)
    found: Mapping[str, Any] = data
    return found


def _checked(data: Any) -> dict[str, Any]:
    require_object(data)
    return {**data, "source": required(data, "source", one_of(("system", "user", "agent")))}


def _parts(content: Any, folder: Path) -> list[str | Source]:
    """Texts, and where pictures are."""
    if isinstance(content, str) or content is None:
        return [content or ""]
    parts: list[str | Source] = []
    for part in content if isinstance(content, list) else [content]:
        require_object(part)
        if required(part, "type", one_of(("text", "image"))) == "text":
            parts.append(required(part, "text", text))
        else:
            parts.append(file_named(folder, required(part, "source", _object).get("path")))
    return parts


def _turn(step: Mapping[str, Any], folder: Path) -> SaidTurn:
    said = "".join(part for part in _parts(step.get("message"), folder) if isinstance(part, str))
    calls = optional(step, "tool_calls", list_of(_call), ())
    if len(calls) > 1:
        raise InvalidInput(f"step {step.get('step_id')}: one operation a step is expected, not {len(calls)} calls")
    own = optional(step, "extra", _object, {})
    turn = SaidTurn(
        plain.written(said, *calls[0]) if calls else said, is_erroneous=optional(own, "is_erroneous", truth, False)
    )
    results = optional(optional(step, "observation", _object, {}), "results", list_of(_object), ())
    parts = [part for result in results for part in _parts(result.get("content"), folder)]
    if not results:
        return turn
    shown = tuple(part for part in parts if not isinstance(part, str))
    error = "".join(part for part in parts if isinstance(part, str)).removeprefix("Execution error: ")
    return replace(turn, pictures=shown, error=None if shown else error)


def _call(data: Any) -> tuple[str, Any]:
    require_object(data)
    return required(data, "function_name", text), required(data, "arguments", _object)


ATIF = Format(
    name="atif",
    title="ATIF 1.7",
    description="Trajectories of Harbor's Agent Trajectory Interchange Format, pictures by path.",
    file=FILE_NAME,
    beside=("media/", "images/", "frames/", "crops/"),
    losses=(EARLIER, ESCAPED),
    returns="the head under its hash, with all that is known of it",
    rows=_rows,
    read=read,
)
