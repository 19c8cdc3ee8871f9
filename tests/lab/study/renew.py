"""Writes tests/lab/study/golden anew: `python -m tests.lab.study.renew`. Look at what changed before committing it."""

from __future__ import annotations

import tempfile
from pathlib import Path

from engine.lab.study.report import report_of, write_report
from tests.lab.study.samples import PARTS, finished_study

if __name__ == "__main__":
    golden = Path(__file__).parent / "golden"
    with tempfile.TemporaryDirectory() as folder:
        made = report_of(finished_study(Path(folder) / "study"), PARTS, "tiny") | {"finished": "2026-01-02"}
    write_report(golden, made)
    (golden / "report.json").unlink()
