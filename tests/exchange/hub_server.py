"""A stand-in of the Hugging Face Hub: what `huggingface_hub` asks of it to push a data set, on this machine.

Sources: huggingface_hub 2.4.0 (hf_api.py, _commit_api.py, lfs.py) for requests and answers, git-lfs' batch API. Repositories
are folders; a commit lays its files there. Files go by LFS: `hf_xet` speaks to a storage service of its own and has to be
switched off (HF_HUB_DISABLE_XET).
"""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any

__all__ = ["HubServer", "hub_server"]


class HubServer:
    """`endpoint` is its address, `token` what may write. `asked` holds (method, path) of every request; `broken` are paths
    that are answered with a status instead."""

    def __init__(self, folder: Path, token: str) -> None:
        self.folder, self.token = folder, token
        self.repos: dict[str, dict[str, Any]] = {}
        self.asked: list[tuple[str, str]] = []
        self.broken: dict[str, int] = {}
        self.commits: list[str] = []
        self.endpoint = ""

    def files(self, repo: str) -> Path:
        return self.folder / repo

    def answer(self, method: str, path: str, body: bytes, authorization: str) -> tuple[int, Any]:
        self.asked.append((method, path))
        status = next((status for part, status in self.broken.items() if part in path), None)
        if status is not None:
            return status, {"error": "broken"}
        if path == "/api/validate-yaml":
            return 200, {"errors": [], "warnings": []}
        if path.startswith("/lfs/"):
            if method == "PUT":
                assert hashlib.sha256(body).hexdigest() == path.rpartition("/")[2]
                (self.folder / "lfs").mkdir(exist_ok=True)
                (self.folder / path[1:]).write_bytes(body)
            return 200, {}
        if authorization != f"Bearer {self.token}":
            return 401, {"error": "Invalid username or password."}
        if path == "/api/repos/create":
            return self._create(json.loads(body))
        repo = "/".join(path.removeprefix("/api/datasets/").removeprefix("/datasets/").split("/")[:2]).removesuffix(
            ".git"
        )
        if repo not in self.repos:
            return 404, {"error": "Repository not found"}
        if path.endswith("/preupload/main"):
            named = [file["path"] for file in json.loads(body)["files"]]
            modes = [{"path": name, "uploadMode": _mode(name), "shouldIgnore": False, "oid": None} for name in named]
            return 200, {"files": modes}
        if path.endswith("/info/lfs/objects/batch"):
            objects = json.loads(body)["objects"]
            places = [{"upload": {"href": f"{self.endpoint}/lfs/{one['oid']}"}} for one in objects]
            return 200, {"objects": [one | {"actions": place} for one, place in zip(objects, places, strict=True)]}
        if path.endswith("/commit/main"):
            return self._commit(repo, body)
        return 200, {"id": repo, "private": self.repos[repo]["private"], "sha": "0" * 40, "siblings": []}

    def _create(self, asked: dict[str, Any]) -> tuple[int, Any]:
        repo = f"{asked['organization']}/{asked['name']}"
        if asked["type"] != "dataset":
            return 400, {"error": "not a data set"}
        if repo in self.repos:
            return 409, {"error": "You already created this dataset repo", "url": f"{self.endpoint}/datasets/{repo}"}
        self.repos[repo] = {"private": asked.get("visibility") == "private"}
        return 200, {"url": f"{self.endpoint}/datasets/{repo}", "name": repo}

    def _commit(self, repo: str, body: bytes) -> tuple[int, Any]:
        self.files(repo).mkdir(parents=True, exist_ok=True)
        for line in map(json.loads, body.splitlines()):
            value = line["value"]
            if line["key"] == "header":
                self.commits.append(value["summary"])
            elif line["key"] == "lfsFile":
                data = (self.folder / "lfs" / value["oid"]).read_bytes()
                (self.files(repo) / value["path"]).write_bytes(data)
            elif line["key"] == "file":
                (self.files(repo) / value["path"]).write_bytes(base64.b64decode(value["content"]))
        commit = f"{self.endpoint}/datasets/{repo}/commit/{'1' * 40}"
        return 200, {"success": True, "commitOid": "1" * 40, "commitUrl": commit, "hookOutput": ""}


def _mode(name: str) -> str:
    return "lfs" if name.endswith(".parquet") else "regular"


@contextmanager
def hub_server(folder: Path, token: str) -> Iterator[HubServer]:
    hub = HubServer(folder, token)

    class Handler(BaseHTTPRequestHandler):
        def _any(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            if self.headers.get("Transfer-Encoding") == "chunked":
                body = b"".join(self._chunks())
            path = self.path.partition("?")[0]
            status, said = hub.answer(self.command, path, body, self.headers.get("Authorization", ""))
            data = json.dumps(said).encode()
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(data)))
            self.end_headers()
            self.wfile.write(data)

        def _chunks(self) -> Iterator[bytes]:
            while size := int(self.rfile.readline(), 16):
                yield self.rfile.read(size)
                self.rfile.readline()
            self.rfile.readline()

        do_GET = do_POST = do_PUT = do_HEAD = _any

        def log_message(self, *words: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    hub.endpoint = f"http://127.0.0.1:{server.server_address[1]}"
    thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    try:
        yield hub
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
