"""Who is asking: the name under which traces, revisions and reviews are recorded.

Whoever has no user name is a guest, named by a cookie that the server sets with the first page. Screens ask here alone, so
they need not know how somebody came by a name.

Invariant: a guest's name always matches `guest-xxxxxxxx`, so nobody can pass for somebody else by writing a cookie by
hand.

Not covered: what somebody may do (`engine.rights`).
"""

from __future__ import annotations

import re
import secrets
from collections.abc import Mapping
from typing import Any

__all__ = ["USER_COOKIE", "is_guest_name", "new_guest_name", "query", "user_of"]

USER_COOKIE = "studio_user"
_GUEST = re.compile(r"guest-[0-9a-f]{8}")


def new_guest_name() -> str:
    return f"guest-{secrets.token_hex(4)}"


def is_guest_name(name: str) -> bool:
    return _GUEST.fullmatch(name) is not None


def user_of(request: Any) -> str:
    """The name of whoever sent `request` (a Starlette or a Gradio request). A client without our cookie (a script, a
    test) is "guest"."""
    if username := getattr(request, "username", None):
        return str(username)
    cookies: Mapping[str, str] = request.cookies or {}
    name = cookies.get(USER_COOKIE)
    return name if name is not None and is_guest_name(name) else "guest"


def query(request: Any, name: str) -> str | None:
    """The value of `name` in the page's address (`/?trace=ID`), or None."""
    return dict(request.query_params or {}).get(name) or None
