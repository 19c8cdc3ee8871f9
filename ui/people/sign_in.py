"""The pages that are there before anybody has signed in: plain HTML, which works without a script.

    GET  /sign-in?next=            how people sign in here           POST  a name, a password
    GET  /invitation?key=          what an invitation is for         POST  a name, a password: taken up
    POST /sign-out                 the session ends
    POST /sign-in/word             a frame's page comes in by what a tab that it opened was told
    GET  /login/huggingface?next=  to the Hub                        GET /login/callback  and back from it

Invariants: what a person typed stands in a page as text; after signing in a page of the studio is shown, whatever `next` says.
"""

from __future__ import annotations

import re
from hmac import compare_digest
from html import escape
from pathlib import Path
from string import Template
from urllib.parse import parse_qs, quote, unquote

from fastapi import APIRouter, Request
from fastapi.concurrency import run_in_threadpool
from fastapi.responses import HTMLResponse, RedirectResponse, Response

from engine.access import SignedIn
from engine.access.hub import Hub
from engine.access.who import SESSION_S
from engine.errors import InvalidInput, NotAllowed, PersonError
from engine.rights import MEANINGS
from engine.store import shown_name
from ui.guests import SESSION_COOKIE, address_of, cookie, person_of
from ui.rights import acts
from ui.studio import Studio

__all__ = ["OPEN_PATHS", "sign_in_routes"]

OPEN_PATHS = (
    "/sign-in",
    "/sign-out",
    "/invitation",
    "/login/",
    "/studio.css",
    "/health",
)
"""What is answered to whoever has not signed in: paths that begin so."""

_PAGE = Template((Path(__file__).parent / "sign_in.html").read_text(encoding="utf-8"))
_SCRIPT = (Path(__file__).parent / "client" / "sign_in.js").read_text(encoding="utf-8")
_NEXT = re.compile(r"[a-z]{0,20}(\?[!-~]{0,500})?")
_MOST_BYTES = 10_000
_LOGIN_COOKIE = "studio_login"
_LOGIN_S = 600
_KEEPS_OPENER = {"Cross-Origin-Opener-Policy": "unsafe-none"}
"""For a tab that a frame has opened, which must be able to speak to it."""

_CLOSED = {
    "proxy": "Whoever stands before this studio says who you are, and has not said it. Come by the address that you were given.",
}


def sign_in_routes(studio: Studio, style: str) -> APIRouter:
    """`style` is the address of the style sheet."""
    routes, access = APIRouter(), studio.access

    def page(title: str, note: str, form: str, problem: str = "", status: int = 200, root: str = "./") -> Response:
        said = f'<p class="sign-in-problem" role="alert">{escape(problem)}</p>' if problem else ""
        text = _PAGE.substitute(
            title=escape(title), note=escape(note), form=form, problem=said, style=escape(style), root=root
        )
        return HTMLResponse(text, status, headers={"Cache-Control": "no-store"})

    def sign_in_page(asked: str, name: str = "", problem: str = "", status: int = 200, root: str = "./") -> Response:
        if access.mode == "open":
            note = "Nobody signs in here. A name makes you one person in every browser that you choose it in."
            return page("Choose a name", note, _form(asked, name, "Go on", has_password=False), problem, status, root)
        if access.mode == "accounts":
            note = "With the name and the password that you chose when you were invited. No account? An admin can invite you."
            return page("Sign in", note, _form(asked, name, "Sign in"), problem, status, root)
        if access.mode == "huggingface":
            button = (
                f'<a class="sign-in-button" href="login/huggingface?next={quote(asked)}">Sign in with Hugging Face</a>'
            )
            return page("Sign in", "Your name at the Hub is your name here.", button, problem, status, root)
        return page("Sign in", _CLOSED["proxy"], "", problem, status, root)

    def invitation_page(secret: str, name: str = "", problem: str = "", status: int = 200) -> Response:
        try:
            key = access.invitation(secret)
        except PersonError as error:
            return page("This invitation", "", "", str(error), 403)
        note = f"You are invited as {key.role}, who {MEANINGS[key.role or 'visitor']}."
        own = f"Choose a new password, {key.person}." if key.person else note
        form = _form("", key.person or name, "Come in", key=secret, is_new=True, is_named=key.person is not None)
        return page("You are invited", own, form, problem, status)

    def begun(request: Request, signed: SignedIn, asked: str) -> Response:
        response = RedirectResponse(_address(request, asked), 303, headers={"Cache-Control": "no-store"})
        response.headers.append("set-cookie", cookie(SESSION_COOKIE, signed.secret, request.scope, lasts_s=SESSION_S))
        return response

    @routes.get("/sign-in.js", dependencies=[acts("sign_in")])
    def script() -> Response:
        return Response(_SCRIPT, media_type="text/javascript", headers={"Cache-Control": "no-cache"})

    @routes.get("/sign-in", dependencies=[acts("sign_in")])
    def ask(request: Request) -> Response:
        return sign_in_page(_next(request.query_params.get("next")))

    @routes.post("/sign-in", dependencies=[acts("sign_in")])
    async def sign_in(request: Request) -> Response:
        said = await _said(request)
        name, asked = said.get("name", "").strip(), _next(said.get("next"))
        try:
            signed = await run_in_threadpool(
                access.sign_in, name, said.get("password", ""), address=address_of(request), browser=_browser(request)
            )
        except PersonError as error:
            return sign_in_page(asked, name, str(error), 403)
        return begun(request, signed, asked)

    @routes.post("/sign-out", dependencies=[acts("sign_in")])
    def sign_out(request: Request) -> Response:
        if (key_id := person_of(request).key_id) is not None:
            studio.store.keys.end(key_id)
        response = RedirectResponse(_address(request, ""), 303)
        response.headers.append("set-cookie", cookie(SESSION_COOKIE, "", request.scope, lasts_s=0))
        return response

    @routes.get("/login/huggingface", dependencies=[acts("sign_in")])
    async def to_the_hub(request: Request) -> Response:
        asked, is_popup = _next(request.query_params.get("next")), "popup" in request.query_params
        try:
            begun_at = await run_in_threadpool(_hub(studio).begin, _callback(studio, request))
        except PersonError as error:
            return sign_in_page(asked, problem=str(error), status=403, root="../")
        response = RedirectResponse(begun_at.address, 303, headers={"Cache-Control": "no-store"})
        kept = access.signed("|".join((begun_at.state, begun_at.verifier, "popup"[: 5 * is_popup], quote(asked))))
        response.headers.append("set-cookie", cookie(_LOGIN_COOKIE, kept, request.scope, lasts_s=_LOGIN_S))
        if is_popup:
            response.headers.update(_KEEPS_OPENER)
        return response

    @routes.get("/login/callback", dependencies=[acts("sign_in")])
    async def from_the_hub(request: Request) -> Response:
        state, verifier, popup, asked = ((access.unsigned(request.cookies.get(_LOGIN_COOKIE)) or "") + "|||").split(
            "|"
        )[:4]
        said = request.query_params
        try:
            if not state or not compare_digest(said.get("state", "").encode(), state.encode()):
                raise NotAllowed("This was not begun in this browser, or too long ago; sign in again.")
            if "code" not in said:
                raise NotAllowed(
                    f"Hugging Face did not let you in ({shown_name(said.get('error', ''), 100)}); try again."
                )
            finish = _hub(studio).finish
            person = await run_in_threadpool(finish, _callback(studio, request), said["code"], verifier)
            account = await run_in_threadpool(access.account_of, person.subject, person.name)
        except PersonError as error:
            return sign_in_page("", problem=str(error), status=403, root="../")
        signed = await run_in_threadpool(access.begin, account.name, _browser(request))
        response = begun(request, signed, unquote(asked))
        if popup:
            response = signed_in_page(account.name)
            response.headers.update(_KEEPS_OPENER)
            value = cookie(SESSION_COOKIE, signed.secret, request.scope, lasts_s=SESSION_S)
            response.headers.append("set-cookie", value)
        response.headers.append("set-cookie", cookie(_LOGIN_COOKIE, "", request.scope, lasts_s=0))
        return response

    def signed_in_page(name: str) -> Response:
        """In a tab that a frame opened: tells the frame's page a word by which it has a session of its own, for a cookie of
        this tab is none of the frame's."""
        word = access.invite_self(name)
        form = (
            f'<p class="sign-in-note" data-word="{escape(word)}"><a class="sign-in-button" href="./">Go on here</a></p>'
        )
        return page("Signed in", f"You are {name}. This tab can be closed.", form, root="../")

    @routes.post("/sign-in/word", dependencies=[acts("sign_in")])
    async def by_word(request: Request) -> Response:
        said = await _said(request)
        try:
            signed = await run_in_threadpool(access.by_word, said.get("word", ""), _browser(request))
        except PersonError as error:
            return sign_in_page("", problem=str(error), status=403)
        return begun(request, signed, _next(said.get("next")))

    @routes.get("/invitation", dependencies=[acts("sign_in")])
    def invited(key: str = "") -> Response:
        return invitation_page(key)

    @routes.post("/invitation", dependencies=[acts("sign_in")])
    async def accept(request: Request) -> Response:
        said = await _said(request)
        key, name = said.get("key", ""), said.get("name", "").strip()
        try:
            signed = await run_in_threadpool(access.accept, key, name, said.get("password", ""), _browser(request))
        except PersonError as error:
            return invitation_page(key, name, str(error), 403)
        return begun(request, signed, "")

    return routes


def _form(
    asked: str,
    name: str,
    button: str,
    *,
    key: str = "",
    has_password: bool = True,
    is_new: bool = False,
    is_named: bool = False,
) -> str:
    fixed = " readonly" if is_named else " autofocus"
    word = "new-password" if is_new else "current-password"
    password = (
        f'<label>Password<input name="password" type="password" autocomplete="{word}" required minlength="8"></label>'
        if has_password
        else ""
    )
    return (
        '<form method="post">'
        f'<input type="hidden" name="next" value="{escape(asked)}"><input type="hidden" name="key" value="{escape(key)}">'
        f'<label>Name<input name="name" value="{escape(name)}" autocomplete="username" maxlength="40" required{fixed}></label>'
        f'{password}<button class="sign-in-button">{escape(button)}</button></form>'
    )


def _next(asked: str | None) -> str:
    """The page that was asked for, below the studio's root; the first one for anything else."""
    return asked if asked is not None and _NEXT.fullmatch(asked) else ""


def _hub(studio: Studio) -> Hub:
    if studio.access.mode != "huggingface":
        raise NotAllowed("Nobody signs in by Hugging Face here.")
    return Hub(studio.access.settings)


def _callback(studio: Studio, request: Request) -> str:
    """Where the Hub sends the browser back to; in a Space the address that the Hub knows it by."""
    host = studio.access.settings.space_host.split(",")[0].strip()
    return f"https://{host}/login/callback" if host else str(request.url_for("from_the_hub"))


def _address(request: Request, asked: str) -> str:
    """Of a page of the studio as the browser finds it from here: not every proxy says below which path that is."""
    path = request.scope["path"].removeprefix(request.scope.get("root_path", ""))
    return ("../" * (path.count("/") - 1) or "./") + asked


def _browser(request: Request) -> str:
    """What a session is called in the list of sessions."""
    agent = request.headers.get("user-agent", "")
    kinds = ("Firefox", "Edg", "OPR", "Chrome", "Safari")
    systems = ("Android", "iPhone", "iPad", "Windows", "Mac OS X", "Linux")
    found = [next((one for one in names if one in agent), "") for names in (kinds, systems)]
    return " on ".join(one for one in found if one) or "A program"


async def _said(request: Request) -> dict[str, str]:
    """The fields of a posted form. Raises InvalidInput for a long one."""
    body = bytearray()
    async for piece in request.stream():
        body += piece
        if len(body) > _MOST_BYTES:
            raise InvalidInput("This is more than a name and a password.")
    fields = parse_qs(body.decode("utf-8", "replace"), keep_blank_values=True, max_num_fields=20)
    return {name: values[0] for name, values in fields.items()}
