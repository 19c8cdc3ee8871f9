"""The storeys of the house, from the ground up: the one list that tests, README and CONTRIBUTING read.

A room is a module or package directly below `engine` (below `engine.lab` in the lab), `ui`, or `app`. A room imports only
from storeys below its own, and from itself; rooms of one storey do not know each other.
"""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["LAB_DOORS", "PURE", "STOREYS", "Storey", "room_of"]


@dataclass(frozen=True, slots=True)
class Storey:
    """`name` says what the rooms have in common; `rooms` are dotted module names."""

    name: str
    rooms: tuple[str, ...]


STOREYS = (
    Storey("Errors and limits", ("engine.errors", "engine.thresholds")),
    Storey("Values", ("engine.trace", "engine.settings", "engine.json_fields", "engine.json_lists", "engine.rights")),
    Storey("The JSON of values", ("engine.trace_json",)),
    Storey(
        "Media and judgements",
        ("engine.media", "engine.faithfulness", "engine.lessons", "engine.agreement", "engine.embedded"),
    ),
    Storey("Operations on pixels", ("engine.operations",)),
    Storey("What is said, what is kept", ("engine.protocols", "engine.store")),
    Storey("Who asks", ("engine.access",)),
    Storey("The weights", ("engine.backbone",)),
    Storey("Who acts", ("engine.policies",)),
    Storey("The loop", ("engine.reasoning",)),
    Storey("Its voices", ("engine.drivers",)),
    Storey("Measuring and editing", ("engine.evaluation", "engine.editing", "engine.worth")),
    Storey(
        "Learning, asking, exchanging",
        (
            "engine.synthesis",
            "engine.training",
            "engine.blanking",
            "engine.exchange",
            "engine.importing",
        ),
    ),
    Storey("The door to a trace", ("engine.workbench",)),
    Storey("Background work", ("engine.jobs",)),
    Storey("Keeping house", ("engine.upkeep", "engine.hosting")),
    Storey("From settings to services", ("engine.opening", "engine.starting", "engine.logs")),
    Storey("For a notebook", ("engine.notebook",)),
    Storey("The lab", ("engine.lab.world",)),
    Storey("The lab", ("engine.lab.recipe",)),
    Storey("The lab", ("engine.lab.study",)),
    Storey("The lab", ("engine.lab.bench",)),
    Storey("Commands", ("engine.commands", "engine.lab.commands")),
    Storey("Doors", ("engine.__main__", "ui")),
    Storey("The composition root", ("app",)),
)

PURE = (
    "engine.errors",
    "engine.trace",
    "engine.json_fields",
    "engine.json_lists",
    "engine.trace_json",
    "engine.settings",
    "engine.agreement",
    "engine.rights",
    "engine.access",
    "engine.faithfulness",
    "engine.lessons",
    "engine.media",
    "engine.operations",
    "engine.protocols",
    "engine.store",
    "engine.exchange",
    "engine.policies.base",
    "engine.policies.address",
    "engine.policies.server",
    "engine.starting",
    "engine.logs",
    "engine.reasoning",
    "engine.drivers",
    "engine.evaluation.scoring",
    "engine.evaluation.hits",
    "engine.evaluation.reading",
    "engine.jobs.kinds",
    "engine.jobs.worker",
    "engine.jobs.export",
    "engine.jobs.push",
    "engine.jobs.collect",
    "engine.jobs.evaluate",
    "engine.jobs.importing",
    "engine.jobs.arriving",
    "engine.importing",
    "engine.upkeep",
    "engine.hosting",
    "engine.lab.world",
)
"""Rooms and modules that never load torch or what stands on it."""

LAB_DOORS = ("engine.evaluation.drawn", "engine.__main__")
"""The places of the product that know of the lab."""


def room_of(module: str) -> str:
    """The room that a dotted module name belongs to: "engine.store" of "engine.store.queue", "engine.lab.world" of
    "engine.lab.world.signs", "ui" of "ui.ask"."""
    parts = module.split(".")
    if parts[0] != "engine":
        return parts[0]
    return ".".join(parts[: 3 if parts[1:2] == ["lab"] else 2])
