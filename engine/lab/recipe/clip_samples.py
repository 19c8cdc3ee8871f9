"""Conversations on clips: whole traces that select a frame, zoom into it and read, and cheap parts of them.

Idea: as for scenes. The frame to select is the middle one of those that show the sign; once it is there at full size the
rest is a scene's trace, with the frame as the picture, since a character is a quarter as large there as in a crop. A sign's
token is taught to look at its frame's number first, so that the number can be copied from it later.

Not covered: selecting several frames.
"""

from __future__ import annotations

import random

from engine.lab.recipe import scene_samples, turns
from engine.lab.recipe.sequences import EARLY, Sequence
from engine.lab.recipe.turns import Lexicon
from engine.lab.recipe.views import LabelledPicture
from engine.lab.world import clips, questions

__all__ = ["begin_clip", "clip_trace", "frame_trace", "frame_views", "read_traces"]


def frame_views(clip: clips.Clip) -> list[LabelledPicture]:
    """The small first views of a clip's frames, every token labelled."""
    return [scene_samples.scene_view(clip.scene(number), "frame") for number in range(1, len(clip.frames) + 1)]


def begin_clip(lexicon: Lexicon, clip: clips.Clip) -> tuple[Sequence, list[LabelledPicture], list[int]]:
    sequence = lexicon.begin()
    sequence.begin_user()
    seen, starts = frame_views(clip), []
    for number, view in enumerate(seen, 1):
        digit = sequence.add_text(f"Frame {number}:").stop - 2  # the last before the colon
        starts.append(sequence.add_view(view))
        tokens = sorted({int(token) for token in view.boxes[:, 0]})
        sequence.pulls += [(starts[-1] + token, digit, EARLY) for token in tokens]
    return sequence, seen, starts


def clip_trace(rng: random.Random, lexicon: Lexicon, clip: clips.Clip, count: int, reads: int) -> Sequence:
    """Questions on a clip, each answered by selecting a frame and zooming into it; the first `reads` of them go on to the
    answer. Of the others the selected frame is shown no larger than at first: where to zoom in can be learned from that
    much cheaper."""
    sequence, seen, starts = begin_clip(lexicon, clip)
    size, shown = clip.frames[0].size, clips.FRAMES
    for number, sign in enumerate(rng.sample(clip.signs, min(count, len(clip.signs)))):
        if number:
            sequence.begin_user()
        question = questions.question_about(sign.color, sign.shape, rng)
        if rng.random() < 0.05:
            sequence.add_text(question + turns.NO_OPERATIONS)
            sequence.end_turn()
            sequence.add_assistant(turns.guess(sign.text))
            continue
        sequence.add_text(question)
        sequence.end_turn()
        middle = len(sign.frames) // 2
        frame = sign.frames[middle]
        token = seen[frame - 1].token_of(turns.shares_of(sign.boxes[middle], size))
        thought = turns.thought_for(sign, turns.SELECT_PLAN)
        if number < reads and rng.random() < 0.06:
            wrong = rng.choice([other for other in range(1, clips.FRAMES + 1) if other not in sign.frames])
            sequence.add_assistant(turns.call_select(thought, wrong), is_learned=False)
            sequence.begin_user()
            shown += 1
            _add_frame(sequence, clip, wrong, shown)
            thought = turns.WRONG_FRAME
        where = sequence.add_assistant(turns.call_select(thought, frame))
        sequence.pull_tokens(where, lexicon.digit_ids, starts[frame - 1] + token)
        is_read = number < reads
        sequence.begin_user()
        _add_frame(sequence, clip, frame, shown + 1, "selected_frame" if is_read else "frame")
        # Where the sign stands is known from the first view already, and told there by one token, not a dozen.
        _add_zoom(
            rng,
            lexicon,
            sequence,
            clip,
            sign,
            frame,
            target=starts[frame - 1] + token,
            number=shown + 1,
            is_read=is_read,
        )
        shown += 1 + is_read
    return sequence


def frame_trace(rng: random.Random, lexicon: Lexicon, clip: clips.Clip, count: int) -> Sequence:
    """A full-size frame alone, and where the signs on it are, the last one read: the second half of a clip's trace."""
    shown = clip.signs[0].frames[0]
    present = [sign for sign in clip.signs if shown in sign.frames]
    asked = rng.sample(present, min(count, len(present)))
    sequence = lexicon.begin()
    number, view, start = clips.FRAMES + 1, None, 0
    for sign in asked:
        sequence.begin_user()
        sequence.add_text(questions.question_about(sign.color, sign.shape, rng))
        sequence.end_turn()
        if view is None:
            sequence.begin_user()
            view, start = _add_frame(sequence, clip, shown, number)
        target = start + view.token_of(turns.shares_of(sign.on_frame(shown).box, clip.frames[0].size))
        _add_zoom(rng, lexicon, sequence, clip, sign, shown, target=target, number=number, is_read=sign is asked[-1])
    return sequence


def read_traces(rng: random.Random, lexicon: Lexicon, clip: clips.Clip) -> list[Sequence]:
    """Each sign of a clip as a crop of its middle frame alone: the last part of a trace."""
    traces = []
    for sign in clip.signs:
        frame = sign.frames[len(sign.frames) // 2]
        shown = clip.scene(frame)
        sequence = lexicon.begin()
        sequence.begin_user()
        sequence.add_text(questions.question_about(sign.color, sign.shape, rng))
        sequence.end_turn()
        still = sign.on_frame(frame)
        scene_samples.add_crop(lexicon, sequence, shown, still, scene_samples.shown_box(rng, shown, still))
        traces.append(sequence)
    return traces


def _add_frame(
    sequence: Sequence, clip: clips.Clip, frame: int, number: int, shown_as: str = "selected_frame"
) -> tuple[LabelledPicture, int]:
    """A selected frame, at full size unless `shown_as` names another budget, as picture `number`, to the end of the
    user's turn; returns it and where it starts."""
    width, height = clip.frames[0].size
    sequence.add_text(f"Here are the selected frames (Frame Size: {width}x{height}, Numbered {number} to {number}):")
    view = scene_samples.scene_view(clip.scene(frame), shown_as)
    start = sequence.add_view(view)
    sequence.end_turn()
    return view, start


def _add_zoom(
    rng: random.Random,
    lexicon: Lexicon,
    sequence: Sequence,
    clip: clips.Clip,
    sign: clips.ClipSign,
    frame: int,
    *,
    target: int,
    number: int,
    is_read: bool,
) -> None:
    """The zoom into the frame that was shown as picture `number`, its box told by the token at `target`, and, if it is to
    be read, the crop and the answer."""
    shown, still = clip.scene(frame), sign.on_frame(frame)
    size = shown.picture.size
    thought = turns.thought_for(sign, turns.ZOOM_PLAN)
    scene_samples.add_zoom_call(lexicon, sequence, thought, turns.margin_box(still.box, size), target, number)
    if is_read:
        scene_samples.add_crop(lexicon, sequence, shown, still, scene_samples.shown_box(rng, shown, still))
