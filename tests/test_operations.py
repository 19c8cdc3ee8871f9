"""Operations: crops are the original's pixels however deeply they nest, and a model's mistakes are readable."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from PIL import Image, ImageChops

from engine.errors import InvalidBox, InvalidFrames, ModelMistake, NotFound, UnknownOperation, UnknownView
from engine.media import LoadedMedia
from engine.operations import CropRule, cut, execute
from engine.trace import Box, Media, SelectFrames, View, ZoomIn

SIZE = (317, 211)
RULE = CropRule()
PIXEL_REASONER = CropRule(padding=0.1, min_side_px=28)


def noise(seed: int, size: tuple[int, int] = SIZE) -> Image.Image:
    values = np.random.default_rng(seed).integers(0, 256, (size[1], size[0], 3), dtype=np.uint8)
    return Image.fromarray(values)


IMAGE = LoadedMedia(Media("a" * 64, "image", *SIZE), (noise(0),))
VIDEO = LoadedMedia(
    Media("b" * 64, "video", *SIZE), tuple(noise(k + 1) for k in range(16)), tuple(k / 4 for k in range(16))
)
PICTURES = {IMAGE.media.sha256: IMAGE, VIDEO.media.sha256: VIDEO}
IMAGE_VIEWS = (View(1, IMAGE.media.sha256, None, Box.full()),)
VIDEO_VIEWS = tuple(View(k, VIDEO.media.sha256, k, Box.full()) for k in range(1, 17))


def is_same(a: Image.Image, b: Image.Image) -> bool:
    return a.size == b.size and ImageChops.difference(a, b).getbbox() is None


@st.composite
def boxes(draw: st.DrawFn, least: float = 0.02) -> Box:
    x1, y1 = (draw(st.floats(0, 1 - least)) for _ in range(2))
    return Box(x1, y1, draw(st.floats(x1 + least, 1)), draw(st.floats(y1 + least, 1)))


@given(boxes())
def test_a_crop_is_exactly_pillows_crop_of_the_original(box: Box) -> None:
    (view,) = execute(ZoomIn(1, box), IMAGE_VIEWS, PICTURES, RULE)
    assert view == View(2, IMAGE.media.sha256, None, box)
    assert is_same(cut(view, PICTURES), IMAGE.frames[0].crop(box.to_pixels(SIZE)))


@given(boxes(0.2), boxes(0.2))
def test_a_nested_crop_equals_the_flat_crop_up_to_one_pixel(outer: Box, inner: Box) -> None:
    (first,) = execute(ZoomIn(1, outer), IMAGE_VIEWS, PICTURES, RULE)
    (second,) = execute(ZoomIn(2, inner), (*IMAGE_VIEWS, first), PICTURES, RULE)
    assert second.number == 3
    of_crop = inner.to_pixels(cut(first, PICTURES).size)
    left, top, _, _ = outer.to_pixels(SIZE)
    nested = (of_crop[0] + left, of_crop[1] + top, of_crop[2] + left, of_crop[3] + top)
    flat = second.box.to_pixels(SIZE)
    # Whole-pixel rounding of the outer crop moves its grid by less than a pixel, and its size by less than two.
    assert all(abs(a - b) <= 2 for a, b in zip(nested, flat, strict=True))
    exact = [
        (outer.x1 + inner.x1 * (outer.x2 - outer.x1)) * SIZE[0],
        (outer.y1 + inner.y1 * (outer.y2 - outer.y1)) * SIZE[1],
        (outer.x1 + inner.x2 * (outer.x2 - outer.x1)) * SIZE[0],
        (outer.y1 + inner.y2 * (outer.y2 - outer.y1)) * SIZE[1],
    ]
    assert all(abs(a - b) < 1 for a, b in zip(exact, flat, strict=True))
    assert is_same(cut(second, PICTURES), IMAGE.frames[0].crop(flat))


@given(boxes(0.3))
def test_zooming_into_the_whole_of_a_crop_gives_the_same_pixels_at_any_depth(box: Box) -> None:
    views = list(IMAGE_VIEWS) + list(execute(ZoomIn(1, box), IMAGE_VIEWS, PICTURES, RULE))
    for _ in range(5):
        views += execute(ZoomIn(len(views), Box.full()), views, PICTURES, RULE)
    assert [view.number for view in views] == list(range(1, 8))
    assert is_same(cut(views[-1], PICTURES), cut(views[1], PICTURES))


def test_the_full_box_is_the_picture_itself_and_a_smaller_one_a_copy() -> None:
    for view, original in ((IMAGE_VIEWS[0], IMAGE.frames[0]), (VIDEO_VIEWS[6], VIDEO.frames[6])):
        assert cut(view, PICTURES) is original
        cropped = cut(replace(view, box=Box(0.25, 0.25, 0.5, 0.5)), PICTURES)
        before = cropped.copy()
        cropped.paste("black", (0, 0, *cropped.size))
        assert is_same(cut(replace(view, box=Box(0.25, 0.25, 0.5, 0.5)), PICTURES), before)


def test_a_zoom_into_a_frame_stays_on_that_frame() -> None:
    (view,) = execute(ZoomIn(7, Box(0.25, 0.25, 0.5, 0.5)), VIDEO_VIEWS, PICTURES, RULE)
    assert (view.number, view.frame) == (17, 7)
    assert is_same(cut(view, PICTURES), VIDEO.frames[6].crop(view.box.to_pixels(SIZE)))


@given(st.lists(st.integers(1, 16), min_size=1, max_size=8))
def test_selected_frames_are_numbered_on_in_the_order_asked_each_once(frames: list[int]) -> None:
    chosen = execute(SelectFrames(tuple(frames)), VIDEO_VIEWS, PICTURES, RULE)
    assert [view.number for view in chosen] == list(range(17, 17 + len(set(frames))))
    assert [view.frame for view in chosen] == list(dict.fromkeys(frames))
    assert all(is_same(cut(view, PICTURES), VIDEO.frames[view.frame - 1]) for view in chosen if view.frame)


def test_repeated_frames_do_not_count_against_the_most() -> None:
    assert len(execute(SelectFrames((1, 2, 3, 4, 5, 6, 7, 8, 8, 8)), VIDEO_VIEWS, PICTURES, RULE)) == 8


@pytest.mark.parametrize(
    ("operation", "views", "mistake", "message"),
    [
        (ZoomIn(2, Box.full()), IMAGE_VIEWS, UnknownView, "there is no picture 2: pictures 1 to 1 have been shown"),
        (ZoomIn(0, Box.full()), IMAGE_VIEWS, UnknownView, "no picture 0"),
        (ZoomIn(-1, Box.full()), IMAGE_VIEWS, UnknownView, "no picture -1"),
        (ZoomIn(True, Box.full()), IMAGE_VIEWS, UnknownView, "no picture True"),
        (ZoomIn("1", Box.full()), IMAGE_VIEWS, UnknownView, "no picture '1'"),  # type: ignore[arg-type]
        (ZoomIn(1, Box.full()), (), UnknownView, "no picture has been shown"),
        (SelectFrames((1,)), IMAGE_VIEWS, InvalidFrames, "no video"),
        (SelectFrames(()), VIDEO_VIEWS, InvalidFrames, "name 1 to 8 of the frames 1 to 16"),
        (SelectFrames(tuple(range(1, 10))), VIDEO_VIEWS, InvalidFrames, "9 frames were named: at most 8"),
        (SelectFrames((3, 17)), VIDEO_VIEWS, InvalidFrames, "no frame 17: the video has frames 1 to 16"),
        (SelectFrames((0,)), VIDEO_VIEWS, InvalidFrames, "no frame 0"),
        (SelectFrames((2.0,)), VIDEO_VIEWS, InvalidFrames, "no frame 2.0"),  # type: ignore[arg-type]
        (SelectFrames((True,)), VIDEO_VIEWS, InvalidFrames, "no frame True"),
        ("dance", VIDEO_VIEWS, UnknownOperation, "no operation"),
    ],
)
def test_every_mistake_of_a_model_says_what_was_wrong(operation, views, mistake, message) -> None:
    with pytest.raises(mistake) as caught:
        execute(operation, views, PICTURES, RULE)
    assert isinstance(caught.value, ModelMistake)
    assert message in str(caught.value)


@given(st.lists(st.floats() | st.integers(-5, 5) | st.none() | st.text(max_size=2), min_size=4, max_size=4))
def test_no_four_values_make_anything_but_a_cut_or_a_mistake(values: list) -> None:
    try:
        (view,) = execute(ZoomIn(1, Box(*values)), IMAGE_VIEWS, PICTURES, RULE)
    except ModelMistake as mistake:
        assert str(mistake)
    else:
        crop = cut(view, PICTURES)
        assert min(crop.size) >= 1 and max(crop.size) <= 200 * min(crop.size)


@given(boxes(0.001))
def test_padding_is_a_share_of_the_view_and_stops_at_its_edges(box: Box) -> None:
    (outer,) = execute(ZoomIn(1, Box(0.5, 0.5, 1, 1)), IMAGE_VIEWS, PICTURES, RULE)
    try:
        (view,) = execute(ZoomIn(2, box), (*IMAGE_VIEWS, outer), PICTURES, PIXEL_REASONER)
    except InvalidBox:
        assume(False)
    expected = [0.5 + max(0, box.x1 - 0.1) / 2, 0.5 + max(0, box.y1 - 0.1) / 2]
    expected += [0.5 + min(1, box.x2 + 0.1) / 2, 0.5 + min(1, box.y2 + 0.1) / 2]
    assert view.box.as_list() == pytest.approx(expected)
    assert min(cut(view, PICTURES).size) >= 28


def test_a_crop_that_is_too_small_or_too_thin_is_a_mistake_with_the_numbers_seen() -> None:
    with pytest.raises(InvalidBox, match="16x11 pixels of the original: at least 28"):
        execute(ZoomIn(1, Box(0, 0, 0.05, 0.05)), IMAGE_VIEWS, PICTURES, CropRule(min_side_px=28))
    with pytest.raises(InvalidBox, match="317x1 pixels is too thin"):
        execute(ZoomIn(1, Box(0, 0, 1, 0.001)), IMAGE_VIEWS, PICTURES, RULE)


def test_media_that_are_not_loaded_are_our_mistake_not_the_models() -> None:
    with pytest.raises(NotFound):
        cut(IMAGE_VIEWS[0], {})
    with pytest.raises(NotFound):
        execute(ZoomIn(1, Box.full()), IMAGE_VIEWS, {}, RULE)


def test_the_least_side_is_of_the_view_as_it_is_shown_at_the_least():
    """A crop of 100x60 is shown at 200,704 pixels, 5.78 times a side: 29 of those are 6 of its own."""
    rule = CropRule(min_side_px=29, least_view_px=256 * 28 * 28)
    width, height = PICTURES[IMAGE_VIEWS[0].sha256].picture(None).size
    view = View(len(IMAGE_VIEWS) + 1, IMAGE_VIEWS[0].sha256, None, Box(0, 0, 100 / width, 60 / height))
    views = (*IMAGE_VIEWS, view)
    execute(ZoomIn(view.number, Box(0, 0, 0.5, 0.1)), views, PICTURES, rule)
    with pytest.raises(InvalidBox, match="only 50x5 pixels of the original: at least 6 a side"):
        execute(ZoomIn(view.number, Box(0, 0, 0.5, 5 / 60)), views, PICTURES, rule)
    with pytest.raises(InvalidBox, match="at least 29 a side"):
        execute(ZoomIn(1, Box(0, 0, 0.5, 28 / height)), views, PICTURES, CropRule(min_side_px=29))
