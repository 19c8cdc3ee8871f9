"""The lines that README and `engine.notebook` show to a notebook, run as they stand."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from PIL import Image

import engine.notebook
from engine.store import Store
from engine.trace import Box

ROOT = Path(__file__).parent.parent
LINES = re.compile(r"^ {4,6}from engine import notebook\n(?:\n|    .*\n)+", re.M)


def test_five_lines_ask_show_and_record(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    [shown] = LINES.findall(engine.notebook.__doc__ or "")
    [told] = LINES.findall((ROOT / "README.md").read_text(encoding="utf-8"))
    lines = [line.strip() for line in shown.splitlines() if line.strip()]
    assert lines == [line.strip() for line in told.splitlines() if line.strip()] and len(lines) == 5
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("STUDIO_MODEL", "scripted")
    monkeypatch.delenv("STUDIO_HOME", raising=False)
    Image.new("RGB", (640, 480), "#808080").save("street.jpg")
    names: dict[str, object] = {}
    exec("\n".join(lines), names)
    asked, home = names["asked"], names["home"]
    assert isinstance(asked, engine.notebook.Asked) and isinstance(home, engine.notebook.Home)
    [recorded] = home.store.queue.page().items
    assert home.store.revisions.head(recorded.item.id).trace == asked.trace and asked.answer is not None
    assert home.store.verify(home.media).problems == ()
    home.store.close()
    with Store(tmp_path / "annotations.db") as store:
        assert store.traces.get(recorded.item.id).item.author == "notebook"
    # Every view but the whole picture stands on it as a box of its own colour, and nothing else is drawn.
    [picture] = asked.pictures()
    looks = [view for view in asked.trace.views if view.box != Box.full()]
    assert looks and picture.size == (640, 480)
    grey = asked.loaded.picture(None).convert("RGB").getpixel((1, 1))
    for view in looks:
        left, top, right, bottom = view.box.to_pixels(picture.size)
        edge = picture.getpixel((right - 1, (top + bottom) // 2))
        assert edge == picture.getpixel(((left + right) // 2, bottom - 1)) != grey
    assert asked.loaded.picture(None).convert("RGB").getcolors() is not None, "the original is as it was"
