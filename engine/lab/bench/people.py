"""Many people editing a few traces at once: what is lost (nothing may be), what is refused, how long an edit takes.

Each person opens a trace, writes a thought that nobody else writes, moves a box, now and then saves; who comes too late
hears of it, goes on upon what stands, and is kept beside it. Afterwards the database itself is asked:

- every thought whose sender was told that it is kept stands in the sender's draft, or in a revision of theirs;
- every save that was accepted is in its trace's chain of revisions, every one that came too late stands beside it;
- `verify` finds every hash, head, count and crop as it should be;
- nobody was ever told "database is locked", and it stands nowhere in the server's log.

The same work runs on the workbench directly (tests, five seconds) and over HTTP against the real app, each person with a
cookie and a connection of their own (`bench people`). The baseline is one of them working alone in the same app for a
tenth of the time: the ratio says how many times the work of one the many get done, on a machine of so many cores.
"""

from __future__ import annotations

import http.client
import json
import os
import random
import tempfile
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol
from urllib.parse import urlsplit

from engine.editing import SetBox, SetThought, draft_from_json
from engine.errors import Conflict
from engine.lab.bench.figures import Spread, spread
from engine.lab.bench.photo import photo_jpeg
from engine.lab.bench.running import RunningStudio
from engine.media import MediaFolder
from engine.store import StaleRevision, Store
from engine.trace import Box, Media, Observation, Step, Trace, View, ZoomIn, first_views
from engine.workbench import Workbench

__all__ = ["Account", "Desk", "HttpDesk", "WorkbenchDesk", "losses", "measure", "report", "work_together"]

_SAVE_SHARE = 0.3
_TRACES = 4
_SIZE_PX = (640, 480)
_IDLE_S = 2.0
"""The server closes connections on which nothing was asked for five seconds."""


class Desk(Protocol):
    """What one person can do. Each returns the counter of the draft as it is then."""

    @property
    def name(self) -> str: ...

    def open(self, trace_id: str) -> int: ...

    def set_thought(self, trace_id: str, counter: int, thought: str) -> int: ...

    def set_box(self, trace_id: str, counter: int, box: Box) -> int: ...

    def save(self, trace_id: str, counter: int) -> tuple[int, str]:
        """Also the id of the revision that stands then. Raises Conflict where somebody else saved first."""

    def rebase(self, trace_id: str, counter: int) -> int: ...


@dataclass(slots=True)
class Account:
    """What one person was told, for the database to be held to."""

    person: str
    kept: dict[str, str] = field(default_factory=dict)
    """The latest thought of each trace that is said to be kept."""
    accepted: list[tuple[str, str]] = field(default_factory=list)
    """(trace id, id of the revision) of each save."""
    late: list[tuple[str, str]] = field(default_factory=list)
    """(trace id, thought) of each save that somebody else was before."""
    times_ms: list[float] = field(default_factory=list)
    """Of each message, from sending to the answer."""
    edits: int = 0
    error: BaseException | None = None


def work_together(desks: Sequence[Desk], traces: Sequence[str], duration_s: float, seed: int = 0) -> list[Account]:
    """Everybody works for `duration_s` and once at least. Whoever is stopped by an error has it in their account."""
    ends_at = time.monotonic() + duration_s
    accounts = [Account(desk.name) for desk in desks]
    threads = [
        threading.Thread(target=_work, args=(desk, account, traces, ends_at, random.Random(f"{seed} {account.person}")))
        for desk, account in zip(desks, accounts, strict=True)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return accounts


def _work(desk: Desk, account: Account, traces: Sequence[str], ends_at: float, chance: random.Random) -> None:
    def timed(act: Callable[..., Any], *words: Any) -> Any:
        start = time.perf_counter()
        try:
            return act(*words)
        finally:
            account.times_ms.append((time.perf_counter() - start) * 1000)

    try:
        while time.monotonic() < ends_at or not account.edits:
            trace_id = chance.choice(traces)
            counter = timed(desk.open, trace_id)
            thought = f"{account.person} {account.edits}"
            counter = timed(desk.set_thought, trace_id, counter, thought)
            account.edits += 1
            account.kept[trace_id] = thought
            x = 0.01 * chance.randrange(50)
            counter = timed(desk.set_box, trace_id, counter, Box(x, x, x + 0.5, x + 0.5))
            account.edits += 1
            if chance.random() < _SAVE_SHARE:
                try:
                    counter, head_id = timed(desk.save, trace_id, counter)
                    account.accepted.append((trace_id, head_id))
                except Conflict:
                    account.late.append((trace_id, thought))
                    timed(desk.rebase, trace_id, counter)
    except BaseException as error:
        account.error = error


def losses(store: Store, media: MediaFolder, accounts: Sequence[Account]) -> list[str]:
    """One sentence for everything that was promised and is not there; none where nothing was lost."""
    found = [f"{a.person} was stopped: {type(a.error).__name__}: {a.error}" for a in accounts if a.error is not None]
    traces = {trace_id for account in accounts for trace_id in account.kept}
    chains = {trace_id: {r.id for r in store.revisions.chain(trace_id)} for trace_id in traces}
    saved = {
        trace_id: {(r.author, r.trace.steps[0].thought): r.id for r in store.revisions.list(trace_id)}
        for trace_id in traces
    }
    for account in accounts:
        for trace_id, thought in account.kept.items():
            if (account.person, thought) in saved[trace_id]:
                continue
            draft = store.drafts.find(trace_id, account.person)
            edits = [] if draft is None else [moment.edit for moment in draft_from_json(draft.data).moments]
            if thought not in [edit.thought for edit in edits if isinstance(edit, SetThought)]:
                found.append(f"{account.person}'s thought {thought!r} of the trace {trace_id} is gone.")
        for trace_id, head_id in account.accepted:
            if head_id not in chains[trace_id]:
                found.append(f"{account.person}'s save {head_id} is not in the chain of the trace {trace_id}.")
        for trace_id, thought in account.late:
            if (account.person, thought) not in saved[trace_id]:
                found.append(f"{account.person}'s late save {thought!r} of the trace {trace_id} was not kept.")
    return found + list(store.verify(media).problems)


class WorkbenchDesk:
    """Work on the store and the pixels in this process."""

    def __init__(self, bench: Workbench, name: str) -> None:
        self._bench, self.name = bench, name

    def open(self, trace_id: str) -> int:
        return self._bench.open(trace_id, self.name).counter

    def set_thought(self, trace_id: str, counter: int, thought: str) -> int:
        return self._bench.edit(trace_id, self.name, SetThought(0, thought), counter).counter

    def set_box(self, trace_id: str, counter: int, box: Box) -> int:
        return self._bench.edit(trace_id, self.name, SetBox(0, box), counter).counter

    def save(self, trace_id: str, counter: int) -> tuple[int, str]:
        try:
            after = self._bench.commit(trace_id, self.name, counter)
        except StaleRevision as late:
            raise Conflict(str(late)) from late
        return after.counter, after.draft.base_revision_id

    def rebase(self, trace_id: str, counter: int) -> int:
        return self._bench.rebase(trace_id, self.name, counter).counter


class HttpDesk:
    """Work in the real app: a connection that stays open, and the cookie that the first page brought."""

    def __init__(self, url: str) -> None:
        self._connection = http.client.HTTPConnection(urlsplit(url).netloc, timeout=120)
        self._headers = {"X-Studio": "1", "Content-Type": "application/json"}
        self._serial = 0
        self._asked_at = time.monotonic()
        _, cookies = self._ask("GET", "/curate")
        self._headers["Cookie"] = cookies.partition(";")[0]
        body, _ = self._ask("GET", "/me")
        self.name: str = json.loads(body)["user"]

    def open(self, trace_id: str) -> int:
        return _counter(json.loads(self._ask("GET", f"/curate/trace/{trace_id}")[0]))

    def set_thought(self, trace_id: str, counter: int, thought: str) -> int:
        return _counter(self._edit(trace_id, counter, {"edit": "set_thought", "step": 0, "thought": thought}))

    def set_box(self, trace_id: str, counter: int, box: Box) -> int:
        return _counter(self._edit(trace_id, counter, {"edit": "set_box", "step": 0, "box": box.as_list()}))

    def save(self, trace_id: str, counter: int) -> tuple[int, str]:
        after = self._post("save", {"trace": trace_id, "counter": counter})
        return _counter(after), after["draft"]["base_id"]

    def rebase(self, trace_id: str, counter: int) -> int:
        return _counter(self._post("rebase", {"trace": trace_id, "counter": counter}))

    def close(self) -> None:
        self._connection.close()

    def _edit(self, trace_id: str, counter: int, change: dict[str, Any]) -> dict[str, Any]:
        self._serial += 1
        body = {"trace": trace_id, "counter": counter, "key": f"{self.name}-{self._serial}", "edit": change}
        return self._post("edit", body)

    def _post(self, name: str, body: dict[str, Any]) -> dict[str, Any]:
        found: dict[str, Any] = json.loads(self._ask("POST", f"/curate/{name}", json.dumps(body))[0])
        return found

    def _ask(self, method: str, path: str, body: str | None = None) -> tuple[bytes, str]:
        """The answer's body and cookie. Raises Conflict for 409, RuntimeError for whatever else is no success."""
        if time.monotonic() - self._asked_at > _IDLE_S:
            self._connection.close()  # the next request opens another
        self._asked_at = time.monotonic()
        self._connection.request(method, path, body, self._headers)
        reply = self._connection.getresponse()
        data = reply.read()
        if reply.status == 409:
            raise Conflict(json.loads(data)["error"])
        if reply.status != 200:
            raise RuntimeError(f"{method} {path} was answered with {reply.status}: {data[:500]!r}")
        return data, reply.headers.get("Set-Cookie", "")


def _counter(work: dict[str, Any]) -> int:
    counter: int = work["draft"]["counter"]
    return counter


def measure(
    people: int = 20, seconds: float = 60, seed: int = 0, progress: Callable[[str], None] = print
) -> dict[str, Any]:
    """`people` at work for `seconds` over HTTP, and one alone before them for a tenth of it."""
    with tempfile.TemporaryDirectory() as made:
        studio = RunningStudio(Path(made))
        with studio.store() as store:
            media = studio.media()
            data = photo_jpeg(*_SIZE_PX, seed)
            loaded = media.take(data)
            store.media.record(loaded.media, "photo.jpg", len(data))
            traces = [store.traces.record(_trace(loaded.media, str(k)), author="tiny").id for k in range(2 * _TRACES)]
        with studio:
            progress("one person alone")
            alone, alone_s = _at_work(studio, 1, traces[_TRACES:], seconds / 10, seed)
            progress(f"{people} people for {seconds:g} s on {_TRACES} traces")
            together, together_s = _at_work(studio, people, traces[:_TRACES], seconds, seed)
        progress("asking the database")
        with studio.store() as store:
            found = losses(store, studio.media(), [*alone, *together])
            revisions = sum(len(store.revisions.list(trace_id)) for trace_id in traces[:_TRACES])
        log = studio.log.read_text(errors="replace")
    said = [str(account.error) for account in together if account.error is not None]
    mine, base = spread([t for a in together for t in a.times_ms]), spread([t for a in alone for t in a.times_ms])
    rate, rate_alone = (
        sum(account.edits for account in accounts) / spent_s
        for accounts, spent_s in ((together, together_s), (alone, alone_s))
    )
    return {
        "bench": "people",
        "people": people,
        "seconds": round(together_s, 1),
        "traces": _TRACES,
        "cores": len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count(),
        "edits": sum(account.edits for account in together),
        "accepted_saves": sum(len(account.accepted) for account in together),
        "late_saves": sum(len(account.late) for account in together),
        "revisions": revisions,
        "lost": found,
        "locked": log.count("database is locked") + sum("locked" in words for words in said),
        "message": mine.to_json(),
        "edits_per_s": round(rate, 1),
        "baseline": {"edits_per_s": round(rate_alone, 1), "message": base.to_json()},
        "ratio": round(rate / max(rate_alone, 1e-9), 2),
    }


def report(found: dict[str, Any]) -> list[str]:
    """The figures as lines for people."""
    base = found["baseline"]
    return [
        f"people: {found['people']} people editing {found['traces']} traces at once for {found['seconds']} s over HTTP, "
        f"{found['cores']} cores",
        f"  {found['edits']} edits, {found['accepted_saves']} saves accepted, {found['late_saves']} too late and kept; "
        f'{len(found["lost"])} lost, {found["locked"]} times "database is locked"',
        *(f"  LOST: {sentence}" for sentence in found["lost"][:10]),
        f"  {'a message':24} {Spread(**found['message'])}",
        f"  {'one person alone':24} {Spread(**base['message'])}",
        f"  {found['edits_per_s']} edits a second, {found['ratio']} times those of one alone ({base['edits_per_s']})",
    ]


def _at_work(
    studio: RunningStudio, people: int, traces: Sequence[str], seconds: float, seed: int
) -> tuple[list[Account], float]:
    desks = [HttpDesk(studio.url) for _ in range(people)]
    start = time.monotonic()
    try:
        return work_together(desks, traces, seconds, seed), time.monotonic() - start
    finally:
        for desk in desks:
            desk.close()


def _trace(media: Media, answer: str) -> Trace:
    box, inner = Box(0, 0, 0.5, 0.5), Box(0.5, 0.5, 1, 1)
    views = (
        *first_views([media]),
        View(2, media.sha256, None, box),
        View(3, media.sha256, None, inner.within(box)),
    )
    steps = (
        Step("Left.", ZoomIn(1, box), Observation(views=(2,))),
        Step("Closer.", ZoomIn(2, inner), Observation(views=(3,))),
        Step("I read it.", answer=answer),
    )
    return Trace("What is written?", (media,), views, steps, "answered", "tiny", "studio")
