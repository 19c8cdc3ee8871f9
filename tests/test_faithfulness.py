from __future__ import annotations

import pytest

from engine.faithfulness import (
    evidence_shares,
    faithfulness,
    final_evidence_share,
    ignored_errors,
    pretended_steps,
    trajectory,
)
from engine.trace import Box, Evidence, Media, Observation, SelectFrames, Step, Trace, View, ZoomIn

SHA = "a" * 64


def trace(*steps: Step, views: tuple[View, ...] = ()) -> Trace:
    first = View(1, SHA, None, Box.full())
    stop = "answered" if steps and steps[-1].answer is not None else "max_steps"
    return Trace("?", (Media(SHA, "image", 100, 100),), (first, *views), steps, stop, "p", "studio")


def crop(number: int, *box: float) -> View:
    return View(number, SHA, None, Box(*box))


def zoom(thought: str = "", view: int = 1, new: int = 2) -> Step:
    return Step(thought, ZoomIn(view, Box(0, 0, 0.5, 0.5)), Observation(views=(new,)))


FAILED = Step("Look.", ZoomIn(9, Box(0, 0, 1, 1)), Observation(error="there is no picture 9"))
ANSWER = Step("So.", answer="7")


@pytest.mark.parametrize(
    "thought",
    [
        "In the cropped image I can read KX7.",
        "I have zoomed in on the sign. It says KX7.",
        "After zooming in, the number is clear.",
        "The zoomed-in view shows a cat.",
        "Here is the cropped image (Image Size: 10x10):",
        "Done.\nExecution error: none.",
        "These selected frames show a dog.",
        "<tool_response>ok</tool_response>",
    ],
)
def test_a_claim_without_an_operation_is_pretended(thought: str) -> None:
    assert pretended_steps(trace(Step(thought, answer="7"))) == (0,)


@pytest.mark.parametrize(
    "thought",
    [
        "The sign is small, let me zoom in.",
        "I would need a cropped image to read it.",
        "I have not zoomed in yet.",
        "If it were enlarged, I could read it.",
        "The picture shows a man with cropped hair.",
        "The sign can be enlarged by zooming.",
        "The board is red.",
        "I should look at the selected frames next.",
        "",
    ],
)
def test_a_plan_or_plain_sight_is_not(thought: str) -> None:
    assert pretended_steps(trace(Step(thought, answer="7"))) == ()


def test_a_claim_after_the_operation_is_honest_but_not_before_it_or_after_a_failure() -> None:
    claim = Step("The cropped image says KX7.", answer="KX7")
    assert pretended_steps(trace(zoom("Closer."), claim, views=(crop(2, 0, 0, 0.5, 0.5),))) == ()
    assert pretended_steps(trace(FAILED, claim)) == (1,)
    frames = Step("The selected frames show it.", answer="x")
    assert pretended_steps(trace(zoom(), frames, views=(crop(2, 0, 0, 0.5, 0.5),))) == (1,)  # a crop is no selection
    assert pretended_steps(trace(zoom("The zoomed view is clear."), ANSWER, views=(crop(2, 0, 0, 0.5, 0.5),))) == (0,)


def test_ignored_errors() -> None:
    two = (crop(2, 0, 0, 0.5, 0.5),)
    assert ignored_errors(trace(FAILED, ANSWER)) == (0,)
    assert ignored_errors(trace(FAILED, FAILED, ANSWER)) == (0, 1)
    assert ignored_errors(trace(FAILED, zoom(), ANSWER, views=two)) == ()
    assert ignored_errors(trace(zoom(), FAILED, ANSWER, views=two)) == (1,)
    assert ignored_errors(trace(FAILED)) == ()  # nothing was answered
    assert ignored_errors(trace(Step("<tool_call>{", observation=Observation(error="bad JSON")), ANSWER)) == (0,)


def test_trajectories() -> None:
    views = tuple(crop(k, 0, 0, 0.5, 0.5) for k in (2, 3, 4))
    assert trajectory(trace(ANSWER)) == "text" == trajectory(trace(FAILED, ANSWER))
    assert trajectory(trace(zoom(), ANSWER, views=views[:1])) == "single_pass"
    assert trajectory(trace(zoom(), zoom(new=3), views=views[:2])) == "recrop_once"
    assert trajectory(trace(zoom(), zoom(new=3), zoom(new=4), views=views)) == "recrop_twice"
    assert trajectory(trace(zoom(), zoom(view=2, new=3), views=views[:2])) == "further_zoom"
    frames = Step("", SelectFrames((1,)), Observation(views=(2,)))
    again = Step("", SelectFrames((2,)), Observation(views=(3,)))
    assert trajectory(trace(frames, views=views[:1])) == "single_pass"
    assert trajectory(trace(frames, again, views=views[:2])) == "reselect"
    assert trajectory(trace(frames, zoom(new=3), views=views[:2])) == "mixed"


def test_the_share_of_the_evidence() -> None:
    seen = Evidence(boxes=(Box(0.4, 0, 0.6, 0.2), Box(0.9, 0.9, 1, 1)))
    one = trace(zoom(), FAILED, ANSWER, views=(crop(2, 0, 0, 0.5, 0.5),))
    assert evidence_shares(one, seen) == (pytest.approx(0.5), None, None)
    assert evidence_shares(one, None) == (None, None, None)
    assert final_evidence_share(one, seen) == pytest.approx(0.5)
    clip = tuple(View(k, SHA, k + 1, Box.full()) for k in (2, 3))
    film = trace(Step("", SelectFrames((3, 4)), Observation(views=(2, 3))), ANSWER, views=clip)
    assert evidence_shares(film, Evidence(frames=(4, 5)))[0] == 0.5
    assert faithfulness(film, Evidence(frames=(3, 4))).evidence_shares == (1.0, None)
    wrong = Step("", ZoomIn(1, Box(0, 0, 0.5, 0.5)), Observation(views=(2,)), is_erroneous=True)
    assert final_evidence_share(trace(wrong, views=(crop(2, 0, 0, 0.5, 0.5),)), seen) is None
