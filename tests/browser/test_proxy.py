"""Ask and Curate below a path behind a real nginx or Caddy, whatever it tells; what another site asks for is refused there."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import httpx
import pytest

from engine.trace import Box, Step, ZoomIn
from tests.browser.live import LiveStudio
from tests.browser.proxies import PLAIN, TELLING, caddy, nginx

LOOK = Step("Closer.", ZoomIn(1, Box(0.4, 0.38, 0.6, 0.56)))
READ = Step("Now I can read it.", answer="KX7421")


@pytest.fixture(scope="module")
def live(tmp_path_factory: pytest.TempPathFactory, chromium: Any) -> Iterator[LiveStudio]:
    studio = LiveStudio(tmp_path_factory.mktemp("proxied"))
    studio.say(LOOK, READ)
    yield studio
    studio.close()


@pytest.fixture(scope="module")
def addresses(live: LiveStudio, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Mapping[str, str]]:
    """By what the proxy tells; without those of a program that is not installed."""
    with ExitStack() as running:
        found: dict[str, str] = {}
        if shutil.which("nginx") or Path("/usr/sbin/nginx").exists():
            folder = tmp_path_factory.mktemp("nginx")
            found |= running.enter_context(nginx(folder, live.url, {"plain": PLAIN, "telling": TELLING}))
        if shutil.which("caddy"):
            found["caddy"] = running.enter_context(caddy(tmp_path_factory.mktemp("caddy"), live.url))
        yield found


@pytest.mark.parametrize("told", ["plain", "telling", "caddy"])
def test_ask_and_curate_below_a_path(
    told: str, live: LiveStudio, addresses: Mapping[str, str], new_page: Callable[..., Any]
) -> None:
    if told not in addresses:
        pytest.skip(f"apt-get install {'caddy' if told == 'caddy' else 'nginx-light'}")
    refused: list[str] = []
    page = new_page()
    page.on("response", lambda answer: refused.append(answer.url) if answer.status >= 400 else None)
    page.on("requestfailed", lambda asked: refused.append(asked.url) if asked.failure != "net::ERR_ABORTED" else None)
    page.goto(addresses[told])
    page.click("#ask-samples li:nth-child(1) button")
    page.wait_for_selector(".source-svg")
    page.click("#ask-run")
    page.wait_for_selector(".answer-text:has-text('KX7421')")
    page.click("#nav-curate")
    page.wait_for_selector("#curate-approve:enabled")
    page.wait_for_selector("#curate-steps li img")
    assert page.evaluate("[...document.images].every((image) => image.complete && image.naturalWidth > 0)")
    page.click("#curate-approve")
    live.until(lambda: live.studio.store.traces.counts().get("accepted", 0) >= 1)
    head = live.studio.store.traces.ids("accepted")[0]
    page.goto(f"{addresses[told]}curate?trace={head}")
    page.wait_for_selector("#curate-steps li img")
    assert page.url.startswith(addresses[told]) and refused == []


def test_another_site_and_another_name_are_refused_behind_a_proxy(addresses: Mapping[str, str]) -> None:
    for told, address in addresses.items():
        port = address.split(":")[2].split("/")[0]
        at = f"http://127.0.0.1:{port}/studio"
        foreign = {"Origin": "http://evil.example", "X-Studio": "1"}
        assert httpx.post(f"{at}/curate/edit", json={}, headers=foreign).status_code == 403
        assert httpx.post(f"{at}/curate/edit", json={}, headers={"X-Studio": "1"}).status_code == 422
        if told != "plain":  # where the studio hears the upstream's name alone
            assert httpx.get(f"{at}/me", headers={"Host": f"evil.example:{port}"}).status_code == 421
        assert httpx.get(at, follow_redirects=False).headers["location"].endswith("/studio/")
