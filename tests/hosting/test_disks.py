"""A mounted bucket is told from a disk, by the longest mount that holds the folder."""

from __future__ import annotations

from pathlib import Path

import pytest

from engine.errors import InvalidSetting
from engine.hosting.disks import filesystem_of, require_no_bucket

MOUNTS = r"""22 1 0:21 / / rw,relatime - overlay overlay rw
23 22 0:22 / /data rw,relatime shared:1 - fuse.s3fs s3fs rw
24 23 0:23 / /data/disk rw - ext4 /dev/sdb rw
25 22 0:24 / /mnt/my\040bucket rw - fuse.hf-mount hf rw
26 22 0:25 / /mnt/disk rw - fuse.fuse-overlayfs x rw
"""


def test_the_longest_mount_tells() -> None:
    kinds = {
        "/data/studio": "fuse.s3fs",
        "/data/disk/studio": "ext4",
        "/database": "overlay",
        "/mnt/my bucket": "fuse.hf-mount",
    }
    assert {path: filesystem_of(Path(path), MOUNTS) for path in kinds} == kinds
    assert filesystem_of(Path("/data"), "") is None


def test_a_home_on_a_bucket_is_refused_with_what_to_set_instead() -> None:
    for path in ("/data/studio", "/mnt/my bucket"):
        with pytest.raises(InvalidSetting, match=f"mounted bucket .*STUDIO_BACKUP='{path}'"):
            require_no_bucket(Path(path), MOUNTS)
    for path in ("/data/disk", "/srv/studio", "/mnt/disk"):
        require_no_bucket(Path(path), MOUNTS)
    require_no_bucket(Path.cwd())
