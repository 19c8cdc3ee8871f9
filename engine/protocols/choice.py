"""Which wire format a model speaks, read from what its makers published with it.

The algorithm: the first of these that names a family decides, and the reason is told with the choice.

    name            the folder, the id on the Hub, or `_name_or_path` of its configuration
    card            README.md: its `base_model`s, then its first heading (the text below compares with other models)
    chat template   the name of an operation that only one family has
    model_type      Qwen3-VL and Qwen3.5 look by themselves; Qwen2.5-VL is what Pixel Reasoner was trained from and measured
                    against in the same wire format (arXiv 2505.15966, table 1)

A family that writes programs instead of calls, or any other `model_type`, is not guessed at: a wrong wire format does not
fail, it only makes a good model look bad.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from engine.errors import InvalidSetting
from engine.settings import PROTOCOLS

__all__ = ["Choice", "choose_protocol"]

_FAMILIES = (
    (re.compile(r"deep.?eyes.?v[2-9]|thyme|code.?v\b", re.IGNORECASE), None),
    (re.compile(r"pixel.?reasoner", re.IGNORECASE), "pixel-reasoner"),
    (re.compile(r"deep.?eyes", re.IGNORECASE), "deepeyes"),
    (re.compile(r"mini.?o3", re.IGNORECASE), "mini-o3"),
    (re.compile(r"sensenova.?mars", re.IGNORECASE), "qwen3-vl"),
)
"""What a name holds, and the wire format of that family; None: it writes programs, which are not executed here."""

_OPERATIONS = (
    ("crop_image_normalized", "pixel-reasoner"),
    ("<grounding>", "mini-o3"),
    ("img_idx", "qwen3-vl"),
)

_MODEL_TYPES = (
    (re.compile(r"qwen3_vl(_moe)?|qwen3_5(_moe)?"), "qwen3-vl"),
    (re.compile(r"qwen2_5_vl|qwen2_vl"), "pixel-reasoner"),
)


@dataclass(frozen=True, slots=True)
class Choice:
    """The name of a wire format, and why it was chosen, as the end of a sentence."""

    protocol: str
    reason: str


def choose_protocol(name: str, configuration: Mapping[str, Any], chat_template: str = "", card: str = "") -> Choice:
    """The wire format of the model called `name`. `configuration` is its config.json, `card` its README.md; texts that
    are not there are empty. Raises InvalidSetting, naming the choices, where they name no family that is known."""
    for where, text in _names(name, configuration, card):
        for pattern, protocol in _FAMILIES:
            if found := pattern.search(text):
                if protocol is None:
                    raise InvalidSetting(
                        f"{where} says {found[0]!r}: that family writes programs, which no wire format here reads; set "
                        f"STUDIO_PROTOCOL to one of {', '.join(PROTOCOLS)} to ask it in another way"
                    )
                return Choice(protocol, f"{where} says {found[0]!r}")
    for operation, protocol in _OPERATIONS:
        if operation in chat_template:
            return Choice(protocol, f"its chat template names {operation!r}")
    model_type = str(configuration.get("model_type", ""))
    for pattern, protocol in _MODEL_TYPES:
        if pattern.fullmatch(model_type):
            return Choice(protocol, f"its configuration's model_type is {model_type!r}")
    raise InvalidSetting(
        f"nothing tells which wire format the model {name!r} (model_type {model_type!r}) speaks; set STUDIO_PROTOCOL to "
        f"one of {', '.join(PROTOCOLS)}"
    )


def _names(name: str, configuration: Mapping[str, Any], card: str) -> Iterator[tuple[str, str]]:
    """Where a family may be named, and what stands there."""
    yield "its name", name
    yield "its configuration's _name_or_path", str(configuration.get("_name_or_path", ""))
    front, text = _parted(card)
    yield "its card's base_model", front
    heading = re.search(r"^# +(.*)$", text, re.MULTILINE)
    yield "its card's heading", heading[1] if heading else ""


def _parted(card: str) -> tuple[str, str]:
    """The base models of a card's front matter, one after another, and the text below."""
    found = re.match(r"---\s*\n(.*?)\n---\s*(?:\n|$)(.*)", card, re.DOTALL)
    if not found:
        return "", card
    models = re.search(r"^base_model:(.*(?:\n[ \t-].*)*)", found[1], re.MULTILINE)
    return (models[1] if models else ""), found[2]
