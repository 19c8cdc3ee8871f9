"""The composition root: settings -> services (one frozen Studio) -> screens -> server.

`python app.py` starts the studio at http://127.0.0.1:7860 (STUDIO_HOST, STUDIO_PORT). Nothing is loaded on import, so
tests build as many studios as they like.
"""

from __future__ import annotations

import logging
import os
import sys
from typing import TYPE_CHECKING

# Gradio reads this when it is imported; it must phone nobody.
os.environ["GRADIO_ANALYTICS_ENABLED"] = "False"

import uvicorn

from engine.errors import PersonError
from engine.media import MediaFolder
from engine.opening import loop_limits, open_backbone, open_media, open_policy, open_store
from engine.policies.base import Policy
from engine.settings import Settings
from engine.store import Store
from ui.samples import SampleShelf
from ui.server import build_server
from ui.studio import Studio

if TYPE_CHECKING:
    from ui.training.desk import TrainingDesk

__all__ = ["build_studio", "main"]


def build_studio(settings: Settings) -> Studio:
    """The services that the settings ask for. Makes the home folder and the database where they are missing."""
    settings.home.mkdir(parents=True, exist_ok=True)
    store, media = open_store(settings), open_media(settings)
    policy, jobs = _reasoner(settings, store, media)
    samples = SampleShelf(media, store)
    samples.prepare()
    return Studio(settings=settings, store=store, media=media, policy=lambda: policy, samples=samples, jobs=jobs)


def _reasoner(settings: Settings, store: Store, media: MediaFolder) -> tuple[Policy, TrainingDesk | None]:
    """Who answers, with the adapter that was promoted, and the desk that trains it: a script has none."""
    if settings.model == "scripted":
        return open_policy(settings), None
    from engine.policies.local import LocalPolicy
    from engine.training.workshop import Workshop
    from ui.training.desk import open_desk

    backbone = open_backbone(settings)
    workshop = Workshop(store, backbone, settings.artifacts, media.pictures)
    return LocalPolicy(backbone), open_desk(workshop, loop_limits(settings))


def main() -> int:
    logging.basicConfig(level=logging.INFO, format="%(levelname)s %(name)s: %(message)s")
    try:
        settings = Settings.from_environment(os.environ)
        studio = build_studio(settings)
    except PersonError as error:
        print(error, file=sys.stderr)
        return 2
    try:
        uvicorn.run(
            build_server(studio),
            host=settings.host,
            port=settings.port,
            log_level="warning",
            proxy_headers=True,
            server_header=False,
        )
    finally:
        if studio.jobs is not None:
            studio.jobs.close()
        studio.store.close()
    return 0


if __name__ == "__main__":
    sys.exit(main())
