"""Who may do what: each action and the least role that may do it.

The table is pure: what an action does, and how a person comes by a role, stands elsewhere. It is asked at the doors: by the
workbench for every act on a trace (`engine.workbench`), by the screens for every route and handler (`ui.rights`). A test finds
all routes, handlers and commands, and fails for one whose action is not in the table.

Not covered: signing in. Until people sign in, everybody who reaches the studio has the highest role.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Literal, get_args

from engine.errors import NotAllowed

__all__ = ["LEAST_ROLE", "ROLES", "Role", "require", "role_of"]

Role = Literal["visitor", "annotator", "trainer", "admin"]
ROLES: tuple[Role, ...] = get_args(Role)
"""From the least to the highest; each may do what those before it may."""

LEAST_ROLE: Mapping[str, Role] = MappingProxyType(
    {
        "look": "visitor",
        "ask": "visitor",
        "upload": "visitor",
        "send_to_review": "visitor",
        "edit": "annotator",
        "commit": "annotator",
        "hold": "annotator",
        "review": "annotator",
        "review_many": "annotator",
        "take_back": "annotator",
        "prefer": "annotator",
        "tag": "annotator",
        "keep_view": "annotator",
        "continue": "annotator",
        "blank": "annotator",
        "weigh": "annotator",
        "ask_reviews": "trainer",
        "assign": "trainer",
        "settle": "trainer",
        "train": "trainer",
        "promote": "trainer",
        "evaluate": "trainer",
        "collect": "trainer",
        "synthesize": "trainer",
        "discard_adapter": "trainer",
        "import": "trainer",
        "import_from_host": "admin",
        "export": "admin",
        "push": "admin",
        "delete": "admin",
        "verify": "admin",
        "measure": "admin",
    }
)
"""Action -> the least role that may do it."""


def role_of(person: str) -> Role:
    """The role of a person, by the name under which their work is recorded: the highest, for everybody."""
    return ROLES[-1]


def require(role: Role, action: str) -> None:
    """Raises NotAllowed where `role` may not do `action`. Raises KeyError for an action that the table does not know."""
    least = LEAST_ROLE[action]
    if ROLES.index(role) < ROLES.index(least):
        words = action.replace("_", " ")
        raise NotAllowed(f"your role here is {role}, and to {words} needs {least}; ask an admin of this studio for it")
