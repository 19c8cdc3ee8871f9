"""Three hundred odd, broken and huge files sent to a studio: each is taken or refused in one sentence, and memory comes back.

    python -m tests.torture.files [--count 300] [--seed 1] [--json]

Every kind of picture and clip that is taken, whole and large; cut off, with bytes altered, zeroed, doubled or put together from
two kinds; and bytes of no kind. What is taken is looked at as well, as a page shows it. The memory is the process's own and its
children's, looked at 20 times a second: the most above what it had before the first file, for each file, and what is left above
it at the end.
"""

from __future__ import annotations

import argparse
import io
import json
import random
import sys
import tempfile
import threading
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

from PIL import ExifTags, Image

from engine.lab.bench.photo import photo_jpeg
from engine.lab.bench.running import RunningStudio
from tests.test_media_hostile import KINDS, animated_gif, file_of
from tests.torture.lasting import Asker

__all__ = ["odd_files", "send_all"]

_SIDE_PX = 9990


def odd_files(count: int, seed: int) -> Iterator[tuple[str, bytes]]:
    """(what it is, bytes) of `count` files, the huge ones first."""
    chance = random.Random(seed)
    for number, (name, make) in enumerate(_huge()):
        if number < count:
            yield name, make()
    whole = list(KINDS)
    for number in range(len(list(_huge())), count):
        kind = whole[number % len(whole)]
        data = bytearray(file_of(kind))
        how = ("whole", "cut", "altered", "zeroed", "doubled", "joined", "noise")[number // len(whole) % 7]
        if how == "cut":
            data = data[: chance.randrange(len(data))]
        elif how == "altered":
            for _ in range(chance.choice((1, 10, 200))):
                data[chance.randrange(len(data))] = chance.randrange(256)
        elif how == "zeroed":
            start = chance.randrange(len(data))
            data[start : start + 500] = bytes(min(500, len(data) - start))
        elif how == "doubled":
            data = data * 2
        elif how == "joined":
            data = data[: len(data) // 2] + file_of(chance.choice(whole))[100:]
        elif how == "noise":
            data = bytearray(data[:12] + chance.randbytes(5000))
        yield f"{how} {kind} {number}", bytes(data)


def _huge() -> Iterator[tuple[str, Callable[[], bytes]]]:
    def encoded(mode: str, format: str, side: int = _SIDE_PX, **options: Any) -> Callable[[], bytes]:
        def make() -> bytes:
            buffer = io.BytesIO()
            Image.new(mode, (side, side), 120 if mode in ("L", "P") else None).save(buffer, format, **options)
            return buffer.getvalue()

        return make

    import pillow_jxl  # noqa: F401

    turned = Image.Exif()
    turned[ExifTags.Base.Orientation] = 6
    yield "huge PNG", encoded("RGB", "PNG")
    yield "huge PNG with alpha", encoded("RGBA", "PNG")
    yield "huge grey PNG", encoded("L", "PNG")
    yield "huge palette PNG", encoded("P", "PNG")
    yield "huge 16-bit PNG", encoded("I;16", "PNG")
    yield "huge JPEG", encoded("RGB", "JPEG")
    yield "huge progressive JPEG", encoded("RGB", "JPEG", progressive=True)
    yield "huge CMYK JPEG", encoded("CMYK", "JPEG")
    yield "huge TIFF", encoded("RGB", "TIFF", compression="tiff_lzw")
    yield "huge 16-bit TIFF", encoded("I;16", "TIFF", compression="tiff_lzw")
    yield "huge turned JPEG", encoded("RGB", "JPEG", exif=turned)
    yield "huge WebP", encoded("RGB", "WEBP", lossless=True)
    yield "huge lossy WebP", encoded("RGB", "WEBP", method=0)
    yield "huge lossy WebP with alpha", encoded("RGBA", "WEBP", method=0)
    yield "huge 32-bit TIFF", encoded("F", "TIFF", compression="tiff_lzw")
    yield "huge AVIF", encoded("RGB", "AVIF", speed=10)
    yield "AVIF of 60 megapixels", encoded("RGB", "AVIF", side=7745, speed=10)
    yield "JPEG XL of 70 megapixels", encoded("RGB", "JXL", side=8366, effort=1)
    yield "huge GIF", encoded("P", "GIF")
    yield "photo of 48 megapixels", lambda: photo_jpeg(8000, 6000, 3)
    yield "more pixels than are taken", encoded("L", "PNG", side=20_000)
    yield "GIF of 5000 frames", lambda: animated_gif(5000)


def send_all(count: int, seed: int, progress: Callable[[str], None] = print) -> dict[str, Any]:
    """Sends them one after the other, and returns what came of it."""
    with tempfile.TemporaryDirectory() as made, RunningStudio(Path(made)) as studio:
        asker = Asker(studio)
        start_mb = _with_children_mb(studio.pid)
        peak_mb, is_over = start_mb, threading.Event()

        def watch() -> None:
            nonlocal peak_mb
            while not is_over.wait(0.05):
                peak_mb = max(peak_mb, _with_children_mb(studio.pid))

        watching = threading.Thread(target=watch)
        watching.start()
        taken, refused, bad, above_mb = 0, 0, [], {}
        try:
            for name, data in odd_files(count, seed):
                peak_mb = _with_children_mb(studio.pid)
                [told] = asker.upload("file", data)
                sentence = told.removeprefix("refused: ")
                taken += told == sentence
                refused += told != sentence
                if told != sentence and ("\n" in told or not told.endswith(".") or len(told) > 500):
                    bad.append(f"{name}: {told[:300]}")
                if told == sentence:
                    asker.look(told)
                above_mb[name] = round(peak_mb - start_mb, 1)
                progress(f"{name}: {above_mb[name]} MB, {told[:100]}")
        finally:
            is_over.set()
            watching.join()
        return {
            "bench": "files",
            "files": count,
            "taken": taken,
            "refused": refused,
            "no_sentence": bad,
            "tracebacks": studio.log.read_text(errors="replace").count("Traceback"),
            "start_mb": start_mb,
            "most_above_mb": max(above_mb.values()),
            "left_above_mb": round(_with_children_mb(studio.pid) - start_mb, 1),
            "steepest": sorted(above_mb.items(), key=lambda one: -one[1])[:5],
        }


def _with_children_mb(pid: int) -> float:
    import psutil

    total = 0.0
    process = psutil.Process(pid)
    for one in (process, *process.children(recursive=True)):
        with suppress(psutil.NoSuchProcess):  # a child that ends meanwhile
            total += one.memory_full_info().uss / 1e6
    return round(total, 1)


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.torture.files")
    parser.add_argument("--count", type=int, default=300)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--json", action="store_true")
    asked = parser.parse_args()
    found = send_all(asked.count, asked.seed, lambda line: print(line, file=sys.stderr, flush=True))
    print(json.dumps(found) if asked.json else "\n".join(f"{name}: {value}" for name, value in found.items()))
    return 1 if found["no_sentence"] or found["tracebacks"] or found["most_above_mb"] > 600 else 0


if __name__ == "__main__":
    sys.exit(main())
