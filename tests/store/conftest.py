from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from engine.store import Store


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with Store(tmp_path / "annotations.db") as store:
        yield store


@pytest.fixture(scope="session")
def shared_store(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Store]:
    """One database for all generated examples of a session: tests that use it look at their own records only."""
    with Store(tmp_path_factory.mktemp("shared") / "annotations.db") as store:
        yield store
