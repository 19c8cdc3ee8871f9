"""Makes a golden database: what the studio of one commit stored, written by the code of that commit.

    python tests/store/golden/make.py COMMIT...

For each commit the engine is taken from git's history into a temporary folder, and this file runs there again with
`--record`. It stores whatever that commit knew: traces with all that a step can hold, edits, reviews, jobs, adapters, drafts,
tags, rounds, preferences. Clock and identities are counted, so the same commit gives the same records again.
"""

from __future__ import annotations

import io
import itertools
import lzma
import subprocess
import sys
import tarfile
import tempfile
from pathlib import Path

HERE = Path(__file__).parent
FIRST_MS = 1_780_000_000_000
ONCE_A_SECOND_NS = 1_000_000_000
FACTS = ("options", "evidence", "rule", "other_answers", "category", "difficulty")
"""What is known of an example, beside its answer and source, under the names that every version gave it."""


def make(commit: str) -> None:
    """Writes `<newest migration>-<commit>.db.xz` and the media beside it."""
    commit = subprocess.check_output(["git", "rev-parse", "--short", commit], cwd=HERE, text=True).strip()
    with tempfile.TemporaryDirectory() as folder:
        sources = subprocess.check_output(["git", "archive", commit, "engine"], cwd=HERE.parents[2])
        with tarfile.open(fileobj=io.BytesIO(sources)) as archive:
            archive.extractall(folder, filter="data")
        database = Path(folder, "annotations.db")
        command = [sys.executable, str(HERE / "make.py"), "--record", str(database), str(HERE / "media")]
        subprocess.run(command, check=True, cwd=folder, env={"PYTHONPATH": folder, "PYTHONHASHSEED": "0"})
        newest = _settle(database)
        (HERE / f"{newest}-{commit}.db.xz").write_bytes(lzma.compress(database.read_bytes(), preset=9))


def _settle(database: Path) -> str:
    """Takes out what would differ from machine to machine, and returns the newest migration."""
    import sqlite3

    connection = sqlite3.connect(database, isolation_level=None)
    connection.execute("PRAGMA journal_mode = DELETE")
    connection.execute("UPDATE _sqlite_migrations SET applied_at = '2026-01-01 00:00:00+00:00'")
    connection.execute("""UPDATE jobs SET owner = '["golden","",1,""]' WHERE owner IS NOT NULL""")
    connection.execute("VACUUM")
    newest: str = connection.execute("SELECT max(name) FROM _sqlite_migrations").fetchone()[0]
    connection.close()
    return newest


def record(database: Path, media: Path) -> None:
    """Runs inside the engine of the commit."""
    import inspect
    import secrets
    import time
    from dataclasses import replace

    moments = itertools.count(FIRST_MS * 1_000_000, ONCE_A_SECOND_NS)
    digits = itertools.count(1)
    time.time_ns = lambda: next(moments)
    time.time = lambda: next(moments) / 1e9
    secrets.randbits = lambda bits: next(digits) % (1 << bits)

    from datetime import UTC, datetime

    import engine.store.identity as identity
    from engine.media import MediaFolder

    class Clock(datetime):
        @classmethod
        def now(cls, tz=None):
            return datetime.fromtimestamp(next(moments) / 1e9, UTC)

    identity.datetime = Clock

    from PIL import Image, ImageDraw

    from engine.store import Store
    from engine.trace import Box, Evidence, Observation, SelectFrames, Step, Trace, View, ZoomIn

    picture = Image.new("RGB", (96, 64), "white")
    ImageDraw.Draw(picture).rectangle((60, 20, 80, 40), fill="red", outline="black")
    drawn = io.BytesIO()
    picture.save(drawn, "PNG")
    medium = MediaFolder(media).take(drawn.getvalue()).media

    box = Box(0.6, 0.25, 0.9, 0.7)
    whole, crop = View(1, medium.sha256, None, Box.full()), View(2, medium.sha256, None, box)

    def trace(question, steps, views=(whole, crop), stop="answered", policy="tiny", **more):
        return Trace(question, (medium,), tuple(views), tuple(steps), stop, policy, "studio", **more)

    zoom = Step("Let me zoom in on the disc.", ZoomIn(1, box), Observation(views=(2,)))
    with Store(database) as store:
        known = inspect.signature(store.traces.record).parameters

        def put(made, **more):
            if "example" in known:
                names = {"gold": "answer", "example_source": "source"} | {name: name for name in FACTS}
                facts = {name: more[said] for said, name in names.items() if said in more}
                more["example"] = replace(made.example, **facts)
            return store.traces.record(made, author="tiny", **{k: v for k, v in more.items() if k in known})

        evidence = Evidence((Box(0.62, 0.3, 0.85, 0.65),), ())
        attempts = [
            put(
                trace("Which colour has the disc?", [zoom, Step(f"It hangs in the corner, {answer}.", answer=answer)]),
                gold="red",
                score=float(answer == "red"),
                example_source=f"mini-signs/test/{k}",
                evidence=evidence,
                confidence=0.8 + k / 20,
                options=("red", "blue"),
                policy_settings={"max_pixels": 1000, "temperature": 0.7},
                rule="letter",
                other_answers=("A",),
                category="colour",
                difficulty="easy",
            )
            for k, answer in enumerate(("red", "red", "blue"))
        ]
        plain = put(trace("Où est l’enseigne — 看板?", [Step("I see nothing.", answer="Ärger \ud83d\ude00")], (whole,)))
        failed = put(
            trace(
                "What does the far sign say?",
                [
                    Step("I try.", ZoomIn(9, box), Observation(error="there is no picture 9")),
                    Step("In the cropped image I see a word.", answer="KX7421"),
                ],
                (whole,),
            )
        )
        zero = put(
            trace(
                "What is at the left edge?",
                [Step("Zooming.", ZoomIn(1, Box(-0.0, 0.1, 1e-07, 0.3)), None)],
                stop="cancelled",
            )
        )
        put(trace("Nothing to say?", [], (whole,), stop="failed"))
        put(
            trace(
                "And of a clip?",
                [Step("Frames.", SelectFrames((1, 3)), Observation(error="no clip"))],
                stop="max_steps",
            )
        )
        if "is_operating" in inspect.signature(Trace).parameters:
            put(trace("Without operations?", [Step("From afar.", answer="yes")], (whole,), is_operating=False))

        head = store.revisions.head(attempts[2].id)
        wrong = Step(zoom.thought, zoom.operation, zoom.observation, is_erroneous=True)
        mended = trace("Which colour has the disc?", [wrong, Step("It is red.", answer="red")])
        edited = store.revisions.append(attempts[2].id, mended, "ann", head.id)
        late = trace("Which colour has the disc?", [zoom, Step("Late.", answer="pink")])
        try:
            store.revisions.append(attempts[2].id, late, "bob", head.id)
        except Exception as error:
            assert type(error).__name__ == "StaleRevision", error
        store.reviews.record(attempts[0].head_id, "ann", "accepted", "well read")
        store.reviews.record(edited.id, "bob", "accepted")
        store.reviews.record(failed.head_id, "ann", "rejected", "it pretends")
        store.reviews.record(plain.head_id, "ann", "flagged")
        store.reviews.undo("ann")

        job = store.jobs.create("sft", {"steps": 3}, [7], {"torch": "2"}, [attempts[0].head_id, edited.id])
        store.jobs.claim(job.id)
        store.jobs.add_event(job.id, 1, "metric", {"loss": 0.5})
        store.jobs.add_event(job.id, None, "log", {"text": "done"})
        store.jobs.set_state(job.id, "done")
        adapter = store.adapters.record("first", "adapters/a1", job.id, "tiny", "cd" * 32, {"accuracy": 0.5})
        store.adapters.promote(adapter.id, "ann")

        if hasattr(store, "tags"):
            from engine.store import Query

            store.tags.add(attempts[0].id, "glare", "ann")
            store.tags.add(attempts[0].id, "far away", "bob")
            store.tags.save_view("ann", "mine", Query(tag="glare"))
            store.reservations.assign(attempts[1].id, "bob", "ann")
            store.drafts.save(attempts[1].id, "ann", {"edits": []}, attempts[1].head_id, True, 0)
            store.drafts.record_edits(edited.id, [{"edit": "set_erroneous", "step": 0, "is_erroneous": True}])
            store.rounds.ask(attempts[1].id, 2, "ann")
            store.reviews.record(attempts[1].head_id, "ann", "accepted")
            store.reviews.record(attempts[1].head_id, "bob", "rejected")
            store.rounds.adjudicate(attempts[1].head_id, "eve", "rejected", "it guesses")
            store.rounds.review_all([zero.id], "ann", "rejected")
            store.preferences.record(attempts[0].head_id, edited.id, "ann", reason="shorter")
            store.history.record_blank_check(attempts[0].head_id, 0, "blue", "red", True)

        if hasattr(store, "bin"):
            from engine.store import target_of

            extra = [put(trace(f"Deleted {k}?", [zoom, Step("It is red.", answer="red")])) for k in range(2)]
            store.tags.add(extra[1].id, "gone", "ann")
            gone, _ = (store.bin.put(target_of("trace", [one.id]), "ann") for one in extra)
            store.emptying.empty([gone.id])
            for erasure in store.emptying.erasures():  # `_settle` writes the file anew
                store.emptying.erased(erasure)


if __name__ == "__main__":
    if sys.argv[1:2] == ["--record"]:
        record(Path(sys.argv[2]), Path(sys.argv[3]))
    else:
        for each in sys.argv[1:]:
            make(each)
