"""A model of real size through the whole studio: loaded in 4 bit, asked with one zoom, trained for one step, promoted.

    python -m tests.peers.real_model FOLDER [--words 24]

FOLDER holds weights in a published shape; random ones will do, for only their answers are noise: the zoom is said for the
model, which goes on from there. Prints the seconds of each step, by the clock and of the CPU, and memory (resident, and its
peak so far). Outside CI.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from PIL import Image, ImageDraw

from engine.drivers.streaming import stream
from engine.evaluation.held_out import NOTHING, HeldOut
from engine.reasoning import Limits
from engine.settings import Settings
from engine.trace import Box, Example, Observation, Step, Trace, View, ZoomIn

BOX = Box(0.4, 0.4, 0.6, 0.6)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("folder", type=Path)
    parser.add_argument("--words", type=int, default=24, help="how many tokens an answer may have")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as home:
        run(given.folder, Path(home), given.words)
    return 0


def run(folder: Path, home: Path, words: int) -> None:
    import app

    with told("import and open"):
        settings = Settings.from_environment({"STUDIO_HOME": str(home), "STUDIO_MODEL": str(folder)})
        studio = app.build_studio(settings, waits=False)
    assert studio.reasoner is not None
    with told("load"):
        policy = studio.reasoner.load().policy
    assert studio.jobs is not None
    backbone = studio.jobs.workshop.backbone
    print(f"{backbone.quantization}, wire format {backbone.protocol_name}: {backbone.protocol_reason}")
    print(f"weights {backbone.model.get_memory_footprint() / 1e9:.2f} GB, base {backbone.base_hash[:23]}")

    picture = Image.new("RGB", (644, 644), "white")
    ImageDraw.Draw(picture).text((300, 310), "KX7421", fill="red")
    picture.save(home / "picture.png")
    loaded = studio.media.take(home / "picture.png")
    example = Example("What is written in the middle?", (loaded.media,), "KX7421")
    first, crop = View(1, loaded.media.sha256, None, Box.full()), View(2, loaded.media.sha256, None, BOX)
    zoom = Step("I look closer.", ZoomIn(1, BOX), Observation(views=(2,)))
    begun = Trace(
        example.question, example.media, (first, crop), (zoom,), "cancelled", policy.name, policy.protocol.NAME
    )
    with told(f"ask, one zoom, at most {words} tokens"):
        pictures = studio.media.pictures(example.media)
        *_, finished = stream(policy, example, pictures, Limits(max_tokens=words), earlier=begun)
    print(f"{finished.tokens} tokens, confidence {finished.confidence:.3g}, {finished.trace.stop_reason}")

    taught = Trace(
        example.question, example.media, (first, crop), (zoom, Step("I read it.", answer="KX7421")), "answered", policy.name,
        policy.protocol.NAME,
    )  # fmt: skip
    record = studio.store.traces.record(taught, author="lead", example=example)
    studio.workbench.review(record.id, "lead", "accepted")
    with told("one step of SFT"):
        studio.worker.start()
        job = studio.jobs.start("sft", {"steps": 1, "batch_size": 1}, HeldOut(NOTHING))
        while (now := studio.store.jobs.get(job.id)).is_active:
            time.sleep(0.5)
    print(f"{now.state}: {now.message}")
    [adapter] = studio.store.adapters.list()
    with told("promote"):
        studio.jobs.promote(adapter.id, "lead", is_sure=True)
    with told(f"ask again as {policy.name}"):
        *_, finished = stream(policy, example, pictures, Limits(max_tokens=words), earlier=begun)
    studio.worker.close(60)
    studio.store.close()


@contextmanager
def told(what: str) -> Iterator[None]:
    started, started_cpu = time.monotonic(), time.process_time()
    yield
    memory = {
        name: int(value.split()[0]) / 1e6
        for name, _, value in (line.partition(":") for line in Path("/proc/self/status").read_text().splitlines())
        if name in ("VmRSS", "VmHWM")
    }
    print(
        f"{what}: {time.monotonic() - started:.1f} s, {time.process_time() - started_cpu:.1f} s of CPU; "
        f"{memory['VmRSS']:.2f} GB resident, peak {memory['VmHWM']:.2f} GB",
        flush=True,
    )


if __name__ == "__main__":
    sys.exit(main())
