"""What the components are told about a trace."""

from __future__ import annotations

from engine.trace import Box, Media, Observation, SelectFrames, Step, View, ZoomIn, first_views
from ui.trace_values import filmstrip_value, outcome, source_value, step_values, steps_value, view_url, view_values

PICTURE = {"sha256": "a" * 64, "kind": "image", "width": 1000, "height": 500, "times_s": [], "name": "a.png"}
CLIP = {
    "sha256": "b" * 64,
    "kind": "video",
    "width": 320,
    "height": 240,
    "times_s": [k / 2 for k in range(16)],
    "name": "b.mp4",
}
BOX = Box(0.1, 0.2, 0.30000000000000004, 0.4)


def test_a_view_is_addressed_by_exactly_its_box() -> None:
    address = view_url(View(2, "a" * 64, None, BOX))
    edges = address.partition("box=")[2].split(",")
    assert Box(*map(float, edges)) == BOX
    assert "frame=3&" in view_url(View(2, "b" * 64, 3, BOX))
    assert "/crop" not in view_url(View(1, "a" * 64, None, Box.full()))


def test_addresses_are_relative_so_that_the_studio_works_below_any_path() -> None:
    assert view_url(View(2, "a" * 64, None, BOX)).startswith("media/")


def test_every_look_is_marked_on_its_own_media_in_pixels() -> None:
    media = [Media(PICTURE["sha256"], "image", 1000, 500), Media(CLIP["sha256"], "video", 320, 240)]
    views = (*first_views(media), View(18, CLIP["sha256"], 7, Box.full()), View(19, CLIP["sha256"], 7, BOX))
    steps = (
        Step("Frames.", SelectFrames((7,)), Observation(views=(18,))),
        Step("Closer.", ZoomIn(18, BOX), Observation(views=(19,))),
        Step("Not there.", ZoomIn(40, BOX), Observation(error="there is no view 40")),
        Step("Seen.", answer="21"),
    )
    value = source_value([PICTURE, CLIP], views, steps)
    assert [(m["step"], m["media"], m["frame"], m["box"]) for m in value["marks"]] == [
        (0, 1, 7, None),
        (1, 1, 7, BOX.as_list()),
    ]
    assert (value["marks"][1]["width"], value["marks"][1]["height"]) == (64, 48)
    assert value["look"] == {"media": 1, "frame": 7}

    film = filmstrip_value([PICTURE, CLIP], views, steps)
    assert film["media"] == 1
    assert [frame["frame"] for frame in film["frames"]] == list(range(1, 17))
    assert film["lit"] == [{"frame": 7, "step": 0}]

    cards = steps_value([PICTURE, CLIP], views, steps, "And now")["steps"]
    assert [card["name"] for card in cards] == ["select_frames", "zoom_in", "zoom_in", "answer", "thought"]
    assert cards[2]["error"] == "there is no view 40"
    assert cards[3]["answer"] == "21"
    assert [card["box_in_view"] for card in cards[1:3]] == [BOX.as_list()] * 2
    assert [card["box"] for card in cards[1:3]] == [BOX.as_list(), None], "there is no view 40 to place it on"
    assert [card.get("is_live", False) for card in cards] == [False] * 4 + [True]


def test_a_look_into_what_was_shown_only_later_has_no_box() -> None:
    views = (*first_views([Media(PICTURE["sha256"], "image", 1000, 500)]), View(2, PICTURE["sha256"], None, BOX))
    steps = (
        Step("Too early.", ZoomIn(2, BOX), Observation(error="there is no view 2")),
        Step("There.", ZoomIn(1, BOX), Observation(views=(2,))),
        Step("Into it.", ZoomIn(2, BOX), Observation(error="too small")),
    )
    assert [step["box"] for step in step_values(steps, views)] == [None, BOX.as_list(), BOX.within(BOX).as_list()]


def test_of_two_equal_pictures_a_look_is_marked_on_the_one_it_was_at() -> None:
    media = [Media(PICTURE["sha256"], "image", 1000, 500)] * 2
    views = (*first_views(media), View(3, PICTURE["sha256"], None, BOX), View(4, PICTURE["sha256"], None, BOX))
    steps = (
        Step("The first.", ZoomIn(1, BOX), Observation(views=(3,))),
        Step("The second.", ZoomIn(2, BOX), Observation(views=(4,))),
    )
    assert [mark["media"] for mark in source_value([PICTURE, PICTURE], views, steps)["marks"]] == [0, 1]
    assert [view["media"] for view in view_values(media, views, steps)] == [0, 1, 0, 1]


def test_a_picture_has_no_filmstrip_and_turns_the_stage_to_no_frame() -> None:
    assert filmstrip_value([PICTURE])["frames"] == []
    assert source_value([PICTURE])["look"] is None


def test_the_end_is_said_in_words() -> None:
    assert outcome("answered", 1) == "Answered in 1 step."
    assert "You stopped it" in outcome("cancelled", 2)
