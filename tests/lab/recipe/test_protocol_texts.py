"""What training writes is what the engine's protocol `studio` renders and parses."""

from __future__ import annotations

from engine.protocols import studio
from engine.trace import Box, Media, Observation, SelectFrames, Step, View, ZoomIn

PICTURE = Media("0" * 64, "image", 1024, 768)
CLIP = Media("1" * 64, "video", 448, 336)


def test_a_zoom_is_rendered_as_it_was_learned():
    from engine.lab.recipe import turns

    step = Step("The text is small.", ZoomIn(1, Box(0.31, 0.4, 0.45, 0.5)))
    view = View(1, PICTURE.sha256, None, Box.full())
    rendered = studio.render(step, [view], [PICTURE])
    assert rendered == turns.call_zoom("The text is small.", (0.31, 0.4, 0.45, 0.5))
    assert studio.parse(rendered, [view], [PICTURE]) == step


def test_a_selection_is_rendered_as_it_was_learned():
    from engine.lab.recipe import turns

    step = Step("I will select the frame.", SelectFrames((3,)))
    views = [View(k, CLIP.sha256, k, Box.full()) for k in range(1, 17)]
    assert studio.render(step, views, [CLIP]) == turns.call_select("I will select the frame.", 3)


def test_a_zoom_into_a_selected_frame_is_rendered_as_it_was_learned():
    from engine.lab.recipe import turns

    step = Step("The text is small.", ZoomIn(17, Box(0.1, 0.2, 0.4, 0.5)))
    views = [View(k, CLIP.sha256, k if k < 17 else 5, Box.full()) for k in range(1, 18)]
    rendered = studio.render(step, views, [CLIP])
    assert rendered == turns.call_zoom("The text is small.", (0.1, 0.2, 0.4, 0.5), 17)
    assert studio.parse(rendered, views, [CLIP]) == step


def test_an_answer_is_rendered_as_it_was_learned():
    from engine.lab.recipe import turns

    assert studio.render(Step("It says", answer="KX7421"), [], []) == turns.answer("KX7421")
    assert studio.NO_OPERATIONS == turns.NO_OPERATIONS


def test_results_come_back_as_they_were_learned():
    views = [View(1, PICTURE.sha256, None, Box.full()), View(2, PICTURE.sha256, None, Box(0.25, 0.25, 0.5, 0.5))]
    parts = studio.observation(Observation((2,), None), views, [PICTURE], [(280, 196)])
    assert parts[0].text == "Here is the cropped image (Image Size: 256x192):"
    frames = [View(k, CLIP.sha256, k if k < 17 else 5, Box.full()) for k in range(1, 18)]
    parts = studio.observation(Observation((17,), None), frames, [CLIP], [(112, 84)] * 16)
    assert parts[0].text == "Here are the selected frames (Frame Size: 448x336, Numbered 17 to 17):"
