"""Evaluations and comparisons as the page shows them, in JSON."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from engine.errors import NotFound
from engine.evaluation.comparing import Comparison
from engine.evaluation.reading import read_letter
from engine.store import Evaluation, Store
from engine.store.attempts import Attempt
from ui.trace_values import thumbnail_url

__all__ = ["change_value", "comparison_value", "evaluation_value"]

_CHANGED_SHOWN = 60
_CLIP_FRAME = 8


def evaluation_value(evaluation: Evaluation) -> dict[str, Any]:
    """A row of the table; figures are None before the first attempt."""
    ran, summary = evaluation.provenance, evaluation.summary or {}
    return {
        "id": evaluation.id,
        "state": evaluation.state,
        "created_at": evaluation.created_at,
        "benchmark": ran.get("benchmark"),
        "policy": ran.get("policy"),
        "is_operating": ran.get("is_operating"),
        "crops": ran.get("crops"),
        "protocol_of": (ran.get("protocol_of") or {}).get("project"),
        "looks": summary.get("looks"),
        "data_sha256": ran.get("data_sha256"),
        **{
            name: summary.get(name)
            for name in (
                "n", "scored", "empty", "accuracy", "stderr", "rapr", "hit_rate", "error_rate", "operation_errors",
                "tokens", "seconds",
            )
        },
        "chance": ran.get("chance"),
        "facts": _facts(ran),
    }  # fmt: skip


def _facts(ran: Mapping[str, Any]) -> list[dict[str, str]]:
    """What the score depends on, name and value, in words."""
    options, scorers = ran.get("options"), ran.get("scorers") or {}
    shuffled = f"shuffled by seed {options['shuffled_by_seed']}" if isinstance(options, dict) else options
    temperature = ran.get("temperature")
    protocol = ran.get("protocol_of") or {}
    denominator = ran.get("denominator") or {}
    facts = {
        "Asked and scored as": " ".join(protocol[name] for name in ("project", "version") if name in protocol),
        "But there": "; ".join(sentence.removesuffix(" there") for sentence in protocol.get("differs", ())),
        "Data": str(ran.get("data_sha256") or "")[:12],
        "Options": shuffled,
        "Prompt": f"{ran.get('protocol')} {str(ran.get('prompt_sha256') or '')[:12]}",
        "Operations": "allowed" if ran.get("is_operating") else "not allowed",
        "Attempts": f"{ran.get('attempts')} each, "
        + ("greedy" if temperature is None else f"temperature {temperature}"),
        "Clips": f"{ran.get('clip_frames')} frames, even in {ran.get('clip_sampling')}",
        "Scored by": ", ".join(f"{rule} ({count})" for rule, count in scorers.items()),
        "Without an answer": ", ".join(
            f"{denominator[name]} {words}"
            for name, words in (("empty_wrong", "wrong"), ("empty_left_out", "left out"))
            if denominator.get(name)
        ),
        "Crops show": None if ran.get("crops") == "real" else ran.get("crops"),
        "Pixels": ", ".join(
            f"{role} {budget['min_pixels']:,} to {budget['max_pixels']:,}"
            for role, budget in (ran.get("pixel_budgets") or {}).items()
        ),
        "Quantisation": (ran.get("settings") or {}).get("quantization"),
        "Versions": ", ".join(f"{name} {version}" for name, version in (ran.get("versions") or {}).items()),
    }
    return [{"name": name, "value": str(value)} for name, value in facts.items() if value not in (None, "")]


def comparison_value(
    store: Store, comparison: Comparison, before: Sequence[Attempt], after: Sequence[Attempt]
) -> dict[str, Any]:
    """The comparison, and the examples that changed, worst first, each with its picture and both traces."""
    first, second = _by_example(before), _by_example(after)
    changed = [
        change_value(store, one.before, one.after, first[one.example_key], second[one.example_key])
        for one in comparison.changed[:_CHANGED_SHOWN]
    ]
    return {
        "words": comparison.words,
        "n": comparison.n,
        "before": comparison.before,
        "after": comparison.after,
        "stderr": comparison.stderr,
        "p": comparison.p,
        "gain": comparison.gain,
        "harm": comparison.harm,
        "only_before": comparison.only_before,
        "only_after": comparison.only_after,
        "changed": changed,
        "changed_count": len(comparison.changed),
    }


def _by_example(attempts: Sequence[Attempt]) -> dict[str, Attempt]:
    """The first attempt at each example whose trace is there."""
    found: dict[str, Attempt] = {}
    for one in attempts:
        if one.example_key not in found or (found[one.example_key].trace_id is None and one.trace_id is not None):
            found[one.example_key] = one
    return found


def change_value(
    store: Store, before: float | None, after: float | None, first: Attempt, second: Attempt
) -> dict[str, Any]:
    """An example with its picture, both scores, both answers and both traces, as far as they were kept."""
    value: dict[str, Any] = {"before": before, "after": after, "question": "", "gold": None, "picture": None}
    for side, attempt in (("before", first), ("after", second)):
        trace_id = attempt.trace_id
        try:
            record = None if trace_id is None else store.traces.get(trace_id)
        except NotFound:
            record = None  # it lies in the bin
        value[f"{side}_trace"] = None if record is None else trace_id
        answer = None if record is None else store.revisions.get(record.head_id).trace.answer
        value[f"{side}_answer"] = answer if record is None else _in_words(answer, record.example.options)
        if record is not None:
            medium = record.example.media[0]
            value |= {
                "question": record.example.question,
                "gold": _in_words(record.example.answer, record.example.options),
                "picture": thumbnail_url(medium.sha256, None if medium.kind == "image" else _CLIP_FRAME),
            }
    return value


def _in_words(answer: str | None, options: Sequence[str]) -> str | None:
    """The letter of an option with the option beside it, any other answer as it is: "B (blue)"."""
    letter = None if answer is None or not options else read_letter(answer, options)
    option = None if letter is None else options[ord(letter) - ord("A")]
    return answer if option is None or option in str(answer) else f"{answer} ({option})"
