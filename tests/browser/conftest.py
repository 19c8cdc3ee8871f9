"""A Chromium and running studios for the browser tests, which are skipped, with the command that would help, where there
is none."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from engine.lab.bench.running import RunningStudio

_TIMEOUT_MS = 60_000


@pytest.fixture(scope="session")
def chromium() -> Iterator[Any]:
    sync_api = pytest.importorskip("playwright.sync_api", reason="pip install -r requirements-dev.txt")
    path = os.environ.get("CHROMIUM") or shutil.which("chromium") or shutil.which("chromium-browser")
    with sync_api.sync_playwright() as playwright:
        try:
            browser = playwright.chromium.launch(
                executable_path=path, args=["--no-sandbox", "--disable-gpu", "--disable-quic"]
            )
        except sync_api.Error as error:
            pytest.skip(f"no Chromium: apt-get install chromium, or playwright install chromium ({error})")
        yield browser
        browser.close()


@pytest.fixture(scope="session")
def running_studio(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[..., RunningStudio]]:
    """running_studio(**environment): a studio with a home of its own; call `start()` when the home is as it should be."""
    studios: list[RunningStudio] = []

    def make(**environment: str) -> RunningStudio:
        studios.append(RunningStudio(tmp_path_factory.mktemp("studio"), **environment))
        return studios[-1]

    yield make
    for studio in studios:
        studio.stop()


@pytest.fixture
def new_page(chromium: Any) -> Iterator[Callable[..., Any]]:
    """new_page(width=, height=, **options of the browser context): a page in a context, and so a person, of its own. What
    a page reports as an error of its script fails the test."""
    contexts: list[Any] = []
    errors: list[str] = []

    def make(width: int = 1440, height: int = 900, **options: Any) -> Any:
        contexts.append(chromium.new_context(viewport={"width": width, "height": height}, **options))
        page = contexts[-1].new_page()
        page.set_default_timeout(_TIMEOUT_MS)
        page.on("pageerror", lambda error: errors.append(str(error)))
        return page

    yield make
    for context in contexts:
        context.close()
    assert errors == []


@pytest.fixture
def axe() -> Callable[[Any], list[str]]:
    """axe(page): one line for each rule that axe-core finds broken."""
    axe_module = pytest.importorskip(
        "axe_playwright_python.sync_playwright", reason="pip install -r requirements-dev.txt"
    )

    def check(page: Any) -> list[str]:
        found = axe_module.Axe().run(page).response["violations"]
        return [f"{rule['id']}: {node['target']} {node['failureSummary']}" for rule in found for node in rule["nodes"]]

    return check
