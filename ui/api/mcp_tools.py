"""The endpoints as tools of the Model Context Protocol, over streamable HTTP at /mcp.

The official SDK, and not Gradio's `mcp_server=True`: that one calls the studio back over HTTP as whoever came first, has no
types for answers, and wants `gradio[mcp]`, whose bounds on mcp and pydantic exclude what the studio runs on. The SDK's
low-level server is used, because schemas, checks and errors are those of `Endpoint`, once for both protocols.

Not covered: resources and prompts; files (they come by POST /gradio_api/upload, and are named by their hash).
"""

from __future__ import annotations

import json
import logging
from collections.abc import Mapping
from typing import Any

from anyio import to_thread
from fastapi import APIRouter, Request
from fastapi.responses import Response
from mcp import types
from mcp.server import Server
from mcp.server.context import ServerRequestContext
from mcp.server.streamable_http_manager import StreamableHTTPSessionManager
from starlette.types import Receive, Scope, Send

from engine import __version__
from engine.errors import NotFound, PersonError
from ui.api.endpoint import Endpoint, Services
from ui.api.table import ENDPOINTS
from ui.guests import person_of
from ui.rights import acts, permitted

__all__ = ["mcp_routes", "mcp_sessions"]

_LOG = logging.getLogger(__name__)
_INSTRUCTIONS = (
    "A studio around a model that answers questions about pictures and clips by looking closer, step by step. Ask, read "
    "traces, review them, export them. Media are named by the SHA-256 of their bytes."
)


def mcp_sessions(services: Services) -> StreamableHTTPSessionManager:
    """The sessions of a server with every endpoint as a tool; they live while its `run()` is entered, once."""
    by_name = {one.name: one for one in ENDPOINTS}
    tools = [_tool(one) for one in ENDPOINTS]

    async def list_tools(context: ServerRequestContext, params: Any) -> types.ListToolsResult:
        return types.ListToolsResult(tools=tools)

    async def call_tool(context: ServerRequestContext, params: types.CallToolRequestParams) -> types.CallToolResult:
        try:
            if (called := by_name.get(params.name)) is None:
                raise NotFound(f"there is no tool {params.name!r}; the tools are {', '.join(by_name)}")
            value = await _call(called, services, context, params.arguments or {})
        except PersonError as error:
            return _failed(str(error))
        except Exception:
            _LOG.exception("the tool %s failed", params.name)
            return _failed("Something broke on our side; the server's log says what.")
        text = types.TextContent(type="text", text=json.dumps(value))
        return types.CallToolResult(content=[text], structured_content=value)

    server: Server = Server(
        "pixel-reasoner-studio",
        version=__version__,
        title="Pixel Reasoner Studio",
        instructions=_INSTRUCTIONS,
        on_list_tools=list_tools,
        on_call_tool=call_tool,
    )
    return StreamableHTTPSessionManager(server)


def mcp_routes(sessions: StreamableHTTPSessionManager) -> APIRouter:
    """The one address that clients speak with; each tool asks for its own right."""
    routes = APIRouter()

    @routes.api_route("/mcp", methods=["GET", "POST", "DELETE"], dependencies=[acts("look")])
    async def mcp(request: Request) -> Response:
        return _Handed(sessions)

    return routes


class _Handed(Response):
    """A response that the sessions give."""

    def __init__(self, sessions: StreamableHTTPSessionManager) -> None:
        super().__init__()
        self._sessions = sessions

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        await self._sessions.handle_request(scope, receive, send)


def _tool(endpoint: Endpoint) -> types.Tool:
    is_reading = endpoint.action.startswith("look")
    return types.Tool(
        name=endpoint.name,
        description=endpoint.description,
        input_schema=endpoint.input_schema,
        output_schema=endpoint.output_schema,
        annotations=types.ToolAnnotations(
            read_only_hint=is_reading, destructive_hint=False, idempotent_hint=is_reading, open_world_hint=False
        ),
    )


async def _call(
    endpoint: Endpoint, services: Services, context: ServerRequestContext, given: Mapping[str, Any]
) -> dict[str, Any]:
    """The last answer. Each step of one that is watched is told as progress; a call that is cancelled ends it."""
    permitted(context.request, endpoint.action)
    answers = endpoint.answers(services, person_of(context.request), given)
    value: dict[str, Any] = {}
    told = 0
    try:
        while (newer := await to_thread.run_sync(next, answers, None)) is not None:
            value = newer
            if endpoint.is_watched and len(value["steps"]) > told:
                told = len(value["steps"])
                await context.session.report_progress(told, message=f"Step {told} is done")
    finally:
        answers.close()
    return value


def _failed(sentence: str) -> types.CallToolResult:
    return types.CallToolResult(content=[types.TextContent(type="text", text=sentence)], is_error=True)
