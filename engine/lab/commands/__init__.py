"""The lab's commands of `python -m engine`: `bench` and `experiment`, in the form of `engine.commands`."""

from collections.abc import Mapping
from types import ModuleType

from engine.lab.commands import bench, experiment

__all__ = ["COMMANDS"]

COMMANDS: Mapping[str, ModuleType] = {"bench": bench, "experiment": experiment}
