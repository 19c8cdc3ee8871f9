"""The composition root: settings -> services (one frozen Studio) -> screens -> server.

`python app.py` starts the studio at http://127.0.0.1:7860 (STUDIO_HOST, STUDIO_PORT). Nothing is loaded on import, so
tests build as many studios as they like.
"""

from __future__ import annotations

import logging
import os
import socket
import sys

# Gradio reads this when it is imported; it must phone nobody.
os.environ["GRADIO_ANALYTICS_ENABLED"] = "False"

from engine.access import Access, check_access
from engine.errors import IntegrityError, InvalidSetting, NotFound, PersonError
from engine.hosting.backup.keeping import KeepingBackups
from engine.hosting.backup.places import place_named
from engine.hosting.backup.snapshots import Snapshot, restore
from engine.hosting.disks import require_no_bucket
from engine.hosting.home_lock import HomeLock
from engine.hosting.zero_gpu import ZeroGpu, begin
from engine.jobs.adapter_sending import MergeKind, PushAdapterKind
from engine.jobs.answering import StudioPolicy
from engine.jobs.asking import Services
from engine.jobs.collect import CollectKind
from engine.jobs.evaluate import EvaluateKind
from engine.jobs.export import ExportKind
from engine.jobs.importing import ImportKind
from engine.jobs.kinds import Kind
from engine.jobs.push import PushKind
from engine.jobs.running import run_job
from engine.jobs.worker import Worker
from engine.logs import keep_log
from engine.media import MediaFolder
from engine.opening import (
    OnLoading,
    check_model,
    clip_sampling,
    loop_limits,
    model_title,
    open_backbone,
    open_media,
    open_policy,
    open_server_policy,
    open_store,
    preparing_threads,
)
from engine.policies.address import is_address
from engine.policies.base import Policy
from engine.settings import Settings
from engine.starting import Starting
from engine.store import Store
from ui.process import serve
from ui.samples import SampleShelf
from ui.server import build_server
from ui.studio import Reasoner, Studio

__all__ = ["build_studio", "main"]

_TRAINED_ELSEWHERE = (
    "{} answers from {} and is trained where its weights are: export what was approved in Data, in the format of the trainer "
    "there, and serve the result."
)

_LOG = logging.getLogger("studio")


def build_studio(settings: Settings, *, waits: bool = True, lent: ZeroGpu | None = None) -> Studio:
    """The services that the settings ask for. Makes the home folder and the database where they are missing. The model is
    there when this returns, unless it `waits` for nobody: then `studio.reasoner.start()` loads it behind the pages. `lent` is
    ZeroGPU, where the studio runs there."""
    settings.home.mkdir(parents=True, exist_ok=True)
    store, media = open_store(settings), open_media(settings)
    media.sampling = clip_sampling(settings)
    kinds = _by_name(
        ExportKind(store, media),
        ImportKind(store, media),
        PushKind(store, media),
        PushAdapterKind(store, settings.artifacts),
    )
    run = run_job if lent is None else lent.running(store, settings.artifacts, lambda: worker.kinds)
    worker = Worker(store, settings.artifacts, kinds, run=run)
    samples = SampleShelf(media, store)

    def make(on_loading: OnLoading) -> Reasoner:
        try:
            return _reasoner(settings, store, media, worker, lent, on_loading)
        finally:
            samples.prepare()  # not before: the model would wait for pictures that nobody has asked for yet

    reasoner = Starting(model_title(settings), make)
    if waits:
        reasoner.load()
    worker.start()
    backup = None
    if settings.backup:
        place = place_named(settings.backup)
        backup = KeepingBackups(store, settings.home, place, settings.backup_minutes * 60.0)
    return Studio(
        settings=settings,
        store=store,
        media=media,
        policy=lambda: reasoner.get().policy,
        samples=samples,
        worker=worker,
        access=Access(settings, store),
        reasoner=reasoner,
        backup=backup,
    )


def _reasoner(
    settings: Settings,
    store: Store,
    media: MediaFolder,
    worker: Worker,
    lent: ZeroGpu | None,
    on_loading: OnLoading,
) -> Reasoner:
    """Who answers, with the adapter that was promoted, and the desk that trains it (a script has none); the worker is given
    the kinds of jobs that it makes possible."""
    limits = loop_limits(settings)
    if settings.model == "scripted":
        script = open_policy(settings)
        asking = Services(store, media, StudioPolicy(lambda: script), limits)
        worker.add(_by_name(CollectKind(asking), EvaluateKind(asking)))
        return Reasoner(script)
    if is_address(settings.model):
        from engine.policies.server.blocking import BlockingServerPolicy

        on_loading("looking whether it is there", None)
        served = open_server_policy(settings)
        media.sampling = served.protocol.CLIP_SAMPLING
        asking = Services(store, media, StudioPolicy(lambda: served), limits)
        worker.add(_by_name(CollectKind(asking), EvaluateKind(asking)))
        _LOG.info("%s answers from %s", served.name, served.address.url)
        return Reasoner(
            BlockingServerPolicy(served), untrainable=_TRAINED_ELSEWHERE.format(served.name, served.address.url)
        )
    on_loading("importing torch", None)
    from engine.jobs.adapter_answering import AdapterAnswering
    from engine.jobs.measuring import held_out_measuring
    from engine.jobs.probing import ProbeKind
    from engine.jobs.promotion import load_live
    from engine.jobs.workshop import Workshop
    from engine.policies.local import LocalPolicy
    from engine.policies.serving import Serving
    from ui.training.desk import TrainingDesk, training_kinds

    backbone = open_backbone(settings, on_loading)
    serving = Serving(backbone, threads=preparing_threads(backbone)) if lent is None else None
    local = LocalPolicy(backbone, serving=serving)
    policy: Policy = local
    media.sampling = policy.protocol.CLIP_SAMPLING
    unloaded = load_live(store, backbone, settings.artifacts)
    if unloaded is not None:
        _LOG.warning(unloaded)
    measuring = held_out_measuring(store, media, settings.artifacts, limits)
    workshop = Workshop(store, backbone, settings.artifacts, media.pictures, measuring)
    asking = Services(store, media, AdapterAnswering(store, backbone, settings.artifacts), limits)
    trained = training_kinds(workshop)
    probe = ProbeKind(workshop, media, limits, trained)
    merging = MergeKind(store, settings.artifacts, settings.model)
    worker.add(_by_name(CollectKind(asking), EvaluateKind(asking), probe, merging) | trained)
    _LOG.info(
        "%s is ready (%s, wire format %s: %s)",
        backbone.name, backbone.quantization, backbone.protocol_name, backbone.protocol_reason,
    )  # fmt: skip
    if lent is not None:
        policy = lent.policy(local, media, lambda: load_live(store, backbone, settings.artifacts))
        lent.loaded()
    return Reasoner(policy, TrainingDesk(workshop, worker, limits, unloaded))


def _by_name(*kinds: Kind) -> dict[str, Kind]:
    return {kind.name: kind for kind in kinds}


def main() -> int:
    try:
        lent = begin(os.environ)
        settings = Settings.from_environment(os.environ)
        check_model(settings)
        check_access(settings)
        listening = _listen(settings)
        host, port = listening.getsockname()[:2]
        require_no_bucket(settings.home)
        home_lock = HomeLock(settings.home, f"http://{host}:{port}")
        log = keep_log(settings)
        restored = _restore(settings)
        studio = build_studio(settings, waits=False, lent=lent)
    except (PersonError, IntegrityError) as error:
        print(error, file=sys.stderr)
        return 2
    assert studio.reasoner is not None
    if restored is not None:
        print(f"{settings.home.resolve()} was empty and is {restored.title} at {settings.backup}", file=sys.stderr)
    print(f"Pixel Reasoner Studio: http://{host}:{port} (Ctrl-C stops it)", file=sys.stderr)
    print(f"{studio.reasoner.name} is loading; data in {settings.home.resolve()}, log in {log}", file=sys.stderr)
    if (secret := studio.access.first_invitation()) is not None:
        print(
            f"The first admin comes in by http://{host}:{port}/invitation?key={secret} (once, today)", file=sys.stderr
        )
    server = build_server(studio)
    serve(studio, server, server.state.answering, listening)
    home_lock.release()
    logging.shutdown()
    # All is kept. Python would wait for threads that wait for others, such as a server's answer that nobody needs.
    os._exit(0)


def _restore(settings: Settings) -> Snapshot | None:
    """Makes an empty home what it was last, where there is a backup of it. Raises Unavailable or IntegrityError where that cannot
    be had: a studio that began empty would go on without it."""
    if not settings.backup or settings.database.exists():
        return None
    try:
        return restore(settings.home, place_named(settings.backup))
    except NotFound:  # nothing was ever put there
        return None


def _listen(settings: Settings) -> socket.socket:
    """The settings' address, taken before anything is loaded. Raises InvalidSetting where it cannot be had."""
    family = socket.AF_INET6 if ":" in settings.host else socket.AF_INET
    listening = socket.socket(family)
    try:
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listening.bind((settings.host, settings.port))
    except OSError as error:
        listening.close()
        raise InvalidSetting(
            f"{settings.host}:{settings.port} cannot be listened on ({error.strerror}); "
            "stop what has it, or set STUDIO_PORT to another port"
        ) from error
    return listening


if __name__ == "__main__":
    sys.exit(main())
