"""One home, one studio: a second one is told who has it; what ended has let go."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from engine.errors import Unavailable
from engine.hosting.home_lock import HomeLock


def test_a_second_studio_is_told_who_has_the_home(tmp_path: Path) -> None:
    first = HomeLock(tmp_path, "http://127.0.0.1:7860")
    with pytest.raises(Unavailable, match=f"process {os.getpid()} on .*http://127.0.0.1:7860, since 20"):
        HomeLock(tmp_path, "http://127.0.0.1:7861")
    first.release()
    HomeLock(tmp_path, "http://127.0.0.1:7861").release()


def test_a_process_that_was_killed_has_let_go(tmp_path: Path) -> None:
    code = "import os, sys, pathlib; from engine.hosting.home_lock import HomeLock\n"
    code += "lock = HomeLock(pathlib.Path(sys.argv[1]), 'there'); print('has it', flush=True); sys.stdin.read()"
    with subprocess.Popen(
        [sys.executable, "-c", code, tmp_path], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as other:
        assert other.stdout is not None and other.stdout.readline() == "has it\n"
        with pytest.raises(Unavailable, match=f"process {other.pid} "):
            HomeLock(tmp_path, "here")
        other.kill()
    HomeLock(tmp_path, "here").release()
