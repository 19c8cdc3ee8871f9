"""What a format writes on: the pictures that its rows name, each on disk once, and a count of what they cannot hold.

    OUT/media/ab/<sha256>.jpg             an original for another studio (engine.media.MediaFolder)
    OUT/images/<sha256>.jpg               an original for other programs
    OUT/images/<sha256>.png               the same upright and in RGB, where other programs would see something else in it
    OUT/videos/<sha256>.mp4               a clip
    OUT/frames/<sha256>-03.png            a frame of the sampled clip
    OUT/crops/<sha256>-03-10-20-90-80.png  the pixels left, top, right, bottom of a picture (00) or frame

Invariants: a path names the same pixels in every export, so nothing is written twice; a file appears whole. Nothing is kept
in memory of what was written: the disk is asked.
"""

from __future__ import annotations

import base64
import os
import shutil
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from PIL import Image

from engine.media import MediaFolder
from engine.trace import Box, Media, Trace, View, medium_of

__all__ = ["Options", "Sheet"]

_READ_ALIKE = {"image/jpeg": ("RGB", "L"), "image/png": ("RGB", "L"), "image/webp": ("RGB",)}
"""Originals that every reader sees as the studio does, by type, in these of Pillow's modes and not turned."""
_ORIENTATION = 0x0112


@dataclass(frozen=True, slots=True)
class Options:
    """What whoever exports may choose: `has_versions`, every revision and not the head alone; `protocol`, the wire format
    of conversations that are not in that of their trace, None where the format or the trace decides."""

    has_versions: bool = False
    protocol: str | None = None


class Sheet:
    """`find` looks up the version of another trace by its id and hash, for formats that set two beside each other."""

    def __init__(
        self,
        media: MediaFolder,
        out: Path,
        options: Options | None = None,
        find: Callable[[str, str], Trace | None] = lambda trace_id, revision: None,
    ) -> None:
        self.options = options or Options()
        self.out = out
        self.find = find
        self.lost: Counter[str] = Counter()
        self._media = media
        self._keep = lru_cache(maxsize=1024)(self._copy)
        self._folder: MediaFolder | None = None

    def lose(self, loss: str, count: int = 1) -> None:
        """Counts what the row that is being written cannot hold; `loss` is one of its format's."""
        if count:
            self.lost[loss] += count

    def keep(self, sha256: str) -> None:
        """Has the original under OUT/media, as another studio wants it. Raises NotFound."""
        self._keep(sha256)

    def _copy(self, sha256: str) -> None:
        if self._folder is None:
            self._folder = MediaFolder(self.out / "media", self._media.limits)
        self._folder.copy(sha256, self._media)

    def original(self, medium: Media) -> str:
        """The path, from OUT, of a picture as every reader sees it alike, or of a clip's file. Raises NotFound."""
        source = self._media.path(medium.sha256)
        if medium.kind == "video":
            return self._file(f"videos/{source.name}", lambda target: shutil.copyfile(source, target))
        if self._is_read_alike(medium.sha256):
            return self._file(f"images/{source.name}", lambda target: shutil.copyfile(source, target))
        return self._file(f"images/{medium.sha256}.png", self._pixels(View(1, medium.sha256, None, Box.full())))

    def picture(self, view: View, media: tuple[Media, ...]) -> str:
        """The path, from OUT, of what a view shows, at full resolution. Raises NotFound."""
        medium = medium_of(view, media)
        if view.box == Box.full():
            if view.frame is None:
                return self.original(medium)
            return self._file(f"frames/{view.sha256}-{view.frame:02}.png", self._pixels(view))
        edges = "-".join(map(str, view.box.to_pixels((medium.width, medium.height))))
        return self._file(f"crops/{view.sha256}-{view.frame or 0:02}-{edges}.png", self._pixels(view))

    def encoded(self, view: View, media: tuple[Media, ...]) -> str:
        """What a view shows as a `data:` address, for formats that hold their pictures. Raises NotFound."""
        is_original = view.frame is None and view.box == Box.full() and self._is_read_alike(view.sha256)
        kind = self._media.mime_type(view.sha256) if is_original else "image/png"
        data = self._media.path(view.sha256).read_bytes() if is_original else self._media.crop_png(view)
        return f"data:{kind};base64,{base64.b64encode(data).decode('ascii')}"

    def _pixels(self, view: View) -> Callable[[Path], object]:
        return lambda target: target.write_bytes(self._media.crop_png(view))

    def _is_read_alike(self, sha256: str) -> bool:
        modes = _READ_ALIKE.get(self._media.mime_type(sha256), ())
        if not modes:
            return False
        with Image.open(self._media.path(sha256)) as image:
            is_plain = "transparency" not in image.info and getattr(image, "n_frames", 1) == 1
            return is_plain and image.mode in modes and image.getexif().get(_ORIENTATION, 1) == 1

    def _file(self, name: str, write: Callable[[Path], object]) -> str:
        target = self.out / name
        if not target.exists():
            target.parent.mkdir(parents=True, exist_ok=True)
            unfinished = target.with_name(f".{target.name}.{os.getpid()}.part")
            try:
                write(unfinished)
                os.replace(unfinished, target)
            finally:
                unfinished.unlink(missing_ok=True)
        return name
