"""From the end of a drag to the new crop on the screen: the round trip that an annotator waits for at every box.

The real app in a process of its own, a real Chromium, a mouse that drags the box of a zoom step on a photograph of twelve
million pixels. The clock starts with the browser's own time of the pointer's release and stops when the crop that the
engine cut has been decoded and the next frame was drawn. Between the two: the edit is sent and executed, the draft is in
the database, stale marks and differences are derived and drawn, the crop is cut, encoded losslessly and fetched. The
preview that follows the hand, and is there at once, does not count.

The baseline (`engine.lab.bench.first_draft`) makes the same crops in the same browser in the same run. Not covered: a
network between browser and server.
"""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from engine.lab.bench.browsing import PAINTED, chromium, new_page
from engine.lab.bench.figures import Spread, ratio, spread
from engine.lab.bench.first_draft import crop_in_base64, first_draft
from engine.lab.bench.photo import photo_jpeg
from engine.lab.bench.running import RunningStudio
from engine.trace import Box, Observation, Step, Trace, View, ZoomIn, first_views

__all__ = ["TARGET_MS", "measure", "report"]

TARGET_MS = 250.0
"""Issue 4: the round trip on a 12-megapixel photo."""

_SIZE_PX = (4000, 3000)
_SIDES = {"small": 0.08, "middling": 0.2, "large": 0.35}
"""Share of the photo's sides: crops of 0.08, 0.5 and 1.5 million pixels."""

_WATCH = """(painted) => {
  window.benchDrags = [];
  let released = null;
  addEventListener('pointerup', (event) => { released = event.timeStamp; }, true);
  document.addEventListener('load', async (event) => {
    const figure = event.target.closest && event.target.closest('.editor-crops figure');
    if (!figure || figure.dataset.side === 'model' || released === null) return;
    const from = released, image = event.target;
    released = null;
    await image.decode();
    const at = await painted();
    window.benchDrags.push({ ms: at - from, width: image.naturalWidth, height: image.naturalHeight, src: image.src });
  }, true);
}"""

_WATCH_DRAFT = """(painted) => {
  window.benchDrags = [];
  document.querySelector('#stage').addEventListener('pointerup', async (event) => {
    const from = event.timeStamp, image = document.querySelector('#crop');
    const reply = await (await fetch('crop?box=' + window.benchBox)).json();
    image.src = 'data:image/png;base64,' + reply.png;
    await image.decode();
    window.benchDrags.push({ ms: await painted() - from, width: image.naturalWidth, height: image.naturalHeight });
  });
}"""


def measure(drags: int = 20, seed: int = 0, progress: Callable[[str], None] = print) -> dict[str, Any]:
    """`drags` of a box of each size, and of the baseline as many. Raises Unavailable without Playwright or Chromium."""
    with chromium() as browser, tempfile.TemporaryDirectory() as made:
        home = Path(made)
        studio = RunningStudio(home)
        progress(f"making a photo of {_SIZE_PX[0]} x {_SIZE_PX[1]} pixels, and a studio")
        traces = _prepare(studio, seed)
        path = studio.media().path(traces["small"][1])
        with studio:
            ours = {name: _drags(browser, studio, traces[name][0], drags, progress) for name in _SIDES}
        for name, times in ours.items():
            progress(f"  {name}: {spread([one['ms'] for one in times])}")
        theirs = {name: _draft_drags(browser, path, [_box_of(one["src"]) for one in ours[name]]) for name in _SIDES}
    crops: dict[str, Any] = {}
    for name in _SIDES:
        for one, other in zip(ours[name], theirs[name], strict=True):
            if (one["width"], one["height"]) != (other["width"], other["height"]):
                raise RuntimeError(f"the baseline cut another crop than the studio: {other} against {one}")
        mine, draft = spread([one["ms"] for one in ours[name]]), spread([one["ms"] for one in theirs[name]])
        crops[name] = {
            "pixels": ours[name][0]["width"] * ours[name][0]["height"],
            **mine.to_json(),
            "baseline": draft.to_json(),
            "ratio": ratio(draft, mine),
        }
    whole = _all(ours)
    return {
        "bench": "editor",
        "photo": list(_SIZE_PX),
        "target_ms": TARGET_MS,
        **whole.to_json(),
        "is_on_target": whole.p95_ms <= TARGET_MS,
        "crops": crops,
        "baseline": _all(theirs).to_json(),
        "ratio": ratio(_all(theirs), whole),
    }


def report(found: dict[str, Any]) -> list[str]:
    """The figures as lines for people."""
    lines = [
        f"editor: from the end of a drag to the new crop on the screen, photo of {found['photo'][0]} x "
        f"{found['photo'][1]}, target {found['target_ms']:.0f} ms",
        f"  {'all':24} {_spread_of(found)}",
    ]
    for name, crop in found["crops"].items():
        lines.append(f"  {name + ', ' + format(crop['pixels'] / 1e6, '.2f') + ' Mpx':24} {_spread_of(crop)}")
        lines.append(f"  {'first draft':24} {_spread_of(crop['baseline'])}   {crop['ratio']} times ours")
    return lines


def _spread_of(found: dict[str, Any]) -> Spread:
    return Spread(found["n"], found["median_ms"], found["p95_ms"], found["max_ms"])


def _all(found: dict[str, list[dict[str, Any]]]) -> Spread:
    return spread([one["ms"] for times in found.values() for one in times])


def _prepare(studio: RunningStudio, seed: int) -> dict[str, tuple[str, str]]:
    """Traces of one photo, with a box of each size: their ids and the photo's hash."""
    data = photo_jpeg(*_SIZE_PX, seed)
    with studio.store() as store:
        loaded = studio.media().take(data)
        store.media.record(loaded.media, "photo.jpg", len(data))
        made = {}
        for name, side in _SIDES.items():
            box = Box(0.1, 0.1, 0.1 + side, 0.1 + side)
            views = (*first_views([loaded.media]), View(2, loaded.media.sha256, None, box))
            steps = (Step("Closer.", ZoomIn(1, box), Observation(views=(2,))), Step("It reads so.", answer="KX7421"))
            trace = Trace(f"What is {name}?", (loaded.media,), views, steps, "answered", "tiny", "studio")
            made[name] = (store.traces.record(trace, author="tiny").id, loaded.media.sha256)
        return made


def _drags(
    browser: Any, studio: RunningStudio, trace_id: str, count: int, progress: Callable[[str], None]
) -> list[dict[str, Any]]:
    with new_page(browser) as page:
        page.goto(f"{studio.url}/curate?trace={trace_id}")
        page.wait_for_selector("#curate-approve:enabled")
        page.wait_for_function("document.querySelector('.editor-crops img')?.complete")
        page.evaluate(f"({_WATCH})({PAINTED})")
        for k in range(count):
            _drag(page, k)
            try:
                page.wait_for_function(f"window.benchDrags.length > {k}")
            except Exception:
                progress(f"the crop of drag {k + 1} did not come: {page.locator('body').inner_text()[:500]}")
                raise
            page.wait_for_function("document.querySelector('.inspector-saved').dataset.state === 'saved'")
        found: list[dict[str, Any]] = page.evaluate("window.benchDrags")
        return found


def _drag(page: Any, k: int) -> None:
    """The chosen box, by its middle, to a place where it has not been yet: on a path to and fro across the picture."""
    body = page.locator("#curate-media g.box[data-step='0'] .box-body").bounding_box()
    stage = page.locator(".editor-svg").bounding_box()
    x, y = body["x"] + body["width"] / 2, body["y"] + body["height"] / 2
    free_x, free_y = stage["width"] - body["width"], stage["height"] - body["height"]
    to_x = stage["x"] + body["width"] / 2 + free_x * ((k * 0.381966 + 0.3) % 1)
    to_y = stage["y"] + body["height"] / 2 + free_y * ((k * 0.236068 + 0.3) % 1)
    page.mouse.move(x, y)
    page.mouse.down()
    page.mouse.move((x + to_x) / 2, (y + to_y) / 2, steps=3)
    page.mouse.move(to_x, to_y, steps=3)
    page.mouse.up()


def _box_of(address: str) -> Box:
    """The box of a crop's address (`ui.media_routes`)."""
    return _box(dict(parse_qsl(urlsplit(address).query))["box"])


def _box(words: str) -> Box:
    x1, y1, x2, y2 = (float(edge) for edge in words.split(","))
    return Box(x1, y1, x2, y2)


def _draft_drags(browser: Any, path: Path, boxes: list[Box]) -> list[dict[str, Any]]:
    def crop(query: dict[str, str]) -> dict[str, str]:
        return {"png": crop_in_base64(path, _box(query["box"]))}

    with first_draft({"/crop": crop}) as address, new_page(browser) as page:
        page.goto(address)
        page.evaluate(f"({_WATCH_DRAFT})({PAINTED})")
        for k, box in enumerate(boxes):
            page.evaluate("(box) => { window.benchBox = box; }", ",".join(map(repr, box.as_list())))
            page.mouse.move(200, 200)
            page.mouse.down()
            page.mouse.move(400, 300, steps=3)
            page.mouse.up()
            page.wait_for_function(f"window.benchDrags.length > {k}")
        found: list[dict[str, Any]] = page.evaluate("window.benchDrags")
        return found
