"""Fetching a picture from an address of the web, for tables that name their pictures so; only where a person asks for it.

Whoever wrote the table wrote the addresses, so none of them may lead into the host's own network: a name is resolved once, each
of its numbers must be a public one, and the connection goes to the number that was looked at. Three redirections are
followed, each looked at in the same way. No more than the limit is read, and nothing of the host is sent along.
"""

from __future__ import annotations

import http.client
import ipaddress
import socket
import ssl
from collections.abc import Callable
from urllib.parse import urljoin, urlsplit

from engine.errors import InvalidInput

__all__ = ["fetch_address"]

_TIMEOUT_S = 30.0
_REDIRECTIONS = 3
_CHUNK_BYTES = 1 << 16


def _is_public(number: str) -> bool:
    return ipaddress.ip_address(number).is_global


def fetch_address(address: str, max_bytes: int, is_allowed: Callable[[str], bool] = _is_public) -> bytes:
    """The bytes behind an http or https address; `is_allowed` says whether an IP address may be connected to. Raises
    InvalidInput with the address and why not."""
    shown, at = address[:120], address
    try:
        for _ in range(_REDIRECTIONS + 1):
            connection, target = _connection(at, is_allowed)
            try:
                connection.request(
                    "GET", target, headers={"User-Agent": "pixel-reasoner-studio", "Accept": "image/*,video/*"}
                )
                reply = connection.getresponse()
                if reply.status in (301, 302, 303, 307, 308):
                    at = urljoin(at, reply.headers.get("Location", ""))
                    continue
                if reply.status != 200:
                    raise InvalidInput(f"{shown} answered {reply.status} {reply.reason}")
                return _read(reply, max_bytes, shown)
            finally:
                connection.close()
    except (OSError, http.client.HTTPException, ValueError) as error:
        raise InvalidInput(f"{shown} cannot be fetched: {error}") from error
    raise InvalidInput(f"{shown} is redirected more than {_REDIRECTIONS} times")


def _connection(address: str, is_allowed: Callable[[str], bool]) -> tuple[http.client.HTTPConnection, str]:
    parts = urlsplit(address)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise InvalidInput(f"{address[:120]} is no address of http or https")
    port = parts.port or (443 if parts.scheme == "https" else 80)
    numbers = {str(found[4][0]) for found in socket.getaddrinfo(parts.hostname, port, type=socket.SOCK_STREAM)}
    if not all(is_allowed(number) for number in numbers):
        raise InvalidInput(f"{address[:120]} leads into a network that is not public; nothing is fetched from there")
    connection = http.client.HTTPConnection(parts.hostname, port, timeout=_TIMEOUT_S)
    # To the number that was looked at: the name may say another one the next time.
    sock = socket.create_connection((sorted(numbers)[0], port), timeout=_TIMEOUT_S)
    if parts.scheme == "https":
        sock = ssl.create_default_context().wrap_socket(sock, server_hostname=parts.hostname)
    connection.sock = sock
    return connection, (parts.path or "/") + (f"?{parts.query}" if parts.query else "")


def _read(reply: http.client.HTTPResponse, max_bytes: int, shown: str) -> bytes:
    content = bytearray()
    while chunk := reply.read(_CHUNK_BYTES):
        content += chunk
        if len(content) > max_bytes:
            raise InvalidInput(f"{shown} has more than the {max_bytes / 2**20:,.1f} MiB that are accepted")
    return bytes(content)
