"""How the answer of a trace is scored: the rule of the benchmark that its example came from.

    traces.rule   "text", "letter", "number", "anls" (engine.evaluation.scoring), or NULL: by letter with options, else as text

The idea: RL takes its questions from traces too; a question whose benchmark gives part marks, or takes "two" for 2, must be
rewarded by the same rule by which it will be evaluated. Not covered: what a rule does.
"""

from __future__ import annotations

from sqlite_utils import Database

from engine.store.migrations import schema

__all__: list[str] = []


@schema()
def m014_rule(db: Database) -> None:
    db.executescript("ALTER TABLE traces ADD COLUMN rule TEXT;")
