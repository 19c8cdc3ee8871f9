"""What the studio counts, for Prometheus and for its host's eyes: asks, waits, tokens, queue, jobs, errors, disk, backup.

    GET /metrics    the text that Prometheus reads
    GET /host       the same as a page, with what is wrong

Counters are kept where things happen; what the store and the disk say is looked up when somebody asks. Each studio has a
registry of its own. No label holds what a person wrote, or a name of theirs.

Not covered: the model server's own figures; who may see this (`engine.rights`).
"""

from __future__ import annotations

import shutil
import time
from collections.abc import Callable, Iterator
from html import escape

from fastapi import APIRouter
from fastapi.responses import HTMLResponse, Response
from prometheus_client import CollectorRegistry, Counter, Histogram, ProcessCollector, generate_latest
from prometheus_client.exposition import CONTENT_TYPE_LATEST
from prometheus_client.metrics_core import GaugeMetricFamily, Metric
from prometheus_client.registry import Collector
from prometheus_client.samples import Sample

from ui.rights import acts
from ui.studio import Studio

__all__ = ["Metrics", "metrics_routes"]

_NO_STORE = {"Cache-Control": "no-store"}


class Metrics:
    """`ask_ended` is called with the stop reason, the seconds that it took, those until its first word (None where none came) and
    the tokens that were generated; `answered` with the method and status of every answer over HTTP."""

    def __init__(self, studio: Studio, under_way: Callable[[], int]) -> None:
        self.studio = studio
        self.registry = CollectorRegistry()
        self._asks = Counter("studio_asks", "Questions that ended, by how.", ["stop_reason"], registry=self.registry)
        self._asking = Histogram("studio_ask_seconds", "From question to end.", registry=self.registry)
        self._waiting = Histogram("studio_ask_wait_seconds", "From question to first word.", registry=self.registry)
        self._tokens = Counter("studio_tokens", "Tokens generated for questions.", registry=self.registry)
        self._answers = Counter(
            "studio_http_answers", "Answers over HTTP.", ["method", "status"], registry=self.registry
        )
        self._errors = Counter("studio_errors", "Answers that were an error of ours (5xx).", registry=self.registry)
        ProcessCollector(registry=self.registry)
        self.registry.register(_Looked(studio, under_way))

    def ask_ended(self, stop_reason: str, took_s: float, waited_s: float | None, tokens: int) -> None:
        self._asks.labels(stop_reason).inc()
        self._asking.observe(took_s)
        self._tokens.inc(tokens)
        if waited_s is not None:
            self._waiting.observe(waited_s)

    def answered(self, method: str, status: int) -> None:
        known = method if method in ("GET", "HEAD", "POST", "PUT", "DELETE", "OPTIONS") else "other"
        self._answers.labels(known, f"{status // 100}xx").inc()
        if status >= 500:
            self._errors.inc()


class _Looked(Collector):
    """What is looked up for each answer."""

    def __init__(self, studio: Studio, under_way: Callable[[], int]) -> None:
        self._studio = studio
        self._under_way = under_way

    def collect(self) -> Iterator[Metric]:
        studio = self._studio
        yield GaugeMetricFamily("studio_asks_under_way", "Questions being answered or waiting.", self._under_way())
        yield _by("studio_traces", "Traces in the queue, by status.", "status", studio.store.traces.counts())
        yield _by("studio_jobs", "Jobs, by state.", "state", studio.store.jobs.counts())
        disk = shutil.disk_usage(studio.settings.home)
        yield GaugeMetricFamily("studio_disk_free_bytes", "Room on the home's disk.", disk.free)
        size = studio.settings.database.stat().st_size
        yield GaugeMetricFamily("studio_database_bytes", "Size of the database.", size)
        health = studio.home_health()
        if health.bytes is not None and health.max_bytes is not None:
            yield GaugeMetricFamily("studio_home_bytes", "What the home takes.", health.bytes)
            yield GaugeMetricFamily("studio_max_home_bytes", "What the home may take.", health.max_bytes)
        yield GaugeMetricFamily("studio_is_keeping", "1 where what people do is kept.", int(health.is_keeping))
        yield GaugeMetricFamily("studio_is_ready", "1 where questions are answered.", int(studio.unready is None))
        age_s = None if studio.backup is None else studio.backup.state.age_s
        if age_s is not None:
            yield GaugeMetricFamily("studio_backup_age_seconds", "Since the last snapshot was right.", age_s)


def _by(name: str, help: str, label: str, counts: dict) -> GaugeMetricFamily:
    family = GaugeMetricFamily(name, help, labels=[label])
    for value, count in counts.items():
        family.add_metric([value], count)
    return family


def metrics_routes(metrics: Metrics) -> APIRouter:
    routes = APIRouter()

    @routes.get("/metrics", dependencies=[acts("see_host")])
    def text() -> Response:
        return Response(generate_latest(metrics.registry), media_type=CONTENT_TYPE_LATEST, headers=_NO_STORE)

    @routes.get("/host", dependencies=[acts("see_host")])
    def page() -> Response:
        return HTMLResponse(_page(metrics), headers=_NO_STORE)

    return routes


def _page(metrics: Metrics) -> str:
    studio = metrics.studio
    backup = None if studio.backup is None else studio.backup.state
    found = (
        studio.unready,
        studio.problem,
        *studio.home_health().problems,
    )
    problems = [one for one in (*found, None if backup is None else backup.problem) if one]
    said = "".join(f"<li>{escape(one)}</li>" for one in dict.fromkeys(problems)) or "<li>Nothing is wrong.</li>"
    where = (
        "Nothing is copied elsewhere: STUDIO_BACKUP is not set."
        if backup is None
        else f"Snapshots go to {backup.where}."
    )
    rows = "".join(
        f"<tr><th scope=row>{escape(family.documentation)}</th><td>{escape(_what(sample))}</td><td>{_shown(sample)}</td></tr>"
        for family in metrics.registry.collect()
        for sample in family.samples
        if not sample.name.endswith(("_bucket", "_created", "_virtual_memory_bytes", "_max_fds"))
    )
    return (
        '<!doctype html><html lang="en"><head><meta charset="utf-8"><title>Host · Pixel Reasoner Studio</title>'
        '<meta name="viewport" content="width=device-width, initial-scale=1"><link rel="stylesheet" href="studio.css">'
        '</head><body class="host-page"><main><h1 class="page-title">This studio</h1>'
        f"<ul>{said}</ul><p>{escape(where)}</p><table>{rows}</table><p><a href='./'>Back to Ask</a></p></main></body></html>"
    )


def _what(sample: Sample) -> str:
    if sample.name.endswith("_sum"):
        return "in all"
    return "how often" if sample.name.endswith("_count") else ", ".join(sample.labels.values())


def _shown(sample: Sample) -> str:
    if sample.name.endswith("_bytes"):
        return f"{sample.value / 1e6:,.1f} MB"
    if sample.name.endswith("_start_time_seconds"):
        return time.strftime("%Y-%m-%d %H:%M UTC", time.gmtime(sample.value))
    number = f"{sample.value:,.0f}" if sample.value == int(sample.value) else f"{sample.value:,.2f}"
    return f"{number} s" if "_seconds" in sample.name and not sample.name.endswith("_count") else number
