"""A Chromium and running studios for the browser tests, which are skipped, with the command that would help, where there
is none."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterator
from typing import Any
from urllib.parse import urljoin

import pytest

from engine.lab.bench.browsing import launched
from engine.lab.bench.running import RunningStudio

_TIMEOUT_MS = 60_000


@pytest.fixture(scope="session")
def chromium() -> Iterator[Any]:
    sync_api = pytest.importorskip("playwright.sync_api", reason="pip install -r requirements-dev.txt")
    with sync_api.sync_playwright() as playwright:
        try:
            browser = launched(playwright)
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


@pytest.fixture(scope="session")
def used_pages(chromium: Any) -> Iterator[dict[str, list[Any]]]:
    """Pages that tests are done with, by the options of their contexts. Where scripts were compiled before, a screen opens
    in a third of the time."""
    used: dict[str, list[Any]] = defaultdict(list)
    yield used
    for page in (one for alike in used.values() for one in alike):
        page.context.close()


@pytest.fixture
def new_page(chromium: Any, used_pages: dict[str, list[Any]]) -> Iterator[Callable[..., Any]]:
    """new_page(width=, height=, **options of the browser context): a page in a context, and so a person, of its own. What
    a page reports as an error of its script fails the test."""
    taken: list[tuple[str, Any]] = []
    errors: list[str] = []

    def tell(error: Any) -> None:
        errors.append(str(error))

    def make(width: int = 1440, height: int = 900, **options: Any) -> Any:
        options |= {"viewport": {"width": width, "height": height}}
        alike = repr(sorted(options.items()))
        page = used_pages[alike].pop() if used_pages[alike] else chromium.new_context(**options).new_page()
        page.set_default_timeout(_TIMEOUT_MS)
        page.on("pageerror", tell)
        taken.append((alike, page))
        return page

    yield make
    for alike, page in taken:
        if _forget(page):
            page.remove_listener("pageerror", tell)
            used_pages[alike].append(page)
        else:
            page.context.close()
    assert errors == []


def _forget(page: Any) -> bool:
    """Whether the page is fit for another person: it and its server are there, and what the browser kept is gone but for
    the scripts."""
    from playwright.sync_api import Error

    for beside in page.context.pages:
        if beside is not page:
            beside.close()
    if page.is_closed() or not page.url.startswith("http"):
        return False
    page.context.set_offline(False)
    page.unroute_all()
    quiet = urljoin(page.url, "/health")  # the studio's own, and so shown by the same process of the browser
    try:
        page.goto(quiet)
        page.evaluate("localStorage.clear(), sessionStorage.clear()")
    except Error:
        return False
    page.context.clear_cookies()
    return bool(page.url == quiet)


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
