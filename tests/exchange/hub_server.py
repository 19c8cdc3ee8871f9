"""A stand-in of the Hugging Face Hub: what `huggingface_hub` asks of it to push and to read a data set, to set up a Space and
to start a job, on this machine.

Sources: huggingface_hub 2.4.0 (hf_api.py, _commit_api.py, file_download.py, lfs.py) for requests and answers, git-lfs' batch
API. Repositories are folders; a commit lays its files there. Files go by LFS: `hf_xet` speaks to a storage service of its own
and has to be switched off (HF_HUB_DISABLE_XET).
"""

from __future__ import annotations

import base64
import hashlib
import json
import re
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any
from urllib.parse import parse_qs, unquote

import pytest

__all__ = ["TOKEN", "HubServer", "hub_in_use", "hub_server"]

TOKEN = "hf_a-secret-of-nobody"


class HubServer:
    """`endpoint` is its address, `token` what may write. `asked` holds (method, path) of every request; `broken` are paths
    that are answered with a status instead."""

    def __init__(self, folder: Path, token: str) -> None:
        self.folder, self.token = folder, token
        self.repos: dict[str, dict[str, Any]] = {}
        self.asked: list[tuple[str, str]] = []
        self.broken: dict[str, int] = {}
        self.commits: list[str] = []
        self.buckets: set[str] = set()
        self.models: set[str] = set()
        self.jobs: list[dict[str, Any]] = []
        self.endpoint = ""

    def files(self, repo: str) -> Path:
        return self.folder / repo

    def answer(self, method: str, path: str, body: bytes, authorization: str, query: str = "") -> tuple[int, Any]:
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
        if path.startswith("/api/buckets/"):
            self.buckets.add(path.removeprefix("/api/buckets/"))
            return 200, {"url": self.endpoint + path.removeprefix("/api")}
        if path.startswith("/api/jobs/"):
            return self._jobs(method, path.removeprefix("/api/jobs/"), body, parse_qs(query).get("label", []))
        below = re.sub("^((/api)?/(datasets|spaces|models))?/", "", path)
        repo = "/".join(below.split("/")[:2]).removesuffix(".git")
        if (
            repo in self.repos
            and path.startswith("/api/spaces/")
            and (said := self._of_space(method, path, body)) is not None
        ):
            return 200, said
        if repo not in self.repos:
            return 404, {"error": "Repository not found"}
        if path.endswith("/tree/main"):
            files = [file for file in self.files(repo).rglob("*") if file.is_file()]
            names = [file.relative_to(self.files(repo)).as_posix() for file in files]
            return 200, [_entry(name, file.read_bytes()) for name, file in zip(names, files, strict=True)]
        if "/resolve/main/" in path:
            file = self.files(repo) / path.partition("/resolve/main/")[2]
            return (200, file) if file.is_file() else (404, {"error": "Entry not found"})
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
        if repo in self.repos:
            return 409, {"error": "You already created this dataset repo", "url": f"{self.endpoint}/datasets/{repo}"}
        self.repos[repo] = {"private": asked.get("visibility") == "private"}
        kind = asked.get("type", "model")
        if kind == "space":
            self.repos[repo] |= {"variables": {}, "secrets": {}, "hardware": "cpu-basic", "volumes": []}
        if kind == "model":
            self.models.add(repo)
        return 200, {"url": self._url(repo), "name": repo}

    def _jobs(self, method: str, owner: str, body: bytes, labels: list[str]) -> tuple[int, Any]:
        if method == "POST":
            about = {"id": f"job{len(self.jobs)}", "createdAt": f"2026-01-3{len(self.jobs)}T00:00:00.000Z"}
            about |= {"owner": {"id": owner, "name": owner, "type": "user"}, "status": {"stage": "SCHEDULING"}}
            self.jobs.append(json.loads(body) | about)
            return 200, self.jobs[-1]
        wanted = [tuple(label.split("=", 1)) for label in labels]
        fits = [all(job["labels"].get(name) == value for name, value in wanted) for job in self.jobs]
        return 200, [job for job, fit in zip(self.jobs, fits, strict=True) if fit and job["owner"]["name"] == owner]

    def _url(self, repo: str) -> str:
        return f"{self.endpoint}/{repo}" if repo in self.models else f"{self.endpoint}/datasets/{repo}"

    def _of_space(self, method: str, path: str, body: bytes) -> Any:
        """What is set in a Space; None for what every repository has."""
        *_, owner, name, what = path.split("/")
        space = self.repos.get(f"{owner}/{name}", {})
        if what not in ("variables", "secrets", "volumes", "hardware", "runtime") or not space:
            return None
        asked = json.loads(body or b"null")
        if what in ("variables", "secrets"):
            if method == "POST":
                space[what][asked["key"]] = asked["value"]
            shown = {key: {"value": value} if what == "variables" else {} for key, value in space[what].items()}
            return {key: {**one, "updatedAt": "2026-01-31T00:00:00.000Z"} for key, one in shown.items()}
        if what == "volumes":
            space["volumes"] = asked["volumes"]
        elif what == "hardware":
            space["hardware"] = asked["flavor"]
        return {"stage": "RUNNING", "hardware": {"requested": space["hardware"]}, "volumes": space["volumes"]}

    def _commit(self, repo: str, body: bytes) -> tuple[int, Any]:
        self.files(repo).mkdir(parents=True, exist_ok=True)
        for line in map(json.loads, body.splitlines()):
            value = line["value"]
            if line["key"] == "header":
                self.commits.append(value["summary"])
            elif line["key"] == "lfsFile":
                data = (self.folder / "lfs" / value["oid"]).read_bytes()
                self._lay_down(self.files(repo) / value["path"], data)
            elif line["key"] == "file":
                self._lay_down(self.files(repo) / value["path"], base64.b64decode(value["content"]))
            elif line["key"] == "deletedFile":
                (self.files(repo) / value["path"]).unlink()
        commit = f"{self._url(repo)}/commit/{'1' * 40}"
        return 200, {"success": True, "commitOid": "1" * 40, "commitUrl": commit, "hookOutput": ""}

    @staticmethod
    def _lay_down(path: Path, data: bytes) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)


def _mode(name: str) -> str:
    return "lfs" if name.endswith((".parquet", ".safetensors")) or name.startswith("objects/") else "regular"


def _entry(name: str, data: bytes) -> dict[str, Any]:
    oid = hashlib.sha1(b"blob %d\0" % len(data) + data).hexdigest()
    return {"type": "file", "path": name, "size": len(data), "oid": oid}


@contextmanager
def hub_server(folder: Path, token: str) -> Iterator[HubServer]:
    hub = HubServer(folder, token)

    class Handler(BaseHTTPRequestHandler):
        def _any(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            if self.headers.get("Transfer-Encoding") == "chunked":
                body = b"".join(self._chunks())
            path, _, query = self.path.partition("?")
            status, said = hub.answer(self.command, unquote(path), body, self.headers.get("Authorization", ""), query)
            data = said.read_bytes() if isinstance(said, Path) else json.dumps(said).encode()
            self.send_response(status)
            self.send_header(
                "Content-Type", "application/octet-stream" if isinstance(said, Path) else "application/json"
            )
            self.send_header("Content-Length", str(len(data)))
            if isinstance(said, Path):
                self.send_header("ETag", f'"{hashlib.sha256(data).hexdigest()}"')
                self.send_header("X-Repo-Commit", "1" * 40)
            if status == 404:
                self.send_header("X-Error-Code", "EntryNotFound" if "/resolve/" in path else "RepoNotFound")
            self.end_headers()
            if self.command != "HEAD":
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


@contextmanager
def hub_in_use(folder: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[HubServer]:
    """The Hub that `huggingface_hub` and the studio know of, with a token that may write."""
    from huggingface_hub import constants

    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", False)
    monkeypatch.setattr(constants, "HF_HUB_DISABLE_XET", True)
    with hub_server(folder, TOKEN) as server:
        server.folder.mkdir()
        monkeypatch.setenv("HF_ENDPOINT", server.endpoint)
        monkeypatch.setenv("HF_TOKEN", TOKEN)
        yield server
