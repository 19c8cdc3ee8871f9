"""Who may see which trace and medium.

    a person           sees what they asked, and what they brought
    a reader as well   (whoever works on the queue) what others asked and is not private, data sets, and media that nobody
                       brought

A trace is private until it is reviewed, the sending to review included; a medium is seen by whoever may see a trace that
holds it, and by whoever brought it.

Not covered: who is a reader, and whether anything is private here at all (`engine.access`).
"""

from __future__ import annotations

from engine.store.connection import Connections
from engine.store.identity import now, storable
from engine.store.query import Seer

__all__ = ["Sight"]

_SEEN = "(t.author = :name OR (:is_reader AND NOT t.is_private))"


class Sight:
    def __init__(self, connections: Connections) -> None:
        self._connections = connections

    def sees(self, seer: Seer, trace_id: str) -> bool:
        """Whether a trace is there for them; False also where there is none."""
        sql = f"SELECT 1 FROM traces t WHERE t.id = :id AND {_SEEN}"
        return self._connections.row(sql, _values(seer) | {"id": trace_id}) is not None

    def sees_media(self, seer: Seer, sha256: str) -> bool:
        sql = f"""SELECT 1 WHERE EXISTS (SELECT 1 FROM uploads WHERE sha256 = :sha256 AND person = :name)
            OR EXISTS (SELECT 1 FROM trace_media m JOIN traces t ON t.id = m.trace_id WHERE m.sha256 = :sha256 AND {_SEEN})
            OR (:is_reader AND (EXISTS (SELECT 1 FROM example_media WHERE sha256 = :sha256)
                OR NOT EXISTS (SELECT 1 FROM uploads WHERE sha256 = :sha256 UNION ALL
                    SELECT 1 FROM trace_media WHERE sha256 = :sha256)))"""
        return self._connections.row(sql, _values(seer) | {"sha256": sha256}) is not None

    def has_private(self) -> bool:
        """Whether any trace is private to whom asked it."""
        return self._connections.row("SELECT 1 FROM traces WHERE is_private LIMIT 1") is not None

    def brought(self, sha256: str, person: str) -> None:
        """Records that a person brought a medium."""
        with self._connections.write() as db:
            db.conn.execute("INSERT OR IGNORE INTO uploads VALUES (?, ?, ?)", (sha256, storable(person), now()))


def _values(seer: Seer) -> dict[str, object]:
    return {"name": storable(seer.name), "is_reader": seer.is_reader}
