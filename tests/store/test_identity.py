"""The bytes of a revision's hash, by literals: none of them may ever change."""

from __future__ import annotations

import hashlib
from dataclasses import replace

import pytest

from engine.store import Store
from engine.store.identity import canonical_json, revision_hash, storable
from engine.trace import Box, Media, Observation, SelectFrames, Step, Trace, View, ZoomIn

from .samples import make_trace

PICTURE, CLIP = Media("ab" * 32, "image", 1024, 768), Media("cd" * 32, "video", 64, 48)


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ([0.1, 1.0, 1e-07, 5e-324, -0.0, 1e22, 100, 0.30000000000000004],
         "[0.1,1.0,1e-07,5e-324,-0.0,1e+22,100,0.30000000000000004]"),
        ({"b": None, "a": True, "ä": False, "Z": {}}, r'{"Z":{},"a":true,"b":null,"\u00e4":false}'),
        ("\"\\/\n\r\t\b\f\0\x1f\x7f", r'"\"\\/\n\r\t\b\f\u0000\u001f\u007f"'),
        ("é e\u0301 看板 😀 \ud800", r'"\u00e9 e\u0301 \u770b\u677f \ud83d\ude00 \ud800"'),
        (["\u2028</script>"], r'["\u2028</script>"]'),
    ],
)  # fmt: skip
def test_canonical_json_is_these_bytes(value: object, text: str) -> None:
    assert canonical_json(value) == text


def test_canonical_json_refuses_what_is_no_json() -> None:
    for value in (float("nan"), float("inf")):
        with pytest.raises(ValueError):
            canonical_json(value)
    with pytest.raises(TypeError):
        canonical_json({1, 2})


def test_a_hash_is_of_the_parents_digits_and_the_text() -> None:
    first = revision_hash(None, '{"a":1}')
    assert first == "015abd7f5cc57a2dd94b7590f04ad8084273905ee33ec5cebeae62276a97f862"
    assert revision_hash(first, '{"a":1}') == hashlib.sha256(f'{first}{{"a":1}}'.encode("ascii")).hexdigest()
    with pytest.raises(UnicodeEncodeError):
        revision_hash(None, '"é"')


BOX = Box(0.1, 1e-07, 1.0, 0.30000000000000004)
PLAIN = Trace(
    "Où est l’enseigne\n— 看板 😀?\nA. red\nB. blue",
    (PICTURE,),
    (View(1, PICTURE.sha256, None, Box.full()), View(2, PICTURE.sha256, None, BOX)),
    (Step('I "look".', ZoomIn(1, BOX), Observation(views=(2,))), Step("There.", answer="B\ud800")),
    "answered",
    "tiny+é",
    "studio",
)
"""A question with its options, as they stand in it."""
ERRONEOUS = replace(
    PLAIN,
    steps=(
        Step("Wrong.", ZoomIn(9, BOX), Observation(error="there is no picture 9"), is_erroneous=True),
        Step("Wrong too.", answer="A", is_erroneous=True),
    ),
    is_operating=False,
)
VIDEO = Trace(
    "Which frame?",
    (PICTURE, CLIP),
    (View(1, PICTURE.sha256, None, Box.full()), View(2, CLIP.sha256, 16, Box.full())),
    (Step("", SelectFrames((1, 16)), Observation(views=(2,))), Step("cut", None, None)),
    "max_tokens",
    "",
    "qwen3-vl",
)


@pytest.mark.parametrize(
    ("trace", "digest"),
    [
        (PLAIN, "0c1311bef21ab00744eba149088ee1222d5e258318653ac750648d1adf1ee556"),
        (ERRONEOUS, "b0cac720acc9bd4ed67d068e7af3b2942d3195c3fbd05edcd361ff3f03e8471d"),
        (VIDEO, "dbefe69f4a0ab6da8fdbc13533258f46005aa43f8bd7d1494aa16b0c7e28e58c"),
        (make_trace(), "a27e3d8b2fe36f157bf614a8e9027310d5df2a872d1b8a1ef8649b32603e68a1"),
    ],
    ids=["unicode", "erroneous", "video", "usual"],
)
def test_the_hash_of_a_recorded_trace_is_this(store: Store, trace: Trace, digest: str) -> None:
    assert store.revisions.head(store.traces.record(trace, author="x").id).hash == digest


def test_text_in_columns_is_what_json_gives_back(store: Store) -> None:
    assert storable("a\ud83d\ude00b\ude00\ud83d") == "a😀b??"
    store.traces.record(make_trace(answer="\ud83d\ude00 \ud83d"), author="tiny")
    assert store.verify(None).problems == ()
