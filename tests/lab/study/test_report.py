"""The report: cells worked by hand, hypotheses on either side, and documents that are functions of the figures."""

from __future__ import annotations

import copy
import json
import math
import xml.etree.ElementTree as ET
from pathlib import Path

import pytest

from engine.lab.study.figures import alarm_at, cell, mean_cell, smoothed
from engine.lab.study.hypotheses import judged
from engine.lab.study.plan import ROWS
from engine.lab.study.report import CHARTS, charts, markdown, report_of, table, write_report
from tests.lab.study.samples import PARTS, finished_study

GOLDEN = Path(__file__).parent / "golden"


@pytest.fixture(scope="module")
def report(tmp_path_factory) -> dict:
    found = report_of(finished_study(tmp_path_factory.mktemp("study") / "s"), PARTS, "tiny")
    return found | {"finished": "2026-01-02"}


def test_a_cell_is_the_mean_over_seeds_and_its_error_that_over_examples():
    """Examples score (1, 0.5, 0) over two seeds: mean 0.5, error sqrt(0.25 + 0 + 0.25) / 3."""
    runs = [
        {"scores": [1, 1, 0], "used_operation": [True, False, False]},
        {"scores": [1, 0, 0], "used_operation": [True, True, False]},
    ]
    found = cell(runs, [0, 1, 2])
    assert found["accuracy"] == pytest.approx(0.5)
    assert found["stderr"] == pytest.approx(math.sqrt(0.5) / 3)
    assert found["by_seed"] == pytest.approx([2 / 3, 1 / 3])
    assert found["rapr"] == pytest.approx(0.5)
    assert cell(runs, [2])["accuracy"] == 0


def test_one_run_of_right_and_wrong_has_the_binomial_error():
    found = cell([{"scores": [1] * 30 + [0] * 70, "used_operation": [True] * 100}], range(100))
    assert found["stderr"] == pytest.approx(math.sqrt(0.3 * 0.7 / 100))


def test_the_mean_weighs_benchmarks_alike():
    ones = [
        {"n": 2, "accuracy": 1.0, "stderr": 0.3, "by_seed": [1.0], "rapr": 0.0},
        {"n": 8, "accuracy": 0.5, "stderr": 0.4, "by_seed": [0.5], "rapr": 1.0},
    ]
    assert mean_cell(ones) == {"n": 10, "accuracy": 0.75, "stderr": 0.25, "by_seed": [0.75], "rapr": 0.5}


def test_an_alarm_has_a_step_and_a_curve_a_mean():
    assert alarm_at([0.5] * 20, 0.3) is None
    assert alarm_at([0.6] * 10 + [0.0] * 10, 0.3) == 13  # the mean of the last five is 0.24, below half of 0.6
    assert smoothed([1.0, 0.0, 0.5], 2) == [1.0, 0.5, 0.25]


def test_rows_come_from_the_results(report):
    rows = {one["row"]: one for one in report["rows"]}
    assert list(rows) == list(ROWS)
    full = rows["full"]
    assert full["runs"] == 3
    # Of four examples one is right in two of three seeds: (3 + 2/3) / 4.
    assert full["benchmarks"]["mini-mv"]["accuracy"] == pytest.approx(11 / 12)
    assert full["benchmarks"]["mini-mv"]["difficulty"]["hard"]["accuracy"] == pytest.approx(5 / 6)
    assert full["mean"]["by_seed"] == pytest.approx([1.0, 0.75, 1.0])
    assert rows["no-operations"]["mean"]["rapr"] == 0 and rows["warm-start"]["mean"]["rapr"] == pytest.approx(0.75)
    assert report["wall_seconds"] == 6000 and report["sessions"] == 2


def test_hypotheses_hold_or_do_not_by_the_figures_alone(report):
    assert [one["held"] for one in report["hypotheses"]] == [True] * 5
    rows, runs = copy.deepcopy(report["rows"]), copy.deepcopy(report["runs"])
    full = next(one for one in rows if one["row"] == "full")
    warm = next(one for one in rows if one["row"] == "warm-start")
    warm["benchmarks"]["mini-info"]["accuracy"] = full["benchmarks"]["mini-info"]["accuracy"]  # a tie is not best
    full["mean"]["accuracy"] = 0.8499
    full["hard"]["accuracy"] = 0.29
    next(one for one in runs if one["row"] == "no-curiosity")["rapr"] = [0.6] * 12
    next(one for one in runs if one["row"] == "full")["rapr"] = [0.6] * 7 + [0.4] * 5
    assert [one["held"] for one in judged(rows, runs)] == [False] * 5
    assert "warm start only" in judged(rows, runs)[0]["numbers"]


def test_the_table_is_the_issues(report):
    lines = table(report).splitlines()
    assert lines[0] == "| | mini-vstar | mini-tally | mini-info | mini-mv | RaPR |"
    assert len(lines) == 2 + len(ROWS)
    assert lines[-1].startswith("| **full** | 91.7 ± ")
    assert all(line.count("|") == 7 for line in lines)


@pytest.mark.parametrize("name", ["report.md", *(f"{name}.svg" for name in CHARTS)])
def test_documents_are_what_they_were(report, name):
    """To renew after an intended change: python -m tests.lab.study.renew, and look at what came."""
    made = markdown(report) if name == "report.md" else charts(report)[name.removesuffix(".svg")]
    assert made == (GOLDEN / name).read_text(encoding="utf-8")


def test_pictures_are_whole_and_show_every_run(report):
    for name, svg in charts(report).items():
        root = ET.fromstring(svg)
        paths = [one.attrib["class"] for one in root.iter("{http://www.w3.org/2000/svg}path")]
        assert sum("mean" in one for one in paths) == len(report["runs"]) == 8
        assert "script" not in svg and "http" not in svg.replace("http://www.w3.org/2000/svg", "")
        assert "prefers-color-scheme" in svg
        assert ("H = 0.3" in svg) == (name == "rapr")


def test_the_files_say_what_the_report_says_and_name_no_place(report, tmp_path):
    write_report(tmp_path, report)
    assert json.loads((tmp_path / "report.json").read_text(encoding="utf-8")) == report
    assert sorted(path.name for path in tmp_path.iterdir()) == [
        "correctness.svg",
        "rapr.svg",
        "report.json",
        "report.md",
        "reward.svg",
    ]
    text = "".join(path.read_text(encoding="utf-8") for path in tmp_path.iterdir())
    assert str(tmp_path) not in text and "/" + "tmp" not in text
