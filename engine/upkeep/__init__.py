"""Upkeep: what a home holds that it should not, or should and does not.

    deleting   traces, pictures, a person's work, what came before a date: into the bin, back, and out of the house
    leftovers  files that nothing refers to, and files that the store misses
    checking   the whole home, and what of it can be repaired

Not covered: how rows move and come back (`engine.store.bin`), what is sound (`engine.store.verify`).
"""

from engine.upkeep.checking import Checked, check
from engine.upkeep.deleting import Deleting, told

__all__ = ["Checked", "Deleting", "check", "told"]
