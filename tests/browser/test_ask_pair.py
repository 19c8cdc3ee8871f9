"""Who answers is chosen on Ask, and of two answers, side by side and blind, the better one is kept as a preference."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import pytest

from engine.jobs.answering import LIVE, Answerer
from engine.jobs.asking import Services
from engine.jobs.collect import CollectKind
from engine.opening import loop_limits
from engine.policies.scripted import ScriptedPolicy
from engine.protocols import studio as protocol
from engine.trace import Step
from engine.training.preferring import pairs_of
from tests.browser.asking import LOOK_TWICE, ask, finish, newest, pick
from tests.browser.live import LiveStudio


@dataclass
class Two:
    """Beside what answers now, the adapter "b", which says something else. `opened` counts who is open."""

    opened: int = 0
    asked: list[str] = field(default_factory=list)

    def choices(self) -> list[tuple[str, str]]:
        return [(LIVE, "What answers now"), ("b", "adapter b")]

    def choose(self, adapter: str) -> dict[str, Any]:
        return {"name": adapter}

    @contextmanager
    def open(self, chosen: Mapping[str, Any], temperature: float | None, *, is_long: bool = True) -> Iterator[Answerer]:
        self.opened += 1
        self.asked.append(chosen["name"])
        yield Answerer(ScriptedPolicy((protocol.render(Step("At once.", answer="by b"), (), ()),), name="base+b"))
        self.opened -= 1


@pytest.fixture(scope="module")
def two() -> Two:
    return Two()


@pytest.fixture(scope="module")
def live(tmp_path_factory: pytest.TempPathFactory, chromium: Any, two: Two) -> Iterator[LiveStudio]:
    studio = LiveStudio(tmp_path_factory.mktemp("pair"))
    services = Services(studio.studio.store, studio.studio.media, two, loop_limits(studio.studio.settings))
    studio.studio.worker.add({"collect": CollectKind(services)})
    yield studio
    studio.close()


def opened(live: LiveStudio, page: Any) -> Any:
    page.goto(live.url)
    page.wait_for_selector("#ask-samples li")
    pick(page, 1)
    page.click(".ask-advanced > button, .ask-advanced .label-wrap")
    page.wait_for_selector("#ask-who input:visible")
    return page


def choose(page: Any, name: str, words: str) -> None:
    page.click(f"#{name} input")
    page.click(f"[role=option]:has-text('{words}')")


def test_an_adapter_that_is_chosen_answers_and_is_closed_again(
    live: LiveStudio, two: Two, new_page: Callable[..., Any]
) -> None:
    live.say(*LOOK_TWICE)
    page = opened(live, new_page())
    choose(page, "ask-who", "adapter b")
    ask(page)
    finish(page)
    assert page.inner_text("#ask-answer .answer-text") == "by b"
    assert newest(live).trace.policy == "base+b"
    assert (two.asked[-1], two.opened) == ("b", 0)


def test_two_answers_stand_side_by_side_blind_and_the_choice_is_learned_from(
    live: LiveStudio, new_page: Callable[..., Any], axe: Callable[[Any], list[str]]
) -> None:
    gate = live.hold(*LOOK_TWICE)
    page = opened(live, new_page())
    choose(page, "ask-beside", "adapter b")
    page.click("#ask-run")
    page.wait_for_selector("#ask-blind .blind-note:has-text('1 of 2')")
    assert page.locator(".blind-answer").count() == 0, "who is quick is not told"
    gate.release(3)
    page.wait_for_selector(".blind-act:has-text('A is better'):visible")
    answers = page.locator(".blind-answer").all_inner_texts()
    assert sorted(answers) == ["KX7421", "by b"]
    assert page.locator(".blind-steps .card").count() == 4
    assert page.locator(".blind-maker").all_inner_texts() == ["", ""]
    assert "base+b" not in page.content()
    assert axe(page) == []

    better = answers.index("KX7421")
    page.click(f".blind-act:has-text('{'AB'[better]} is better')")
    page.wait_for_selector(".blind-said:has-text('kept')")
    assert page.locator(".blind-maker").all_inner_texts()[1 - better] == "base+b"
    pair = pairs_of(live.studio.store)[-1]
    assert (pair.kind, pair.chosen.trace.answer, pair.rejected.trace.answer) == ("choice", "KX7421", "by b")
    page.click(".blind-undo")
    page.wait_for_selector(".blind-said:has-text('Taken back')")
    assert pairs_of(live.studio.store) == []

    pick(page, 2)
    page.wait_for_selector("#ask-blind .blind", state="hidden")


def test_stop_ends_both_and_the_same_twice_is_nothing_to_choose(live: LiveStudio, new_page: Callable[..., Any]) -> None:
    gate = live.hold(*LOOK_TWICE)
    page = opened(live, new_page())
    choose(page, "ask-beside", "The same once more")
    page.click("#ask-run")
    page.wait_for_selector("#ask-blind .blind-note:has-text('0 of 2')")
    page.click("#ask-stop")
    page.wait_for_selector("#ask-blind [data-state=done]")
    assert gate.stopped == 2
    live.say(*LOOK_TWICE)
    page.wait_for_selector("#ask-run:not([disabled])")
    page.click("#ask-run")
    page.wait_for_selector(".blind-note:has-text('Both said the same')")
    assert not page.locator(".blind-act:visible").count()
