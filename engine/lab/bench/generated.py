"""A store full of made-up traces, for measuring; and the page as a first draft would have written it, to measure against.

The traces vary as real ones do (questions, policies, sources, statuses, scores, errors, groups of eight attempts, tags)
and are whole: canonical JSON, hashes, search index. They are written without triggers, without waiting for the disk, and
the index is built at the end: otherwise a million would take hours.

Not covered: media files; the traces' pictures exist only where the caller has taken some in and names them.
"""

from __future__ import annotations

import hashlib
import random
from collections.abc import Iterator, Sequence
from typing import Any

from sqlite_utils import Database

from engine.lessons import key_of_text, lesson_text
from engine.store.connection import Connections, run_script
from engine.store.facets import DROP_TRIGGERS, REBUILD, TRIGGERS
from engine.store.identity import canonical_json
from engine.store.revisions import head_columns
from engine.store.search import Status
from engine.trace import (
    Box,
    Media,
    Observation,
    Step,
    Trace,
    View,
    ZoomIn,
)
from engine.trace_json import trace_to_json

__all__ = ["fill", "naive_page"]

_COLOURS = ("red", "orange", "yellow", "green", "blue", "purple", "white", "black")
_SHAPES = ("board", "disc", "diamond", "sign", "door", "poster")
_WORDS = (
    *("small", "far", "behind", "tree", "wall", "window", "left", "right", "corner", "shadow", "bright", "glare"),
    *("letters", "digits", "blurred", "edge", "near", "upper", "lower", "street", "market", "station", "harbour"),
    *("garden", "bridge", "tower", "lamp", "fence", "roof", "bench", "cart", "crowd"),
)
_BATCH = 5_000
_INDEXED_AT_ONCE_BYTES = 256 * 2**20
_FTS_DEFAULT_BYTES = 2**20
_GROUP = 8
_DAY_MS = 86_400_000
_SIZE_PX = (1024, 768)
_QUESTION, _GOLD, _SHA = "QUESTION", "GOLD", hashlib.sha256(b"").hexdigest()


def fill(
    connections: Connections,
    count: int,
    seed: int = 0,
    media: Sequence[str] = (),
    *,
    status: Status | None = None,
    is_grouped: bool = False,
) -> None:
    """Adds `count` traces to an empty store that nobody else has open. `media` are hashes of pictures of 1024 x 768 that
    exist, for the traces to share; without them each group of eight has a picture that does not. All have the `status` that
    is named, else they vary. With `is_grouped` each eight are attempts that stand together. Killed on its way it leaves a
    database that must be thrown away."""
    chance = random.Random(seed)
    conn = connections.database().conn
    conn.execute("PRAGMA cache_size = -200000")  # the indexes do not fit into the default 2 MB
    conn.execute("PRAGMA journal_mode = MEMORY")
    conn.execute("PRAGMA synchronous = OFF")
    with connections.write() as db:
        run_script(db, DROP_TRIGGERS)
    batch: list[tuple[dict[str, Any], dict[str, Any]]] = []
    for made in _made(count, chance, media):
        if status is not None:
            made[0]["status"] = status
        made[0]["group_id"] = made[0]["example_key"] if is_grouped else None
        batch.append(made)
        if len(batch) == _BATCH:
            _write(connections, batch)
            batch = []
    _write(connections, batch)
    with connections.write() as db:
        db.conn.execute(
            "INSERT INTO trace_tags SELECT id, 'glare', 'ann', created_at FROM traces WHERE number % 50 = 7"
        )
        _index_at_once(db, _INDEXED_AT_ONCE_BYTES)
        run_script(db, REBUILD)
        _index_at_once(db, _FTS_DEFAULT_BYTES)
        run_script(db, TRIGGERS)
    conn.execute("ANALYZE")
    conn.execute("PRAGMA cache_size = -2000")
    conn.execute("PRAGMA synchronous = FULL")
    conn.execute(f"PRAGMA journal_mode = {connections.journal_mode}")


def _index_at_once(db: Database, size_bytes: int) -> None:
    """How much of the full-text index is gathered before it is written: more means fewer merges."""
    db.conn.execute("INSERT INTO trace_search (trace_search, rank) VALUES ('hashsize', ?)", (size_bytes,))


def naive_page(
    connections: Connections, search: str, status: str | None, offset: int
) -> tuple[list[tuple[str, str]], int]:
    """Fifty traces (id, JSON) and the total, as a first draft would have asked: LIKE over the JSON, a count over
    everything."""
    conditions = ["r.trace_json LIKE ?"] if search else []
    values: list[object] = [f"%{search}%"] if search else []
    if status:
        conditions.append("t.status = ?")
        values.append(status)
    where = f"WHERE {' AND '.join(conditions)}" if conditions else ""
    source = f"FROM traces t JOIN revisions r ON r.id = t.head_id {where}"
    rows = connections.rows(
        f"SELECT t.id, r.trace_json {source} ORDER BY t.created_at DESC LIMIT 50 OFFSET {offset}", values
    )
    total = connections.rows(f"SELECT count(*) {source}", values)[0][0]
    return [(row["id"], row["trace_json"]) for row in rows], total


def _write(connections: Connections, batch: list[tuple[dict[str, Any], dict[str, Any]]]) -> None:
    if not batch:
        return
    with connections.write() as db:
        db.conn.executemany(
            "INSERT OR IGNORE INTO media (sha256, kind, width, height, created_at) VALUES (?, 'image', 1024, 768, '')",
            {(row["media_sha256"],) for row, _ in batch},
        )
        for table, rows in (("revisions", [row for _, row in batch]), ("traces", [row for row, _ in batch])):
            names = list(rows[0])
            db.conn.executemany(
                f"INSERT INTO {table} ({', '.join(names)}) VALUES ({', '.join(':' + name for name in names)})", rows
            )


def _made(count: int, chance: random.Random, media: Sequence[str]) -> Iterator[tuple[dict[str, Any], dict[str, Any]]]:
    # Whole traces are costly to make: some thousands are made, and each is used with many questions and media.
    pool = []
    for _ in range(min(4_000, count)):
        trace = _trace(_QUESTION, _GOLD if chance.random() < 0.7 else f"Q{chance.randrange(10**4)}", _SHA, chance)
        pool.append((head_columns(trace), canonical_json(trace_to_json(trace, None)), lesson_text(trace)))
    question = gold = sha256 = key = source = ""
    for number in range(count):
        if number % _GROUP == 0:
            group = number // _GROUP
            pick = random.Random(group)
            question = (
                f"What is written on the {pick.choice(_COLOURS)} {pick.choice(_SHAPES)} near the {pick.choice(_WORDS)} "
                f"{pick.choice(_WORDS)} {pick.choice(_WORDS)}?"
            )
            gold = f"{pick.choice('ABCDEFGHKMPRSTXYZ')}{pick.randrange(10**4)}"
            sha256 = media[group % len(media)] if media else hashlib.sha256(str(group).encode()).hexdigest()
            key = hashlib.sha256(canonical_json([question, [sha256]]).encode("ascii")).hexdigest()[:32]
            source = f"{pick.choice(('mini-signs', 'vstar', 'tallyqa', 'own'))}/{group}"
        columns, *texts = chance.choice(pool)
        text, lesson = (one.replace(_QUESTION, question).replace(_SHA, sha256).replace(_GOLD, gold) for one in texts)
        answer = columns["answer"].replace(_GOLD, gold)
        # Most of a year of work: moments follow the number.
        made_ms = number * 320 * _DAY_MS // max(count, 1)
        moment = _moment(made_ms)
        trace_id = f"{number:08x}{chance.getrandbits(96):024x}"
        revision_id = f"{number:08x}{chance.getrandbits(96):024x}"
        status = chance.choices(("new", "edited", "accepted", "rejected", "flagged"), (60, 5, 25, 8, 2))[0]
        # People came to what is not new up to a month later.
        touched_ms = made_ms + 1 + int(chance.random() * 30 * _DAY_MS)
        yield (
            columns
            | {
                "id": trace_id,
                "head_id": revision_id,
                "status": status,
                "question": question,
                "answer": answer,
                "lesson_key": key_of_text(lesson),
                "media_sha256": sha256,
                "example_key": key,
                "score": None if chance.random() < 0.2 else float(answer == gold),
                "gold": gold,
                "source": source,
                "author": columns["policy"],
                "created_at": moment,
                "updated_at": moment if status == "new" else _moment(touched_ms),
                "confidence": None if chance.random() < 0.2 else round(0.7 + 0.3 * chance.random(), 4),
            },
            {
                "id": revision_id,
                "trace_id": trace_id,
                "number": 1,
                "author": columns["policy"],
                "created_at": moment,
                "hash": hashlib.sha256(text.encode("ascii")).hexdigest(),
                "trace_json": text,
            },
        )


def _moment(since_new_year_ms: int) -> str:
    """A stored time in a year of twelve months of 30 days."""
    day, ms = divmod(since_new_year_ms, _DAY_MS)
    second, ms = divmod(ms, 1000)
    return f"2026-{1 + day // 30:02}-{1 + day % 30:02}T{second // 3600:02}:{second // 60 % 60:02}:{second % 60:02}.{ms:03}Z"


def _trace(question: str, answer: str, sha256: str, chance: random.Random) -> Trace:
    box = Box(0.25, 0.5, 0.75, 1.0)
    views = [View(1, sha256, None, Box.full())]
    steps: list[Step] = []
    if chance.random() < 0.1:
        steps.append(Step(_thought(chance), ZoomIn(9, box), Observation(error="there is no picture 9")))
    for _ in range(chance.choices((0, 1, 2), (20, 60, 20))[0]):
        views.append(View(len(views) + 1, sha256, None, box))
        steps.append(Step(_thought(chance), ZoomIn(1, box), Observation(views=(len(views),))))
    steps.append(Step(_thought(chance), answer=answer))
    policy = chance.choice(("tiny", "tiny+signs", "pixel-reasoner", "server"))
    return Trace(
        question, (Media(sha256, "image", *_SIZE_PX),), tuple(views), tuple(steps), "answered", policy, "studio"
    )


def _thought(chance: random.Random) -> str:
    return f"The {' '.join(chance.choice(_WORDS) for _ in range(14))}."
