"""A page of the queue as the browser has it: from the request to fifty rows on the screen, in the real app.

    answered        the server's JSON has arrived (over HTTP, through every middleware)
    in place        the fifty rows stand in the document, laid out
    on screen       the next frame was drawn: this is held against the target; it waits for the screen's 60 frames a second
    with pictures   the thumbnails that can be seen without scrolling are there too

The page's own code asks and draws (`list` of the Curate screen's module walking.js); the rest that its search box adds, until
a finger rests, is not counted. Thumbnails come from those that the server has already made; the browser keeps none
(its cache is off), so every page fetches its own again.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from typing import Any

from engine.lab.bench.browsing import PAINTED, chromium, new_page
from engine.lab.bench.figures import ratio, spread
from engine.lab.bench.first_draft import first_draft
from engine.lab.bench.generated import naive_page
from engine.lab.bench.running import RunningStudio
from engine.store import Store

__all__ = ["screen_pages"]

_STAGES = ("answered", "in_place", "on_screen", "with_pictures")

_ASK = """async ([change, painted]) => {
  const drawn = eval(painted);
  window.benchCode ??= performance.getEntriesByType('resource').find((one) => one.name.includes('/code/')).name;
  const { default: code } = await import(window.benchCode);
  const { list } = code['curating/client/walking.js'], { workbench } = code['curating/client/workbench.js'];
  const nothing = Object.fromEntries(workbench.filters.map((filter) => [filter.name, '']));
  const rows = document.querySelector('.queue-list');
  performance.clearResourceTimings();
  const from = performance.now();
  await list({ ...nothing, status: '', search: '', order: 'newest', ...change });
  rows.getBoundingClientRect();
  const inPlace = performance.now(), onScreen = await drawn();
  const edge = Math.min(rows.getBoundingClientRect().bottom, innerHeight);
  const seen = () => [...rows.querySelectorAll('img')].filter((image) => image.getBoundingClientRect().top < edge);
  let last = onScreen;
  const isThere = (image) => image.complete && image.naturalWidth > 0;
  while (!seen().every(isThere) && last - from < 60000) last = await drawn();
  const fetched = performance.getEntriesByType('resource');
  const [asked] = fetched.filter((one) => one.name.includes('curate/queue'));
  return { rows: rows.children.length, items: workbench.items.length, total: workbench.total, problem: workbench.problem,
    seen: seen().length,
    fetched: fetched.filter((one) => one.name.includes('/thumbnail') && one.transferSize > 0).length,
    answered: asked.responseEnd - asked.startTime, in_place: inPlace - from, on_screen: onScreen - from,
    with_pictures: last - from };
}"""

_ASK_DRAFT = """async ([query, painted]) => {
  const drawn = eval(painted), from = performance.now();
  const page = await (await fetch('queue?' + new URLSearchParams(query))).json();
  document.querySelector('#list').innerHTML = page.items.map(([id, text]) => {
    const trace = JSON.parse(text);
    return `<li data-id="${id}"><p>${trace.question}</p><p>${trace.answer}</p></li>`;
  }).join('');
  return await drawn() - from;
}"""


def screen_pages(
    studio: RunningStudio, repeats: int, words: Sequence[str], seed: int, progress: Callable[[str], None]
) -> dict[str, Any]:
    """Starts the studio on its store and asks for each kind of page `repeats` times. Raises Unavailable without Playwright
    or Chromium, and RuntimeError where a page did not come whole."""
    chance = random.Random(seed)
    kinds: dict[str, Callable[[], dict[str, str]]] = {
        "plain": lambda: {},
        "suggested": lambda: {"order": "suggested"},
        "status": lambda: {"status": chance.choice(("new", "accepted", "flagged"))},
        "search": lambda: {"search": chance.choice(words)},
        "search and filters": lambda: {"search": chance.choice(words), "status": "new", "outcome": "wrong"},
        "filters": lambda: {"policy": "tiny", "source": "vstar", "has_errors": "1", "rapr": "mostly"},
        "suggested, filtered": lambda: {"order": "suggested", "source": "tallyqa", "has_operation": "1"},
    }
    times: dict[str, list[dict[str, float]]] = {}
    with chromium() as browser:
        with studio, new_page(browser) as page:
            progress("opening the Curate screen")
            page.goto(f"{studio.url}/curate")
            page.wait_for_selector(".queue-list li")
            page.wait_for_selector("#curate-approve:enabled")
            page.context.new_cdp_session(page).send("Network.setCacheDisabled", {"cacheDisabled": True})
            for name, query in kinds.items():
                # Whatever is asked for the first time is prepared by it: thumbnails, the file system's cache.
                times[name] = [_asked(page, query()) for _ in range(repeats + 1)][1:]
                progress(f"  {name:22} {spread([one['on_screen'] for one in times[name]])}")
        drafts: dict[str, Any] = {}
        with studio.store() as store:
            for name, took_ms in _drafts(browser, store, words, random.Random(seed)).items():
                base = spread(took_ms)
                drafts[name] = base.to_json() | {"ratio": ratio(base, spread([o["on_screen"] for o in times[name]]))}
                progress(f"  first draft, {name:9} {base}")
    every = [one for some in times.values() for one in some]
    return {
        **{stage: spread([one[stage] for one in every]).to_json() for stage in _STAGES},
        "pictures_seen": max(int(one["seen"]) for one in every),
        "pictures_fetched": sum(int(one["fetched"]) for one in every),
        "pages": {name: spread([one["on_screen"] for one in some]).to_json() for name, some in times.items()},
        "baseline": drafts,
    }


def _asked(page: Any, query: dict[str, str]) -> dict[str, float]:
    found: dict[str, Any] = page.evaluate(_ASK, [query, PAINTED])
    # Attempts that stand together are one row, so that a page may hold fewer rows than traces.
    is_whole = found["rows"] == found["items"] and bool(found["rows"]) == bool(found["total"])
    if found["problem"] or not is_whole:
        raise RuntimeError(f"the page for {query} did not come whole: {found}")
    return found


def _drafts(browser: Any, store: Store, words: Sequence[str], chance: random.Random) -> dict[str, list[float]]:
    def answer(query: dict[str, str]) -> dict[str, Any]:
        items, total = naive_page(store.connections, query.get("search", ""), query.get("status") or None, 0)
        return {"items": items, "total": total}

    queries: dict[str, Callable[[], dict[str, str]]] = {
        "plain": lambda: {},
        "status": lambda: {"status": "new"},
        "search": lambda: {"search": chance.choice(words).split()[0]},
    }
    with first_draft({"/queue": answer}) as address, new_page(browser) as page:
        page.goto(address)
        return {
            name: [page.evaluate(_ASK_DRAFT, [query(), PAINTED]) for _ in range(3)] for name, query in queries.items()
        }
