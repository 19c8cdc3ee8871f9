"""What a run can be measured on, before and after, as the choices of the Train screen."""

from __future__ import annotations

from engine.evaluation.drawn import drawn_benchmarks
from engine.evaluation.held_out import NOTHING, RECORDED, SHARE
from engine.store import Store

__all__ = ["FILE", "held_out_choices"]

FILE = "file"
"""The choice of an examples file by its path; who may name one may import from the host."""

_EVALUATIONS = 20


def held_out_choices(store: Store) -> list[tuple[str, str]]:
    """(words, name for `engine.evaluation.held_out.HeldOut`), the default first."""
    found = [("A share of what you approved", SHARE)]
    found += [(f"{one.name} (your data set, {one.count:,})", one.name) for one in store.examples.data_sets()]
    found += [
        (f"What {one.provenance['benchmark']} was scored on ({one.created_at[:10]})", f"{RECORDED}{one.id}")
        for one in store.evaluations.list(_EVALUATIONS)
        if one.state == "done" and "source" in one.provenance
    ]
    found += [(one.words, one.name) for one in drawn_benchmarks()]
    found.append(("An examples file (EXAMPLES.jsonl)", FILE))
    return [*found, ("Nothing: I shall not know whether it helped", NOTHING)]
