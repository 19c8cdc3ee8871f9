"""Where snapshots lie: a folder, which may be a mounted bucket, or a private data set of the Hugging Face Hub.

A place holds files by name and knows nothing of what is in them. `put` lays down its files in the order of their names, the
last of which makes the others count; a file that was cut off has another size than it should.

Invariant: nothing here renames or locks, which mounted buckets cannot do.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from engine.errors import InvalidInput, Unavailable
from engine.exchange.hub import hub_api, on_the_hub, require_repo, upload

if TYPE_CHECKING:
    from huggingface_hub import HfApi

__all__ = ["FolderPlace", "HubPlace", "Place", "place_named"]

HUB = "hub:"


class Place(Protocol):
    """`name` is what people call it. Every method raises Unavailable where the place cannot be reached."""

    @property
    def name(self) -> str: ...

    def sizes(self) -> Mapping[str, int]:
        """The files that lie there, each with its size in bytes."""
        ...

    def put(self, folder: Path, names: Sequence[str]) -> None:
        """Copies files of `folder` there, sorted by name."""
        ...

    def fetch(self, name: str, target: Path) -> None:
        """Copies a file from there. Raises FileNotFoundError."""
        ...

    def drop(self, names: Iterable[str]) -> None:
        """Deletes files there, as far as the place deletes anything."""
        ...


def place_named(where: str) -> Place:
    """A folder's path, or `hub:OWNER/NAME`. Raises InvalidInput."""
    if not where:
        raise InvalidInput("no place for backups is named; give a folder or hub:OWNER/NAME, or set STUDIO_BACKUP")
    return HubPlace(require_repo(where.removeprefix(HUB))) if where.startswith(HUB) else FolderPlace(Path(where))


@dataclass(frozen=True, slots=True)
class FolderPlace:
    root: Path

    @property
    def name(self) -> str:
        return str(self.root)

    def sizes(self) -> dict[str, int]:
        files = (path for path in self.root.rglob("*") if path.is_file()) if self.root.is_dir() else ()
        return {path.relative_to(self.root).as_posix(): path.stat().st_size for path in files}

    def put(self, folder: Path, names: Sequence[str]) -> None:
        try:
            for name in sorted(names):
                target = self.root / name
                target.parent.mkdir(parents=True, exist_ok=True)
                with (folder / name).open("rb") as source, target.open("wb") as copy:
                    shutil.copyfileobj(source, copy, 1 << 20)
                    copy.flush()
                    os.fsync(copy.fileno())
        except OSError as error:
            raise Unavailable(
                f"{self.root} takes no backup ({error.strerror}); the last whole snapshot stands"
            ) from error

    def fetch(self, name: str, target: Path) -> None:
        try:
            shutil.copyfile(self.root / name, target)
        except FileNotFoundError:
            raise
        except OSError as error:
            raise Unavailable(f"{self.root} cannot be read ({error.strerror})") from error

    def drop(self, names: Iterable[str]) -> None:
        for name in names:
            (self.root / name).unlink(missing_ok=True)


@dataclass(frozen=True, slots=True)
class HubPlace:
    """A data set that only its owner can read; the token is read from HF_TOKEN. Each `put` is one commit. Deleted files go from
    the data set, and stay in its history."""

    repo: str

    @property
    def name(self) -> str:
        return f"{HUB}{self.repo}"

    def sizes(self) -> dict[str, int]:
        with on_the_hub(self.repo):
            api = hub_api()
            if not api.repo_exists(self.repo, repo_type="dataset"):
                return {}
            tree: Iterable[Any] = api.list_repo_tree(self.repo, recursive=True, repo_type="dataset")
            return {one.path: one.size for one in tree if hasattr(one, "size")}

    def put(self, folder: Path, names: Sequence[str]) -> None:
        upload(folder, sorted(names), self.repo, message="Pixel Reasoner Studio: snapshot")

    def fetch(self, name: str, target: Path) -> None:
        with on_the_hub(self.repo):
            api: HfApi = hub_api()
            got = api.hf_hub_download(self.repo, name, repo_type="dataset", local_dir=target.parent / ".hub")
            os.replace(got, target)

    def drop(self, names: Iterable[str]) -> None:
        from huggingface_hub import CommitOperationDelete

        operations = [CommitOperationDelete(name) for name in names]
        if operations:
            with on_the_hub(self.repo):
                hub_api().create_commit(
                    self.repo, operations, commit_message="Pixel Reasoner Studio: old snapshots", repo_type="dataset"
                )
