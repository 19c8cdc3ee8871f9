"""What a job must remember to be the same job later: its traces or questions, its backbone, the libraries' versions.

The questions of an RL job come from revisions (its snapshot names them), or from a file of a person's own: that is kept
under the SHA-256 of its content as artifacts/examples/<sha256>.json, and the job's configuration holds its name, so that a
long list of questions is neither in the database nor able to change.
"""

from __future__ import annotations

import dataclasses
import hashlib
import importlib.metadata
import json
import os
import platform
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from engine.backbone.adapters import WEIGHTS
from engine.backbone.loading import Backbone
from engine.errors import IntegrityError, NotFound
from engine.evaluation.sources import question_of
from engine.store import Job, Revision, Store
from engine.trace import Example
from engine.trace_json import example_from_json, example_to_json
from engine.training.dataset import TrainingExample

__all__ = [
    "describe",
    "example_of",
    "keep_examples",
    "kept_examples",
    "learned_from",
    "media_of",
    "rl_examples_of",
    "versions",
    "weights_hash",
]

_LIBRARIES = ("torch", "transformers", "trl", "peft", "bitsandbytes", "accelerate", "datasets")


def example_of(store: Store, revision: Revision) -> TrainingExample:
    return TrainingExample(revision.trace, store.traces.get(revision.trace_id).example, revision.id)


def rl_examples_of(store: Store, artifacts: Path, job: Job) -> list[Example]:
    """The questions of an RL job, each once. Raises NotFound or IntegrityError where its file is gone or changed."""
    if "examples" in job.config:
        return kept_examples(artifacts, job.config["examples"])
    questions = (question_of(store, store.revisions.get(one)) for one in store.jobs.revision_ids(job.id))
    return list({(one.question, one.media): one for one in questions}.values())


def media_of(store: Store, artifacts: Path, job: Job) -> set[str]:
    """The sha256 of all media that a job learns from."""
    ids = store.jobs.revision_ids(job.id)
    found = {medium.sha256 for one in ids for medium in store.revisions.get(one).trace.media}
    if "examples" in job.config:
        found |= {medium.sha256 for one in rl_examples_of(store, artifacts, job) for medium in one.media}
    return found


def learned_from(store: Store, artifacts: Path, job: Job) -> set[str]:
    """The sha256 of all media that the adapter of a job has seen in training: the job's own, and those of the adapters that it
    started from, each in turn."""
    found = media_of(store, artifacts, job)
    parent = (job.config.get(job.kind) or {}).get("start_from")
    seen = {job.id}
    while parent:
        job_id = store.adapters.get(parent).job_id
        if job_id is None or job_id in seen:
            break
        seen.add(job_id)
        earlier = store.jobs.get(job_id)
        found |= media_of(store, artifacts, earlier)
        parent = (earlier.config.get(earlier.kind) or {}).get("start_from")
    return found


def keep_examples(artifacts: Path, examples: Sequence[Example]) -> dict[str, Any]:
    """Keep the questions in a file; returns what a job's configuration says of it."""
    content = json.dumps([example_to_json(one) for one in examples], sort_keys=True).encode()
    sha256 = hashlib.sha256(content).hexdigest()
    path = _examples_path(artifacts, sha256)
    path.parent.mkdir(parents=True, exist_ok=True)
    unfinished = path.with_suffix(".part")
    unfinished.write_bytes(content)
    os.replace(unfinished, path)
    return {"sha256": sha256, "count": len(examples)}


def kept_examples(artifacts: Path, kept: Mapping[str, Any]) -> list[Example]:
    """The questions that `keep_examples` gave the name `kept`. Raises NotFound or IntegrityError where they are gone or
    changed."""
    sha256 = kept["sha256"]
    try:
        content = _examples_path(artifacts, sha256).read_bytes()
    except OSError as error:
        raise NotFound(f"the questions of this job are gone ({_examples_path(artifacts, sha256).name})") from error
    if hashlib.sha256(content).hexdigest() != sha256:
        raise IntegrityError(f"the questions of this job were changed ({_examples_path(artifacts, sha256).name})")
    return [example_from_json(one) for one in json.loads(content)]


def _examples_path(artifacts: Path, sha256: str) -> Path:
    return artifacts / "examples" / f"{sha256}.json"


def describe(backbone: Backbone) -> dict[str, Any]:
    """The backbone as a job depends on it, in plain JSON."""
    return {
        "name": backbone.name,
        "hash": backbone.base_hash,
        "quantization": backbone.quantization,
        "protocol": backbone.protocol_name,
        "pixel_budgets": {role: dataclasses.asdict(budget) for role, budget in backbone.budgets.items()},
    }


def versions() -> dict[str, str]:
    return {"python": platform.python_version()} | {name: importlib.metadata.version(name) for name in _LIBRARIES}


def weights_hash(folder: Path | None) -> str:
    """SHA-256 of the adapter's weights in a folder, as hexadecimal digits; "" for none."""
    return "" if folder is None else hashlib.sha256((folder / WEIGHTS).read_bytes()).hexdigest()
