"""Whatever a person can do is an action of the table: every route, every handler of Gradio, every command is found and asked."""

from __future__ import annotations

import ast
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

import engine.__main__
import engine.workbench
from engine.access import Access
from engine.errors import NotAllowed
from engine.jobs.worker import Worker
from engine.media import MediaFolder
from engine.policies.scripted import ScriptedPolicy
from engine.rights import LEAST_ROLE, ROLES, Person, require
from engine.settings import Settings
from engine.store import Store
from ui.studio import Studio

if TYPE_CHECKING:
    import gradio as gr
    from fastapi import FastAPI


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory):
    from ui.server import build_server

    home = tmp_path_factory.mktemp("home")
    settings = Settings.from_environment({"STUDIO_HOME": str(home), "STUDIO_MODEL": "scripted"})
    with Store(home / "annotations.db") as store:
        policy = ScriptedPolicy()
        worker = Worker(store, settings.artifacts, {})
        yield build_server(
            Studio(
                settings,
                store,
                MediaFolder(home / "media"),
                lambda: policy,
                lambda: (),
                worker,
                Access(settings, store),
            )
        )


def actions_of_routes(server: FastAPI) -> dict[str, list[str | None]]:
    """Method and path of each route, and what its dependencies declare."""
    from fastapi.routing import APIRoute, iter_route_contexts

    from ui.rights import action_of

    return {
        f"{sorted(route.methods)} {route.path}": [action_of(one.call) for one in route.dependant.dependencies]
        for route in iter_route_contexts(server.routes)
        if isinstance(route.original_route, APIRoute)
    }


def actions_of_handlers(server: FastAPI) -> dict[str, str | None]:
    """Each event of the pages by its number and handler, and what the handler declares; those that only run in the browser
    are left out."""
    from starlette.routing import Mount

    from ui.rights import action_of

    [mounted] = [route for route in server.routes if isinstance(route, Mount)]
    return {
        f"{number} {function.fn.__name__}": action_of(function.fn)
        for number, function in mounted.app.get_blocks().fns.items()
        if function.fn is not None
    }


def handlers_of(server: FastAPI) -> dict[str, Any]:
    """The handlers themselves, under the names of `actions_of_handlers`."""
    from starlette.routing import Mount

    [mounted] = [route for route in server.routes if isinstance(route, Mount)]
    functions = mounted.app.get_blocks().fns.items()
    return {f"{number} {one.fn.__name__}": one.fn for number, one in functions if one.fn is not None}


def actions_of_the_workbench() -> set[str]:
    """The actions that its methods ask for."""
    files = Path(engine.workbench.__file__).parent.glob("*.py")
    return {
        node.args[1].value
        for path in files
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr == "_permit"
    }


def test_every_route_handler_and_command_is_an_action_of_the_table(server: FastAPI) -> None:
    from ui.api.table import ENDPOINTS

    routes, handlers = actions_of_routes(server), actions_of_handlers(server)
    tools = {f"tool {one.name}": one.action for one in ENDPOINTS}
    strangers = {name: actions for name, actions in routes.items() if len(actions) != 1 or actions[0] not in LEAST_ROLE}
    strangers |= {name: action for name, action in (handlers | tools).items() if action not in LEAST_ROLE}  # type: ignore[misc]
    assert strangers == {}
    commands = {name: module.ACTION for name, module in engine.__main__._commands().items()}
    assert set(commands.values()) <= set(LEAST_ROLE)
    used = {actions[0] for actions in routes.values()} | set(handlers.values()) | set(commands.values())
    assert set(LEAST_ROLE) == used | actions_of_the_workbench(), "an action that nothing does"
    assert len(routes) > 25 and len(handlers) > 15
    # A tool and the endpoint of Gradio that it is are one action.
    assert {(one.name, one.action) for one in ENDPOINTS} <= {(n.partition(" ")[2], a) for n, a in handlers.items()}


def test_what_is_not_ours_is_one_mount(server: FastAPI) -> None:
    from fastapi.routing import APIRoute, iter_route_contexts
    from starlette.routing import Mount

    routes = [route.original_route for route in iter_route_contexts(server.routes)]
    assert [type(route) for route in routes if not isinstance(route, APIRoute)] == [Mount]


def test_a_role_may_do_what_those_below_it_may() -> None:
    for action, least in LEAST_ROLE.items():
        for role in ROLES[ROLES.index(least) :]:
            require(role, action)
        for role in ROLES[: ROLES.index(least)]:
            with pytest.raises(NotAllowed, match=f"{role}.*needs {least}"):
                require(role, action)


def test_a_handler_that_is_not_allowed_is_not_run() -> None:
    import gradio as gr
    from fastapi import Request

    from ui.rights import handles

    ran = []
    asked = gr.Request(request=Request({"type": "http", "state": {"person": Person("ann", "visitor")}}))

    @handles("train")
    def start(value: str, request: gr.Request) -> None:
        ran.append(value)

    @handles("look")
    def show(value: str, request: gr.Request):
        yield value

    with pytest.raises(gr.Error, match="needs trainer"):
        start("x", asked)
    assert ran == [] and list(show("y", asked)) == ["y"]
