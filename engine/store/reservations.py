"""Who holds which trace, and who should: reservations with expiry, and assignments.

Invariants: at any moment a trace has at most one holder; a reservation that has expired holds nothing and may be taken
by anyone; taking again what one holds extends it. Times are seconds since 1970.

Not covered: what a reservation is for. It keeps two people from doing the same work; it guards no data (revisions are
saved by compare-and-set whoever holds the trace).
"""

from __future__ import annotations

import time
from dataclasses import dataclass

from engine.errors import Conflict, InvalidInput
from engine.store.absent import absent
from engine.store.connection import Connections
from engine.store.history import record_event
from engine.store.identity import now, storable

__all__ = ["HOLD_S", "Assignment", "Reservation", "Reservations", "Reserved"]

HOLD_S = 120.0
"""How long a reservation holds without being renewed: for so long a crashed page keeps others away."""


@dataclass(frozen=True, slots=True)
class Reservation:
    trace_id: str
    holder: str
    expires_at: float

    def is_of(self, person: str) -> bool:
        return self.holder == storable(person)


@dataclass(frozen=True, slots=True)
class Assignment:
    trace_id: str
    person: str
    author: str
    created_at: str


class Reserved(Conflict):
    """Somebody else holds the trace."""

    def __init__(self, reservation: Reservation, at: float) -> None:
        seconds = max(1, round(reservation.expires_at - at))
        super().__init__(
            f"{reservation.holder} is working on this trace, for {seconds} more seconds if nothing is done; "
            "take another one, or wait"
        )
        self.reservation = reservation


class Reservations:
    def __init__(self, connections: Connections) -> None:
        self._connections = connections

    def take(self, trace_id: str, person: str, hold_s: float = HOLD_S, *, at: float | None = None) -> Reservation:
        """Holds the trace for `person` for `hold_s` seconds, at most HOLD_S, from `at` (None: now). Raises Reserved (a Conflict)
        while somebody else holds it, NotFound for an unknown trace."""
        person = storable(person)
        if not person:
            raise InvalidInput("a reservation needs the name of a person")
        with self._connections.write() as db:
            # Read once nobody else can write: who waited would take what was held meanwhile for a clock that was set back.
            moment = time.time() if at is None else at
            if self._connections.row("SELECT 1 FROM traces WHERE id = ?", (trace_id,)) is None:
                raise absent(self._connections, "traces", trace_id)
            held = self.of(trace_id, at=moment)
            if held is not None and held.holder != person:
                raise Reserved(held, moment)
            db.conn.execute(
                "INSERT INTO reservations VALUES (?, ?, ?, ?) ON CONFLICT (trace_id) DO UPDATE SET "
                "holder = excluded.holder, expires_at = excluded.expires_at, "
                "taken_at = iif(holder = excluded.holder, taken_at, excluded.taken_at)",
                (trace_id, person, moment, moment + hold_s),
            )
            return Reservation(trace_id, person, moment + hold_s)

    def release(self, trace_id: str, person: str) -> None:
        """Lets go of a trace; nothing happens where `person` does not hold it."""
        with self._connections.write() as db:
            db.conn.execute("DELETE FROM reservations WHERE trace_id = ? AND holder = ?", (trace_id, storable(person)))

    def of(self, trace_id: str, *, at: float | None = None) -> Reservation | None:
        """Who holds the trace, or None. What would last longer than any hold is from before the clock was set back: nobody's."""
        row = self._connections.row(
            "SELECT trace_id, holder, expires_at FROM reservations WHERE trace_id = ?", (trace_id,)
        )
        moment = time.time() if at is None else at
        return Reservation(*row) if row is not None and moment < row["expires_at"] <= moment + HOLD_S else None

    def assign(self, trace_id: str, person: str, author: str) -> Assignment:
        """Gives the trace to `person`; several people may be assigned. Raises NotFound for an unknown trace."""
        if not person.strip():
            raise InvalidInput("an assignment needs the name of a person")
        with self._connections.write() as db:
            if self._connections.row("SELECT 1 FROM traces WHERE id = ?", (trace_id,)) is None:
                raise absent(self._connections, "traces", trace_id)
            is_new = db.conn.execute(
                "INSERT OR IGNORE INTO assignments VALUES (?, ?, ?, ?)",
                (trace_id, storable(person), storable(author), now()),
            ).rowcount
            if is_new:
                record_event(self._connections, trace_id, author, "assigned", storable(person))
            return next(a for a in self.assignments(trace_id) if a.person == storable(person))

    def unassign(self, trace_id: str, person: str, author: str) -> None:
        """Takes the trace from `person`; nothing happens where it was not theirs."""
        with self._connections.write() as db:
            sql, name = "DELETE FROM assignments WHERE trace_id = ? AND person = ?", storable(person)
            if db.conn.execute(sql, (trace_id, name)).rowcount:
                record_event(self._connections, trace_id, author, "unassigned", name)

    def assignments(self, trace_id: str) -> list[Assignment]:
        sql = "SELECT * FROM assignments WHERE trace_id = ? ORDER BY created_at, person"
        return [Assignment(*row) for row in self._connections.rows(sql, (trace_id,))]
