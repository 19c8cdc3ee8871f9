"""The server policy against a real server: `transformers serve` with the embedded reasoner, on this machine.

    python -m tests.peers.serving [--limit 12]

It starts the server on a free port, asks the examples of mini-signs over the wire, asks the same here, unquantised, and prints
both scores, the versions, and what the server takes. Outside CI: it takes some minutes on two cores.
"""

from __future__ import annotations

import argparse
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from importlib.metadata import version
from pathlib import Path

from engine.embedded import weights_folder
from engine.evaluation.benchmarks import draw
from engine.evaluation.drawn import required_benchmark
from engine.evaluation.examples import pose
from engine.evaluation.runner import evaluate
from engine.evaluation.scoring import Result
from engine.policies.address import Address
from engine.policies.server.opening import open_server

_READY_WITHIN_S = 300


def main() -> int:
    import torch

    from engine.backbone.loading import load_backbone
    from engine.policies.local import LocalPolicy

    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--limit", type=int, default=12)
    limit = parser.parse_args().limit
    port = free_port()
    program = Path(sys.executable).with_name("transformers")
    command = [program, "serve", weights_folder(), "--port", str(port), "--host", "127.0.0.1", "--device", "cpu"]
    server = subprocess.Popen([*command, "--dtype", "float32"], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        url = f"http://127.0.0.1:{port}/v1"
        wait_for(f"{url}/models", server)
        policy = open_server(Address(url, str(weights_folder())), "studio")
        print(f"transformers {version('transformers')}, openai {version('openai')}")
        print(f"the server takes: {', '.join(sorted(policy.takes))}")
        posed = [pose(one) for one in draw(required_benchmark("mini-signs"), limit, 0)]
        started = time.monotonic()
        served = list(evaluate(policy, posed, at_once=4))
        print(f"over the wire: {_right(served)}, {time.monotonic() - started:.0f} s")
        here = list(evaluate(LocalPolicy(load_backbone("tiny", "none", "cpu", dtype=torch.float32)), posed))
        same = sum(one.trace.answer == other.trace.answer for one, other in zip(served, here, strict=True))
        print(f"here, unquantised: {_right(here)}; {same} of {limit} answers are the same")
    finally:
        server.terminate()
        server.wait()
    return 0


def _right(results: list[Result]) -> str:
    return f"{sum(one.score == 1 for one in results)} of {len(results)} right"


def free_port() -> int:
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return one.getsockname()[1]


def wait_for(url: str, server: subprocess.Popen[bytes]) -> None:
    deadline = time.monotonic() + _READY_WITHIN_S
    while time.monotonic() < deadline and server.poll() is None:
        try:
            urllib.request.urlopen(url, timeout=5).close()
        except (urllib.error.URLError, OSError):
            time.sleep(1)
        else:
            return
    raise SystemExit("the server did not start")


if __name__ == "__main__":
    sys.exit(main())
