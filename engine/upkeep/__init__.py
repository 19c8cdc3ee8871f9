"""Upkeep: what a home holds that it should not, or should and does not.

    deleting   traces, pictures, a person's work, what came before a date: into the bin, back, and out of the house

Not covered: how rows move and come back (`engine.store.bin`), what is sound (`engine.store.verify`).
"""

from engine.upkeep.deleting import Deleting, told

__all__ = ["Deleting", "told"]
