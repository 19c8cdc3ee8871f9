"""Twenty traces corrected and approved by keyboard alone: keys and seconds each, in this checkout and in another one.

    python -m tests.peers.twenty [--before CHECKOUT] [--count 20] [--key-ms 120]

Both studios run with the scripted policy in an empty home, filled by their own code with the same traces: wrong answers, a
box beside what it should hold (what follows is stale then), no answer at all, and some that are right. A key takes
`--key-ms`, as a practised hand does; what the page needs comes on top. Where a build has no key for something, the hand
goes there with Tab, as whoever has no mouse must. Prints a row for each kind of work. Needs a Chromium, as the browser's
tests do. Outside CI: it measures, and needs a second checkout to compare with.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from engine.lab.bench.browsing import launched
from engine.lab.bench.running import RunningStudio

_ROOT = Path(__file__).resolve().parents[2]
_KINDS = ("answer", "box", "answer", "missing", "right")
_MOST_TABS = 120
_WITHIN_MS = 60_000
_MOST_TRIES = 10
_PATIENCE_MS = 1_500

_FILL = """
import sys
from dataclasses import replace
from pathlib import Path
from engine.media import MediaFolder
from engine.store import Store
from tests.browser.traces import picture_trace

class Spoiling:
    def __init__(self, store, kind):
        self.media, self.traces, self.kept, self.kind = store.media, self, store.traces, kind

    def record(self, trace, **more):
        if self.kind == "answer":
            trace = replace(trace, steps=(*trace.steps[:-1], replace(trace.steps[-1], answer="KX9999")))
        if self.kind == "missing":
            trace = replace(trace, steps=trace.steps[:1], stop_reason="max_tokens")
        return self.kept.record(trace, **more)

home, kinds = Path(sys.argv[1]), sys.argv[2].split(",")
with Store(home / "annotations.db") as store:
    media = MediaFolder(home / "artifacts" / "media")
    for k, kind in enumerate(kinds):
        picture_trace(Spoiling(store, kind), media, k, question=f"{kind}, trace {k}", size=(640, 480))
"""
"""Run inside the checkout that is measured, by its own store."""


@dataclass
class Hand:
    """Counts what is pressed on a page, each key taking `key_ms`."""

    page: Any
    key_ms: int
    keys: int = 0
    has_key_for_stale: bool = True
    seconds: dict[str, list[float]] = field(default_factory=lambda: defaultdict(list))
    pressed: dict[str, list[int]] = field(default_factory=lambda: defaultdict(list))

    def press(self, *keys: str) -> None:
        for key in keys:
            self.page.keyboard.press(key)
            self.page.wait_for_timeout(self.key_ms)
            self.keys += 1

    def has_hand(self, where: str) -> bool:
        return bool(self.page.evaluate("where => !!document.activeElement.closest(where)", where))

    def go_to(self, where: str) -> None:
        """By Tab, from wherever the hand is. Raises LookupError where it never comes there."""
        for _ in range(_MOST_TABS):
            if self.has_hand(where):
                return
            self.press("Tab")
        raise LookupError(f"{where} is not reached by {_MOST_TABS} times Tab")

    def write_answer(self, answer: str) -> None:
        """With `w`; where that does not put the hand into the field, the field is made by the button for it."""
        self.press("w")
        if not self.has_hand("#curate-answer"):
            self.go_to(".panel-give")
            self.press("Enter")
            self.page.wait_for_timeout(300)
            self.press("w")
        self.press("Control+a", *answer, "Escape")

    def has_chosen_stale(self) -> bool:
        return bool(self.page.locator(".card.is-stale.is-chosen").count())

    def confirm(self) -> None:
        """All stale steps."""
        stale = self.page.locator(".card.is-stale")
        while stale.count():
            before = stale.count()
            if self.has_key_for_stale:
                self.press("y")
                self.has_key_for_stale = stale.count() < before or self.has_chosen_stale()
            if not self.has_key_for_stale:
                self.go_to(".card.is-stale [data-act=confirm]")
                self.press("Enter")
            self.page.wait_for_timeout(150)


def correct(hand: Hand, kind: str, answer: str) -> None:
    if kind in ("answer", "missing"):
        hand.write_answer(answer)
    elif kind == "box":
        hand.press("b", "ArrowLeft", "ArrowLeft", "ArrowUp")
        hand.page.wait_for_selector(".card.is-stale")
        hand.confirm()


def work(url: str, browser: Any, count: int, key_ms: int) -> Hand:
    """Through the queue, the oldest trace first, until `count` are approved."""
    page = browser.new_context(viewport={"width": 1440, "height": 900}).new_page()
    page.set_default_timeout(_WITHIN_MS)
    page.goto(f"{url}/curate?order=oldest")
    page.wait_for_selector("#curate-approve:enabled")
    hand = Hand(page, key_ms)
    done = 0
    while done < count:
        page.wait_for_selector("#curate-approve:enabled")
        question = page.inner_text(".editor-question")
        kind, number = question.split(", trace ")
        hand.keys, started = 0, time.monotonic()
        correct(hand, kind, f"KX{int(number):04d}")
        is_last = done + 1 == count
        # A build may refuse what it has not heard of yet: a person presses again.
        for _ in range(_MOST_TRIES):
            hand.press("a")
            if is_last or _has_moved_on(page, question):
                break
        if not is_last:
            page.wait_for_selector("#curate-approve:enabled")
        hand.seconds[kind].append(time.monotonic() - started)
        hand.pressed[kind].append(hand.keys)
        done += 1
    page.wait_for_function("document.querySelector('.inspector-saved').dataset.state === 'saved'")
    page.context.close()
    return hand


def _has_moved_on(page: Any, question: str) -> bool:
    from playwright.sync_api import TimeoutError as Waited

    moved = "q => document.querySelector('.editor-question').textContent !== q"
    try:
        page.wait_for_function(moved, arg=question, timeout=_PATIENCE_MS)
    except Waited:
        return False
    return True


def measure(folder: Path, browser: Any, count: int, key_ms: int) -> Hand:
    home = Path(tempfile.mkdtemp(prefix="twenty-"))
    kinds = [_KINDS[k % len(_KINDS)] for k in range(count)]
    environment = {**os.environ, "PYTHONPATH": str(folder)}
    subprocess.run([sys.executable, "-c", _FILL, str(home), ",".join(kinds)], cwd=folder, env=environment, check=True)
    try:
        with RunningStudio(home, checkout=folder) as studio:
            return work(studio.url, browser, count, key_ms)
    finally:
        shutil.rmtree(home, ignore_errors=True)


def rows(hand: Hand) -> list[tuple[str, int, float, float]]:
    """Kind, how many, keys each and seconds each; all of them last."""
    found = [
        (kind, len(keys), statistics.mean(keys), statistics.mean(hand.seconds[kind]))
        for kind, keys in sorted(hand.pressed.items())
    ]
    keys = [n for many in hand.pressed.values() for n in many]
    seconds = [s for many in hand.seconds.values() for s in many]
    return [*found, ("all", len(keys), statistics.mean(keys), statistics.mean(seconds))]


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(prog="python -m tests.peers.twenty", description=(__doc__ or "").split("\n\n")[0])
    parser.add_argument("--before", type=Path, help="a checkout of an older build")
    parser.add_argument("--count", type=int, default=20)
    parser.add_argument("--key-ms", type=int, default=120)
    parser.add_argument("--json", action="store_true", help="one object instead of a table")
    options = parser.parse_args(arguments)
    from playwright.sync_api import sync_playwright

    folders = {"now": _ROOT} | ({"before": options.before.resolve()} if options.before else {})
    with sync_playwright() as playwright:
        browser = launched(playwright)
        made = {name: rows(measure(at, browser, options.count, options.key_ms)) for name, at in folders.items()}
        browser.close()
    if options.json:
        print(json.dumps(made))
        return
    for name, table in made.items():
        print(f"{name}:")
        for kind, n, keys, seconds in table:
            print(f"  {kind:<8} {n:>3} traces   {keys:5.1f} keys   {seconds:5.2f} s each")


if __name__ == "__main__":
    main()
