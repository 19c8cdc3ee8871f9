"""How long a phone on a slow line waits for the first page: `python -m tests.first_paint [FOLDER]`.

Starts the studio of this repository (or of another checkout of it, FOLDER, to compare with) with the scripted policy, opens Ask
in a browser without a cache over 50 KB/s and 400 ms, which Chromium emulates, and prints one JSON object: when something useful
stood there (the heading and a sample), when the samples could be picked, both in seconds, and the bytes and requests by then.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import time
import urllib.request
from pathlib import Path
from typing import Any

from engine.lab.bench.browsing import launched
from engine.lab.bench.running import RunningStudio

BYTES_A_SECOND, LATENCY_MS = 50 * 1024, 400
_USEFUL = "() => document.body?.innerText.includes('Ask about a picture or a clip') && document.querySelector({!r})"


def measure(url: str, browser: Any) -> dict[str, float]:
    page = browser.new_context(viewport={"width": 390, "height": 844}).new_page()
    page.set_default_timeout(120_000)
    line = page.context.new_cdp_session(page)
    line.send("Network.enable")
    speed = {"latency": LATENCY_MS, "downloadThroughput": BYTES_A_SECOND, "uploadThroughput": BYTES_A_SECOND}
    line.send("Network.emulateNetworkConditions", {"offline": False, **speed})
    sizes: list[int] = []
    line.on("Network.loadingFinished", lambda event: sizes.append(int(event["encodedDataLength"])))
    began = time.monotonic()
    page.goto(url, wait_until="commit")
    page.wait_for_function(_USEFUL.format(".first-samples li, #ask-samples li"))
    useful_s = time.monotonic() - began
    page.wait_for_selector("#ask-samples li", state="attached")
    ready_s = time.monotonic() - began
    page.wait_for_timeout(1000)
    return {"useful_s": round(useful_s, 1), "ready_s": round(ready_s, 1), "bytes": sum(sizes), "requests": len(sizes)}


def main() -> None:
    from playwright.sync_api import sync_playwright

    folder = Path(sys.argv[1]) if len(sys.argv) > 1 else Path(__file__).parent.parent
    with tempfile.TemporaryDirectory() as home, sync_playwright() as playwright:
        studio = RunningStudio(Path(home))
        environment = {**os.environ, "STUDIO_HOME": home, "STUDIO_PORT": str(studio.port), "STUDIO_MODEL": "scripted"}
        process = subprocess.Popen([sys.executable, "app.py"], cwd=folder, env=environment, stderr=subprocess.DEVNULL)
        try:
            _until_drawn(studio.url)
            browser = launched(playwright)
            measure(studio.url, browser)  # the server's own caches are warm, as on a Space that somebody has opened
            print(json.dumps({"folder": folder.name, **measure(studio.url, browser)}))
            browser.close()
        finally:
            process.terminate()
            process.wait()


def _until_drawn(url: str, within_s: float = 240) -> None:
    deadline = time.monotonic() + within_s
    while time.monotonic() < deadline:
        try:
            urllib.request.urlopen(f"{url}/health", timeout=5).close()
            return time.sleep(8)
        except OSError:
            time.sleep(0.3)
    raise SystemExit(f"{url} did not answer within {within_s} s")


if __name__ == "__main__":
    main()
