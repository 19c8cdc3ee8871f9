"""Signing in by Hugging Face: OpenID Connect's authorisation code flow, with state and PKCE, by authlib.

    begin  -> the Hub's address to go to, and what this browser must bring back
    finish -> who came back; the Hub's token is used for that question alone and kept nowhere

Source: OpenID Connect Core 1.0, section 3.1; RFC 7636 (PKCE, S256). What the Hub adds: `orgs`, the organisations that a person
showed, each with its name in `preferred_username` or `name`.
"""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from typing import Any

from engine.errors import NotAllowed, Unavailable
from engine.settings import Settings

__all__ = ["Begun", "Hub", "HubPerson"]

_TIMEOUT_S = 20.0
_SILENT = "Hugging Face cannot be asked who you are ({}); try again in a while."


@dataclass(frozen=True, slots=True)
class Begun:
    """`address` is where the browser goes; `state` and `verifier` are what it must be known to have begun with."""

    address: str
    state: str
    verifier: str


@dataclass(frozen=True, slots=True)
class HubPerson:
    """`subject` is the Hub's own id of an account, which stays when its name changes."""

    subject: str
    name: str


class Hub:
    def __init__(self, settings: Settings) -> None:
        self._settings = settings

    def begin(self, callback: str) -> Begun:
        """`callback` is the address that the Hub sends the browser back to. Raises Unavailable."""
        verifier = secrets.token_urlsafe(48)
        with self._client(callback) as client:
            address, state = client.create_authorization_url(
                self._endpoint(client, "authorization_endpoint"), code_verifier=verifier
            )
        return Begun(address, state, verifier)

    def finish(self, callback: str, code: str, verifier: str) -> HubPerson:
        """Raises NotAllowed where the Hub does not vouch for anybody, or not for a member of the organisations that are let in;
        Unavailable where it cannot be reached."""
        import httpx2
        from authlib.common.errors import AuthlibBaseError

        with self._client(callback) as client:
            endpoint = self._endpoint(client, "token_endpoint")
            try:
                client.fetch_token(endpoint, code=code, code_verifier=verifier)
                said = self._read(client, self._endpoint(client, "userinfo_endpoint"))
            except AuthlibBaseError as error:
                raise NotAllowed(
                    f"Hugging Face did not let you in ({error.error or 'no reason given'}); try again."
                ) from error
            except httpx2.HTTPError as error:
                raise Unavailable(_SILENT.format(error)) from error
        if not said.get("sub"):
            raise NotAllowed("Hugging Face did not say who you are; try again.")
        wanted = {name.casefold() for name in self._settings.organisations}
        shown = [one for one in said.get("orgs") or () if isinstance(one, dict)]
        names = {str(one.get(key, "")).casefold() for one in shown for key in ("preferred_username", "name")}
        if wanted and not wanted & names:
            raise NotAllowed(
                f"Only members of {' and '.join(self._settings.organisations)} come in here; show that organisation when "
                "Hugging Face asks which you share."
            )
        return HubPerson(
            f"huggingface:{said['sub']}", str(said.get("preferred_username") or said.get("name") or "somebody")
        )

    def _client(self, callback: str) -> Any:
        from authlib.integrations.httpx_client import OAuth2Client

        settings = self._settings
        return OAuth2Client(
            settings.oauth_client_id,
            settings.oauth_client_secret,
            scope=settings.oauth_scopes,
            redirect_uri=callback,
            code_challenge_method="S256",
            timeout=_TIMEOUT_S,
        )

    def _endpoint(self, client: Any, name: str) -> str:
        address = self._settings.openid_provider_url.rstrip("/") + "/.well-known/openid-configuration"
        endpoint = self._read(client, address, withhold_token=True).get(name)
        if not isinstance(endpoint, str):
            raise Unavailable(f"{address} names no {name}; OPENID_PROVIDER_URL says who is asked")
        return endpoint

    def _read(self, client: Any, address: str, **options: Any) -> dict[str, Any]:
        import httpx2

        try:
            answer = client.request("GET", address, **options)
            answer.raise_for_status()
            read: dict[str, Any] = answer.json()
        except (httpx2.HTTPError, ValueError) as error:
            raise Unavailable(_SILENT.format(error)) from error
        return read
