"""The workbench: the one door to a trace. Every act of a person on a trace is a method of it.

It holds the store, the media, the policy and its limits, and checks in this order: may this person do this
(`engine.rights`), is the trace free (reservations), what stands against it (`engine.editing.problems`, versions that others
saved); then it acts, and scores an answer that changed.

    door       the checks, and a trace with a person's draft as OpenTrace
    changing   edit, undo, redo, discard, rebase, commit; continue, blank and weigh, which ask the policy
    deciding   review one or many, take back, settle, prefer
    arranging  tag, assign, ask for several reviews, hold

Invariants: every change is in the database before it is reported; nothing is overwritten: a draft that another tab has
moved raises StaleDraft, a head that somebody else has moved StaleRevision, and both versions are kept; what is accepted
has nothing that stands against it.

Not covered: deleting (`engine.upkeep`), who somebody is (the screens), what an edit does (`engine.editing`), how records are
kept (`engine.store`).
"""

from engine.workbench.arranging import Arranging
from engine.workbench.changing import Continuing
from engine.workbench.deciding import Deciding
from engine.workbench.opened import OpenTrace

__all__ = ["Continuing", "OpenTrace", "Workbench"]


class Workbench(Deciding, Arranging):
    """All acts; the parameters are those of `engine.workbench.door.Door`. One serves many threads and people."""
