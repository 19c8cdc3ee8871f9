"""Where the files of a data set lie, by name: a folder of this machine, or a zip, which is read in place.

Invariants:
- a zip is never unpacked, so no name in it can lead anywhere; names that would lead out of it are not found at all;
- a member is refused by its declared size before it is read, and no more than that is ever read;
- a folder that came from a browser is confined: a table in it finds nothing outside it. A folder of the host is not, since
  whoever names it reads there what the studio itself may read.

Not covered: whether a file is a picture (`engine.media`).
"""

from __future__ import annotations

import io
import os
import unicodedata
import zipfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from itertools import islice
from pathlib import Path, PurePosixPath
from typing import BinaryIO, Protocol

from engine.errors import InvalidInput

__all__ = ["DEFAULT_PLACE_LIMITS", "FolderPlace", "Place", "PlaceLimits", "ZipPlace", "hidden", "plain_name", "spooled"]


@dataclass(frozen=True, slots=True)
class PlaceLimits:
    """What is too much: `max_names` files are looked through, `max_member_bytes` is for one file of a zip, and
    `max_unpacked_bytes` for all of them together, as declared. A zip that unpacks to more than `max_ratio` times its own size
    is a bomb: pictures do not shrink."""

    max_names: int = 1_000_000
    max_member_bytes: int = 4 * 2**30
    max_unpacked_bytes: int = 200 * 2**30
    max_ratio: float = 200.0


DEFAULT_PLACE_LIMITS = PlaceLimits()


class Place(Protocol):
    @property
    def names(self) -> Sequence[str]:
        """Every file's name, with "/" between folders, sorted; hidden ones are left out."""

    def find(self, name: str, near: str = "") -> str | None:
        """The file that a table in the folder `near` calls `name`: as written, from the top, or, where there is only one such,
        by its last part alone. None where there is none."""

    def file(self, name: str, max_bytes: int) -> Path | bytes:
        """The path of a file that `find` or `names` gave, or its bytes. Raises InvalidInput."""

    def open(self, name: str) -> BinaryIO:
        """The file for reading, as a table."""


def hidden(name: str) -> bool:
    """What systems leave beside people's files: .DS_Store, __MACOSX/..., Thumbs.db."""
    parts = name.split("/")
    return any(part.startswith(".") or part == "__MACOSX" for part in parts) or parts[-1] in (
        "Thumbs.db",
        "desktop.ini",
    )


def _key(name: str) -> str:
    """One spelling of a name, however a system composed its letters."""
    return unicodedata.normalize("NFC", name)


def plain_name(name: str) -> str | None:
    """A relative name without "." and "..", None where it would lead out."""
    parts: list[str] = []
    for part in name.replace("\\", "/").split("/"):
        if part == "..":
            if not parts:
                return None
            parts.pop()
        elif part not in ("", "."):
            parts.append(part)
    return "/".join(parts) or None


def _last_part(name: str) -> str:
    return _key(PurePosixPath(name.replace("\\", "/")).name)


def _by_last_part(names: Sequence[str]) -> dict[str, str | None]:
    """Last part -> name; None where several files share it."""
    found: dict[str, str | None] = {}
    for name in names:
        last = _last_part(name)
        found[last] = None if last in found else name
    return found


@dataclass(frozen=True)
class FolderPlace:
    """`is_searched` is False where the folder is only what a table happens to lie in: then nothing is found by its last part."""

    root: Path
    is_confined: bool
    is_searched: bool = True
    limits: PlaceLimits = DEFAULT_PLACE_LIMITS

    @cached_property
    def names(self) -> Sequence[str]:
        found = list(islice(self._walk(), self.limits.max_names + 1))
        if len(found) > self.limits.max_names:
            raise InvalidInput(f"{self.root.name} holds more than {self.limits.max_names:,} files; give a part of it")
        return sorted(found)

    def _walk(self) -> Iterator[str]:
        for folder, folders, files in os.walk(self.root):
            folders[:] = sorted(one for one in folders if not hidden(one))
            for file in files:
                name = Path(folder, file).relative_to(self.root).as_posix()
                if not hidden(name):
                    yield name

    @cached_property
    def _last_parts(self) -> dict[str, str | None]:
        return _by_last_part(self.names)

    def find(self, name: str, near: str = "") -> str | None:
        if not self.is_confined and "\0" not in name and (self.root / near / name).is_file():
            return os.path.join(near, name)
        for written in (f"{near}/{name}", name):
            plain = plain_name(written)
            if plain is not None and "\0" not in plain and (self.root / plain).is_file():
                return plain
        return self._last_parts.get(_last_part(name)) if self.is_searched else None

    def file(self, name: str, max_bytes: int) -> Path:
        return self.root / name

    def open(self, name: str) -> BinaryIO:
        try:
            return (self.root / name).open("rb")
        except OSError as error:
            raise InvalidInput(f"{name} cannot be read: {error.strerror or error}") from error


@dataclass(frozen=True)
class ZipPlace:
    """Raises InvalidInput where the file is no zip, or one that is too much (`PlaceLimits`)."""

    path: Path
    limits: PlaceLimits = DEFAULT_PLACE_LIMITS
    _zip: zipfile.ZipFile = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        try:
            object.__setattr__(self, "_zip", zipfile.ZipFile(self.path))
        except (OSError, zipfile.BadZipFile, NotImplementedError) as error:
            raise InvalidInput(f"{self.path.name} cannot be read as a zip: {error}") from error
        members = self._zip.infolist()
        if len(members) > self.limits.max_names:
            raise InvalidInput(f"{self.path.name} holds more than {self.limits.max_names:,} files; give it in parts")
        unpacked, packed = sum(one.file_size for one in members), self.path.stat().st_size
        if unpacked > self.limits.max_unpacked_bytes or unpacked > self.limits.max_ratio * packed + 2**20:
            raise InvalidInput(
                f"{self.path.name} has {packed / 1e6:,.1f} MB and would unpack to {unpacked / 1e6:,.1f} MB; it is not read"
            )

    @cached_property
    def _members(self) -> dict[str, zipfile.ZipInfo]:
        found: dict[str, zipfile.ZipInfo] = {}
        for member in self._zip.infolist():
            written = _own_spelling(member)
            name = None if member.is_dir() or written.startswith("/") else plain_name(written)
            if name is not None and ".." not in written.replace("\\", "/").split("/") and not hidden(name):
                found[_key(name)] = member
        return found

    @cached_property
    def names(self) -> Sequence[str]:
        return sorted(self._members)

    @cached_property
    def _last_parts(self) -> dict[str, str | None]:
        return _by_last_part(self.names)

    def find(self, name: str, near: str = "") -> str | None:
        for written in (f"{near}/{name}", name):
            plain = plain_name(written)
            if plain is not None and _key(plain) in self._members:
                return _key(plain)
        return self._last_parts.get(_last_part(name))

    def file(self, name: str, max_bytes: int) -> bytes:
        member = self._members[name]
        if member.file_size > max_bytes:
            raise InvalidInput(
                f"{name} has {member.file_size / 2**20:,.1f} MiB; at most {max_bytes / 2**20:,.1f} MiB are accepted"
            )
        with self.open(name) as file:
            try:
                return file.read()
            except (OSError, zipfile.BadZipFile, EOFError, ValueError) as error:
                raise InvalidInput(f"{name} is damaged in the zip: {error}") from error
            except Exception as error:  # zlib.error, lzma.LZMAError: each decoder has its own, of no common kind
                raise InvalidInput(f"{name} is damaged in the zip: {error}") from error

    def open(self, name: str) -> BinaryIO:
        member = self._members[name]
        if member.file_size > self.limits.max_member_bytes:
            raise InvalidInput(f"{name} has {member.file_size / 1e6:,.0f} MB unpacked, which is too much")
        try:
            return self._zip.open(member)  # type: ignore[return-value]
        except (OSError, RuntimeError, zipfile.BadZipFile, NotImplementedError) as error:
            raise InvalidInput(f"{name} cannot be read from the zip: {error}") from error


def _own_spelling(member: zipfile.ZipInfo) -> str:
    """The name in UTF-8 where a program wrote it so and did not say it."""
    if member.flag_bits & 0x800:
        return member.filename
    try:
        return member.filename.encode("cp437").decode("utf-8")
    except UnicodeError:
        return member.filename


def spooled(file: BinaryIO) -> io.BytesIO:
    """A copy that can be read from anywhere in it, for a table that is read from its end."""
    return io.BytesIO(file.read())
