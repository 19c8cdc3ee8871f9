"""A studio at work in a copy of the project that has no lab: `python without_lab.py HOME PICTURE QUESTION EXAMPLES.jsonl`.

Starts the server, uploads, asks, approves, trains, evaluates; prints what came as one JSON object. `test_without_lab` makes the
copy and judges.
"""

from __future__ import annotations

import io
import json
import sys
import threading
import time
import urllib.request
from pathlib import Path
from typing import Any

from engine.__main__ import main
from engine.evaluation.held_out import HeldOut
from engine.settings import Settings
from engine.trace import Example
from ui.answering import Answering
from ui.studio import Studio

_WITHIN_S = 240


def wait_for(holds: Any) -> None:
    deadline = time.monotonic() + _WITHIN_S
    while not holds():
        assert time.monotonic() < deadline, "it did not come to pass"
        time.sleep(0.05)


def serve(studio: Studio) -> str:
    """The address of the server, which runs in a thread."""
    import uvicorn

    from ui.server import build_server

    server = uvicorn.Server(uvicorn.Config(build_server(studio), host="127.0.0.1", port=0, log_level="warning"))
    threading.Thread(target=server.run, daemon=True).start()
    wait_for(lambda: server.started)
    return f"http://127.0.0.1:{server.servers[0].sockets[0].getsockname()[1]}"


def send(url: str, content: bytes, **headers: str) -> dict[str, Any]:
    request = urllib.request.Request(url, content, {name.replace("_", "-"): value for name, value in headers.items()})
    with urllib.request.urlopen(request, timeout=_WITHIN_S) as answer:
        return json.load(answer)


def command(environment: dict[str, str], *words: str) -> tuple[int, str, str]:
    """(exit status, standard output, standard error) of `python -m engine WORDS`."""
    out, errors, before = io.StringIO(), io.StringIO(), sys.stderr
    sys.stderr = errors
    try:
        return main(words, environment, out), out.getvalue(), errors.getvalue()
    finally:
        sys.stderr = before


def live(home: Path, picture: Path, question: str, examples: Path) -> dict[str, Any]:
    import app

    environment = {"STUDIO_HOME": str(home), "STUDIO_MODEL": "tiny", "STUDIO_THREADS": "1"}
    studio = app.build_studio(Settings.from_environment(environment))
    assert studio.jobs is not None
    url, told = serve(studio), {}
    told["samples"] = len(studio.samples())
    told["pages"] = []
    for page in ("", "curate", "train", "evaluate", "data"):
        with urllib.request.urlopen(f"{url}/{page}", timeout=_WITHIN_S) as answer:
            told["pages"].append(answer.status)

    uploaded = send(f"{url}/media", picture.read_bytes(), X_File_Name="mine.png")
    example = Example(question, (studio.media.load(uploaded["sha256"]).media,))
    *_, answered = Answering(studio).ask("page", example, author="ann").watch()
    told["answer"] = {"stop_reason": answered.stop_reason, "steps": len(answered.steps), "problem": answered.problem}

    head = studio.store.revisions.head(answered.trace_id)
    review = {"trace": answered.trace_id, "revision": head.id, "verdict": "accepted", "reason": ""}
    send(f"{url}/curate/review", json.dumps(review).encode(), X_Studio="1")
    told["accepted"] = [revision.id == head.id for revision in studio.store.reviews.accepted()]

    job_id = studio.jobs.start("sft", {"steps": 1, "batch_size": 1}, HeldOut()).id
    wait_for(lambda: studio.store.jobs.get(job_id).state not in ("queued", "running"))
    job = studio.store.jobs.get(job_id)
    told["job"] = {"state": job.state, "message": job.message, "adapters": len(studio.store.adapters.list())}
    told["notes"] = [event.data["text"] for event in studio.store.jobs.events(job_id, kind="note")]
    studio.worker.close(_WITHIN_S)

    told["evaluate"] = command(environment, "evaluate", str(examples), "--json")
    told["drawn"] = [
        command(environment, "evaluate", "mini-signs"),
        command(environment, "examples", "mini-signs", "--out", str(home / "drawn")),
    ]
    told["lab"] = sorted(name for name in sys.modules if name.startswith("engine.lab"))
    return told


if __name__ == "__main__":
    home, picture, question, examples = sys.argv[1:]
    told = live(Path(home), Path(picture), question, Path(examples))
    print(json.dumps(told), flush=True)
