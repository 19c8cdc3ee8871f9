"""A studio that is asked, and looked at, without end: its memory, threads and open files stay as they are.

    python -m tests.torture.lasting [--asks 10000] [--pages 1000] [--json]

`python app.py` with the scripted policy is asked by Gradio's queue, one question after the other, and its Ask page is opened
and closed by a real Chromium, each time by a person of its own. A reading of the process is taken 40 times in each; those of
the first third are left out: in it the caches are filled that have a bound, of which the largest hold 2,000 sessions, and each
question has one of its own.

Threads and open files go up and down around where they stand: `trend`. The slope is Sen's (the median of the slopes between all
pairs of readings), its p that of the Mann-Kendall test (two-sided, normal approximation, ties corrected). Source: Sen 1968;
Kendall 1975; Gilbert 1987, section 16.4.

Memory is a sum: what an allocator took at its fullest moment it keeps, so that every reading holds all steps before it, and one
step of long ago makes a "trend" of readings that have stood still ever since. What is independent are the rises from one
reading to the next: `drift`. Their mean is the slope; it is flat where the 95% interval of that mean (Student's) reaches down
to 0. What leaks with every question rises evenly, and is told from 0 by a few readings.
"""

from __future__ import annotations

import argparse
import http.client
import itertools
import json
import statistics
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Any

from engine.evaluation.comparing import student_t_95
from engine.lab.bench.browsing import chromium, new_page
from engine.lab.bench.photo import photo_jpeg
from engine.lab.bench.running import RunningStudio

__all__ = ["Trend", "drift", "lasting", "trend"]

_READINGS = 40
_IDLE_S = 2.0
"""The server closes connections on which nothing was asked for five seconds."""


@dataclass(frozen=True, slots=True)
class Trend:
    """`per_1000` is the slope for each thousand times; it is flat where it cannot be told from 0, or falls."""

    first: float
    last: float
    most: float
    per_1000: float
    is_flat: bool


def trend(at: Sequence[float], readings: Sequence[float]) -> Trend:
    """The trend of `readings`, taken `at` rising numbers of times; of three at least."""
    pairs = [(x1, y1, x2, y2) for (x1, y1), (x2, y2) in itertools.combinations(zip(at, readings, strict=True), 2)]
    slope = statistics.median((y2 - y1) / (x2 - x1) for x1, y1, x2, y2 in pairs)
    concordance = sum((y2 > y1) - (y2 < y1) for _, y1, _, y2 in pairs)
    n = len(readings)
    ties = sum(t * (t - 1) * (2 * t + 5) for t in Counter(readings).values())
    variance = (n * (n - 1) * (2 * n + 5) - ties) / 18
    z = max(0, abs(concordance) - 1) / variance**0.5 if variance else 0.0
    p = 2 * (1 - statistics.NormalDist().cdf(z))
    return Trend(readings[0], readings[-1], max(readings), round(1000 * slope, 3), slope <= 0 or p >= 0.05)


def drift(at: Sequence[float], readings: Sequence[float]) -> Trend:
    """The same of what never gives back, by its rises; the times must lie evenly, three readings at least."""
    rises = [after - before for before, after in itertools.pairwise(readings)]
    mean, deviation = statistics.mean(rises), statistics.stdev(rises)
    low = mean - student_t_95(len(rises) - 1) * deviation / len(rises) ** 0.5
    per_1000 = 1000 * mean * len(rises) / (at[-1] - at[0])
    return Trend(readings[0], readings[-1], max(readings), round(per_1000, 3), low <= 0)


_KINDS = MappingProxyType({"memory_mb": drift, "threads": trend, "open_files": trend})


def lasting(asks: int, pages: int, progress: Callable[[str], None] = print) -> dict[str, Any]:
    """Asks and opens so many, and returns the trends of each part by the kind of reading; a part of none is left out."""
    with tempfile.TemporaryDirectory() as made, RunningStudio(Path(made)) as studio:
        asker = Asker(studio)

        def ask(number: int) -> None:
            asker.ask(f"What is written, {number}?", session=f"session{number}")

        found: dict[str, Any] = {"bench": "lasting", "asks": asks, "pages": pages}
        if asks:
            found["asking"] = _watched(studio.pid, asks, ask, progress)
        with chromium() as browser:

            def look(number: int) -> None:
                with new_page(browser) as page:
                    page.goto(studio.url)
                    page.wait_for_selector("#ask-run")

            if pages:
                found["looking"] = _watched(studio.pid, pages, look, progress)
        with studio.store() as store:
            found["traces"] = len(store.traces.ids())
        found["errors_in_log"] = studio.log.read_text(errors="replace").count("Traceback")
        return found


class Asker:
    """A program that asks by Gradio's queue as a page does, on one connection and with one cookie, about one picture."""

    def __init__(self, studio: RunningStudio) -> None:
        self._connection = http.client.HTTPConnection(studio.url.removeprefix("http://"), timeout=120)
        self._asked_at = time.monotonic()
        _, cookie = self._send("GET", "/")
        self._headers = {"Cookie": cookie.partition(";")[0], "Content-Type": "application/json"}
        config = json.loads(self._send("GET", "/config", headers=self._headers)[0])
        [self._function] = [one["id"] for one in config["dependencies"] if one["api_name"] == "ask"]
        [self._digest] = self.upload("photo.jpg", photo_jpeg(1024, 768, 1))

    def upload(self, name: str, data: bytes) -> list[str]:
        """What the studio answers to a file: its hash, or the refusal."""
        head = f'--bound\r\nContent-Disposition: form-data; name="files"; filename="{name}"\r\n\r\n'.encode()
        headers = self._headers | {"Content-Type": "multipart/form-data; boundary=bound"}
        answer, _ = self._send("POST", "/gradio_api/upload", head + data + b"\r\n--bound--\r\n", headers)
        told: list[str] = json.loads(answer)
        return told

    def look(self, digest: str) -> None:
        """Asks for the picture, or a clip's first frame, as a page shows it; the other of the two is not there."""
        for frame in ("", "&frame=1"):
            self._send("GET", f"/media/{digest}/thumbnail?side=768{frame}", headers=self._headers, known=(200, 404))

    def ask(self, question: str, session: str) -> None:
        """Raises AssertionError where it is not answered."""
        event = {"data": [question, [self._digest], True, None], "fn_index": self._function, "session_hash": session}
        self._send("POST", "/gradio_api/queue/join", json.dumps(event).encode(), self._headers)
        told, _ = self._send("GET", f"/gradio_api/queue/data?session_hash={session}", headers=self._headers)
        assert b'"stop_reason":"answered"' in told, told[-500:]

    def _send(
        self,
        method: str,
        path: str,
        body: bytes | None = None,
        headers: Mapping[str, str] = MappingProxyType({}),
        known: Sequence[int] = (200,),
    ) -> tuple[bytes, str]:
        if time.monotonic() - self._asked_at > _IDLE_S:
            self._connection.close()  # the next request opens another
        self._asked_at = time.monotonic()
        self._connection.request(method, path, body, dict(headers))
        reply = self._connection.getresponse()
        data = reply.read()
        assert reply.status in known, f"{method} {path}: {reply.status} {data[:300]!r}"
        return data, reply.headers.get("Set-Cookie", "")


def _watched(pid: int, times: int, act: Callable[[int], None], progress: Callable[[str], None]) -> dict[str, Any]:
    at, readings = [], []
    for number in range(times):
        act(number)
        if (number + 1) % max(1, times // _READINGS) == 0:
            at.append(number + 1.0)
            readings.append(_read(pid))
            progress(f"{act.__name__} {number + 1}: {readings[-1]}")
    begin = len(at) // 3
    return {
        kind: asdict(it)
        for k, (kind, judged) in enumerate(_KINDS.items())
        for it in [judged(at[begin:], [one[k] for one in readings[begin:]])]
    }


def _read(pid: int) -> tuple[float, int, int]:
    """Megabytes that are the process's own, its threads, and its open files with sockets."""
    import psutil

    process = psutil.Process(pid)
    return round(process.memory_full_info().uss / 1e6, 2), process.num_threads(), process.num_fds()


def _trends(found: Mapping[str, Any]) -> Iterator[tuple[str, str, dict[str, Any]]]:
    """(part, kind, its trend) of the parts that were run."""
    for part in ("asking", "looking"):
        yield from ((part, kind, it) for kind, it in found.get(part, {}).items())


def _report(found: dict[str, Any]) -> Iterator[str]:
    yield f"lasting: {found['asks']} asks, {found['pages']} pages; {found['errors_in_log']} tracebacks in the log"
    for part, kind, it in _trends(found):
        yield (
            f"  {part:8} {kind:10} {it['first']:9.2f} -> {it['last']:9.2f}, at most {it['most']:9.2f}; "
            f"{it['per_1000']:+.3f} for each 1000: {'flat' if it['is_flat'] else 'GROWS'}"
        )


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.torture.lasting")
    parser.add_argument("--asks", type=int, default=10_000)
    parser.add_argument("--pages", type=int, default=1000)
    parser.add_argument("--json", action="store_true")
    asked = parser.parse_args()
    found = lasting(asked.asks, asked.pages, lambda line: print(line, file=sys.stderr, flush=True))
    print(json.dumps(found) if asked.json else "\n".join(_report(found)))
    return 0 if all(it["is_flat"] for _, _, it in _trends(found)) else 1


if __name__ == "__main__":
    sys.exit(main())
