"""Who may do what: each action and the least role that may do it.

The table is pure: what an action does, and how a person comes by a role (`engine.access`), stands elsewhere. It is asked at the
doors: by the workbench for every act on a trace (`engine.workbench`), by the screens for every route and handler (`ui.rights`).
A test finds all routes, handlers, tools and commands, and fails for one whose action is not in the table.

Not covered: which traces and media a person may see (`engine.store.sight`).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Literal, get_args

from engine.errors import NotAllowed

__all__ = ["HOST", "LEAST_ROLE", "MEANINGS", "ROLES", "Person", "Role", "may", "require"]

Role = Literal["visitor", "annotator", "trainer", "admin"]
ROLES: tuple[Role, ...] = get_args(Role)
"""From the least to the highest; each may do what those before it may."""

HOST: Role = ROLES[-1]
"""The role of whoever works on the home itself: a command, a notebook."""

MEANINGS: Mapping[Role, str] = MappingProxyType(
    {
        "visitor": "asks, and sees and deletes what they asked themselves",
        "annotator": "works on the queue: corrects, decides, compares",
        "trainer": "runs jobs: collects, imports, trains, evaluates, promotes",
        "admin": "looks after people, deletes, exports, imports from the host's disk",
    }
)

LEAST_ROLE: Mapping[str, Role] = MappingProxyType(
    {
        "sign_in": "visitor",
        "look": "visitor",
        "ask": "visitor",
        "upload": "visitor",
        "send_to_review": "visitor",
        "delete_own": "visitor",
        "keep_account": "visitor",
        "look_at_work": "annotator",
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
        "backup": "admin",
        "deploy": "admin",
        "see_host": "admin",
        "measure": "admin",
        "look_after_people": "admin",
    }
)
"""Action -> the least role that may do it."""


@dataclass(frozen=True, slots=True)
class Person:
    """Who asks: `name` is what their work is recorded under. `is_guest` says that nobody knows them by it but this browser;
    `key_id` is the session or token that they came with, None for none; `address` is where they ask from, "" where that is
    not known."""

    name: str
    role: Role
    is_guest: bool = True
    key_id: str | None = None
    address: str = ""


def may(role: Role, action: str) -> bool:
    """Whether `role` may do `action`. Raises KeyError for an action that the table does not know."""
    return ROLES.index(role) >= ROLES.index(LEAST_ROLE[action])


def require(role: Role, action: str) -> None:
    """Raises NotAllowed where `role` may not do `action`, and KeyError for an action that the table does not know."""
    if not may(role, action):
        words = action.replace("_", " ")
        raise NotAllowed(
            f"your role here is {role}, and to {words} needs {LEAST_ROLE[action]}; ask an admin of this studio for it"
        )
