"""Who is asking: the Person that every request is resolved to, once, before a route or a handler sees it.

`WhoAsks` wraps the whole app; what it found stands in the request, and screens ask `person_of` alone, so they need not know how
somebody came by a name. Whoever has to sign in first is sent to the sign-in page, a program is answered 401.

Not covered: who that is (`engine.access`), what they may do (`ui.rights`).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any
from urllib.parse import quote

from starlette.datastructures import Headers, MutableHeaders
from starlette.requests import HTTPConnection
from starlette.responses import JSONResponse, RedirectResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from engine.access import Access, Brought, NotSignedIn
from engine.errors import NotAllowed
from engine.rights import Person

__all__ = ["GUEST_COOKIE", "SESSION_COOKIE", "Peer", "WhoAsks", "address_of", "cookie", "person_of", "query", "user_of"]

GUEST_COOKIE = "studio_user"
SESSION_COOKIE = "studio_session"
_YEAR_S = 31_536_000


class Peer:
    """Wraps `app`: keeps the address of whoever speaks to the studio, before a proxy's word on whom it speaks for is taken."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http":
            scope.setdefault("state", {})["peer"] = address_of(HTTPConnection(scope))
        await self._app(scope, receive, send)


class WhoAsks:
    """`pages` are the paths that answer with a page; paths that begin with one of `open_paths` are answered to whoever has not
    signed in; `header` is the one that the settings name for a proxy, "" for none."""

    def __init__(
        self, app: ASGIApp, *, access: Access, pages: Sequence[str], open_paths: Sequence[str], header: str
    ) -> None:
        self._app = app
        self._access = access
        self._pages = frozenset(pages)
        self._open_paths = tuple(open_paths)
        self._header = header

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        path = scope["path"].removeprefix(scope.get("root_path", ""))
        is_page = path in self._pages and scope["method"] == "GET"
        brought, fresh = self._brought(HTTPConnection(scope)), self._access.new_guest()
        if is_page and self._access.guest_of(brought.guest) is None:
            brought = replace(brought, guest=self._access.signed(fresh))
        try:
            person = self._access.who(brought)
        except NotSignedIn as error:
            if not path.startswith(self._open_paths):
                await self._refused(scope, path, str(error), is_page=is_page)(scope, receive, send)
                return
            person = Person("guest", "visitor")
        except NotAllowed as error:
            await JSONResponse({"error": str(error)}, status_code=403)(scope, receive, send)
            return
        scope.setdefault("state", {})["person"] = person
        is_new = person.name == fresh
        await self._app(scope, receive, self._with_cookie(scope, send, fresh) if is_new else send)

    def _brought(self, connection: HTTPConnection) -> Brought:
        headers, cookies = connection.headers, connection.cookies
        bearer = headers.get("authorization", "").removeprefix("Bearer ").strip()
        return Brought(
            session=cookies.get(SESSION_COOKIE),
            guest=cookies.get(GUEST_COOKIE),
            # Other tokens are for whoever stands before the studio, such as the Hub.
            bearer=bearer if bearer.startswith("prt_") else None,
            proxied=headers.get(self._header) if self._header else None,
            address=address_of(connection),
            peer=connection.scope.get("state", {}).get("peer", ""),
        )

    def _refused(self, scope: Scope, path: str, sentence: str, *, is_page: bool) -> ASGIApp:
        if not is_page:
            return JSONResponse({"error": sentence}, status_code=401, headers={"Cache-Control": "no-store"})
        query = scope.get("query_string", b"").decode("ascii", "replace")
        asked = path.lstrip("/") + (f"?{query}" if query else "")
        return RedirectResponse(f"sign-in?next={quote(asked)}", status_code=303, headers={"Cache-Control": "no-store"})

    def _with_cookie(self, scope: Scope, send: Send, guest: str) -> Send:
        async def send_with_cookie(message: Message) -> None:
            if message["type"] == "http.response.start":
                value = cookie(GUEST_COOKIE, self._access.signed(guest), scope, lasts_s=_YEAR_S)
                MutableHeaders(scope=message).append("set-cookie", value)
            await send(message)

        return send_with_cookie


def address_of(connection: HTTPConnection) -> str:
    """Of whoever asks, as far as it is known: a person's machine, or a proxy of which the settings do not know."""
    return connection.client.host if connection.client else ""


def cookie(name: str, value: str, scope: Scope, *, lasts_s: float) -> str:
    """A Set-Cookie header for this person's browser alone; `lasts_s` 0 takes the cookie away."""
    # Inside a Space the page lives in another site's frame: there only SameSite=None cookies are sent, and where cookies of
    # others are blocked only those that are the frame's own (Partitioned).
    rule = "SameSite=None; Secure; Partitioned" if is_https(scope) else "SameSite=Lax"
    return f"{name}={value}; Path=/; Max-Age={int(lasts_s)}; HttpOnly; {rule}"


def is_https(scope: Scope) -> bool:
    """As the browser sees it: in front of a Space stands a proxy that ends the encryption. Whoever makes this header up
    changes nothing but their own cookie."""
    forwarded = Headers(scope=scope).get("x-forwarded-proto", "")
    return scope.get("scheme") == "https" or forwarded.split(",")[0].strip() == "https"


def person_of(request: Any) -> Person:
    """Who sent `request` (a Starlette or a Gradio request)."""
    asked: Mapping[str, Any] = (getattr(request, "request", None) or request).scope["state"]
    person: Person = asked["person"]
    return person


def user_of(request: Any) -> str:
    """The name of whoever sent `request`."""
    return person_of(request).name


def query(request: Any, name: str) -> str | None:
    """The value of `name` in the page's address (`/?trace=ID`), or None."""
    return dict(request.query_params or {}).get(name) or None
