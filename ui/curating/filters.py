"""The queue's filters as the screen offers them: `engine.store.Query` with a title, and words for its values. Pure.

`Query` says which filters there are and what each may be; here stands only how they are called, and a filter or a value
that has no words fails at once. The value of `ui.components.queue.Queue`:

    {"filters": [{"name": str, "title": str, "kind": "choice" | "known" | "text" | "day", "choices": [[value, words], ...]}],
     "reasons": [str], "me": the name of whoever asks and "page": str, once it is loaded (`ui.curating.presence`)}

A "choice" is one of its choices, a "known" one of the values that the store knows (`GET /curate/choices`), "text" and "day"
are typed.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal, get_args, get_origin, get_type_hints

from engine.store import Query

__all__ = ["queue_value"]

# These have places of their own on the screen.
_ELSEWHERE = ("search", "status", "order", "seer")
_KNOWN = ("policy", "source", "tag")
_DAYS = ("since", "until")
_YES_NO = [["1", "yes"], ["0", "no"]]

_TITLES = {
    "policy": "Policy",
    "source": "Source",
    "kind": "Kind of media",
    "trajectory": "Trajectory",
    "outcome": "Against gold",
    "evidence": "Evidence",
    "has_operation": "Looked closer",
    "has_errors": "Operation error",
    "is_pretending": "Pretended a look",
    "ignores_error": "Ignored an error",
    "blanking": "Blanking the crop",
    "rapr": "RaPR of its group",
    "is_edited": "Edited",
    "reviewer": "Reviewed by",
    "tag": "Tag",
    "assigned_to": "Assigned to",
    "drafted_by": "Draft of",
    "round": "Several reviews",
    "stop_reason": "Ended",
    "since": "From day",
    "until": "To day",
}
_WORDS = {
    "kind": {"image": "pictures", "video": "clips"},
    "trajectory": {
        "text": "text only",
        "single_pass": "one look",
        "recrop_once": "looked elsewhere once",
        "recrop_twice": "looked elsewhere twice",
        "further_zoom": "zoomed further",
        "reselect": "chose frames again",
        "mixed": "zooms and frames",
    },
    "outcome": {"right": "right", "wrong": "wrong", "partial": "partly right", "unscored": "unscored"},
    "evidence": {"held": "held", "missed": "missed", "unknown": "unknown"},
    "blanking": {"changes": "changes the answer", "keeps": "keeps the answer"},
    "rapr": {"never": "0", "seldom": "below 0.3", "often": "0.3 to 0.7", "mostly": "above 0.7", "always": "1"},
    "round": {"open": "open", "agreed": "agreed", "disputed": "disputed", "adjudicated": "decided"},
    "stop_reason": {
        "answered": "with an answer",
        "max_steps": "out of steps",
        "max_tokens": "out of words",
        "repetition": "in circles",
        "cancelled": "stopped",
        "failed": "broken",
    },
}


def queue_value(reasons: Sequence[str]) -> dict[str, Any]:
    """`reasons` are those for rejecting. Raises KeyError where a filter or one of its values has no words."""
    hints = {name: hint for name, hint in get_type_hints(Query).items() if name not in _ELSEWHERE}
    order = list(_TITLES)
    filters = [_filter(name, hints[name]) for name in sorted(hints, key=order.index)]
    return {"filters": filters, "reasons": list(reasons)}


def _filter(name: str, hint: Any) -> dict[str, Any]:
    kind, choices = "text", []
    literal = next((one for one in get_args(hint) if get_origin(one) is Literal), None)
    if literal is not None:
        kind, choices = "choice", [[value, _WORDS[name][value]] for value in get_args(literal)]
    elif bool in get_args(hint):
        kind, choices = "choice", _YES_NO
    elif name in _KNOWN:
        kind = "known"
    elif name in _DAYS:
        kind = "day"
    return {"name": name, "title": _TITLES[name], "kind": kind, "choices": choices}
