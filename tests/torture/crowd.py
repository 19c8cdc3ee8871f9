"""Fifty people at everything at once, as people are: each thinks for a while between two acts.

    python -m tests.torture.crowd [--people 50] [--seconds 60] [--pause 2] [--json]

Each, with a cookie and connections of their own, edits one of four traces that all edit, saves, decides on a trace that nobody
else decides on, decides on three at once, tags, searches, and asks. `bench people` is those who only edit, without thinking.
Afterwards the database is asked: what was acknowledged is there (drafts and saves by `engine.lab.bench.people.losses`, verdicts,
bulk decisions, tags, questions), nothing was answered by 5xx or "database is locked".
"""

from __future__ import annotations

import argparse
import json
import random
import sys
import tempfile
import threading
import time
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

from engine.errors import Conflict
from engine.lab.bench.figures import Spread, spread
from engine.lab.bench.people import Account, HttpDesk, losses
from engine.lab.bench.photo import photo_jpeg
from engine.lab.bench.running import RunningStudio
from engine.store import Store
from tests.browser.traces import picture_trace
from tests.torture.lasting import Asker

__all__ = ["Member", "crowd"]

_SHARED = 4
_ACTS = {"edit": 35, "save": 10, "review": 15, "bulk": 5, "tag": 10, "search": 15, "ask": 10}
_CHANGES = ("edit", "save", "review", "bulk", "tag")


class Member(HttpDesk):
    """One of them. `own` are four traces that nobody else decides on; `account` and what is beside it is what they were told."""

    def __init__(self, studio: RunningStudio, shared: Sequence[str], own: Sequence[str]) -> None:
        super().__init__(studio.url)
        self.asker = Asker(studio)
        self.account = Account(self.name)
        self.times_ms: dict[str, list[float]] = defaultdict(list)
        self.shared, self.own = shared, own
        self.verdict = ""
        self.is_tagged = False
        self.bulk: list[str] = []
        self.asked = 0
        self.chance = random.Random(own[0])

    def work(self, ends_at: float, pause_s: float) -> None:
        """Until then; an error ends it, and is in the account."""
        try:
            while time.monotonic() < ends_at:
                time.sleep(self.chance.uniform(0, 2 * pause_s))
                act = self.chance.choices(list(_ACTS), list(_ACTS.values()))[0]
                getattr(self, f"_do_{act}")()
        except BaseException as error:
            self.account.error = error

    def _timed(self, kind: str, act: Callable[..., Any], *words: Any) -> Any:
        start = time.perf_counter()
        try:
            return act(*words)
        finally:
            self.times_ms[kind].append((time.perf_counter() - start) * 1000)

    def _do_edit(self) -> tuple[str, int, str]:
        trace = self.chance.choice(self.shared)
        counter = self._timed("open", self.open, trace)
        thought = f"{self.name} {self.account.edits}"
        counter = self._timed("edit", self.set_thought, trace, counter, thought)
        self.account.edits += 1
        self.account.kept[trace] = thought
        return trace, counter, thought

    def _do_save(self) -> None:
        trace, counter, thought = self._do_edit()
        try:
            _, head = self._timed("save", self.save, trace, counter)
            self.account.accepted.append((trace, head))
        except Conflict:
            self.account.late.append((trace, thought))
            self._timed("edit", self.rebase, trace, counter)

    def _do_review(self) -> None:
        revision = json.loads(self._ask("GET", f"/curate/trace/{self.own[0]}")[0])["head"]["id"]
        verdict = self.chance.choice(("accepted", "rejected"))
        body = {"trace": self.own[0], "revision": revision, "verdict": verdict, "reason": "seen"}
        self._timed("review", self._post, "review", body)
        self.verdict = verdict

    def _do_bulk(self) -> None:
        told = self._timed("bulk", self._post, "bulk", {"traces": list(self.own[1:]), "verdict": "rejected"})
        self.bulk.append(told["action"])

    def _do_tag(self) -> None:
        is_on = not self.is_tagged
        self._timed("tag", self._post, "tag", {"trace": self.shared[0], "tag": self._tag, "is_on": is_on})
        self.is_tagged = is_on

    def _do_search(self) -> None:
        self._timed("search", self._ask, "GET", "/curate/queue?search=what")

    def _do_ask(self) -> None:
        self._timed("ask", self.asker.ask, f"What, {self.asked}?", f"{self.own[0]}"[:40])
        self.asked += 1

    @property
    def _tag(self) -> str:
        return f"of {self.own[0][:12]}"

    def lost(self, store: Store) -> Iterator[str]:
        """A sentence for everything else that they were told and that is not so."""
        if self.verdict and store.traces.get(self.own[0]).item.status != self.verdict:
            yield f"{self.name}'s verdict {self.verdict} is gone"
        if self.is_tagged != (self._tag in store.tags.of(self.shared[0])):
            yield f"{self.name}'s tag is not as it was told"
        yield from (f"{self.name}'s decision {one} is gone" for one in self.bulk if not store.rounds.action(one).id)


def crowd(people: int, seconds: float, pause_s: float, progress: Callable[[str], None] = print) -> dict[str, Any]:
    """`people` at work for `seconds`, `pause_s` between two acts in the mean."""
    with tempfile.TemporaryDirectory() as made:
        studio = RunningStudio(Path(made))
        with studio.store() as store:
            picture = photo_jpeg(640, 480, 1)
            store.media.record(studio.media().take(picture).media, "photo.jpg", len(picture))
            traces = [picture_trace(store, studio.media(), k).id for k in range(_SHARED + 4 * people)]
        with studio:
            progress(f"{people} people come in")
            own = [traces[_SHARED + 4 * k : _SHARED + 4 * k + 4] for k in range(people)]
            members = [Member(studio, traces[:_SHARED], of_one) for of_one in own]
            progress(f"they work for {seconds:g} s")
            ends_at = time.monotonic() + seconds
            threads = [threading.Thread(target=one.work, args=(ends_at, pause_s)) for one in members]
            for thread in threads:
                thread.start()
            for thread in threads:
                thread.join()
        with studio.store() as store:
            lost = losses(store, studio.media(), [one.account for one in members])
            lost += [sentence for one in members for sentence in one.lost(store)]
            asked = sum(one.asked for one in members)
            kept = len(store.traces.ids()) - len(traces)
            lost += [f"{asked - kept} questions are gone"] if kept < asked else []
        log = studio.log.read_text(errors="replace")
    by_act: dict[str, list[float]] = defaultdict(list)
    for member in members:
        for kind, times in member.times_ms.items():
            by_act[kind] += times
    return {
        "bench": "crowd",
        "people": people,
        "seconds": seconds,
        "pause_s": pause_s,
        "lost": lost,
        "locked": log.count("database is locked"),
        "tracebacks": log.count("Traceback"),
        "change": spread([t for kind in _CHANGES for t in by_act[kind]]).to_json(),
        "acts": {kind: spread(times).to_json() for kind, times in sorted(by_act.items())},
    }


def _report(found: dict[str, Any]) -> Iterator[str]:
    yield f"crowd: {found['people']} people for {found['seconds']:g} s, {found['pause_s']:g} s between two acts of one"
    yield f"  {len(found['lost'])} lost or stopped, {found['locked']} locked, {found['tracebacks']} tracebacks in the log"
    yield from (f"  LOST: {sentence}" for sentence in found["lost"][:10])
    yield from (f"  {kind:8} {Spread(**times)}" for kind, times in {"change": found["change"], **found["acts"]}.items())


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.torture.crowd")
    parser.add_argument("--people", type=int, default=50)
    parser.add_argument("--seconds", type=float, default=60)
    parser.add_argument("--pause", type=float, default=2)
    parser.add_argument("--json", action="store_true")
    asked = parser.parse_args()
    progress: Callable[[str], None] = lambda line: print(line, file=sys.stderr, flush=True)  # noqa: E731
    found = crowd(asked.people, asked.seconds, asked.pause, progress)
    print(json.dumps(found) if asked.json else "\n".join(_report(found)))
    return 1 if found["lost"] or found["locked"] or found["tracebacks"] else 0


if __name__ == "__main__":
    sys.exit(main())
