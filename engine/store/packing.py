"""Rows out of their tables and back, together with all that refers to them.

The idea: which rows belong to a trace is what the schema's own foreign keys say. A table that a later version adds, and that
refers to traces, revisions or media, goes with them without a word here.

Invariants: what `take_out` returned, `put_back` restores, value for value; numbers that were taken out are given to no other
row (`next_number`). Not covered: why rows go (`engine.store.bin`).
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from engine.store.connection import Connections

__all__ = ["Packed", "Reference", "Rows", "Shape", "next_number", "put_back", "take_out"]

Rows = dict[str, list[dict[str, Any]]]
"""Rows by table, each as column -> value."""


@dataclass(frozen=True, slots=True)
class Packed:
    """A row as the bin keeps it. `name` is the value by which other rows refer to it, "" where none can."""

    table: str
    name: str
    row: dict[str, Any]


@dataclass(frozen=True, slots=True)
class Reference:
    """`table`.`column` names a row of `parent` by its column `key`. `is_let_go` says that the row stays, and names nothing,
    where its parent goes."""

    table: str
    column: str
    parent: str
    key: str
    is_let_go: bool


class Shape:
    """The tables of a database as its schema declares them: primary keys and references."""

    def __init__(self, connections: Connections) -> None:
        self._connections = connections
        names = "SELECT name FROM sqlite_schema WHERE type = 'table' AND sql NOT LIKE 'CREATE VIRTUAL%' ORDER BY name"
        tables = [row["name"] for row in connections.rows(names)]
        self.columns: dict[str, tuple[str, ...]] = {}
        self.keys: dict[str, tuple[str, ...]] = {}
        self.references: list[Reference] = []
        for table in tables:
            columns = connections.rows("SELECT name, pk FROM pragma_table_info(?)", (table,))
            self.columns[table] = tuple(row["name"] for row in columns)
            ordered = sorted(columns, key=lambda row: int(row["pk"]))
            self.keys[table] = tuple(row["name"] for row in ordered if row["pk"])
            # A reference by several columns is to what a job owns, and that never goes.
            sql = """SELECT "table", "from", "to", on_delete FROM pragma_foreign_key_list(?)
                GROUP BY id HAVING count(*) = 1"""
            for row in connections.rows(sql, (table,)):
                is_let_go = row["on_delete"] == "SET NULL"
                self.references.append(Reference(table, row["from"], row["table"], row["to"], is_let_go))

    def to(self, table: str) -> list[Reference]:
        """The references to rows of `table`."""
        return [one for one in self.references if one.parent == table]

    def of(self, table: str) -> list[Reference]:
        """The references that rows of `table` make."""
        return [one for one in self.references if one.table == table]

    def name_of(self, table: str, row: Mapping[str, Any]) -> str:
        """By what other rows refer to this one; "" where none can."""
        return next((str(row[one.key]) for one in self.to(table)), "")

    def rows_with(self, table: str, column: str, values: Iterable[Any]) -> list[dict[str, Any]]:
        """The rows of `table` whose `column` is one of `values`."""
        sql = f"SELECT * FROM {table} WHERE {column} IN (SELECT value FROM json_each(?))"
        return [dict(row) for row in self._connections.rows(sql, (json.dumps(list(values)),))]

    def closure(self, start: Rows) -> Rows:
        """`start` and every row that refers to one of them, directly or by others."""
        found: dict[str, dict[tuple[Any, ...], dict[str, Any]]] = {}

        def new(table: str, rows: Iterable[dict[str, Any]]) -> list[dict[str, Any]]:
            held, fresh = found.setdefault(table, {}), []
            for row in rows:
                key = tuple(row[name] for name in self.keys[table])
                if key not in held:
                    held[key] = row
                    fresh.append(row)
            return fresh

        waiting = [(table, new(table, rows)) for table, rows in start.items()]
        while waiting:
            table, rows = waiting.pop()
            for one in self.to(table) if rows else ():
                if one.is_let_go:
                    continue
                children = self.rows_with(one.table, one.column, {row[one.key] for row in rows})
                if fresh := new(one.table, children):
                    waiting.append((one.table, fresh))
        return {table: list(rows.values()) for table, rows in found.items() if rows}

    def letting_go(self, rows: Rows) -> list[tuple[Reference, dict[str, Any]]]:
        """The rows that stay and will name nothing where `rows` go, by the reference that names them."""
        return [
            (one, row)
            for table, gone in rows.items()
            for one in self.to(table)
            if one.is_let_go
            for row in self.rows_with(one.table, one.column, [parent[one.key] for parent in gone])
        ]

    def is_there(self, reference: Reference, value: Any) -> bool:
        """Whether a table has the row that a reference names."""
        sql = f"SELECT 1 FROM {reference.parent} WHERE {reference.key} = ?"
        return self._connections.row(sql, (value,)) is not None


def next_number(table: str) -> str:
    """The SQL expression for the number of the next row of `table`: above those that were taken out as well."""
    return (
        f"(SELECT 1 + max(coalesce((SELECT max(number) FROM {table}), 0), "
        f"coalesce((SELECT highest FROM numbers_given WHERE of_table = '{table}'), 0)))"
    )


def take_out(connections: Connections, shape: Shape, rows: Rows) -> list[Packed]:
    """Deletes `rows`, to which nothing else refers, and returns them. Call it inside `write()`."""
    conn, packed = connections.database().conn, []
    conn.execute("PRAGMA defer_foreign_keys = ON")
    # Traces first: the triggers of what belongs to a trace write its search words again, if it is still there.
    for table in sorted(rows, key=lambda table: table != "traces"):
        keys = shape.keys[table]
        packed += [Packed(table, shape.name_of(table, row), row) for row in rows[table]]
        conn.executemany(
            f"DELETE FROM {table} WHERE {' AND '.join(f'{name} = ?' for name in keys)}",
            [tuple(row[name] for name in keys) for row in rows[table]],
        )
        if keys == ("number",):
            conn.execute(
                "INSERT INTO numbers_given VALUES (?, ?) ON CONFLICT (of_table) DO UPDATE SET "
                "highest = max(highest, excluded.highest)",
                (table, max(row["number"] for row in rows[table])),
            )
    return packed


def put_back(connections: Connections, packed: Iterable[Packed]) -> None:
    """Inserts the rows again; one whose place somebody has taken meanwhile is left out. Call it inside `write()`."""
    conn = connections.database().conn
    conn.execute("PRAGMA defer_foreign_keys = ON")
    # Traces last: their triggers find all that belongs to them.
    for one in sorted(packed, key=lambda one: one.table == "traces"):
        names = ", ".join(one.row)
        marks = ", ".join(":" + name for name in one.row)
        conn.execute(f"INSERT INTO {one.table} ({names}) VALUES ({marks}) ON CONFLICT DO NOTHING", one.row)
