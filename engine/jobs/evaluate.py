"""The kind "evaluate": attempts at a benchmark, with what they come to and all that this depends on.

An evaluation is attempts and a summary: every attempt is a trace of the store with its score, which can be opened and
curated. Beside the score stands what published protocols differ in (docs/evaluation.md):

    provenance  {"benchmark", "policy", "source" (with the data's id), "data_sha256", "options" ("as shipped", or the seed that
                shuffled them), "prompt_sha256", "pixel_budgets", "clip_frames", "clip_sampling", "temperature" (null is greedy),
                "seed", "attempts", "is_operating", "crops", "limits", "scorers", "chance", "learned_from", "settings",
                "versions", "denominator" ({"scored", "empty_wrong", "empty_left_out"}), "protocol_of" (null, or whose words
                and scores were followed: {"project", "version", "differs": sentences})}
    summary     of `engine.evaluation.scoring.Summary`, "seconds" of wall clock, and "looks": what they were worth, where that
                was weighed ({"attempts", "looks", "before", "after"}, means over looks), else null

Invariant: what is recorded was derived from the attempts in the store, so it is the same after a stop or a kill. Not covered:
comparing two evaluations.
"""

from __future__ import annotations

import dataclasses
import hashlib
import importlib.metadata
import json
import platform
from collections import Counter
from dataclasses import dataclass, field
from typing import Any

from engine import __version__
from engine.evaluation.conventions.convention import Following
from engine.evaluation.scoring import summarise
from engine.evaluation.sources import Source
from engine.jobs.answering import LIVE, Answerer
from engine.jobs.asking import Asked, Services
from engine.jobs.attempts import AttemptWork, plan_attempts
from engine.jobs.kinds import EVALUATE, TITLES, Plan
from engine.protocols import PicturePart, WireProtocol
from engine.store import Job
from engine.trace import CLIP_FRAMES, Media, first_views

__all__ = ["EvaluateKind", "EvaluateWork", "prompt_sha256"]

_LIBRARIES = ("torch", "transformers", "peft", "bitsandbytes", "openai")


@dataclass(frozen=True, slots=True)
class EvaluateKind:
    services: Services
    name: str = EVALUATE
    title: str = TITLES[EVALUATE]

    def plan(self, source: Source, asked: Asked, adapter: str = LIVE) -> Plan:
        """The score of `adapter` (the live one, "base", or one by its id or name) on the examples of `source`. Raises
        InvalidInput, NotFound and Unavailable."""
        plan = plan_attempts(self.services, source, asked, adapter)
        return dataclasses.replace(plan, versions=_versions())

    def prepare(self, job: Job) -> EvaluateWork:
        return EvaluateWork(self.services, job)


@dataclass(slots=True)
class EvaluateWork(AttemptWork):
    _provenance: dict[str, Any] = field(default_factory=dict, init=False)
    _seconds: float = field(default=0.0, init=False)

    def begin(self, answerer: Answerer) -> None:
        evaluations, asked = self.services.store.evaluations, self.asked
        before = evaluations.find(self.job.id)
        self._seconds = (before.summary or {}).get("seconds", 0.0) if before else 0.0
        settings = dict(answerer.policy.settings())
        self._provenance = {
            "benchmark": self.source.title,
            "policy": self.job.config["answerer"]["name"],
            "source": self.source.as_json(),
            "options": "as shipped" if asked.option_seed is None else {"shuffled_by_seed": asked.option_seed},
            "prompt_sha256": prompt_sha256(answerer.policy.protocol, asked.is_operating, self.following),
            "protocol": answerer.policy.protocol.NAME,
            "pixel_budgets": settings.get("pixel_budgets"),
            "clip_frames": CLIP_FRAMES,
            "clip_sampling": answerer.policy.protocol.CLIP_SAMPLING,
            "temperature": asked.temperature,
            "seed": asked.seed,
            "attempts": asked.attempts,
            "is_operating": asked.is_operating,
            "crops": asked.crops,
            "limits": self.job.config["limits"],
            "learned_from": len(answerer.learned_from),
            "settings": settings,
            "versions": self.job.versions,
        }

    def end(self, seconds: float) -> None:
        store, made = self.services.store, list(self.services.store.attempts.of(self.job.id))
        if not self._provenance:
            return
        looks = store.attempts.looks(self.job.id) if self.asked.is_weighing_looks else None
        told = {"seconds": self._seconds + seconds, "looks": None if looks is None else dataclasses.asdict(looks)}
        summary = dataclasses.asdict(summarise(self.source.title, made)) | told
        chances = {one.position: one.chance for one in made if one.chance is not None}
        following = self.following
        scorers = Counter({one.position: one.rule for one in made}.values())
        found = {
            "data_sha256": store.attempts.data_hash(self.job.id),
            "scorers": dict(scorers),
            "denominator": {
                "scored": summary["scored"],
                "empty_wrong": summary["empty"],
                "empty_left_out": sum(one.score is None and one.is_empty and one.chance is not None for one in made),
            },
            "protocol_of": following and following.as_json(scorers, self._provenance["settings"]),
            # Of the examples that have options; where some have none there is no chance level of the whole.
            "chance": sum(chances.values()) / len(chances) if chances else None,
        }
        store.evaluations.record(self.job.id, self._provenance | found, summary if made else None)


def prompt_sha256(protocol: WireProtocol, is_operating: bool, following: Following | None = None) -> str:
    """Names the words around a question: SHA-256 of what the protocol says in a picture's opening and a clip's, with and
    without options, and of what `following` puts around a question, as canonical JSON."""
    media = (Media("0" * 64, "image", 1000, 800), Media("1" * 64, "video", 1000, 800))
    said = []
    for medium in media:
        views = first_views((medium,))
        for options in ((), ("one", "two")):
            parts = protocol.opening("question", options, views, is_operating)
            texts = ["picture" if isinstance(part, PicturePart) else part.text for part in parts]
            said.append([protocol.system(views, is_operating), texts])
    if following is not None:
        said.append([one.ask("question", ("one", "two")) for one in following.project.conventions.values()])
    return hashlib.sha256(json.dumps(said, sort_keys=True, separators=(",", ":")).encode("ascii")).hexdigest()


def _versions() -> dict[str, str]:
    found = {"python": platform.python_version(), "studio": __version__}
    for name in _LIBRARIES:
        try:
            found[name] = importlib.metadata.version(name)
        except importlib.metadata.PackageNotFoundError:
            continue
    return found
