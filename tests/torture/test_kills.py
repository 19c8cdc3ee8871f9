"""Killed at random moments of whatever it does: what was acknowledged is there, all is sound, the backup is whole.

STUDIO_KILLS is how often, 200 in the long form (`make torture`).
"""

from __future__ import annotations

import json
import os
import random
import signal
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any

from engine.errors import NotFound
from engine.hosting.backup.places import FolderPlace
from engine.hosting.backup.snapshots import restore, snapshots
from engine.media import MediaFolder
from engine.store import Store
from engine.upkeep import check
from tests.torture.acting import PERSON

KILLS = int(os.environ.get("STUDIO_KILLS", "2"))
ROOT = Path(__file__).parents[2]


def test_nothing_that_was_acknowledged_is_lost(tmp_path: Path) -> None:
    home, place, chance = tmp_path / "home", tmp_path / "bucket", random.Random(7)
    acknowledged: list[dict[str, Any]] = []
    for kill in range(KILLS):
        acknowledged += killed(home, place, kill, chance.uniform(0.05, 1.5))
        with Store(home / "annotations.db") as store:
            assert lost(store, acknowledged) == []
            assert store.verify(None).is_sound
    assert len(acknowledged) >= KILLS
    with Store(home / "annotations.db") as store:
        checked = check(store, MediaFolder(home / "artifacts" / "media"), home / "artifacts")
        assert checked.problems == ()
    print(f"{KILLS} kills, {len(acknowledged)} acknowledged acts, 0 lost")
    if snapshots(FolderPlace(place)):
        restore(tmp_path / "restored", FolderPlace(place))
        with Store(tmp_path / "restored" / "annotations.db") as store:
            assert store.verify(MediaFolder(tmp_path / "restored" / "artifacts" / "media")).is_sound


def killed(home: Path, place: Path, seed: int, after_s: float) -> list[dict[str, Any]]:
    """What a process acknowledged until it was killed, `after_s` after its first act."""
    command = [sys.executable, "-m", "tests.torture.acting", home, str(seed), place]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        first = process.stdout.readline()
        assert first, "it ended by itself"
        timer = threading.Timer(after_s, process.send_signal, [signal.SIGKILL])
        timer.start()
        rest = process.stdout.read()
        assert process.wait() == -signal.SIGKILL
    whole = [line for line in (first + rest).splitlines(keepends=True) if line.endswith("\n")]
    return [json.loads(line) for line in whole]


def lost(store: Store, acknowledged: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """What is not so though it was acknowledged, and nothing later changed it. The very last act may have been done and not told:
    what is further on than it was told is right."""
    newest = {(one["is"], one.get("id"), one.get("tag")): one for one in acknowledged}
    return [one for one in newest.values() if not _holds(store, one)]


def _holds(store: Store, told: dict[str, Any]) -> bool:
    try:
        match told["is"]:
            case "job":
                return store.jobs.get(told["id"]).state == told["state"]
            case "bulk":
                return bool(store.rounds.action(told["id"]).id)
            case "examples":
                return sum(one.count for one in store.examples.data_sets()) >= told["count"]
            case "gone" | "bin" | "snapshot":
                return True  # what may have come back; the store's own checks look at these
        if store.bin.deletion_of("traces", told["id"]) is not None:
            return True
        head = store.revisions.head(told["id"])
        if told["is"] == "head":
            return head.number >= told["number"]
        if told["is"] == "draft":
            draft = store.drafts.find(told["id"], PERSON)
            return head.number > told["number"] or (draft is not None and draft.counter >= told["counter"])
        if told["is"] == "status":
            return bool(store.reviews.list(told["id"]))
        return True
    except NotFound:
        return False
