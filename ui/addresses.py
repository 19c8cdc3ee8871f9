"""Which addresses are this studio's own: the names it answers to, the pages that may act, the path it stands below.

    answers_to   is the Host that a request names one of ours? A page of another site that lets its name point here (DNS
                 rebinding) names its own
    is_foreign   was a request that changes something sent by a page of another site?
    as_asked     the request as the browser made it, whatever proxies did to its scheme, name and path

Invariants: an address in numbers, a name without a dot and `localhost` are always answered to: nobody elsewhere can make these
lead here. Whatever a proxy says is taken only where a page of another site could not have said it: a browser lets no page set
these headers for another site without asking first, and nobody answers.

Sources: the Fetch Metadata and Origin headers, by the order of checks of Go's `http.CrossOriginProtection`; ours goes by the
name alone, since nginx's `$host` drops the port, and takes what a proxy says that it was called.
"""

from __future__ import annotations

import ipaddress
import re
import socket
from dataclasses import dataclass
from urllib.parse import urlsplit

from starlette.datastructures import Headers
from starlette.types import Scope

from engine.settings import Settings

__all__ = ["Addresses"]

_PREFIX = re.compile(r"(/[\w.~-]+)+", re.ASCII)
_ANY = "*"
_OF_PROXIES = (b"host", b"x-forwarded-host", b"x-forwarded-proto", b"x-forwarded-prefix", b"x-gradio-server")


@dataclass(frozen=True, slots=True)
class Addresses:
    """`public` are names of hosts that are ours, small; `allowed` more that are answered to, "*" for all, "*.example.org" for all
    below one; `root_path` is "" or begins with a slash."""

    public: frozenset[str]
    allowed: frozenset[str]
    root_path: str = ""

    @classmethod
    def of(cls, settings: Settings) -> Addresses:
        machine = socket.gethostname().lower()
        own = {machine, f"{machine}.local", settings.host.lower()}
        public = _name_of(urlsplit(settings.public_url).netloc) if settings.public_url else None
        return cls(
            frozenset({public} if public else ()),
            frozenset(own | {name.lower() for name in settings.allowed_hosts}),
            settings.root_path,
        )

    def answers_to(self, host: str) -> bool:
        """Whether `host`, a Host header, is a name of ours; a request without one is answered."""
        name = _name_of(host)
        if not host or (name and "." not in name) or _is_numeric(name) or name.endswith(".localhost"):
            return True
        if _ANY in self.allowed or name in self.public or name in self.allowed:
            return True
        return any(name.endswith(one[1:]) for one in self.allowed if one.startswith("*."))

    def is_foreign(self, headers: Headers) -> bool:
        """Whether a page of another site sent this. Programs say neither where they come from nor what they fetch, and are
        not stopped."""
        fetched, origin = headers.get("sec-fetch-site"), headers.get("origin")
        if fetched is not None:  # the browser has compared the addresses itself, ports included
            return fetched not in ("same-origin", "none")
        if origin is None:
            return False
        called = (headers.get("host", ""), *headers.get("x-forwarded-host", "").split(","))
        sender = _name_of(urlsplit(origin).netloc)
        return not sender or sender not in self.public | {_name_of(one) for one in called}

    def as_asked(self, scope: Scope) -> Scope:
        """The request as the browser made it: its scheme, name and path, whether or not a proxy has taken the prefix off; what
        proxies said of these is left out, so that nobody behind reads it otherwise."""
        headers = Headers(scope=scope)
        prefix = self.prefix_of(headers)
        path = scope["path"].removeprefix(prefix) if scope["path"].startswith(f"{prefix}/") else scope["path"]
        called = headers.get("x-forwarded-host", "").split(",")[0].strip() or headers.get("host", "")
        kept = [(name, value) for name, value in scope["headers"] if name not in _OF_PROXIES]
        host = [(b"host", called.encode("latin-1"))] if called else []
        scheme = "https" if _is_https(scope, headers) else scope.get("scheme", "http")
        return {**scope, "scheme": scheme, "root_path": prefix, "path": prefix + path, "headers": host + kept}

    def prefix_of(self, headers: Headers) -> str:
        """The path below which the studio stands for whoever sent this: what the proxy says, or the setting."""
        said = headers.get("x-forwarded-prefix", "").split(",")[0].strip().rstrip("/")
        return said if _PREFIX.fullmatch(said) and ".." not in said else self.root_path


def _is_https(scope: Scope, headers: Headers) -> bool:
    """As the browser sees it: in front of a Space stands a proxy that ends the encryption. Whoever makes this header up
    changes nothing but their own answer."""
    said = headers.get("x-forwarded-proto", "").split(",")[0].strip().lower()
    return scope.get("scheme") == "https" or said == "https"


def _name_of(address: str) -> str:
    """The name in HOST, HOST:PORT or [::1]:PORT, small and without the dot at its end."""
    try:
        return (urlsplit(f"//{address.strip()}").hostname or "").rstrip(".")
    except ValueError:
        return ""


def _is_numeric(name: str) -> bool:
    try:
        ipaddress.ip_address(name)
    except ValueError:
        return False
    return True
