"""A home with a trace that is about to go and one that stays, and all that people and jobs do with both."""

from __future__ import annotations

import io
import json
from pathlib import Path

from PIL import Image
from PIL.PngImagePlugin import PngInfo

from engine.media import MediaFolder
from engine.store import Store
from engine.trace import Box, Example, Media, Observation, Step, Trace, View, ZoomIn
from engine.upkeep import Deleting

MARK = "Zyxwomarque"
"""A word that nothing else has."""


def picture(text: str) -> bytes:
    """A picture whose file holds `text` as it is."""
    info, buffer = PngInfo(), io.BytesIO()
    info.add_text("Comment", text)
    Image.effect_noise((90, 60), 80).convert("RGB").save(buffer, "PNG", pnginfo=info)
    return buffer.getvalue()


def trace_about(media: Media, word: str, thought: str = "think") -> Trace:
    box = Box(0.1, 0.2, 0.7, 0.9)
    views = (View(1, media.sha256, None, Box.full()), View(2, media.sha256, None, box))
    steps = (
        Step(f"I look for {word}{thought}.", ZoomIn(1, box), Observation((2,))),
        Step("There.", answer=f"{word}answer"),
    )
    return Trace(f"Where is {word}question?", (media,), views, steps, "answered", "tiny", "studio")


class House:
    """A home with one trace that is about to go and one that stays, all that people and jobs do with both."""

    def __init__(self, home: Path) -> None:
        self._open(home)
        self.stays, self.stays_media = self._record("Remaining", "guest-0000000b", "bob")
        self.goes, self.goes_media = self._record(MARK, "guest-0000000a", MARK + "person")

    @classmethod
    def at(cls, home: Path) -> House:
        """One that is there, such as a copy."""
        house = cls.__new__(cls)
        house._open(home)
        return house

    def _open(self, home: Path) -> None:
        self.home = home
        self.store = Store(home / "annotations.db")
        # Some builds of SQLite overwrite what is deleted by themselves.
        self.store.connections.database().conn.execute("PRAGMA secure_delete = OFF")
        self.media = MediaFolder(home / "artifacts" / "media")
        self.deleting = Deleting(self.store, self.media, home / "artifacts")

    def _record(self, word: str, author: str, person: str) -> tuple[str, str]:
        store = self.store
        media = self.media.take(picture(word + "bytes")).media
        store.media.record(media, f"{word}file.png", 1000)
        self.media.thumbnail(media.sha256, None, 64)
        trace = trace_about(media, word)
        example = Example(
            trace.question, (media,), answer=f"{word}gold", source=f"{word}source/1", category=word + "kind"
        )
        record = store.traces.record(trace, author=author, example=example, score=0.0)
        edited = store.revisions.append(record.id, trace_about(media, word, "edited"), person, record.head_id)
        store.drafts.record_edits(edited.id, [{"edit": word + "edit"}])
        for counter, typed in enumerate(("half", "whole")):
            store.drafts.save(record.id, person, {"typed": word + typed}, edited.id, True, counter)
        store.tags.add(record.id, word + "tag", person)
        store.tags.remove(record.id, word + "tag", person)
        store.tags.add(record.id, word + "other", person)
        store.reviews.record(edited.id, person, "accepted", word + "reason")
        store.history.record_blank_check(edited.id, 0, word + "blank", word, True)
        store.preferences.record(edited.id, record.head_id, person, reason=word + "because")
        job = store.jobs.create(
            "grpo", {"left_out": [{"revision": edited.id, "reason": word}]}, [], {}, [record.head_id]
        )
        store.jobs.claim(job.id)
        seen = {"question": trace.question, "media": {"sha256": media.sha256}}
        store.jobs.add_event(job.id, 1, "rollouts", seen)
        store.jobs.set_state(job.id, "stopped")
        store.adapters.record(f"adapter of {job.id}", f"adapters/{job.id}", job.id, "tiny", "cd" * 32, {})
        weights = self.home / "artifacts" / "adapters" / job.id / "adapter_model.safetensors"
        weights.parent.mkdir(parents=True)
        weights.write_bytes(b"learned")
        kept = self.home / "artifacts" / "checkpoints" / job.id / "replay.pt"
        kept.parent.mkdir(parents=True)
        kept.write_text(word + "replay")
        collecting = store.jobs.create("collect", {}, [], {})
        store.attempts.begin(collecting.id, 0, example, "exact", None)
        costs = {
            "hit": None,
            "has_operation": True,
            "operation_errors": 0,
            "is_empty": False,
            "tokens": 9,
            "cpu_s": 0.5,
        }
        store.attempts.record(collecting.id, 0, 0, trace_id=record.id, score=0.0, **costs)
        store.jobs.request_stop(collecting.id)
        out = self.home / "artifacts" / "exports" / job.id
        out.mkdir(parents=True)
        (out / "TRACES.jsonl").write_text(word + "exported")
        exported = store.jobs.create("export", {"out": str(out.absolute())}, [], {})
        store.jobs.claim(exported.id)
        store.jobs.set_state(exported.id, "done")
        questions = self.home / "artifacts" / "examples" / f"{word}.json"
        questions.parent.mkdir(exist_ok=True)
        questions.write_text(json.dumps({"question": word + "asked", "media": media.sha256}))
        return record.id, media.sha256

    def files_with(self, word: str) -> list[str]:
        """The files of the home that hold a word, in any letters' case, or are named by it."""
        needle = word.lower().encode()
        paths = [path for path in self.home.rglob("*") if path.is_file()]
        return sorted(
            str(path.relative_to(self.home))
            for path in paths
            if needle in path.read_bytes().lower() or needle in path.name.lower().encode()
        )

    def terms(self) -> str:
        """The words of the full-text index, whose pages hold them without their beginnings."""
        self.store.connections.database().conn.execute(
            "CREATE VIRTUAL TABLE IF NOT EXISTS temp.words USING fts5vocab('main', 'trace_search', 'row')"
        )
        return " ".join(row[0] for row in self.store.connections.rows("SELECT term FROM temp.words"))
