"""What the People screen asks of the server.

GET  /accounts/me                           who I am here, my sessions and tokens, what I asked last
POST /accounts/token    {"title"}           a token for a program; its secret is told once
POST /accounts/end-key  {"id"}              ends a session, token or invitation: one's own; an admin anybody's
POST /accounts/claim    {}                  what this browser's guest did is mine
POST /accounts/delete   {"traces": [ids]}   deletes what I asked myself
GET  /accounts                              everybody, and every key
POST /accounts/invite   {"role", "name"?}   an invitation; its secret is told once
POST /accounts/role     {"name", "role"}
POST /accounts/close    {"name"}            sends a person away      POST /accounts/open  lets them in again
"""

from __future__ import annotations

from functools import partial
from typing import Any, get_args

from fastapi import APIRouter, Request
from fastapi.responses import Response

from engine.errors import InvalidInput, NotAllowed, NotFound
from engine.rights import HOST, LEAST_ROLE, MEANINGS, ROLES, Person, Role, may
from engine.store import Account, Key, Query, Seer, target_of
from engine.upkeep import Deleting
from ui.curating.messages import answer, answer_post, answer_posts, ids_of, text_of
from ui.guests import GUEST_COOKIE, person_of
from ui.rights import acts
from ui.studio import Studio

__all__ = ["account_routes", "me_value"]

_MOST_OWN = 100


def account_routes(studio: Studio) -> APIRouter:
    routes = APIRouter(prefix="/accounts")

    @routes.get("/me", dependencies=[acts("keep_account")])
    def me(request: Request) -> Response:
        return answer(lambda: _own(studio, person_of(request), _guest(studio, request)))

    @routes.post("/claim", dependencies=[acts("keep_account")])
    async def claim(request: Request) -> Response:
        guest, person = _guest(studio, request), person_of(request)

        def make(body: dict[str, Any], name: str) -> dict[str, Any]:
            if guest is None or person.is_guest:
                raise InvalidInput("There is no guest's work in this browser to claim; sign in first.")
            studio.store.people.claim(guest, name)
            return _own(studio, person, None)

        return await answer_post(request, make)

    @routes.get("", dependencies=[acts("look_after_people")])
    def everybody() -> Response:
        return answer(lambda: _everybody(studio))

    answer_posts(routes, "/token", "keep_account", partial(_token, studio))
    answer_posts(routes, "/end-key", "keep_account", partial(_end_key, studio))
    answer_posts(routes, "/delete", "delete_own", partial(_delete_own, studio))
    answer_posts(routes, "/invite", "look_after_people", partial(_invite, studio))
    answer_posts(routes, "/role", "look_after_people", partial(_set_role, studio))
    answer_posts(routes, "/close", "look_after_people", partial(_close, studio))
    answer_posts(routes, "/open", "look_after_people", partial(_open, studio))
    return routes


def me_value(studio: Studio, person: Person) -> dict[str, Any]:
    """Who asks, for every page: `may` are the actions that are open to them."""
    return {
        "user": person.name,
        "role": person.role,
        "is_guest": person.is_guest,
        "mode": studio.access.mode,
        "may": [action for action in LEAST_ROLE if may(person.role, action)],
        "agreed": _agreed(studio, person),
    }


def _agreed(studio: Studio, person: Person) -> str:
    """Who will see what a person brings, as a sentence that stands where they bring it; "" where nobody signs in."""
    if studio.access.keeps_private(person.name):
        sent = "" if studio.access.queue_takes == "none" else " until you send it to review"
        return f"Only you see what you bring and ask{sent}; you delete it under your name above. The host has the disk it is on."
    return "" if studio.access.mode == "open" else "Whoever works on the queue here sees what you ask, and its picture."


def _guest(studio: Studio, request: Request) -> str | None:
    """The guest that this browser was before its person signed in; None where nothing was done as one."""
    guest = studio.access.guest_of(request.cookies.get(GUEST_COOKIE))
    return guest if guest is not None and studio.store.people.has_work(guest) else None


def _own(studio: Studio, person: Person, guest: str | None) -> dict[str, Any]:
    page = studio.store.queue.one_by_one(Query(seer=Seer(person.name, False)), _MOST_OWN)
    keys = [] if person.is_guest else studio.store.keys.list(person.name)
    return me_value(studio, person) | {
        "meaning": MEANINGS[person.role],
        "claimable": None if person.is_guest else guest,
        "keys": [_key(one) | {"is_this": one.id == person.key_id} for one in keys],
        "traces": [
            {
                "id": one.item.id,
                "question": one.item.question,
                "answer": one.item.answer,
                "created_at": one.item.created_at,
                "status": one.item.status,
                "is_private": one.item.is_private,
            }
            for one in page.items
        ],
    }


def _everybody(studio: Studio) -> dict[str, Any]:
    return {
        "mode": studio.access.mode,
        "roles": [{"name": role, "meaning": MEANINGS[role]} for role in ROLES],
        "people": [_account(one) for one in studio.store.people.list()],
        "keys": [_key(one) for one in studio.store.keys.list()],
    }


def _token(studio: Studio, body: dict[str, Any], person: str) -> dict[str, Any]:
    if studio.store.people.find(person) is None:
        raise InvalidInput("A guest has no tokens; choose a name, or sign in, first.")
    key, secret = studio.access.token(person, text_of(body, "title") or "A program")
    return {"key": _key(key), "secret": secret}


def _end_key(studio: Studio, body: dict[str, Any], person: str) -> dict[str, Any]:
    key = studio.store.keys.get(text_of(body, "id"))
    if key.person != person and not may(studio.access.role_of(person), "look_after_people"):
        raise NotFound(f"there is no session, token or invitation {key.id!r}")
    studio.store.keys.end(key.id)
    return {"id": key.id}


def _delete_own(studio: Studio, body: dict[str, Any], person: str) -> dict[str, Any]:
    ids = ids_of(body, "traces", _MOST_OWN)
    seer = Seer(person, False)
    if not all(studio.store.sight.sees(seer, one) for one in ids):
        raise NotAllowed("Only what you asked yourself can be deleted here.")
    deleting = Deleting(studio.store, studio.media, studio.settings.artifacts)
    # What is a person's own is theirs to take away, as the host would.
    deletion = deleting.put(target_of("trace", ids), person, HOST)
    return {"id": deletion.id, "traces": deletion.traces, "media": deletion.media}


def _invite(studio: Studio, body: dict[str, Any], person: str) -> dict[str, Any]:
    if studio.access.mode != "accounts":
        raise InvalidInput("Nobody is invited here: STUDIO_ACCESS says how people come in.")
    name = text_of(body, "name").strip() if body.get("name") else None
    key, secret = studio.access.invite(_role(body), person, name)
    return {"key": _key(key), "path": f"invitation?key={secret}"}


def _set_role(studio: Studio, body: dict[str, Any], person: str) -> dict[str, Any]:
    return _account(studio.store.people.set_role(text_of(body, "name"), _role(body)))


def _close(studio: Studio, body: dict[str, Any], person: str) -> dict[str, Any]:
    return _account(studio.store.people.end(text_of(body, "name")))


def _open(studio: Studio, body: dict[str, Any], person: str) -> dict[str, Any]:
    return _account(studio.store.people.take_back(text_of(body, "name")))


def _role(body: dict[str, Any]) -> Role:
    role = text_of(body, "role")
    if role not in get_args(Role):
        raise InvalidInput(f"a role is one of {', '.join(ROLES)}, not {role!r}")
    return role  # type: ignore[return-value]


def _account(account: Account) -> dict[str, Any]:
    return {
        "name": account.name,
        "role": account.role,
        "known_by": (account.subject or "").partition(":")[0],
        "created_at": account.created_at,
        "is_closed": account.ended_at is not None,
    }


def _key(key: Key) -> dict[str, Any]:
    return {
        "id": key.id,
        "kind": key.kind,
        "person": key.person,
        "role": key.role,
        "title": key.title,
        "created_at": key.created_at,
        "expires_at": key.expires_at,
    }
