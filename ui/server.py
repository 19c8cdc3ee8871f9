"""The FastAPI app around the pages: media by hash, security headers, who the user is.

Order of what a request meets: `tracing.Tracing`, `sending.compressing`, `security.SecurityHeaders`, `guests.Peer` and
`guests.WhoAsks`, `sending.pages`, `streams.Streams`, then our own routes (`/media/...`, `/me`, `/studio.css`, `/health`,
`/metrics`, `/mcp`), then Gradio's pages, queue and endpoints (`ui.api`). Analytics, run history, API documentation and the
generated API pages are off.
"""

from __future__ import annotations

import sys
from types import SimpleNamespace

import gradio as gr
from fastapi import FastAPI, Request
from fastapi.responses import JSONResponse, Response
from uvicorn.middleware.proxy_headers import ProxyHeadersMiddleware

from engine.errors import IntegrityError, PersonError
from engine.rights import may
from ui.addresses import Addresses
from ui.answering import Answering
from ui.api.endpoint import Services
from ui.api.gradio_endpoints import add_endpoints
from ui.api.mcp_tools import mcp_routes, mcp_sessions
from ui.api.upload_routes import upload_routes
from ui.asking.routes import ask_routes
from ui.code_routes import code_address, code_routes
from ui.curating.continuing import continue_routes
from ui.curating.lists import list_routes
from ui.curating.messages import refuse
from ui.curating.presence import Presence
from ui.curating.routes import curate_routes
from ui.curating.sharing_routes import sharing_routes
from ui.curating.versions import version_routes
from ui.curating.work_routes import work_routes
from ui.data.export_routes import export_routes
from ui.data.import_routes import import_routes
from ui.data.set_routes import set_routes
from ui.deleting.routes import bin_routes
from ui.evaluating.routes import evaluation_routes
from ui.guests import Peer, WhoAsks, person_of
from ui.media_routes import media_routes
from ui.metrics import Metrics, metrics_routes
from ui.people.account_routes import account_routes, me_value
from ui.people.sign_in import OPEN_PATHS, sign_in_routes
from ui.rights import acts
from ui.security import SecurityHeaders
from ui.sending.ahead import ahead_of_pages
from ui.sending.compressing import Compressing, Precompressed
from ui.sending.pages import Pages
from ui.shell import SCREENS, about_pages, build_pages, code_of_pages
from ui.streams import Streams
from ui.studio import Studio
from ui.theme import stylesheet, theme
from ui.tracing import Tracing
from ui.training.routes import training_routes

__all__ = ["build_server"]

_CONCURRENT_EVENTS = 16
_SEE_HOST = "Something is wrong here; the host sees what at /host."
_SESSIONS = 256
"""Gradio keeps what components have for each session, 10,000 of them where nothing is said."""


def build_server(studio: Studio) -> FastAPI:
    """The whole studio as an ASGI app, for uvicorn."""
    metrics = Metrics(studio, lambda: answering.under_way())
    answering = Answering(studio, heard=metrics.ask_ended)
    presence = Presence(studio.workbench)
    services = Services(studio, answering)
    sessions = mcp_sessions(services)
    server = FastAPI(
        title="Pixel Reasoner Studio",
        docs_url=None,
        redoc_url=None,
        openapi_url=None,
        lifespan=lambda app: sessions.run(),
    )
    server.state.answering = answering
    style = Precompressed.of(stylesheet(), "text/css")
    style_address = f"studio.css?{style.name}"
    server.include_router(media_routes(studio))
    server.include_router(ask_routes(studio, answering))
    server.include_router(curate_routes(studio))
    server.include_router(work_routes(studio, presence))
    server.include_router(version_routes(studio))
    server.include_router(list_routes(studio))
    server.include_router(sharing_routes(studio))
    server.include_router(continue_routes(studio))
    server.include_router(bin_routes(studio))
    server.include_router(import_routes(studio))
    server.include_router(set_routes(studio))
    server.include_router(export_routes(studio))
    server.include_router(evaluation_routes(studio))
    server.include_router(training_routes(studio))
    blocks = build_pages(studio, answering, presence)
    code = {path: Precompressed.of(text, "text/javascript") for path, text in code_of_pages(blocks).items()}
    server.include_router(code_routes(code), dependencies=[acts("sign_in")])
    server.include_router(upload_routes(studio))
    server.include_router(mcp_routes(sessions))
    server.include_router(sign_in_routes(studio, style_address))
    server.include_router(account_routes(studio))
    server.include_router(metrics_routes(metrics))
    for kind in (PersonError, IntegrityError):
        server.add_exception_handler(kind, refuse)

    @server.get("/studio.css", dependencies=[acts("sign_in")])
    def studio_css(request: Request) -> Response:
        return style.response(request)

    @server.get("/me", dependencies=[acts("look")])
    def me(request: Request) -> JSONResponse:
        return JSONResponse(me_value(studio, person_of(request)), headers={"Cache-Control": "no-store"})

    @server.get("/health", dependencies=[acts("sign_in")])
    def health(request: Request) -> JSONResponse:
        home = studio.home_health()
        backup = None if studio.backup is None else studio.backup.state
        met = (studio.problem, *home.problems, None if backup is None else backup.problem)
        problems = [problem for problem in met if problem is not None]
        is_host = may(person_of(request).role, "see_host")
        told = {
            "is_ready": studio.unready is None and home.is_keeping,
            "waits_for": studio.unready,
            # The sentences name places of this machine; who looks whether it works learns that something is wrong.
            "problems": problems if is_host else [_SEE_HOST] * bool(problems),
            "backup_age_s": None if backup is None else backup.age_s,
            "home_bytes": home.bytes if is_host else None,
            "max_home_bytes": home.max_bytes if is_host else None,
        }
        status = 200 if home.is_keeping else 503
        return JSONResponse(told, status_code=status, headers={"Cache-Control": "no-store"})

    with blocks:
        add_endpoints(services)
    blocks.queue(default_concurrency_limit=_CONCURRENT_EVENTS, api_open=False, max_size=256)
    blocks.state_session_capacity = _SESSIONS
    # Nobody looks at these here: 10,000 would be kept, and summed up by pandas at each event.
    blocks._queue.ANALYTICS_MAX_EVENTS, blocks._queue.ANAYLTICS_CACHE_FREQUENCY = _SESSIONS, sys.maxsize
    gr.mount_gradio_app(
        server,
        blocks,
        path="/",
        footer_links=[],
        run_history=False,
        show_error=False,
        ssr_mode=False,
        mcp_server=False,
        enable_monitoring=False,
        max_file_size=studio.settings.max_upload_mb * 1_000_000,
        theme=theme(),
        # The same sheet stands in the page already; here it comes behind Gradio's, over which it must win.
        head=f'<link rel="stylesheet" href="{style_address}">',
    )
    # Each session would describe each component, for Gradio's links to a state, which are closed here (`ui.security`).
    blocks.state_holder.blocks = SimpleNamespace(default_config=blocks.default_config, blocks={})  # type: ignore[assignment]
    about = about_pages(studio, answering)
    addresses = {path: code_address(text) for path, text in code.items()}
    server.add_middleware(Streams, queue=lambda: blocks._queue)
    server.add_middleware(Pages, about=about, code=addresses, style=style_address, ahead=ahead_of_pages())
    pages = ["/" + screen.path for screen in SCREENS]
    server.add_middleware(
        WhoAsks, access=studio.access, pages=pages, open_paths=OPEN_PATHS, header=studio.settings.proxy_header
    )
    proxies = ["127.0.0.1", *studio.settings.proxy_addresses]
    server.add_middleware(ProxyHeadersMiddleware, trusted_hosts=proxies)  # type: ignore[arg-type]
    server.add_middleware(Peer)
    server.add_middleware(
        SecurityHeaders,
        addresses=Addresses.of(studio.settings),
        pages=pages,
        frame_ancestors=studio.settings.frame_ancestors,
    )
    server.add_middleware(Compressing)
    server.add_middleware(Tracing, answered=metrics.answered)
    return server
