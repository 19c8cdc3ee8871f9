"""`adapter list|files|merge|push`: what became of training, as files for others."""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import TYPE_CHECKING, TextIO

from engine.errors import InvalidInput, NotFound
from engine.settings import Settings

if TYPE_CHECKING:
    from engine.store import Adapter, Store

ACTION = "export"
SUMMARY = "list trained adapters; write one as files, merge it into full weights, or publish it on the Hugging Face Hub"


def configure(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "act",
        metavar="list|files|merge|push",
        choices=["list", "files", "merge", "push"],
        help="list: all, newest first; files: PEFT's files and a card into --out; merge: the base's unquantised weights with the "
        "adapter in them into --out; push: files and card to --repo, private unless --public",
    )
    parser.add_argument("adapter", metavar="ADAPTER", nargs="?", help="its name or id; by default what answers")
    parser.add_argument("--out", metavar="DIR", help="a folder that does not exist yet")
    parser.add_argument(
        "--repo", metavar="OWNER/NAME", help="push: the model on the Hub, made where it is not there yet"
    )
    parser.add_argument("--public", action="store_true", help="push: everybody may read it")
    parser.add_argument("--json", action="store_true", help="list: one JSON object a line")


def run(arguments: argparse.Namespace, settings: Settings, out: TextIO) -> int:
    from engine.jobs.adapter_files import write_adapter
    from engine.opening import open_store

    if not settings.database.exists():
        raise NotFound(f"there is no store at {settings.database}; STUDIO_HOME says which folder is looked at")
    with open_store(settings) as store:
        if arguments.act == "list":
            _list(store, arguments.json, out)
            return 0
        adapter = _named(store, arguments.adapter)
        if arguments.act == "push":
            from engine.exchange.hub import require_repo, require_token
            from engine.jobs.adapter_sending import push_adapter

            repo = require_repo(arguments.repo or "")
            require_token()
            address = push_adapter(store, settings.artifacts, adapter, repo, is_public=arguments.public)
            print(f"pushed {adapter.name} to {address}", file=out)
            return 0
        target = new_folder(arguments.out)
        if arguments.act == "files":
            write_adapter(store, settings.artifacts, adapter, target)
        else:
            from engine.jobs.adapter_sending import merge_adapter

            merge_adapter(store, settings.artifacts, settings.model, adapter, target)
    print(f"wrote {adapter.name} to {target}", file=out)
    return 0


def _list(store: Store, is_json: bool, out: TextIO) -> None:
    from engine.jobs.measuring import measured

    live = store.adapters.live()
    for one in store.adapters.list():
        compared = None if one.job_id is None else measured(store, one.job_id)
        words = "not measured" if compared is None else compared.words
        state = "discarded" if one.is_discarded else "answers" if live is not None and live.id == one.id else ""
        if is_json:
            told = {"id": one.id, "name": one.name, "base": one.base_model, "state": state, "words": words}
            print(json.dumps(told), file=out)
        else:
            print("  ".join(filter(None, (one.id, one.name, one.base_model, words, state))), file=out)


def _named(store: Store, name: str | None) -> Adapter:
    known = store.adapters.list()
    found = store.adapters.live() if name is None else next((a for a in known if name in (a.id, a.name)), None)
    if found is None:
        names = ", ".join(repr(one.name) for one in known) or "there is none"
        wanted = "no adapter answers; name one" if name is None else f"there is no adapter {name!r}"
        raise NotFound(f"{wanted}; those of this studio are: {names}")
    return found


def new_folder(name: str | None) -> Path:
    """What --out names, which must not be there yet. Raises InvalidInput."""
    if not name:
        raise InvalidInput("--out is missing: give a folder that does not exist yet")
    if Path(name).exists():
        raise InvalidInput(f"{name} exists already; give a folder that does not")
    return Path(name)
