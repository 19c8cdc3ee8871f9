"""Media that many round trips share."""

from __future__ import annotations

import pytest

from engine.media import MediaFolder
from tests.exchange.executed import taken


@pytest.fixture(scope="package")
def shown(tmp_path_factory):
    """(media, (picture, clip), a folder to write into)."""
    root = tmp_path_factory.mktemp("shown")
    media = MediaFolder(root / "kept")
    return media, taken(media), root
