"""A real nginx or Caddy before a studio, below a path, set up as their own documentation says."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import time
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

__all__ = ["PLAIN", "TELLING", "caddy", "nginx"]

PLAIN = "location /studio/ { proxy_pass http://UPSTREAM/; }"
"""As the beginner's guide has it: the prefix is taken off, Host is the upstream's, nothing is told."""

TELLING = """location /studio {
    proxy_pass http://UPSTREAM;
    proxy_set_header Host $host;
    proxy_set_header X-Forwarded-Host "$host, inner.example";
    proxy_set_header X-Forwarded-Proto $scheme;
    proxy_set_header X-Forwarded-Prefix /studio;
}"""
"""As most have it: Host without its port, the prefix told and left on; a second proxy has put its name behind."""

_READY_WITHIN_S = 30


@contextmanager
def nginx(folder: Path, upstream: str, locations: Mapping[str, str]) -> Iterator[Mapping[str, str]]:
    """Serves each of `locations` (name -> text of a location) on a port of its own before `upstream` (http://HOST:PORT);
    name -> address below the path, with a slash at its end."""
    program = shutil.which("nginx") or "/usr/sbin/nginx"
    ports = {name: _free_port() for name in locations}
    servers = "\n".join(
        f"server {{ listen 127.0.0.1:{ports[name]}; client_max_body_size 100m;\n"
        f"{text.replace('UPSTREAM', upstream.removeprefix('http://'))} }}"
        for name, text in locations.items()
    )
    places = "".join(
        f"{kind}_temp_path {folder}/{kind};\n" for kind in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
    )
    configuration = folder / "nginx.conf"
    configuration.write_text(
        f"daemon off; pid {folder}/nginx.pid; error_log {folder}/error.log;\nevents {{}}\n"
        f"http {{ access_log off;\n{places}{servers} }}\n"
    )
    with _running([program, "-p", folder, "-c", configuration], ports.values(), folder / "error.log"):
        yield {name: f"http://studio.localhost:{port}/studio/" for name, port in ports.items()}


@contextmanager
def caddy(folder: Path, upstream: str) -> Iterator[str]:
    """As its documentation has it, on a port of its own, with one that tells a list of names, as behind a second proxy: the
    address below the path, with a slash at its end."""
    port = _free_port()
    configuration = folder / "Caddyfile"
    configuration.write_text(
        f"""{{
            admin off
            auto_https off
        }}
        http://:{port} {{
            redir /studio /studio/
            handle_path /studio/* {{
                reverse_proxy {upstream} {{
                    header_up X-Forwarded-Host "{{hostport}}, inner.example"
                }}
            }}
        }}"""
    )
    command = ["caddy", "run", "--adapter", "caddyfile", "--config", configuration]
    with _running(command, [port], folder / "error.log", HOME=str(folder)):
        yield f"http://studio.localhost:{port}/studio/"


@contextmanager
def _running(command: Sequence[str | Path], ports: Collection[int], log: Path, **environment: str) -> Iterator[None]:
    """The proxy's process, listening."""
    with (
        log.open("wb") as said,
        subprocess.Popen(command, stdout=said, stderr=said, env=os.environ | environment) as process,
    ):
        try:
            deadline = time.monotonic() + _READY_WITHIN_S
            while not all(_is_open(port) for port in ports):
                assert process.poll() is None, log.read_text()
                assert time.monotonic() < deadline, f"{command[0]} did not listen in time"
                time.sleep(0.05)
            yield
        finally:
            process.terminate()


def _is_open(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port
