"""Drawn pictures with a table beside them, as a person brings them."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

COLOURS = ("red", "green", "blue", "yellow", "white", "black")


def png(number: int, size: tuple[int, int] = (48, 32)) -> bytes:
    """Another picture for each number."""
    picture = Image.new("RGB", size, COLOURS[number % len(COLOURS)])
    picture.putpixel((number // 16 % size[0], number % 16), (number % 256, 1, 2))
    buffer = io.BytesIO()
    picture.save(buffer, "PNG")
    return buffer.getvalue()


def rows(count: int) -> list[dict[str, Any]]:
    return [
        {
            "id": f"q{k}",
            "image": f"pictures/{k}.png",
            "question": f"Which colour has no. {k}?",
            "answer": COLOURS[k % 6],
        }
        for k in range(count)
    ]


def write_csv(path: Path, table: Sequence[Mapping[str, Any]]) -> None:
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, list(table[0]))
        writer.writeheader()
        writer.writerows(table)


@pytest.fixture
def brought(tmp_path: Path) -> Callable[[int], Path]:
    """brought(n): a folder with n pictures and QUESTIONS.csv."""

    def make(count: int) -> Path:
        folder = tmp_path / "brought"
        (folder / "pictures").mkdir(parents=True)
        for k in range(count):
            (folder / "pictures" / f"{k}.png").write_bytes(png(k))
        write_csv(folder / "QUESTIONS.csv", rows(count))
        return folder

    return make
