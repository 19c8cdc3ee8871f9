"""Wire formats: how each family of models writes a step and reads what came back. One module a family.

The idea: operation names, coordinate systems and message texts stand in the family's module and nowhere else; what such a
module offers is `engine.protocols.wire.WireProtocol`.

Not covered: cutting pixels (`engine.operations`), chat templates and tokens (`engine.backbone.session`).
"""

from __future__ import annotations

from typing import cast

from engine.errors import InvalidSetting
from engine.protocols import deepeyes, mini_o3, pixel_reasoner, qwen3_vl, studio
from engine.protocols.choice import Choice, choose_protocol
from engine.protocols.wire import Part, PicturePart, PictureRole, TextPart, WireProtocol, picture_role, seen_together

__all__ = [
    "Choice",
    "Part",
    "PicturePart",
    "PictureRole",
    "TextPart",
    "WireProtocol",
    "choose_protocol",
    "picture_role",
    "protocol_named",
    "seen_together",
]


def protocol_named(name: str) -> WireProtocol:
    """The protocol module of that name. Raises InvalidSetting naming those that exist."""
    known = {module.NAME: module for module in (studio, pixel_reasoner, qwen3_vl, deepeyes, mini_o3)}
    if name not in known:
        raise InvalidSetting(f"there is no protocol {name!r}; choose one of: {', '.join(known)}")
    return cast(WireProtocol, known[name])
