"""Addresses of the web: read from a server of the test's own, which no table would be let reach."""

from __future__ import annotations

import threading
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest

from engine.errors import InvalidInput
from engine.importing.addresses import fetch_address


class Pages(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        if self.path == "/picture?size=1":
            self.send_response(200)
            self.end_headers()
            self.wfile.write(b"x" * 1000)
        else:
            self.send_response(404 if self.path == "/none" else 302)
            self.send_header("Location", "/picture?size=1" if self.path == "/moved" else self.path)
            self.end_headers()

    def log_message(self, *words: object) -> None:
        pass


@pytest.fixture(scope="module")
def web():
    server = HTTPServer(("127.0.0.1", 0), Pages)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()


def test_a_picture_is_read_up_to_its_limit_and_through_a_redirection(web):
    def fetch(path: str, max_bytes: int = 1000) -> bytes:
        return fetch_address(web + path, max_bytes, lambda number: True)

    assert fetch("/picture?size=1") == fetch("/moved") == b"x" * 1000
    for path, limit, said in (
        ("/picture?size=1", 999, "more than the"),
        ("/none", 1000, "answered 404"),
        ("/round", 1000, "redirected more than 3 times"),
    ):
        with pytest.raises(InvalidInput, match=said):
            fetch(path, limit)


@pytest.mark.parametrize(
    "address",
    [
        "http://127.0.0.1/x",
        "http://localhost/x",
        "http://[::1]/x",
        "http://10.0.0.1/x",
        "http://169.254.169.254/latest",
    ],
)
def test_nothing_is_fetched_from_networks_that_are_not_public(address):
    with pytest.raises(InvalidInput, match="not public|cannot be fetched"):
        fetch_address(address, 1000)


def test_a_public_address_that_leads_inside_is_not_followed(web):
    asked = []

    def only_once(number: str) -> bool:
        asked.append(number)
        return len(asked) == 1

    with pytest.raises(InvalidInput, match="not public"):
        fetch_address(f"{web}/moved", 1000, only_once)
    for other in ("file:///etc/passwd", "ftp://example.org/x", "http://"):
        with pytest.raises(InvalidInput, match="no address of http"):
            fetch_address(other, 1000)
