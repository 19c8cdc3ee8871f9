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
from engine.jobs.answering import StudioPolicy
from engine.jobs.asking import Services
from engine.jobs.collect import CollectKind
from engine.jobs.evaluate import EvaluateKind
from engine.jobs.export import ExportKind
from engine.jobs.importing import ImportKind
from engine.jobs.kinds import Kind
from engine.jobs.worker import Worker
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

_CLOSING_S = 30.0
"""For how long a running job is waited for, which goes on at the next start anyway."""


def build_studio(settings: Settings) -> Studio:
    """The services that the settings ask for. Makes the home folder and the database where they are missing."""
    settings.home.mkdir(parents=True, exist_ok=True)
    store, media = open_store(settings), open_media(settings)
    policy, jobs, worker = _reasoner(settings, store, media)
    media.sampling = policy.protocol.CLIP_SAMPLING
    worker.start()
    samples = SampleShelf(media, store)
    samples.prepare()
    return Studio(
        settings=settings,
        store=store,
        media=media,
        policy=lambda: policy,
        samples=samples,
        worker=worker,
        jobs=jobs,
    )


def _reasoner(settings: Settings, store: Store, media: MediaFolder) -> tuple[Policy, TrainingDesk | None, Worker]:
    """Who answers, with the adapter that was promoted, the desk that trains it (a script has none), and the worker with
    the kinds of jobs that can be run here."""
    kinds, limits = _by_name(ExportKind(store, media), ImportKind(store, media)), loop_limits(settings)
    if settings.model == "scripted":
        policy = open_policy(settings)
        asking = Services(store, media, StudioPolicy(lambda: policy), limits)
        kinds |= _by_name(CollectKind(asking), EvaluateKind(asking))
        return policy, None, Worker(store, settings.artifacts, kinds)
    from engine.jobs.adapter_answering import AdapterAnswering
    from engine.jobs.measuring import held_out_measuring
    from engine.jobs.promotion import load_live
    from engine.jobs.workshop import Workshop
    from engine.policies.local import LocalPolicy
    from ui.training.desk import TrainingDesk, training_kinds

    backbone = open_backbone(settings)
    unloaded = load_live(store, backbone, settings.artifacts)
    if unloaded is not None:
        logging.getLogger(__name__).warning(unloaded)
    measuring = held_out_measuring(store, settings.artifacts, limits)
    workshop = Workshop(store, backbone, settings.artifacts, media.pictures, measuring)
    asking = Services(store, media, AdapterAnswering(store, backbone, settings.artifacts), limits)
    kinds |= _by_name(CollectKind(asking), EvaluateKind(asking)) | training_kinds(workshop)
    worker = Worker(store, settings.artifacts, kinds)
    return LocalPolicy(backbone), TrainingDesk(workshop, worker, limits, unloaded), worker


def _by_name(*kinds: Kind) -> dict[str, Kind]:
    return {kind.name: kind for kind in kinds}


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
        studio.worker.close(_CLOSING_S)
        studio.store.close()
    return 0


if __name__ == "__main__":
    sys.exit(main())
