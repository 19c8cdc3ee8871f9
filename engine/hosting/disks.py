"""On what kind of disk a folder lies: a live database does not belong on a mounted bucket.

A bucket (S3, Google Cloud Storage, a bucket of the Hub) that is mounted as a folder keeps whole files. SQLite changes pages in
place, locks, and counts on what was flushed: there it loses data in silence. Snapshots (`engine.hosting.backup`) are whole files
and belong there.

Sources: proc_pid_mountinfo(5); the names under which these programs mount.
"""

from __future__ import annotations

import re
from pathlib import Path

from engine.errors import InvalidSetting

__all__ = ["filesystem_of", "require_no_bucket"]

_BUCKET = re.compile(
    r"(fuse\.)?(s3fs|s3ql|goofys|geesefs|gcsfuse|mountpoint-s3|mount-s3|blobfuse2?|rclone|hf[-_].*|.*bucket.*|ossfs|cosfs)"
)
_MOUNTS = Path("/proc/self/mountinfo")


def require_no_bucket(home: Path, mounts: str | None = None) -> None:
    """Raises InvalidSetting where `home` lies on a mounted bucket; `mounts` is the text of /proc/self/mountinfo."""
    if mounts is None:
        mounts = _MOUNTS.read_text(errors="replace") if _MOUNTS.exists() else ""
    kind = filesystem_of(home, mounts)
    if kind is not None and _BUCKET.fullmatch(kind):
        raise InvalidSetting(
            f"STUDIO_HOME={str(home)!r} lies on a mounted bucket ({kind}), where a live database loses data; set STUDIO_HOME "
            f"to a folder of the machine's own disk, and STUDIO_BACKUP={str(home)!r}, where snapshots of it then go"
        )


def filesystem_of(folder: Path, mounts: str) -> str | None:
    """The kind of file system that `folder` lies on or would, as the system names it; None where it does not say."""
    where = folder.resolve()
    found: tuple[int, str] | None = None
    for line in mounts.splitlines():
        fields, _, rest = line.partition(" - ")
        if len(fields.split()) < 5 or not rest:
            continue
        point = Path(re.sub(r"\\([0-7]{3})", lambda escaped: chr(int(escaped[1], 8)), fields.split()[4]))
        if where.is_relative_to(point) and (found is None or len(point.parts) >= found[0]):
            found = len(point.parts), rest.split()[0]
    return None if found is None else found[1]
