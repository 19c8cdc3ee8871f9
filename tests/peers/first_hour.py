"""A team's first hour, as a person has it: a folder of drawn pictures and a table come in, are attempted, corrected, approved,
exported, imported in another home, and one picture goes for good; all in a browser, with every step timed.

    python -m tests.peers.first_hour [--count 200] [--attempts 2] [--pictures DIR] [--keep DIR]

It starts two studios with the embedded reasoner on free ports, each in an empty home, and needs a Chromium (CHROMIUM, or
`chromium` on the path). `--pictures` writes screenshots of the Data screen in every state, wide and narrow, light and dark;
`--keep` leaves homes and downloads there. Prints a table of times, and what held; ends with 1 where something did not.
Outside CI: 400 attempts take some minutes on two cores.
"""

from __future__ import annotations

import argparse
import csv
import json
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from engine.lab.bench.browsing import launched
from engine.lab.bench.running import RunningStudio
from tests.browser.curating import drag_box, eventually, opened, settled

_FORMATS = ("ms-swift", "pixel-reasoner-sft", "trace-json")
_CORRECTED, _BOXES, _APPROVED = 10, 3, 5
_MARKER = "(asked of marker QZ7X1)"
"""Stands in the question of the picture that goes, so that every file can be searched for it."""
_QUICK_MS = 60_000
_LONG_MS = 3_600_000


class Journey:
    """A page of a studio, the clock, and what held. `pictures` is where screenshots go, or None."""

    def __init__(self, browser: Any, studio: RunningStudio, times: dict[str, float], pictures: Path | None) -> None:
        self.studio = studio
        self.times = times
        self.held: list[tuple[bool, str]] = []
        self.page_errors: list[str] = []
        self._pictures = pictures
        self.page = browser.new_context(viewport={"width": 1440, "height": 900}, accept_downloads=True).new_page()
        self.page.set_default_timeout(_QUICK_MS)
        self.page.on("pageerror", lambda error: self.page_errors.append(str(error)))

    @contextmanager
    def step(self, name: str) -> Iterator[None]:
        print(f"{name} …", flush=True)
        started = time.monotonic()
        yield
        self.times[name] = time.monotonic() - started

    def check(self, is_so: bool, what: str) -> None:
        self.held.append((is_so, what))
        print(f"  {'held' if is_so else 'DID NOT HOLD'}: {what}", flush=True)

    def open_data(self) -> None:
        self.page.goto(f"{self.studio.url}/data")
        self.page.wait_for_selector("#data-export-start")

    def shoot(self, name: str) -> None:
        """The page as it stands, at 1440 and 390 px, light and dark."""
        if self._pictures is None:
            return
        for width, scheme in ((1440, "light"), (1440, "dark"), (390, "light"), (390, "dark")):
            self.page.set_viewport_size({"width": width, "height": 900})
            self.page.evaluate("dark => document.body.classList.toggle('dark', dark)", scheme == "dark")
            self.page.screenshot(path=self._pictures / f"{name}-{width}-{scheme}.png", full_page=True)
        self.page.set_viewport_size({"width": 1440, "height": 900})
        self.page.evaluate("document.body.classList.remove('dark')")


# --- what comes in -----------------------------------------------------------------------------------------------------


def drawn_folder(folder: Path, count: int) -> tuple[str, str]:
    """Pictures and a questions.csv with the columns picture, question, answer. Returns the name of the last picture and its
    question, which bears the marker."""
    from engine.evaluation.benchmarks import draw
    from engine.evaluation.drawn import required_benchmark
    from engine.evaluation.writing import write_examples

    path = write_examples(draw(required_benchmark("mini-signs"), count, 7), folder)
    examples = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
    path.unlink()
    examples[-1]["question"] += f" {_MARKER}"
    with (folder / "questions.csv").open("w", newline="", encoding="utf-8") as file:
        table = csv.writer(file)
        table.writerow(("picture", "question", "answer"))
        table.writerows((one["media"], one["question"], one["answer"]) for one in examples)
    return examples[-1]["media"], examples[-1]["question"]


def bring_in(journey: Journey, folder: Path, count: int) -> None:
    page = journey.page
    journey.open_data()
    page.get_by_text("None yet.").wait_for()
    journey.shoot("1-empty")
    with journey.step("send the folder, and see its first rows"):
        page.set_input_files("#data-import input[webkitdirectory]", str(folder))
        page.wait_for_selector("#data-import-preview .data-row img")
    journey.check(page.locator(".data-row img").count() == 5, "five rows are shown with their pictures")
    journey.check(
        page.is_enabled("#data-import-start"), "columns picture, question, answer are guessed; nothing is asked"
    )
    journey.shoot("2-preview")
    with journey.step(f"import {count} rows"):
        page.click("#data-import-start")
        page.wait_for_selector("#data-import .data-job[data-state=done]", timeout=_LONG_MS)
    page.wait_for_selector(".data-set")
    with journey.studio.store() as store:
        [data_set] = store.examples.data_sets()
        journey.check((data_set.count, data_set.with_answer) == (count, count), f"{count} examples, all with an answer")


def collect(journey: Journey, count: int, attempts: int) -> None:
    page = journey.page
    page.wait_for_selector(".data-set-collect:enabled")
    with journey.step(f"collect {attempts} attempts at each of {count}"):
        page.click(".data-set-collect")
        page.fill("#data-collect-attempts", str(attempts))
        page.click("#data-collect-start")
        page.wait_for_function(
            "document.querySelector('#data-sets .data-job-share')?.offsetWidth > 40", timeout=_LONG_MS
        )
        journey.shoot("3-running")
        page.wait_for_selector("#data-sets .data-job[data-state=done]", timeout=_LONG_MS)
    journey.shoot("4-done")
    with journey.studio.store() as store:
        counts = store.traces.counts()
    journey.check(
        sum(counts.values()) == counts["new"] == count * attempts, f"{count * attempts} traces wait in the queue"
    )


# --- people ------------------------------------------------------------------------------------------------------------


def corrected_answer(journey: Journey, trace_id: str) -> str:
    """The known answer, or, where that was said already, the same with a full stop."""
    with journey.studio.store() as store:
        item = store.traces.get(trace_id).item
    known = item.gold or ""
    return f"{known}." if item.answer == known else known


def wrong_first(journey: Journey, count: int) -> list[str]:
    """Traces that wait and have an answer, those with a wrong one first; none with a failed step, which has to be marked
    before it can be approved."""
    with journey.studio.store() as store:
        waiting = [store.traces.get(one).item for one in store.traces.ids("new", limit=1000)]
        traces = {one.id: store.revisions.head(one.id).trace for one in waiting}
    answered = [
        one
        for one in waiting
        if one.answer is not None
        and not any(step.observation and step.observation.error for step in traces[one.id].steps)
    ]
    return [one.id for one in sorted(answered, key=lambda one: one.score or 0.0)][:count]


def chosen_trace(page: Any) -> str:
    selected = page.wait_for_selector("#curate-queue [aria-selected=true]")
    return str(selected.get_attribute("data-id"))


def approve(journey: Journey, trace_id: str) -> None:
    for _ in range(journey.page.locator(".card.is-stale").count()):
        journey.page.locator(".card.is-stale [data-act=confirm]").first.click()
        settled(journey.page)
    journey.page.keyboard.press("a")

    def status() -> str:
        with journey.studio.store() as store:
            return store.traces.get(trace_id).status

    eventually(status, "accepted")


def correct(journey: Journey, question: str) -> str:
    """Ten traces corrected and approved: boxes dragged, the rest by another answer. Returns the picture of the first, whose
    question is the marked one."""
    page = journey.page
    with journey.step(f"correct {_CORRECTED} traces"):
        opened(page, journey.studio, f"?search={_MARKER.split()[-1].rstrip(')')}")
        page.wait_for_function("document.querySelectorAll('#curate-queue [role=option]').length === 1")
        marked = chosen_trace(page)
        answer(journey, corrected_answer(journey, marked))
        approve(journey, marked)
        wanted = [marked]
        opened(page, journey.studio, "?outcome=right&status=new")
        while len(wanted) < 1 + _BOXES:
            page.wait_for_selector("#curate-media g.box[data-step='0'] .box-body")
            wanted.append(chosen_trace(page))
            drag_box(page, 0, by=(0.01, 0.01))
            settled(page)
            approve(journey, wanted[-1])
            opened(page, journey.studio, "?outcome=right&status=new")
        for trace_id in wrong_first(journey, _CORRECTED - len(wanted)):
            opened(page, journey.studio, f"?trace={trace_id}")
            answer(journey, corrected_answer(journey, trace_id))
            approve(journey, trace_id)
            wanted.append(trace_id)
    with journey.studio.store() as store:
        heads = [store.revisions.head(one) for one in wanted]
        journey.check(len({head.trace_id for head in heads}) == _CORRECTED, f"{_CORRECTED} traces were corrected")
        journey.check(all(head.number == 2 for head in heads), "each has a second revision, and its first is kept")
        journey.check(heads[0].trace.question == question, "the marked question is found by search")
    return heads[0].trace.media[0].sha256


def answer(journey: Journey, text: str) -> None:
    page = journey.page
    page.keyboard.press("w")
    page.fill("#curate-answer textarea", text)
    page.locator("#curate-answer textarea").blur()
    settled(page)


def approve_many(journey: Journey) -> None:
    page = journey.page
    with journey.step(f"approve {_APPROVED} in bulk"):
        opened(page, journey.studio, "?outcome=right&status=new")
        for _ in range(_APPROVED):
            page.keyboard.press("v")
            page.keyboard.press("j")
        page.get_by_text(f"{_APPROVED} traces chosen").wait_for()
        page.click(".bulk [data-act=accepted]")
        page.get_by_text(f"{_APPROVED} traces approved.").wait_for()
    with journey.studio.store() as store:
        accepted = store.traces.counts()["accepted"]
    journey.check(accepted == _CORRECTED + _APPROVED, f"{_CORRECTED + _APPROVED} traces are approved")


# --- out, and in elsewhere ---------------------------------------------------------------------------------------------


def export_all(journey: Journey, downloads: Path) -> dict[str, Path]:
    page = journey.page
    journey.open_data()
    zips = {}
    for number, name in enumerate(_FORMATS, 1):
        with journey.step(f"export as {name}, and download"):
            page.select_option("#data-export-format", name)
            page.set_checked("#data-export .data-tick input", name == "trace-json")
            page.click("#data-export-start")
            done = f"#data-export .data-job:nth-child(1):nth-last-child({number})[data-state=done]"
            page.wait_for_selector(done, timeout=_LONG_MS)
            with page.expect_download() as download:
                page.locator(done).get_by_text("Download as zip").click()
            zips[name] = downloads / download.value.suggested_filename
            download.value.save_as(zips[name])
        rows = rows_in(zips[name])
        journey.check(
            rows == _CORRECTED + _APPROVED, f"{name}: {rows} rows for {_CORRECTED + _APPROVED} approved traces"
        )
    journey.shoot("5-exports")
    return zips


def rows_in(path: Path) -> int:
    """Of the export's one table of lines, or of its one JSON list."""
    import zipfile

    with zipfile.ZipFile(path) as archive:
        names = [name for name in archive.namelist() if name.endswith((".jsonl", ".json"))]
        for name in sorted(names, key=lambda one: not one.endswith(".jsonl")):
            text = archive.read(name).decode("utf-8")
            if name.endswith(".jsonl"):
                return sum(1 for line in text.split("\n") if line)
            if isinstance(found := json.loads(text), list):
                return len(found)
    return 0


def hashes(studio: RunningStudio) -> dict[str, str]:
    """Of every revision of every approved trace: hash -> its parent's hash, "" for none."""
    found = {}
    with studio.store() as store:
        for trace_id in store.traces.ids("accepted", limit=1000):
            chain = store.revisions.chain(trace_id)
            by_id = {one.id: one.hash for one in chain}
            found |= {one.hash: by_id.get(one.parent_id or "", "") for one in chain}
    return found


def import_again(journey: Journey, path: Path) -> None:
    page = journey.page
    journey.open_data()
    with journey.step("import the trace-json in another home"):
        page.set_input_files("#data-import input[multiple]:not([webkitdirectory])", str(path))
        page.wait_for_selector("#data-import-start:enabled")
        journey.shoot("6-elsewhere")
        page.click("#data-import-start")
        page.wait_for_selector("#data-import .data-job[data-state=done]", timeout=_LONG_MS)


# --- and gone ----------------------------------------------------------------------------------------------------------


def delete_picture(journey: Journey, sha256: str) -> None:
    page = journey.page
    with journey.step("delete a picture, and empty the bin"):
        opened(page, journey.studio, f"?search={_MARKER.split()[-1].rstrip(')')}")
        page.click(".inspector-delete-picture")
        page.wait_for_selector("dialog.confirming[open]")
        plan = page.inner_text(".confirming-plan")
        page.click(".confirming-go")
        page.wait_for_selector("dialog.confirming", state="hidden")
        page.get_by_text("Nothing matches").or_(page.locator(".notice-button")).first.wait_for()
        journey.open_data()
        page.wait_for_selector(".bin-row")
        journey.shoot("7-bin")
        page.click(".bin-empty")
        page.click(".confirming-go")
        page.get_by_text("Gone for good: ").wait_for()
    print("  the plan said: " + " ".join(plan.split("\n")))
    journey.shoot("8-gone")


def files_with(home: Path, marks: Sequence[bytes]) -> list[str]:
    """The files below `home` that hold any of the byte strings, by name or in what they say."""
    found = []
    for path in sorted(one for one in home.rglob("*") if one.is_file()):
        data = path.read_bytes()
        if any(mark in data or mark.decode("latin-1") in path.name for mark in marks):
            found.append(str(path.relative_to(home)))
    return found


def main(words: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--count", type=int, default=200)
    parser.add_argument("--attempts", type=int, default=2)
    parser.add_argument("--pictures", type=Path)
    parser.add_argument("--keep", type=Path)
    arguments = parser.parse_args(words)
    if arguments.pictures:
        arguments.pictures.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="first-hour-") as scratch:
        root = arguments.keep or Path(scratch)
        return walk(root, arguments.count, arguments.attempts, arguments.pictures)


def walk(root: Path, count: int, attempts: int, pictures: Path | None) -> int:
    from playwright.sync_api import sync_playwright

    for name in ("home", "other-home", "downloads", "signs"):
        (root / name).mkdir(parents=True)
    times: dict[str, float] = {}
    started = time.monotonic()
    name, question = drawn_folder(root / "signs", count)
    times[f"draw {count} pictures (the script's own)"] = time.monotonic() - started
    picture = (root / "signs" / name).read_bytes()
    with sync_playwright() as playwright:
        browser = launched(playwright)
        here = RunningStudio(root / "home", STUDIO_MODEL="tiny")
        there = RunningStudio(root / "other-home", STUDIO_MODEL="tiny")
        first = Journey(browser, here, times, pictures)
        second = Journey(browser, there, times, pictures)
        with first.step("start the studio in an empty home"):
            here.start()
        try:
            bring_in(first, root / "signs", count)
            collect(first, count, attempts)
            sha256 = correct(first, question)
            approve_many(first)
            zips = export_all(first, root / "downloads")
            with there:
                import_again(second, zips["trace-json"])
                mine, theirs = hashes(here), hashes(there)
            second.check(mine == theirs, f"{len(mine)} revisions have the same hashes and parents in the other home")
            marks = (question.encode(), _MARKER.encode(), sha256.encode(), picture[100:400])
            first.check(
                bool(files_with(root / "home", marks)), "before, the picture and its question are found in files"
            )
            delete_picture(first, sha256)
            eventually(lambda: first.studio.media().has(sha256), False)
        finally:
            here.stop()
        browser.close()
    left = files_with(root / "home", marks)
    first.check(not left, f"no file of the home holds the picture, its hash or its question: {left or 'none'}")
    with here.store() as store:
        problems = store.verify(here.media()).problems
    first.check(problems == (), "the store verifies")
    errors = first.page_errors + second.page_errors
    first.check(errors == [], f"no page reported an error {errors or ''}")
    for step, seconds in times.items():
        print(f"{seconds:8.1f} s  {step}")
    print(f"{sum(times.values()):8.1f} s  in all")
    return 0 if all(is_so for is_so, _ in first.held + second.held) else 1


if __name__ == "__main__":
    sys.exit(main())
