"""Names that are answered to, pages that may act, and the path below which the studio stands, as proxies really say them."""

from __future__ import annotations

import pytest

from engine.settings import Settings
from ui.addresses import Addresses

PUBLIC = "https://studio.example.org/pixels"


def addresses(**environment: str) -> Addresses:
    return Addresses.of(Settings.from_environment({f"STUDIO_{name}": value for name, value in environment.items()}))


def headers(**said: str):
    from starlette.datastructures import Headers

    return Headers({name.replace("_", "-"): value for name, value in said.items()})


@pytest.mark.parametrize(
    ("host", "is_ours"),
    [
        ("127.0.0.1:7860", True),
        ("[::1]:7860", True),
        ("LOCALHOST:7860", True),
        ("studio", True),  # of a compose file: no name of the net is without a dot
        ("", True),
        ("192.168.1.5", True),
        ("Studio.Example.org:443", True),
        ("studio.example.org.", True),
        ("lab.other.org", True),
        ("evil.example", False),
        ("studio.example.org.evil.example", False),
        ("127.0.0.1.evil.example", False),
        ("127.0.0.1:7860@evil.example", False),
        ("evil.example:80:80", False),
    ],
)
def test_a_name_that_leads_here_by_rebinding_is_not_answered_to(host: str, is_ours: bool) -> None:
    assert addresses(PUBLIC_URL=PUBLIC, ALLOWED_HOSTS="*.other.org").answers_to(host) is is_ours


def test_every_name_where_a_host_says_so_and_a_space_knows_its_own() -> None:
    assert addresses(ALLOWED_HOSTS="*").answers_to("evil.example")
    space = Settings.from_environment({"SPACE_ID": "a/b", "SPACE_HOST": "a-b.hf.space"})
    assert space.public_url == "https://a-b.hf.space" and Addresses.of(space).answers_to("a-b.hf.space")


@pytest.mark.parametrize(
    ("said", "is_foreign"),
    [
        ({}, False),  # a program
        ({"origin": "http://127.0.0.1:7860", "host": "127.0.0.1:7860"}, False),
        ({"origin": "http://studio.lan:8080", "host": "studio.lan"}, False),  # nginx: Host $host drops the port
        ({"origin": "http://STUDIO.lan", "host": "studio.LAN"}, False),
        ({"origin": "https://studio.example.org", "host": "127.0.0.1:7860"}, False),  # nginx: its own Host
        ({"origin": "http://studio.lan", "host": "x", "x_forwarded_host": "studio.lan, inner"}, False),
        ({"origin": "http://studio.lan", "host": "127.0.0.1:7860", "sec_fetch_site": "same-origin"}, False),
        ({"origin": "http://evil.example", "host": "127.0.0.1:7860"}, True),
        ({"origin": "http://evil.example", "host": "127.0.0.1:7860", "sec_fetch_site": "cross-site"}, True),
        ({"origin": "http://127.0.0.1:9000", "host": "127.0.0.1:7860", "sec_fetch_site": "same-site"}, True),
        ({"host": "127.0.0.1:7860", "sec_fetch_site": "cross-site"}, True),
        ({"origin": "null", "host": ""}, True),
    ],
)
def test_only_our_own_pages_act(said: dict[str, str], is_foreign: bool) -> None:
    assert addresses(PUBLIC_URL=PUBLIC).is_foreign(headers(**said)) is is_foreign


@pytest.mark.parametrize(
    ("said", "prefix"),
    [
        ({}, "/here"),
        ({"x_forwarded_prefix": "/studio/"}, "/studio"),
        ({"x_forwarded_prefix": "/a/b, /c"}, "/a/b"),
        ({"x_forwarded_prefix": "//evil.example"}, "/here"),
        ({"x_forwarded_prefix": "/../x"}, "/here"),
        ({"x_forwarded_prefix": "<script>"}, "/here"),
    ],
)
def test_the_path_below_which_it_stands(said: dict[str, str], prefix: str) -> None:
    assert addresses(ROOT_PATH="/here/").prefix_of(headers(**said)) == prefix
