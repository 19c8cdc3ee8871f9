"""Something slow that is made once: waiting for it, looking at it, and what is said when it fails."""

from __future__ import annotations

import threading

import pytest

from engine.errors import Unavailable
from engine.starting import Starting


def test_it_is_made_once_and_waiters_hear_how_far_it_is():
    goes_on, made = threading.Event(), []

    def make(on_loading):
        on_loading("reading weights", 0.43)
        goes_on.wait(10)
        made.append(1)
        return "model"

    starting = Starting("PixelReasoner-RL-v1, 4bit", make)
    starting.start()
    told: list[str] = []

    def tell(sentence: str) -> None:
        told.append(sentence)
        if "43%" in sentence:
            goes_on.set()

    assert starting.wait(lambda: False, tell) == "model"
    assert told[-1] == "PixelReasoner-RL-v1, 4bit: reading weights, 43%"
    assert (starting.load(), starting.get(), starting.loading, starting.problem) == ("model", "model", None, None)
    assert made == [1]


def test_waiting_can_be_given_up_and_nobody_gets_what_is_not_there():
    ends = threading.Event()
    starting = Starting("tiny, 4bit", lambda on_loading: ends.wait(10))
    with pytest.raises(Unavailable, match="tiny, 4bit: starting. Try again when it is there"):
        starting.get()
    starting.start()
    assert starting.wait(lambda: True, lambda sentence: None) is None
    ends.set()
    assert starting.load() is True


@pytest.mark.parametrize(
    ("error", "sentence"),
    [
        (Unavailable("the weights are gone"), "the weights are gone"),
        (ZeroDivisionError(), "Something broke on our side"),
    ],
)
def test_what_fails_says_so_to_everybody_who_asks(error, sentence):
    def make(on_loading):
        raise error

    starting: Starting[str] = Starting("tiny", make)
    with pytest.raises(Unavailable, match=sentence):
        starting.load()
    with pytest.raises(Unavailable, match=sentence):
        starting.wait(lambda: False, lambda text: None)
    assert sentence in (starting.problem or "")


def test_the_time_left_follows_from_the_share(monkeypatch):
    now = [0.0]
    monkeypatch.setattr("engine.starting.time.monotonic", lambda: now[0])
    starting: Starting[None] = Starting("7B", lambda on_loading: None)
    starting._on_loading("reading weights", 0.0)
    now[0] = 30.0
    starting._on_loading("reading weights", 0.25)
    assert starting.sentence() == "7B: reading weights, 25%, about 2 min"
    now[0] = 60.0
    starting._on_loading("reading weights", 0.75)
    assert starting.sentence() == "7B: reading weights, 75%, about 20 s"
