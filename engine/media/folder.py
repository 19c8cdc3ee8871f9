"""The folder of media: original files under their own hash, and the derived pictures that screens ask for.

    <root>/<sha256[:2]>/<sha256>.<ext>     the bytes as they came, never changed
    <root>/<sha256[:2]>/<sha256>.sampling  of a clip: "time" or "index", which of its frames are taken (engine.media.sampling)
    <root>/.incoming/                      being validated; swept of what a killed process left behind
    <root>/.thumbnails/...                 may be deleted at any time

Invariants: a file stands under its hash only after it was validated as a whole, decoded, flushed to disk and renamed
into place, so nothing is ever half-stored; people's file names are not used for anything; a hash from outside is
checked to be one before it becomes part of a path. A clip keeps the sampling that it came in with, whichever policy looks
at it later, so that a frame's number means the same frame in every trace; one that says nothing of it came in before there
was a choice, and stays what it was then (`load_media`). One MediaFolder may be used from many threads, several processes may
share a root. At most two files are decoded at a time, and one that is large; decoded media are held in a cache bounded in bytes.

Not covered: which media belong to whom, what they were called, and which are wanted (`engine.store`).
"""

from __future__ import annotations

import errno
import hashlib
import io
import os
import re
import tempfile
import threading
import time
import zlib
from collections.abc import Iterable, Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import BinaryIO

from PIL import Image

from engine.errors import Broken, IntegrityError, InvalidInput, NotFound
from engine.media.cache import BoundedCache, give_back
from engine.media.formats import ACCEPTED, DEFAULT_LIMITS, Format, MediaLimits
from engine.media.loaded import LoadedMedia, Pictures, decode_file, load_media, open_regular, require_bytes
from engine.media.sampling import Sampling
from engine.trace import Media, View

__all__ = ["THUMBNAIL_SIDES_PX", "MediaFolder", "Waiting"]

THUMBNAIL_SIDES_PX = (16, 32, 64, 96, 128, 192, 256, 384, 512, 768, 1024, 1536, 2048)
"""The sizes that exist: a request gets the largest that is not above it, so nobody can fill the disk with others."""

_DECODED_AS = "2"
"""Another one with every change by which a file decodes to other pixels: thumbnails of the old ones are not shown."""

_CHUNK_BYTES = 2**20
_STALE_AFTER_S = 3600
_LARGE_BYTES = 64 * 2**20


@dataclass(frozen=True, slots=True)
class Waiting:
    """A medium that was received and waits to be settled: the file, and where it will stand; None for one that is here."""

    media: Media
    incoming: Path | None = None
    target: Path | None = None
    sampling: Sampling = "time"


class MediaFolder:
    """`cache_bytes` bounds the decoded media that stay in memory, beside one that is larger than that by itself. `sampling`
    is that of clips which come in: what the policy's protocol asks for. `altered` are the hashes whose files were found to be
    something else. What writes raises Broken where the disk is full or cannot be written."""

    def __init__(
        self,
        root: Path,
        limits: MediaLimits = DEFAULT_LIMITS,
        cache_bytes: int = 512 * 2**20,
        sampling: Sampling = "time",
    ) -> None:
        self.root = root
        self.limits = limits
        self.sampling: Sampling = sampling
        self._loaded: BoundedCache[str, LoadedMedia] = BoundedCache(cache_bytes)
        self._encoded: BoundedCache[tuple[object, ...], bytes] = BoundedCache(64 * 2**20)
        self._decoding = threading.BoundedSemaphore(2)
        self._large = threading.Lock()
        self.altered: set[str] = set()
        self._hashed: dict[str, tuple[int, int, int]] = {}
        self._incoming = root / ".incoming"
        self._incoming.mkdir(parents=True, exist_ok=True)
        for leftover in self._incoming.iterdir():
            # Another process may be validating a younger one right now.
            if time.time() - leftover.stat().st_mtime > _STALE_AFTER_S:
                leftover.unlink(missing_ok=True)

    def take(self, source: Path | str | bytes, sampling: Sampling | None = None) -> LoadedMedia:
        """Validates a file (or its bytes) and stores it under its hash; a file that is already here is stored once, and
        stays as it is. `sampling` of a clip is the folder's where none is given. Raises InvalidMedia, and then leaves
        nothing behind."""
        with _telling(self.root):
            return self._take(source, sampling or self.sampling)

    def _take(self, source: Path | str | bytes, sampling: Sampling) -> LoadedMedia:
        waiting, loaded = self._receive(source, sampling)
        try:
            if waiting.incoming is not None:
                with waiting.incoming.open("rb") as file:
                    os.fsync(file.fileno())
                self._name([waiting])
        finally:
            self._give_up(waiting)
        self._loaded.put(loaded.media.sha256, loaded, loaded.memory_bytes)
        return loaded

    def receive(self, source: Path | str | bytes) -> Waiting:
        """The first half of `take` for many at once: validated and written, and not yet here. Its pixels are let go. Give what
        comes back to `settle`. Raises InvalidMedia, and then leaves nothing behind."""
        with _telling(self.root):
            return self._receive(source, self.sampling)[0]

    def settle(self, waiting: Sequence[Waiting]) -> None:
        """The second half: makes all that `receive` gave last on disk, at the price of one, and then stores each under its
        hash. Where it is not called, the files are swept some day."""
        coming = [one for one in waiting if one.incoming is not None]
        if coming:
            if hasattr(os, "sync"):
                os.sync()  # once for all of them, instead of once for each
            try:
                with _telling(self.root):
                    self._name(coming)
            finally:
                for one in coming:
                    self._give_up(one)

    def _receive(self, source: Path | str | bytes, sampling: Sampling) -> tuple[Waiting, LoadedMedia]:
        descriptor, name = tempfile.mkstemp(dir=self._incoming)
        incoming = Path(name)
        is_coming = False
        try:
            with os.fdopen(descriptor, "w+b") as file:
                if isinstance(source, bytes):
                    sha256 = self._copy(io.BytesIO(source), file)
                else:
                    with open_regular(source) as original:
                        # Said before copying; counted again while copying, for a file that is still growing.
                        require_bytes(os.fstat(original.fileno()).st_size, self.limits)
                        sha256 = self._copy(original, file)
                if self.has(sha256):
                    known = self.load(sha256)
                    return Waiting(known.media), known
                # What is validated is the copy: the original may change under our hands.
                with self._decoding, ExitStack() as alone:
                    loaded, format = decode_file(file, sha256, self.limits, sampling, partial(self._make_room, alone))
                    self._tidy(loaded)
            is_coming = True
            return Waiting(loaded.media, incoming, self._stored(sha256, format), sampling), loaded
        finally:
            if not is_coming:
                incoming.unlink(missing_ok=True)

    def _make_room(self, alone: ExitStack, size_bytes: int) -> None:
        """Before decoding takes so many bytes: of large pictures there is one at a time, and what is held gives way to it."""
        if size_bytes > _LARGE_BYTES:
            alone.enter_context(self._large)
            self._loaded.make_room(size_bytes)
            give_back()

    @staticmethod
    def _tidy(loaded: LoadedMedia) -> None:
        """What decoding something large needed beside its pixels goes back to the system."""
        if loaded.memory_bytes > _LARGE_BYTES:
            give_back()

    def _name(self, coming: Sequence[Waiting]) -> None:
        """Renames files that the disk holds to their hashes, and makes the names last."""
        for one in coming:
            if one.media.kind == "video":
                self._write(one.sampling.encode("ascii"), self._sampling_of(one.media.sha256))
            assert one.incoming is not None and one.target is not None
            one.target.parent.mkdir(parents=True, exist_ok=True)
            with suppress(FileNotFoundError):  # the same file, twice among those that came
                os.replace(one.incoming, one.target)
        _make_names_last({one.target.parent for one in coming if one.target is not None})

    def _give_up(self, waiting: Waiting) -> None:
        if waiting.incoming is not None:
            waiting.incoming.unlink(missing_ok=True)

    def has(self, sha256: str) -> bool:
        return self._find(sha256) is not None

    def path(self, sha256: str) -> Path:
        """Where the original's bytes lie. Raises NotFound."""
        return self._require(sha256)[0]

    def unaltered(self, sha256: str) -> Path:
        """Where the original's bytes lie, hashed since they were last written. Raises NotFound, and IntegrityError where they
        have another hash."""
        path = self.path(sha256)
        is_now = path.stat()
        written = (is_now.st_ino, is_now.st_size, is_now.st_mtime_ns)
        if self._hashed.get(sha256) != written:
            with path.open("rb") as file:
                self._require_hash(sha256, hashlib.file_digest(file, "sha256").hexdigest())
            self._hashed[sha256] = written
        return path

    def mime_type(self, sha256: str) -> str:
        """Of the original's bytes, for instance "image/png". Raises NotFound."""
        return self._require(sha256)[1].mime_type

    def copy(self, sha256: str, source: MediaFolder) -> None:
        """Stores another folder's medium here as it is there, undecoded. Raises NotFound, and IntegrityError where its
        bytes no longer have this hash."""
        path = source.path(sha256)
        if self.has(sha256):
            return
        descriptor, name = tempfile.mkstemp(dir=self._incoming)
        incoming = Path(name)
        try:
            with os.fdopen(descriptor, "w+b") as file, path.open("rb") as original:
                if self._copy(original, file) != sha256:
                    raise IntegrityError(f"the stored media {sha256} has another hash")
                file.flush()
                os.fsync(file.fileno())
            if (sampling := source.sampling_of(sha256)) is not None:
                self._write(sampling.encode("ascii"), self._sampling_of(sha256))
            self._settle(incoming, self.root / sha256[:2] / path.name)
        finally:
            incoming.unlink(missing_ok=True)

    def erase(self, sha256: str) -> None:
        """Deletes a medium with everything that was derived from it; nothing happens where it is not here."""
        if not re.fullmatch(r"[0-9a-f]{64}", sha256):
            return
        derived = (self.root / ".thumbnails").glob(f"*/{sha256[:2]}/{sha256}-*")
        for path in [*derived, *(self.root / sha256[:2]).glob(f"{sha256}.*")]:
            path.unlink(missing_ok=True)
        self._loaded.drop(lambda key: key == sha256)
        self._encoded.drop(lambda key: sha256 in key)

    def sampling_of(self, sha256: str) -> Sampling | None:
        """Which frames of a stored clip are taken; None for a picture, and for a clip from before there was a choice."""
        try:
            return "time" if self._sampling_of(sha256).read_bytes() == b"time" else "index"
        except FileNotFoundError:
            return None

    def load(self, sha256: str) -> LoadedMedia:
        """The decoded media, from the cache where it is there. Raises NotFound, or IntegrityError where the stored
        bytes no longer have this hash."""
        if (loaded := self._loaded.get(sha256)) is not None:
            return loaded
        path = self.path(sha256)
        with self._decoding, ExitStack() as alone:
            if (loaded := self._loaded.get(sha256)) is not None:  # another thread has just decoded it
                return loaded
            loaded = load_media(path, self.limits, self.sampling_of(sha256), partial(self._make_room, alone))
            self._tidy(loaded)
        self._require_hash(sha256, loaded.media.sha256)
        self._loaded.put(sha256, loaded, loaded.memory_bytes)
        return loaded

    def pictures(self, media: Iterable[Media]) -> Pictures:
        """The loaded media of an example or a trace, by hash. Raises NotFound."""
        return {medium.sha256: self.load(medium.sha256) for medium in media}

    def thumbnail(self, sha256: str, frame: int | None, max_side_px: int) -> bytes:
        """A JPEG of the image (None) or frame (from 1) whose longer side is the largest of THUMBNAIL_SIDES_PX up to
        `max_side_px`; never enlarged; kept on disk. Raises NotFound, InvalidInput."""
        sides = [side for side in THUMBNAIL_SIDES_PX if side <= max_side_px]
        if not sides:
            raise InvalidInput(f"A thumbnail has at least {THUMBNAIL_SIDES_PX[0]} pixels a side, not {max_side_px}.")
        self._require(sha256)
        kept = self.root / ".thumbnails" / _DECODED_AS / sha256[:2] / f"{sha256}-{frame or 0}-{sides[-1]}.jpg"
        try:
            return kept.read_bytes()
        except FileNotFoundError:
            pass
        picture = self.load(sha256).picture(frame)
        scale = min(1.0, sides[-1] / max(picture.size))
        size = (max(1, round(picture.width * scale)), max(1, round(picture.height * scale)))
        data = _encode(picture.resize(size, Image.Resampling.LANCZOS, reducing_gap=3.0), "JPEG", quality=88)
        with suppress(Broken):  # it is drawn again where it cannot be kept
            self._write(data, kept)
        return data

    def frame_jpeg(self, sha256: str, frame: int | None) -> bytes:
        """The whole upright picture as a JPEG that every browser shows, at full size. Raises NotFound."""
        key = ("frame", sha256, frame)
        if (data := self._encoded.get(key)) is None:
            data = _encode(self.load(sha256).picture(frame), "JPEG", quality=92, subsampling=0)
            self._encoded.put(key, data, len(data))
        return data

    def crop_png(self, view: View) -> bytes:
        """The view's original pixels, exactly, as a PNG. Raises NotFound."""
        key = ("crop", view.sha256, view.frame, view.box)
        if (data := self._encoded.get(key)) is None:
            # After PNG's own filters what repeats in a picture are runs: looking for those alone takes 0.6 of the time of
            # level 3 on photographs, and the files are smaller.
            data = _encode(
                self.load(view.sha256).crop(view.frame, view.box), "PNG", compress_level=1, compress_type=zlib.Z_RLE
            )
            self._encoded.put(key, data, len(data))
        return data

    def _require_hash(self, sha256: str, seen: str) -> None:
        if seen == sha256:
            self.altered.discard(sha256)
            return
        self.altered.add(sha256)
        raise IntegrityError(
            f"the file of the media {sha256} was altered (it has the hash {seen}); `python -m engine verify --repair` takes it "
            "from the last snapshot"
        )

    def _copy(self, source: BinaryIO, target: BinaryIO) -> str:
        """Copies all bytes and returns their SHA-256. Raises InvalidMedia past the size limit."""
        digest, size = hashlib.sha256(), 0
        while chunk := source.read(_CHUNK_BYTES):
            size += len(chunk)
            require_bytes(size, self.limits)
            digest.update(chunk)
            target.write(chunk)
        return digest.hexdigest()

    def _stored(self, sha256: str, format: Format) -> Path:
        return self.root / sha256[:2] / f"{sha256}{format.extension}"

    def _sampling_of(self, sha256: str) -> Path:
        return self.root / sha256[:2] / f"{sha256}.sampling"

    def _find(self, sha256: str) -> tuple[Path, Format] | None:
        if not re.fullmatch(r"[0-9a-f]{64}", sha256):
            return None
        # Texts, since a dozen paths for each look cost as much as decoding a small picture.
        stem = os.path.join(self.root, sha256[:2], sha256)
        found = next((format for format in ACCEPTED if os.path.isfile(stem + format.extension)), None)
        return None if found is None else (self._stored(sha256, found), found)

    def _require(self, sha256: str) -> tuple[Path, Format]:
        if (found := self._find(sha256)) is None:
            raise NotFound(f"There is no media {sha256[:64]!r} here.")
        return found

    def _write(self, data: bytes, target: Path) -> None:
        with _telling(self.root):
            descriptor, name = tempfile.mkstemp(dir=self._incoming)
            try:
                with os.fdopen(descriptor, "wb") as file:
                    file.write(data)
                self._settle(Path(name), target)
            finally:
                Path(name).unlink(missing_ok=True)

    def _settle(self, file: Path, target: Path) -> None:
        """Renames a finished file into place, and makes the name last."""
        target.parent.mkdir(parents=True, exist_ok=True)
        os.replace(file, target)
        _make_names_last({target.parent})


@contextmanager
def _telling(root: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        if error.errno not in (errno.ENOSPC, errno.EDQUOT, errno.EROFS, errno.EACCES):
            raise
        raise Broken(
            f"The disk of {root} takes no more ({error.strerror}), so nothing of this was kept; its host has to make room."
        ) from error


def _make_names_last(folders: Iterable[Path]) -> None:
    if os.name == "posix":
        for folder in folders:
            directory = os.open(folder, os.O_RDONLY)
            try:
                os.fsync(directory)
            finally:
                os.close(directory)


def _encode(picture: Image.Image, format: str, **options: int) -> bytes:
    buffer = io.BytesIO()
    picture.save(buffer, format, **options)
    return buffer.getvalue()
