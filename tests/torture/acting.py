"""A process that works with a home without end, and says of each act that it is done: whoever reads that may count on it.

    python -m tests.torture.acting HOME SEED PLACE    one JSON object a line: what was done, and what is so since

Acts: a trace recorded, an edit, a commit, a review, many at once, a tag, an import, a deletion and its return, a job's state, a
snapshot pushed to PLACE.
"""

from __future__ import annotations

import json
import random
import sys
from pathlib import Path
from typing import Any

from engine.editing import SetThought
from engine.errors import PersonError
from engine.hosting.backup.places import FolderPlace
from engine.hosting.backup.snapshots import push
from engine.media import MediaFolder
from engine.policies.scripted import ScriptedPolicy
from engine.reasoning import Limits
from engine.store import Store, Target
from engine.trace import Example
from engine.upkeep import Deleting
from engine.workbench import Workbench
from tests.browser.traces import picture_trace

PERSON = "ann"
ACTS = ("record", "edit", "edit", "commit", "review", "many", "tag", "import", "delete", "restore", "job", "push")


def act(store: Store, media: MediaFolder, home: Path, place: Path, chance: random.Random) -> dict[str, Any]:
    """One act at random. Raises PersonError where it cannot be done."""
    bench = Workbench(store, media, ScriptedPolicy, Limits())
    traces = store.traces.ids()
    trace = chance.choice(traces) if traces else picture_trace(store, media, 1).id
    match chance.choice(ACTS):
        case "record":
            made = picture_trace(store, media, chance.randrange(10**6))
            return {"is": "trace", "id": made.id}
        case "edit":
            counter = bench.open(trace, PERSON).counter
            opened = bench.edit(trace, PERSON, SetThought(0, f"thought {chance.random()}"), counter)
            number = store.revisions.head(trace).number
            return {"is": "draft", "id": trace, "counter": opened.counter, "number": number}
        case "commit":
            bench.commit(trace, PERSON, bench.open(trace, PERSON).counter)
            return {"is": "head", "id": trace, "number": store.revisions.head(trace).number}
        case "review":
            verdict = chance.choice(("accepted", "rejected"))
            bench.review(trace, PERSON, verdict)  # type: ignore[arg-type]
            return {"is": "status", "id": trace, "status": verdict}
        case "many":
            chosen = chance.sample(traces, min(3, len(traces)))
            done = bench.review_many(chosen, PERSON, "rejected")
            return {"is": "bulk", "id": done.id}
        case "tag":
            name = f"tag{chance.randrange(5)}"
            is_on = name not in store.tags.of(trace)
            bench.tag(trace, name, PERSON, is_on=is_on)
            return {"is": "tag", "id": trace, "tag": name, "is_on": is_on}
        case "import":
            medium = store.media.list(limit=1)[0].media
            store.examples.record("brought", Example(f"Which, {chance.random()}?", (medium,), "7"))
            return {"is": "examples", "count": sum(one.count for one in store.examples.data_sets())}
        case "delete":
            Deleting(store, media, home / "artifacts").put(Target("trace", (trace,)), PERSON, "admin")
            return {"is": "gone", "id": trace}
        case "restore":
            [*_, deletion] = store.bin.list()
            Deleting(store, media, home / "artifacts").restore(deletion.id, "admin")
            return {"is": "bin", "count": len(store.bin.list())}
        case "job":
            job = store.jobs.create("sft", {}, {}, {})
            store.jobs.claim(job.id)
            store.jobs.set_state(job.id, "failed", "for a test")
            return {"is": "job", "id": job.id, "state": "failed"}
        case _:
            made, _ = push(store, home, FolderPlace(place))
            return {"is": "snapshot", "number": made.number}


def main(home: Path, seed: int, place: Path) -> None:
    chance = random.Random(seed)
    media = MediaFolder(home / "artifacts" / "media")
    with Store(home / "annotations.db") as store:
        while True:
            try:
                done = act(store, media, home, place, chance)
            except (PersonError, ValueError):
                continue
            print(json.dumps(done), flush=True)


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]), Path(sys.argv[3]))
