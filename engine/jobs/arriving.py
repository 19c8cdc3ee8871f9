"""What a job of the kind "import" does with a file of another program: its traces, or examples, come into the store.

It says the events that imports of tables say (`engine.jobs.importing`): "bad_row" for a row that could not come in,
"imported" for how far it is, and "noted" for what was read otherwise than it stood there. A job that was stopped or killed
goes on behind the last row that it told of; a row that had come in after that is there already, and so adds nothing.

Not covered: reading and recording (`engine.exchange`).
"""

from __future__ import annotations

import re
import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from engine.errors import InvalidInput, NotFound
from engine.exchange.arriving import Arrival, Arrived, arrive
from engine.exchange.format import Refused
from engine.exchange.formats import format_named
from engine.jobs.kinds import CutOff, Done, Ending, Plan
from engine.jobs.report import Report
from engine.media import MediaFolder
from engine.store import Job, Store, usable_name

__all__ = ["ArrivingWork", "plan_arrival"]

_TOLD_EVERY = 32
_MAX_LISTED = 10_000


def plan_arrival(format: str, path: Path, data_set: str = "", incoming: str = "") -> Plan:
    """The rows of a file in a format, or of the folder that an export made; examples go into `data_set`, by default of the
    file's name. `incoming` is the folder to delete when all is in. Raises InvalidInput where the format is not read, NotFound
    where there is no file."""
    found = format_named(format)
    if not found.is_read:
        raise InvalidInput(f"the format {format} can be exported, not imported")
    if not path.exists():
        raise NotFound(f"there is no file or folder {path}")
    name = usable_name(data_set.strip() or path.absolute().stem)
    kept = {"incoming": incoming} if incoming else {}
    return Plan({"format": format, "path": str(path.absolute()), "data_set": name, **kept})


@dataclass(frozen=True, slots=True)
class ArrivingWork:
    store: Store
    media: MediaFolder
    job: Job

    def run(self, report: Report) -> Ending:
        config: Mapping[str, Any] = self.job.config
        format = format_named(config["format"])
        assert format.read is not None
        last = self.store.jobs.last_event(self.job.id, "imported")
        before = {"rows": 0, "added": 0, "known": 0, "refused": 0} | (dict(last.data) if last else {})

        def tell(arrived: Arrived, refused: Refused | None = None, *, is_last: bool = False) -> None:
            if refused is not None and before["refused"] + arrived.refused_count <= _MAX_LISTED:
                number = re.search(r"\d+$", refused.place)
                said = {"row": int(number[0]) if number else arrived.rows, "id": None, "reason": refused.reason}
                report.say(arrived.rows, "bad_row", said)
            if is_last or arrived.rows % _TOLD_EVERY == 0:
                counts = {
                    "rows": max(arrived.rows, before["rows"]),
                    "added": before["added"] + arrived.traces + arrived.examples,
                    "known": before["known"] + arrived.known,
                    "refused": before["refused"] + arrived.refused_count,
                }
                report.say(counts["rows"], "imported", counts)
                report.progress(None, f"{counts['rows']:,} rows: {arrived.sentence()}")

        into = Arrival(self.store, self.media, f"import {format.name}", config["data_set"])
        reads = format.read(Path(config["path"]))
        arrived, is_whole = arrive(reads, into, after=before["rows"], on_row=tell, should_stop=report.should_stop_soon)
        tell(arrived, is_last=True)
        if not is_whole:
            return CutOff(f"after {arrived.rows:,} rows: {arrived.sentence()}")
        if not arrived.rows and not before["rows"]:
            raise InvalidInput("there is no row to bring in")
        for note, count in sorted(arrived.notes.items()):
            report.say(None, "noted", {"text": f"{note[0].upper()}{note[1:]}: {count:,}."})
        if incoming := config.get("incoming"):
            shutil.rmtree(incoming, ignore_errors=True)
        return Done(arrived.sentence())
