"""What a host can set, read from the environment once at start.

The idea: one table says the name, default, meaning and reading of every setting; `Settings` is the frozen result, passed
on explicitly; README's table is generated from the same table. Nothing else reads the environment, but for the token and
address of the Hub (`engine.exchange.hub`): a token may stand in no value that could be printed.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from ipaddress import ip_network
from pathlib import Path
from typing import Any, Literal

from engine.errors import InvalidSetting

__all__ = ["PROTOCOLS", "SETTINGS", "Setting", "Settings"]

PROTOCOLS = ("studio", "pixel-reasoner", "qwen3-vl", "deepeyes", "mini-o3")
"""The names of all wire formats (`engine.protocols`)."""


@dataclass(frozen=True, slots=True)
class Setting:
    variable: str
    field: str
    default: str
    meaning: str
    read: Callable[[str], Any]
    default_in_space: str | None = None
    """What is taken instead of `default` inside a Hugging Face Space, where nobody could reach 127.0.0.1; {SPACE_HOST} stands
    for the Space's own address."""


def _choice(*allowed: str) -> Callable[[str], str]:
    def read(text: str) -> str:
        if text not in allowed:
            raise ValueError(f"choose one of: {', '.join(allowed)}")
        return text

    return read


def _names(text: str) -> tuple[str, ...]:
    """Comma-separated."""
    return tuple(name for part in text.split(",") if (name := part.strip()))


def _networks(text: str) -> tuple[str, ...]:
    for name in _names(text):
        ip_network(name, strict=False)
    return _names(text)


def _whole(minimum: int, maximum: int | None = None) -> Callable[[str], int]:
    def read(text: str) -> int:
        if not text.removeprefix("-").isdecimal():
            raise ValueError("a whole number is needed")
        value = int(text)
        if value < minimum:
            raise ValueError(f"at least {minimum} is needed")
        if maximum is not None and value > maximum:
            raise ValueError(f"at most {maximum} is possible")
        return value

    return read


def _url(text: str) -> str:
    if text and not re.fullmatch(r"https?://[^\s/?#]+(/[^\s?#]*)?", text):
        raise ValueError("an address like https://studio.example.org is needed")
    return text.rstrip("/")


def _root_path(text: str) -> str:
    path = text.rstrip("/")
    if path and not re.fullmatch(r"(/[\w.~-]+)+", path):
        raise ValueError("a path like /studio is needed")
    return path


def _list(maximum: int) -> Callable[[str], tuple[str, ...]]:
    def read(text: str) -> tuple[str, ...]:
        words = tuple(word for one in text.split(",") if (word := one.strip()))
        if not words or len(words) > maximum:
            raise ValueError(f"1 to {maximum} are possible, not {len(words)}")
        return words

    return read


SETTINGS: tuple[Setting, ...] = (
    Setting("STUDIO_MODEL", "model", "tiny", "`tiny` (the embedded reasoner), `scripted` (no weights), a folder, a "
            "model id of the Hugging Face Hub, or `openai:http://HOST:PORT/v1#MODEL` (a server)", str),
    Setting("STUDIO_QUANTIZATION", "quantization", "auto", "`4bit`, `8bit`, `none`, or `auto` (4 bit)",
            _choice("auto", "4bit", "8bit", "none")),
    Setting("STUDIO_DEVICE", "device", "auto", "`auto` (CUDA where there is one), `cpu`, `cuda`, `cuda:1`, ...", str),
    Setting("STUDIO_PROTOCOL", "protocol", "auto", "wire format: `studio`, `pixel-reasoner`, `qwen3-vl`, "
            "`deepeyes`, `mini-o3`, or `auto` (what the model's `studio.json`, name, card or configuration says)",
            _choice("auto", *PROTOCOLS)),
    Setting("OPENAI_API_KEY", "server_key", "", "the key that the server of `openai:...` asks for; kept in no file", str),
    Setting("STUDIO_THREADS", "threads", "0", "CPU threads for the model; 0 leaves it to one less than the cores", _whole(0)),
    Setting("STUDIO_HOME", "home", ".", "folder of `annotations.db` and `artifacts/`", Path),
    Setting("STUDIO_HOST", "host", "127.0.0.1", "address to listen on; in a Space `0.0.0.0`", str, "0.0.0.0"),
    Setting("STUDIO_PORT", "port", "7860", "port to listen on", _whole(0, 65_535)),
    Setting("STUDIO_PUBLIC_URL", "public_url", "", "the address at which people reach it, where that is another: "
            "`https://studio.example.org`; in a Space the Space's own", _url, "https://{SPACE_HOST}"),
    Setting("STUDIO_ROOT_PATH", "root_path", "", "the path below which a proxy puts it, as `/studio`; a proxy that sends "
            "X-Forwarded-Prefix needs none", _root_path),
    Setting("STUDIO_ALLOWED_HOSTS", "allowed_hosts", "", "more names that it answers to, with commas between: "
            "`studio.lan,*.example.org`, or `*` for all", _names),
    Setting("STUDIO_JOURNAL", "journal", "wal", "SQLite journal: `wal`, or `delete` on network disks", _choice("wal", "delete")),
    Setting("STUDIO_LOG_FORMAT", "log_format", "text", "`text`, or `json`: one object a line, for what collects logs",
            _choice("text", "json")),
    Setting("STUDIO_BACKUP", "backup", "", "where snapshots of the home go: a folder (also a mounted bucket), or "
            "`hub:OWNER/NAME`, a private data set; an empty home is restored from there at start", str),
    Setting("STUDIO_BACKUP_MINUTES", "backup_minutes", "10", "how many minutes between two snapshots", _whole(1)),
    Setting("STUDIO_MAX_UPLOAD_MB", "max_upload_mb", "100", "largest upload, in megabytes", _whole(1)),
    Setting("STUDIO_MAX_IMPORT_MB", "max_import_mb", "4000", "largest data set that is sent in from a browser, in megabytes",
            _whole(1)),
    Setting("STUDIO_MAX_MEGAPIXELS", "max_megapixels", "100", "largest picture, in millions of pixels", _whole(1)),
    Setting("STUDIO_MAX_VIDEO_S", "max_video_s", "600", "longest video, in seconds", _whole(1)),
    Setting("STUDIO_MAX_STEPS", "max_steps", "6", "most steps of one trace", _whole(1)),
    Setting("STUDIO_MAX_TOKENS", "max_tokens", "4096", "most generated tokens of one trace", _whole(1)),
    Setting("STUDIO_REJECT_REASONS", "reject_reasons", "wrong answer, wrong place, wrong reasoning, bad question, "
            "unreadable picture", "why a trace is rejected, at most nine, with commas between them: what Curate "
            "offers and records", _list(9)),
    Setting("STUDIO_FRAME_ANCESTORS", "frame_ancestors", "'self'", "who may embed the page (CSP frame-ancestors); in a "
            "Space `https://huggingface.co`", str, "https://huggingface.co"),
    Setting("STUDIO_ACCESS", "access", "open", "how people sign in (docs/access.md): `open` (nobody does; on this machine only), "
            "`accounts` (the studio's own), `huggingface`, `proxy`; in a Space `huggingface`",
            _choice("open", "accounts", "huggingface", "proxy"), "huggingface"),
    Setting("STUDIO_GUESTS", "guests", "none", "whoever has not signed in: `none` (must), `visitor` (may ask); in a Space "
            "`visitor`", _choice("none", "visitor"), "visitor"),
    Setting("STUDIO_NEW_ROLE", "new_role", "visitor", "role of those who sign in by Hugging Face or a proxy for the first "
            "time: `visitor`, `annotator`, `trainer`", _choice("visitor", "annotator", "trainer")),
    Setting("STUDIO_ADMINS", "admins", "", "names, with commas between them, that are admin when they sign in by Hugging Face "
            "or a proxy", _names),
    Setting("STUDIO_ORGANISATIONS", "organisations", "", "organisations of the Hub: only their members may sign in", _names),
    Setting("STUDIO_PROXY_HEADER", "proxy_header", "", "the header in which a reverse proxy says who asks (`proxy`)", str),
    Setting("STUDIO_PROXY_ADDRESSES", "proxy_addresses", "", "addresses or networks of the proxies before the studio, with "
            "commas between them: from nobody else is the header believed, or what X-Forwarded-For says (that from 127.0.0.1 "
            "always is); in a Space the networks inside", _networks, "10.0.0.0/8,172.16.0.0/12,192.168.0.0/16"),
    Setting("STUDIO_QUEUE_TAKES", "queue_takes", "auto", "what visitors ask goes into the queue: `all`, `sent` (what they send "
            "to review), `none`; `auto` is `all` where nobody signs in, else `sent`", _choice("auto", "all", "sent", "none")),
    Setting("STUDIO_ASKS_PER_HOUR", "asks_per_hour", "0", "questions of one visitor or annotator, and from one address, in an "
            "hour; 0 is without end; in a Space 60", _whole(0), "60"),
    Setting("STUDIO_TOKENS_PER_HOUR", "tokens_per_hour", "0", "generated tokens, likewise; in a Space 100000", _whole(0),
            "100000"),
    Setting("STUDIO_UPLOAD_MB_PER_HOUR", "upload_mb_per_hour", "0", "megabytes brought, likewise; in a Space 500", _whole(0),
            "500"),
    Setting("STUDIO_MIN_FREE_MB", "min_free_mb", "200", "nothing is brought in or asked while the home's disk has less free",
            _whole(0)),
    Setting("STUDIO_MAX_HOME_MB", "max_home_mb", "0", "nor while the home itself takes more, in megabytes; 0 is without end",
            _whole(0)),
    Setting("OAUTH_CLIENT_ID", "oauth_client_id", "", "set by the Hub in a Space with `hf_oauth: true`, as the next three are",
            str),
    Setting("OAUTH_CLIENT_SECRET", "oauth_client_secret", "", "kept in no file", str),
    Setting("OAUTH_SCOPES", "oauth_scopes", "openid profile", "what is asked of the Hub about a person", str),
    Setting("OPENID_PROVIDER_URL", "openid_provider_url", "https://huggingface.co", "who knows people", str),
    Setting("SPACE_HOST", "space_host", "", "set by the Hub: the Space's address", str),
    Setting("SPACE_AUTHOR_NAME", "space_author", "", "set by the Hub: whose Space it is, and so who is admin", str),
)  # fmt: skip
"""Every setting, in the order of README's table."""


@dataclass(frozen=True, slots=True)
class Settings:
    """The settings as read; see SETTINGS for meanings and units."""

    model: str
    quantization: str
    device: str
    protocol: str
    server_key: str = field(repr=False)
    threads: int
    home: Path
    host: str
    port: int
    public_url: str
    root_path: str
    allowed_hosts: tuple[str, ...]
    journal: str
    log_format: str
    backup: str
    backup_minutes: int
    max_upload_mb: int
    max_import_mb: int
    max_megapixels: int
    max_video_s: int
    max_steps: int
    max_tokens: int
    reject_reasons: tuple[str, ...]
    frame_ancestors: str
    access: str
    guests: str
    new_role: Literal["visitor", "annotator", "trainer"]
    admins: tuple[str, ...]
    organisations: tuple[str, ...]
    proxy_header: str
    proxy_addresses: tuple[str, ...]
    queue_takes: str
    asks_per_hour: int
    tokens_per_hour: int
    upload_mb_per_hour: int
    min_free_mb: int
    max_home_mb: int
    oauth_client_id: str
    oauth_client_secret: str = field(repr=False)
    oauth_scopes: str
    openid_provider_url: str
    space_host: str
    space_author: str

    @classmethod
    def from_environment(cls, environment: Mapping[str, str]) -> Settings:
        """Raises InvalidSetting naming the variable, the value seen and what is allowed."""
        is_space = bool(environment.get("SPACE_ID"))  # set by the Hub in every Space
        values: dict[str, Any] = {}
        for setting in SETTINGS:
            in_space = (setting.default_in_space or "").replace(
                "{SPACE_HOST}", environment.get("SPACE_HOST", "localhost")
            )
            default = (is_space and in_space) or setting.default
            text = environment.get(setting.variable, "").strip() or default
            try:
                values[setting.field] = setting.read(text)
            except ValueError as error:
                raise InvalidSetting(f"{setting.variable}={text!r} cannot be used: {error}") from None
        return cls(**values)

    @property
    def database(self) -> Path:
        return self.home / "annotations.db"

    @property
    def artifacts(self) -> Path:
        return self.home / "artifacts"
