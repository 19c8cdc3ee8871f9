"""`bundle make|run|take|send|fetch`: a training run as one folder for another machine; its result comes back as an adapter.

    bundle.json     what the run needs: its kind, the backbone by name and hash, its wire format and quantisation
    config.json     the settings, as `train --config` takes them
    data/           the accepted traces with their pictures, in the format trace-json; for dpo all, since a choice stands
                    between two that need not be accepted
    start/          the adapter that training goes on from, where there is one

The idea: nothing is new but the folder. `run` makes a home in it, imports, trains and writes the adapter's files with a
result.json beside them; `take` records such files. So a bundle can be copied, mounted or sent to whatever runs
`python -m engine`; `send` and `fetch` do so by a job of the Hub (`engine.hosting.remote_runs`).

Invariant: with other weights than those it was made for a bundle does not run, and its result is not promoted.
"""

from __future__ import annotations

import argparse
import dataclasses
import json
import shutil
import tempfile
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING, Any, TextIO

from engine.commands import export, import_data, train
from engine.commands.adapter import new_folder
from engine.errors import InvalidInput, NotFound, Unavailable
from engine.json_fields import one_of, required, text
from engine.settings import Settings

if TYPE_CHECKING:
    from engine.backbone.loading import Backbone
    from engine.hosting.remote_runs import Run
    from engine.store import Adapter, Store

ACTION = "export"
SUMMARY = (
    "a training run as one folder for another machine; run one there, or as a job of the Hub; take its adapter back"
)

_KINDS = ("sft", "dpo", "grpo")
_BUNDLE, _RESULT = "bundle.json", "result.json"


def configure(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "act",
        metavar="make|run|take|send|fetch",
        choices=["make", "run", "take", "send", "fetch"],
        help="make: the accepted traces, the settings and what training starts from, into --out; run: train from such a "
        "FOLDER, the adapter into --out; take: record the adapter of a FOLDER that run wrote; send: run a FOLDER as a job of "
        "the Hugging Face Hub; fetch: record the adapter that came of it",
    )
    parser.add_argument("folder", metavar="FOLDER", nargs="?", help="take: what run wrote; run, send, fetch: a bundle")
    parser.add_argument("--kind", metavar="sft|dpo|grpo", choices=_KINDS, default="sft", help="make: of the run (sft)")
    parser.add_argument("--config", metavar="F", help="make: the run's settings, as `train --config` takes them")
    parser.add_argument("--out", metavar="DIR", help="make, run: a folder that does not exist yet")
    parser.add_argument(
        "--repo",
        metavar="OWNER/NAME",
        help="send, fetch: the private data set on the Hub that the bundle and its adapter go through; run: where the adapter is "
        "sent as well",
    )
    sending = parser.add_argument_group("how it is sent")
    sending.add_argument(
        "--hardware",
        metavar="H",
        default="cpu-basic",
        help="what the job runs on, as the Hub names it: t4-small, l4x1, ...",
    )
    sending.add_argument(
        "--timeout", metavar="T", default="6h", help="after which the Hub ends it: 90m, 6h (the default)"
    )
    sending.add_argument("--image", metavar="I", default="python:3.11", help="one with Python 3.11 and pip")
    sending.add_argument("--again", action="store_true", help="also where it runs, or has run, already")
    sending.add_argument("--plan", action="store_true", help="only say what would be done")
    parser.epilog = (
        "run wants the base in STUDIO_MODEL and no home: it works in the bundle. send and fetch read the token from HF_TOKEN, "
        "and the job gets it as a secret. An example stands in docs/several-processes.md."
    )


def run(arguments: argparse.Namespace, settings: Settings, out: TextIO) -> int:
    if arguments.act == "make":
        return _make(new_folder(arguments.out), arguments.kind, arguments.config, settings, out)
    if not arguments.folder:
        raise InvalidInput(f"bundle {arguments.act} needs a folder")
    folder = Path(arguments.folder)
    if arguments.act == "take":
        return _taken(folder, settings, out)
    if arguments.act == "send":
        return _send(_remote(folder, arguments.repo), arguments, out)
    if arguments.act == "fetch":
        return _fetch(_remote(folder, arguments.repo), settings, out)
    result = new_folder(arguments.out)
    remote = _remote(folder, arguments.repo) if arguments.repo else None
    status = _run(folder, result, settings, out)
    if remote is not None and status == 0:
        from engine.hosting.remote_runs import give

        give(remote, result)
        print(f"sent it to {remote.repo}", file=out)
    return status


def _remote(folder: Path, repo: str | None) -> Run:
    from engine.hosting.remote_runs import Run

    _read(folder / _BUNDLE)
    return Run.of(folder, repo or "")


def _send(run: Run, arguments: argparse.Namespace, out: TextIO) -> int:
    from engine.hosting.remote_runs import Machine, is_going_on, send, state_of

    is_done, job = state_of(run)
    if (is_done or is_going_on(job)) and not arguments.again:
        where = f"job {job.id} is {job.status.stage}: {job.url}" if job is not None else "its result is there"
        print(f"this bundle was sent before ({where}); fetch what comes of it, or send it --again", file=out)
        return 0
    machine = Machine(arguments.hardware, arguments.timeout, arguments.image)
    for sentence in send(run, _read(run.folder / _BUNDLE), machine, is_planning=arguments.plan):
        print(f"{'would ' if arguments.plan else ''}{sentence}", file=out, flush=True)
    return 0


def _fetch(run: Run, settings: Settings, out: TextIO) -> int:
    from engine.hosting.remote_runs import bring

    with tempfile.TemporaryDirectory() as place:
        bring(run, Path(place) / "result")
        return _taken(Path(place) / "result", settings, out)


def _taken(folder: Path, settings: Settings, out: TextIO) -> int:
    from engine.opening import open_store

    with open_store(settings) as store:
        adapter = _take(folder, store, settings.artifacts)
    print(f"took {adapter.name} ({adapter.id}); it answers once it is promoted", file=out)
    return 0


def _make(folder: Path, kind: str, config_file: str | None, settings: Settings, out: TextIO) -> int:
    from engine.jobs.adapter_files import write_adapter
    from engine.opening import open_backbone, open_store

    if not settings.database.exists():
        raise NotFound(f"there is no store at {settings.database}; STUDIO_HOME says which folder is looked at")
    config = {
        name: value for name, value in train.read_config(config_file).items() if name in (kind, "name", "evaluation")
    }
    backbone = open_backbone(settings)
    with open_store(settings) as store:
        wanted = (config.get(kind) or {}).get("start_from") or ""
        parent = store.adapters.live() if wanted == "live" else store.adapters.get(wanted) if wanted else None
        if parent is not None:
            write_adapter(store, settings.artifacts, parent, folder / "start")
            _write(folder / "start" / _RESULT, _told(parent))
    chosen = () if kind == "dpo" else ("--status", "accepted")
    _command(export, settings, out, "trace-json", "--out", str(folder / "data"), *chosen, "--revisions")
    _write(folder / "config.json", config)
    _write(folder / _BUNDLE, {"version": 1, "kind": kind, "model": settings.model, "backbone": _described(backbone)})
    print(f"wrote {folder}: bundle run {folder.name} --out RESULT, on a machine with {backbone.name}", file=out)
    return 0


def _run(folder: Path, result: Path, settings: Settings, out: TextIO) -> int:
    """In a home inside the bundle, so that nothing of this machine's own is touched, and what was stopped goes on."""
    from engine.jobs.adapter_files import write_adapter
    from engine.opening import open_backbone, open_store

    told = _read(folder / _BUNDLE)
    kind, wanted = required(told, "kind", one_of(_KINDS)), told.get("backbone") or {}
    here = _described(open_backbone(settings))
    if different := sorted(name for name in here if wanted.get(name) != here[name]):
        raise Unavailable(
            f"this bundle is for {wanted.get('name')}, not {here['name']} (different: {', '.join(different)})"
        )
    settings = dataclasses.replace(settings, home=folder / "home")
    if not settings.database.exists():
        settings.home.mkdir(exist_ok=True)
        _command(import_data, settings, out, "trace-json", str(folder / "data"))
    config = dict(_read(folder / "config.json"))
    if (folder / "start").is_dir():
        with open_store(settings) as store:
            known = store.adapters.list()
            parent = known[-1] if known else _take(folder / "start", store, settings.artifacts)
        config[kind] = {**config[kind], "start_from": parent.id}
    _write(settings.home / "config.json", config)
    if status := _command(train, settings, out, kind, "--config", str(settings.home / "config.json")):
        return status
    with open_store(settings) as store:
        adapter = store.adapters.list()[0]
        write_adapter(store, settings.artifacts, adapter, result)
    _write(result / _RESULT, _told(adapter))
    print(f"wrote {adapter.name} to {result}: bundle take {result.name}, where the bundle was made", file=out)
    return 0


def _take(folder: Path, store: Store, artifacts: Path) -> Adapter:
    """Raises Unavailable where a file is missing or broken."""
    from engine.backbone.adapters import load_adapter

    told = _read(folder / _RESULT)
    name, base, base_hash = (required(told, field, text) for field in ("name", "base_model", "base_hash"))
    load_adapter(folder, name)
    number = sum(1 for _ in (artifacts / "adapters").glob("taken-*")) + 1
    target = artifacts / "adapters" / f"taken-{number}"
    shutil.copytree(folder, target)
    return store.adapters.record(name, f"adapters/{target.name}", None, base, base_hash, told.get("metrics") or {})


def _told(adapter: Adapter) -> dict[str, Any]:
    return {
        "name": adapter.name,
        "base_model": adapter.base_model,
        "base_hash": adapter.base_hash,
        "metrics": adapter.metrics,
    }


def _described(backbone: Backbone) -> dict[str, Any]:
    from engine.training.snapshot import describe

    return describe(backbone)


def _command(module: ModuleType, settings: Settings, out: TextIO, *words: str) -> int:
    parser = argparse.ArgumentParser()
    module.configure(parser)
    status: int = module.run(parser.parse_args(words), settings, out)
    return status


def _read(path: Path) -> dict[str, Any]:
    try:
        data = json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise NotFound(f"{path} cannot be read: {error.strerror or error}") from error
    except ValueError as error:
        raise InvalidInput(f"{path} is not JSON: {error}") from error
    if not isinstance(data, dict):
        raise InvalidInput(f"{path}: a JSON object is expected")
    return data


def _write(path: Path, data: dict[str, Any]) -> None:
    path.write_text(json.dumps(data, indent=2, sort_keys=True) + "\n", encoding="utf-8")
