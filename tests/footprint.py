"""What the studio takes of a machine: `python -m tests.footprint` measures it and writes docs/footprint.json.

Measured in an environment made for it: what pip downloads for requirements.txt, what that takes installed, the CPU time of
the studio from its start to its first page, that of `ask` for one answer with everything that is loaded for it, and the
most memory that either takes. CPU time, because it does not depend on what else the machine does. README's line is made
of the file (tests/docs.py). It takes some minutes and 11 GB of disk below TMPDIR.
"""

from __future__ import annotations

import json
import os
import platform
import resource
import subprocess
import sys
import tempfile
import time
import urllib.request
from datetime import date
from pathlib import Path

ROOT = Path(__file__).parent.parent
OUT = ROOT / "docs" / "footprint.json"
PORT = 7861


def main() -> None:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        environment, wheels = folder / "venv", folder / "wheels"
        subprocess.run([sys.executable, "-m", "venv", environment], check=True)
        python = environment / "bin" / "python"
        empty = _bytes(environment)
        needed = ["-r", str(ROOT / "requirements.txt")]
        subprocess.run([python, "-m", "pip", "download", "--quiet", "--dest", wheels, *needed], check=True)
        install = [python, "-m", "pip", "install", "--quiet", "--no-index", "--find-links", wheels, *needed]
        subprocess.run(install, check=True)
        found = {
            "date": date.today().isoformat(),
            "processor": _processor(),
            "cores": os.cpu_count(),
            "python": platform.python_version(),
            "download_bytes": _bytes(wheels),
            "installed_bytes": _bytes(environment) - empty,
            **json.loads(subprocess.run([sys.executable, "-m", "tests.footprint", "running", python, folder / "home"],
                                        capture_output=True, text=True, cwd=ROOT, check=True).stdout),
        }  # fmt: skip
    OUT.write_text(json.dumps(found, indent=1) + "\n", encoding="utf-8")


def running(python: Path, home: Path) -> dict[str, float]:
    """CPU seconds to the first page, those of one `ask`, and the most memory, of `python` with the embedded reasoner."""
    environment = {**os.environ, "STUDIO_HOME": str(home), "STUDIO_PORT": str(PORT), "STUDIO_MODEL": "tiny"}
    studio = subprocess.Popen([python, "app.py"], cwd=ROOT, env=environment, stdout=sys.stderr)
    try:
        while studio.poll() is None:
            try:
                urllib.request.urlopen(f"http://127.0.0.1:{PORT}/", timeout=30).read()
                break
            except OSError:
                time.sleep(0.1)
    finally:
        studio.terminate()
        studio.wait()
    ready_cpu_s = _spent_cpu_s()
    engine = [python, "-m", "engine"]
    examples = [*engine, "examples", "mini-signs", "--count", "1", "--seed", "9000", "--out", home / "examples"]
    subprocess.run(examples, cwd=ROOT, env=environment, stdout=sys.stderr, check=True)
    example = json.loads((home / "examples" / "EXAMPLES.jsonl").read_text(encoding="utf-8"))
    before = _spent_cpu_s()
    ask = [*engine, "ask", home / "examples" / example["media"], example["question"]]
    subprocess.run(ask, cwd=ROOT, env=environment, stdout=sys.stderr, check=True)
    most = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss
    return {"ready_cpu_s": ready_cpu_s, "ask_cpu_s": _spent_cpu_s() - before, "memory_bytes": most * 1024}


def _spent_cpu_s() -> float:
    """CPU seconds of all processes that were started here and have ended."""
    spent = resource.getrusage(resource.RUSAGE_CHILDREN)
    return spent.ru_utime + spent.ru_stime


def _bytes(folder: Path) -> int:
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file() and not path.is_symlink())


def _processor() -> str:
    lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    return next(line.partition(": ")[2] for line in lines if line.startswith("model name"))


if __name__ == "__main__":
    if sys.argv[1:2] == ["running"]:
        print(json.dumps(running(Path(sys.argv[2]), Path(sys.argv[3]))))
    else:
        main()
