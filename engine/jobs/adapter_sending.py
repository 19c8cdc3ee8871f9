"""An adapter goes elsewhere: merged into full weights, or published on the Hugging Face Hub. For a command, and as jobs.

    merge    artifacts/merged/<id of the adapter>: a folder that loads anywhere (`engine.backbone.merging`)
    upload   PEFT's files and the card (`engine.jobs.adapter_files`) to a model of the Hub, in one commit

Invariant: what is merged are the weights that the adapter was trained on, at full precision, or it is refused. The record of
a job names no token: it is read from the environment when the job runs.
"""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from engine.errors import InvalidInput
from engine.exchange.hub import require_repo, require_token, upload
from engine.jobs.adapter_files import write_adapter
from engine.jobs.kinds import MERGE, PUSH_ADAPTER, TITLES, CutOff, Done, Ending, Plan
from engine.jobs.report import Report
from engine.store import Adapter, Job, Store

__all__ = ["MergeKind", "PushAdapterKind", "merge_adapter", "merged_folder", "push_adapter"]


def merged_folder(artifacts: Path, adapter_id: str) -> Path:
    """Where the merged weights of an adapter lie, once they were merged."""
    return artifacts / "merged" / adapter_id


def merge_adapter(store: Store, artifacts: Path, model: str, adapter: Adapter, out: Path) -> None:
    """Write the unquantised weights of `model` (as STUDIO_MODEL names it) with the adapter in them as `out`, a folder that must
    not exist yet. Raises Unavailable, and InvalidInput where `model` names other weights than the adapter's."""
    from engine.backbone.published import fetch_weights, find_model
    from engine.backbone.weights import Weights

    published = fetch_weights(find_model(model), lambda done, total: None)
    weights = Weights(published.weight_files)
    for name in weights:
        weights.read(name)
    if weights.hash() != adapter.base_hash:
        raise InvalidInput(
            f"{adapter.name} was trained on {adapter.base_model}, and STUDIO_MODEL={model!r} holds other weights"
        )
    from engine.backbone.merging import merge

    with tempfile.TemporaryDirectory() as folder:
        write_adapter(store, artifacts, adapter, Path(folder))
        merge(published.folder, Path(folder), out)


def push_adapter(
    store: Store,
    artifacts: Path,
    adapter: Adapter,
    repo: str,
    *,
    is_public: bool,
    on_progress: Callable[[int, int], None] = lambda done, total: None,
    should_stop: Callable[[], bool] = lambda: False,
) -> str | None:
    """Returns the address of the model, None where it was stopped. Raises InvalidInput, InvalidSetting, Unavailable."""
    with tempfile.TemporaryDirectory() as folder:
        write_adapter(store, artifacts, adapter, Path(folder))
        files = sorted(path.name for path in Path(folder).iterdir())
        said = f"Pixel Reasoner Studio: {adapter.name}"
        return upload(
            Path(folder),
            files,
            repo,
            is_public=is_public,
            message=said,
            kind="model",
            on_progress=on_progress,
            should_stop=should_stop,
        )


@dataclass(frozen=True, slots=True)
class MergeKind:
    """`model` is what STUDIO_MODEL names."""

    store: Store
    artifacts: Path
    model: str
    name: str = MERGE
    title: str = TITLES[MERGE]

    def plan(self, adapter_id: str) -> Plan:
        """Raises NotFound."""
        return Plan({"adapter": self.store.adapters.get(adapter_id).id})

    def prepare(self, job: Job) -> MergeWork:
        return MergeWork(self, self.store.adapters.get(job.config["adapter"]))


@dataclass(frozen=True, slots=True)
class MergeWork:
    kind: MergeKind
    adapter: Adapter

    def run(self, report: Report) -> Ending:
        out = merged_folder(self.kind.artifacts, self.adapter.id)
        part = report.folder / "merged"
        shutil.rmtree(part, ignore_errors=True)
        part.parent.mkdir(parents=True, exist_ok=True)
        report.progress(0.1, f"merging {self.adapter.name}")
        merge_adapter(self.kind.store, self.kind.artifacts, self.kind.model, self.adapter, part)
        shutil.rmtree(out, ignore_errors=True)
        out.parent.mkdir(parents=True, exist_ok=True)
        part.rename(out)
        return Done(f"merged {self.adapter.name} into {self.adapter.base_model}; evaluate it before it is used")


@dataclass(frozen=True, slots=True)
class PushAdapterKind:
    store: Store
    artifacts: Path
    name: str = PUSH_ADAPTER
    title: str = TITLES[PUSH_ADAPTER]

    def plan(self, adapter_id: str, repo: str, *, is_public: bool = False) -> Plan:
        """Raises NotFound, InvalidInput for a name that is none, InvalidSetting without a token."""
        adapter = self.store.adapters.get(adapter_id)
        repo = require_repo(repo)
        require_token()
        return Plan({"adapter": adapter.id, "repo": repo, "is_public": is_public})

    def prepare(self, job: Job) -> PushAdapterWork:
        return PushAdapterWork(self, job, self.store.adapters.get(job.config["adapter"]))


@dataclass(frozen=True, slots=True)
class PushAdapterWork:
    kind: PushAdapterKind
    job: Job
    adapter: Adapter

    def run(self, report: Report) -> Ending:
        def tell(done: int, total: int) -> None:
            report.progress(done / total, f"sent {done} of {total} files")

        repo = self.job.config["repo"]
        report.progress(0.0, f"sending {self.adapter.name} to {repo}")
        sent = push_adapter(
            self.kind.store,
            self.kind.artifacts,
            self.adapter,
            repo,
            is_public=self.job.config["is_public"],
            on_progress=tell,
            should_stop=report.should_stop,
        )
        return CutOff("before all was sent") if sent is None else Done(f"pushed {self.adapter.name} to {sent}")
