"""A stand-in of the Hub's OpenID provider, on a free port of this machine: who is asked, says yes or no, and is told of.

It checks what the real one does: the client and its secret, the address to go back to, the code once, PKCE's verifier.
"""

from __future__ import annotations

import base64
import hashlib
import secrets
import threading
from typing import Any
from urllib.parse import urlencode

__all__ = ["CLIENT", "SECRET", "StandInHub"]

CLIENT, SECRET = "a-client", "a secret: 100% odd"


class StandInHub:
    """`person` is what it says of whoever is signed in there."""

    def __init__(self) -> None:
        import uvicorn

        self.person: dict[str, Any] = {"sub": "66f1", "preferred_username": "nora", "orgs": []}
        self._codes: dict[str, dict[str, str]] = {}
        self._server = uvicorn.Server(
            uvicorn.Config(self._app(), host="127.0.0.1", port=0, log_level="warning", lifespan="off")
        )
        self._thread = threading.Thread(target=self._server.run, daemon=True)
        self._thread.start()
        while not self._server.started:
            assert self._thread.is_alive()
            self._thread.join(0.02)
        port = self._server.servers[0].sockets[0].getsockname()[1]
        self.url = f"http://localhost:{port}"

    def settings(self, **more: str) -> dict[str, str]:
        """What the Hub sets in a Space with `hf_oauth: true`."""
        return {
            "STUDIO_ACCESS": "huggingface",
            "OAUTH_CLIENT_ID": CLIENT,
            "OAUTH_CLIENT_SECRET": SECRET,
            "OAUTH_SCOPES": "openid profile",
            "OPENID_PROVIDER_URL": self.url,
            **more,
        }

    def close(self) -> None:
        self._server.should_exit = self._server.force_exit = True
        self._thread.join(timeout=10)

    def _app(self) -> Any:
        from starlette.applications import Starlette
        from starlette.requests import Request
        from starlette.responses import HTMLResponse, JSONResponse, RedirectResponse
        from starlette.routing import Route

        def configuration(request: Request) -> JSONResponse:
            names = {"authorization": "authorize", "token": "token", "userinfo": "userinfo"}
            return JSONResponse({f"{name}_endpoint": f"{self.url}/oauth/{path}" for name, path in names.items()})

        def authorize(request: Request) -> HTMLResponse:
            asked = dict(request.query_params)
            assert (asked["client_id"], asked["response_type"], asked["code_challenge_method"]) == (
                CLIENT,
                "code",
                "S256",
            )
            links = "".join(
                f'<a href="/oauth/said?{urlencode(asked | {"is": word})}">{word}</a> ' for word in ("Allow", "Deny")
            )
            return HTMLResponse(
                f"<title>The Hub</title><p>{self.person['preferred_username']}, let the studio in?</p>{links}"
            )

        def said(request: Request) -> RedirectResponse:
            asked = dict(request.query_params)
            back = {"state": asked["state"]}
            if asked["is"] == "Deny":
                back["error"] = "access_denied"
            else:
                back["code"] = secrets.token_urlsafe(8)
                self._codes[back["code"]] = asked
            return RedirectResponse(f"{asked['redirect_uri']}?{urlencode(back)}")

        async def token(request: Request) -> JSONResponse:
            form = {name: str(value) for name, value in (await request.form()).items()}
            known = base64.b64encode(f"{CLIENT}:{SECRET}".encode()).decode()
            asked = self._codes.pop(form.get("code", ""), None)
            challenge = base64.urlsafe_b64encode(hashlib.sha256(form.get("code_verifier", "").encode()).digest())
            is_right = (
                asked is not None
                and request.headers.get("authorization") == f"Basic {known}"
                and form["redirect_uri"] == asked["redirect_uri"]
                and challenge.decode().rstrip("=") == asked["code_challenge"]
            )
            if not is_right:
                return JSONResponse({"error": "invalid_grant"}, status_code=400)
            return JSONResponse({"access_token": "hf_oauth_x", "token_type": "bearer", "expires_in": 3600})

        def userinfo(request: Request) -> JSONResponse:
            assert request.headers["authorization"] == "Bearer hf_oauth_x"
            return JSONResponse(self.person)

        def around(request: Request) -> HTMLResponse:
            """A page of the Hub's around a Space."""
            return HTMLResponse(f'<iframe width=900 height=700 src="{request.query_params["of"]}"></iframe>')

        return Starlette(
            routes=[
                Route("/around", around),
                Route("/.well-known/openid-configuration", configuration),
                Route("/oauth/authorize", authorize),
                Route("/oauth/said", said),
                Route("/oauth/token", token, methods=["POST"]),
                Route("/oauth/userinfo", userinfo),
            ]
        )
