"""An adapter as files that others can use: PEFT's, and a card that says what it was trained from and what came of it.

    adapter_model.safetensors   the weights, as they lie here
    adapter_config.json         PEFT's; the base by its name
    README.md                   the card

Invariant: no path of this disk, no question and no name of a person is in them. Importing this needs no torch.
"""

from __future__ import annotations

import json
import shutil
from pathlib import Path

from engine.errors import Unavailable
from engine.jobs.kinds import TITLES
from engine.jobs.measuring import measured
from engine.store import Adapter, Store

__all__ = ["adapter_card", "write_adapter"]

_FILES = ("adapter_model.safetensors", "adapter_config.json")


def write_adapter(store: Store, artifacts: Path, adapter: Adapter, out: Path) -> None:
    """Write the files of an adapter into the folder `out`. Raises Unavailable where they are gone or were discarded."""
    folder = artifacts / adapter.path
    if adapter.is_discarded or not all((folder / name).is_file() for name in _FILES):
        raise Unavailable(f"the files of the adapter {adapter.name!r} are gone; train it again")
    out.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(folder / _FILES[0], out / _FILES[0])
    config = json.loads((folder / _FILES[1]).read_text(encoding="utf-8"))
    config["base_model_name_or_path"] = adapter.base_model
    (out / _FILES[1]).write_text(json.dumps(config, indent=2, sort_keys=True) + "\n", encoding="utf-8")
    (out / "README.md").write_text(adapter_card(store, adapter), encoding="utf-8")


def adapter_card(store: Store, adapter: Adapter) -> str:
    """The card of an adapter, with the Hub's header."""
    lines = ["---", "library_name: peft", "pipeline_tag: image-text-to-text", "tags:", "- lora", "- pixel-reasoner"]
    lines += ["---", f"# {adapter.name}", "", f"A LoRA adapter for {adapter.base_model} ({adapter.base_hash[:19]}...)."]
    if adapter.job_id is not None:
        job = store.jobs.get(adapter.job_id)
        quantization = (job.config.get("backbone") or {}).get("quantization")
        what = TITLES.get(job.kind, job.kind)
        lines += [
            f"{what} in {adapter.metrics.get('steps')} steps, on the base in {quantization}.",
            "",
            "## Settings",
            "",
        ]
        lines += [f"- {name}: {value}" for name, value in sorted((job.config.get(job.kind) or {}).items())]
        if (comparison := measured(store, job.id)) is not None and comparison.n:
            lines += ["", "## Before and after, on held-out examples", "", "| | right |", "|---|---|"]
            lines += [f"| before | {comparison.before:.1%} |", f"| after | {comparison.after:.1%} |", ""]
            lines += [f"{comparison.n} examples: {comparison.words}."]
    return "\n".join(lines) + "\n"
