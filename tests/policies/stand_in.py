"""An OpenAI-compatible server in the test's process: it says its turns in order, and fails as it is told to."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Lock, Thread
from typing import Any

__all__ = ["MODEL", "StandIn", "serve"]

MODEL = "Qwen/Qwen3-VL-4B-Instruct"


@dataclass
class StandIn:
    """`turns` are texts, or dictionaries of a call; the number of assistant turns in a request chooses. `faults` are taken
    from the front, one a request: a status, "cut", "garbage" or "hang"."""

    turns: Sequence[str | dict[str, Any]] = ("\\boxed{KX7421}",)
    faults: list[int | str] = field(default_factory=list)
    refuses: frozenset[str] = frozenset()
    models: tuple[str, ...] = (MODEL,)
    url: str = ""
    asked: list[dict[str, Any]] = field(default_factory=list)
    keys: list[str] = field(default_factory=list)
    at_once: int = 0
    most_at_once: int = 0
    delay_s: float = 0.0
    lock: Lock = field(default_factory=Lock)

    def fault(self) -> int | str | None:
        with self.lock:
            return self.faults.pop(0) if self.faults else None


@contextmanager
def serve(stand_in: StandIn) -> Iterator[StandIn]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(stand_in))
    server.daemon_threads = True
    Thread(target=server.serve_forever, daemon=True).start()
    stand_in.url = f"http://127.0.0.1:{server.server_address[1]}/v1"
    try:
        yield stand_in
    finally:
        server.shutdown()
        server.server_close()


def _handler(stand_in: StandIn) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self._json(200, {"object": "list", "data": [{"id": name, "object": "model"} for name in stand_in.models]})

        def do_POST(self) -> None:
            body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            with stand_in.lock:
                stand_in.asked.append(body)
                stand_in.keys.append(self.headers.get("Authorization", ""))
                stand_in.at_once += 1
                stand_in.most_at_once = max(stand_in.most_at_once, stand_in.at_once)
            try:
                self._answer(body)
            finally:
                with stand_in.lock:
                    stand_in.at_once -= 1

        def _answer(self, body: dict[str, Any]) -> None:
            fault = stand_in.fault()
            if isinstance(fault, int):
                return self._json(
                    fault, {"error": {"message": f"fault {fault}, key {self.headers['Authorization'][7:]}"}}
                )
            if refused := sorted(stand_in.refuses & body.keys()):
                return self._json(400, {"error": {"message": f"unknown parameter {refused[0]}"}})
            self.send_response(200)
            self.send_header("Content-Type", "text/event-stream")
            self.end_headers()
            if fault == "garbage":
                self.wfile.write(b"data: <html>no</html>\n\n")
                return None
            if fault == "hang":
                time.sleep(3)
                return None
            time.sleep(stand_in.delay_s)
            spoken = sum(message["role"] == "assistant" for message in body["messages"])
            turn = stand_in.turns[min(spoken, len(stand_in.turns) - 1)]
            return self._say(turn, body, is_cut=fault == "cut")

        def _say(self, turn: str | dict[str, Any], body: dict[str, Any], *, is_cut: bool) -> None:
            deltas: list[dict[str, Any]]
            if isinstance(turn, str):
                for stop in body.get("stop") or ():
                    turn = turn.partition(stop)[0]
                words = [word + " " for word in turn.split(" ")]
                words[-1] = words[-1][:-1]
                deltas = [{"content": word} for word in words]
            else:
                text = json.dumps(turn["arguments"])
                deltas = [
                    {"content": turn.get("thought", "")},
                    {
                        "tool_calls": [
                            {"index": 0, "id": "1", "function": {"name": turn["name"], "arguments": text[:5]}}
                        ]
                    },
                    {"tool_calls": [{"index": 0, "function": {"arguments": text[5:]}}]},
                ]
            most = body.get("max_tokens", 10**6)
            for delta in deltas[: max(1, len(deltas) // 2) if is_cut else most]:
                choice: dict[str, Any] = {"index": 0, "delta": delta, "finish_reason": None}
                if body.get("logprobs"):
                    choice["logprobs"] = {
                        "content": [{"token": "x", "logprob": -0.25, "bytes": None, "top_logprobs": []}]
                    }
                self._event({"choices": [choice]})
            if is_cut:
                return
            reason = "length" if len(deltas) > most else "stop"
            self._event({"choices": [{"index": 0, "delta": {}, "finish_reason": reason}]})
            if body.get("stream_options"):
                spent = min(most, len(deltas))
                usage = {"prompt_tokens": 1, "completion_tokens": spent, "total_tokens": 1 + spent}
                self._event({"choices": [], "usage": usage})
            self.wfile.write(b"data: [DONE]\n\n")

        def _event(self, data: dict[str, Any]) -> None:
            head = {"id": "1", "object": "chat.completion.chunk", "created": 1, "model": MODEL}
            self.wfile.write(b"data: " + json.dumps(head | data).encode() + b"\n\n")
            self.wfile.flush()

        def _json(self, status: int, value: dict[str, Any]) -> None:
            data = json.dumps(value).encode()
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(data)))
            if status == 429:
                self.send_header("Retry-After-Ms", "1")
            self.end_headers()
            self.wfile.write(data)

        def log_message(self, *arguments: object) -> None: ...

    return Handler
