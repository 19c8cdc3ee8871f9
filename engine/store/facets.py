"""What the queue's index says of each trace, as of the newest migration: the facets of `engine.store.curation`, when a trace
was last touched, and how sure the policy was.

- "untouched", or the hour of the last touch: "u26112514" was reviewed, edited or decided last on 2026-11-25 between 14 and 15
  o'clock, and with "u261125" begin the words of that day (beginnings of 7 characters have an index of their own). The order
  "last changed first" merges the two (`engine.store.queue`), where the alternative is to collect and sort all that a search
  matches.
- The suggested order: a policy that was not sure (confidence below UNSURE_BELOW) counts as one more reason to look, like an
  operation error; a trace without a confidence does not.

Confidence is the geometric mean of the probabilities that the policy gave to the tokens it generated,
exp(mean log p), in (0, 1]; of the whole trace as it was first recorded, whatever people change later.
"""

from __future__ import annotations

from sqlite_utils import Database

from engine.store.curation import FACETS as EARLIER_FACETS
from engine.store.curation import rebuild, triggers
from engine.store.migrations import schema

__all__ = ["FACETS", "REBUILD", "TRIGGERS", "UNSURE_BELOW", "touched_in"]

UNSURE_BELOW = 0.9
"""A tenth of the probability lost at every token, on the average."""

_DOUBTS = "OR {row}.ignores_error)"
assert _DOUBTS in EARLIER_FACETS

FACETS = (
    EARLIER_FACETS.replace(_DOUBTS, f"OR {{row}}.ignores_error OR coalesce({{row}}.confidence < {UNSURE_BELOW}, 0))")
    + """
    || iif({row}.updated_at = {row}.created_at, ' untouched', ' u' || substr({row}.updated_at, 3, 2)
        || substr({row}.updated_at, 6, 2) || substr({row}.updated_at, 9, 2) || substr({row}.updated_at, 12, 2))"""
)
TRIGGERS = triggers(FACETS, ", confidence, updated_at")
REBUILD = rebuild(FACETS)
"""Both are used again by `engine.lab.bench.generated`, which fills a store without them."""


def touched_in(moment: str) -> str:
    """The expression for traces that were last touched in an hour ("2026-11-25T14") or on a day ("2026-11-25")."""
    digits = moment[2:4] + moment[5:7] + moment[8:10] + moment[11:13]
    return f'facets : "u{digits}"{"" if len(digits) == 8 else " *"}'


@schema()
def m013_touched_and_confidence(db: Database) -> None:
    db.executescript(f"""
        ALTER TABLE traces ADD COLUMN confidence REAL;
        CREATE INDEX traces_touched ON traces (updated_at) WHERE updated_at <> created_at;
        DROP TRIGGER traces_found_in;
        DROP TRIGGER traces_found_out;
        DROP TRIGGER traces_found_over;
        DROP TRIGGER traces_grouped_over;
        DROP TABLE trace_search;
        CREATE VIRTUAL TABLE trace_search USING fts5 (
            question, thoughts, answer, facets, tokenize = 'unicode61 remove_diacritics 2', prefix = '2 3 4 5 6 7 8'
        );
        {REBUILD}
        {TRIGGERS}
    """)
