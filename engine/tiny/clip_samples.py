"""Conversations on clips: whole traces that select a frame, and cheap parts of them.

Idea: as for scenes. The frame to select is the middle one of those that show the sign. A sign's token is taught to look
at its frame's number first, so that the number can be copied from it later: without that no run ever found frames.

Not covered: selecting several frames, zooming into a selected frame.
"""

from __future__ import annotations

import random

from engine.tiny import clips, patches, questions, turns, views
from engine.tiny.sequences import EARLY, Sequence
from engine.tiny.turns import Lexicon
from engine.tiny.views import View


def frame_views(clip: clips.Clip) -> list[View]:
    """The small first views of a clip's frames, every token labelled."""
    labelled = []
    for number, frame in enumerate(clip.frames, 1):
        named = [
            (sign.color, sign.shape, turns.shares_of(sign.boxes[sign.frames.index(number)], frame.size))
            for sign in clip.signs
            if number in sign.frames
        ]
        view = views.view_of(patches.resize(frame, patches.BUDGETS["frame"]))
        labelled.append(views.label_signs(view, named))
    return labelled


def begin_clip(lexicon: Lexicon, clip: clips.Clip) -> tuple[Sequence, list[View], list[int]]:
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
    """Questions on a clip, each answered by selecting a frame; the first `reads` of them show it and go on to the answer."""
    sequence, seen, starts = begin_clip(lexicon, clip)
    size, number_shown = clip.frames[0].size, clips.FRAMES
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
        where = sequence.add_assistant(turns.call_select(turns.thought_for(sign, turns.SELECT_PLAN), frame))
        sequence.pull_tokens(where, lexicon.digit_ids, starts[frame - 1] + token)
        if number < reads:
            number_shown += 1
            sequence.begin_user()
            _add_frame(lexicon, sequence, clip, frame, number_shown, sign)
    return sequence


def frame_trace(rng: random.Random, lexicon: Lexicon, clip: clips.Clip, count: int) -> Sequence:
    """A full-size frame alone, and the signs on it read one after the other: the second half of a clip's trace."""
    shown = clip.signs[0].frames[0]
    present = [sign for sign in clip.signs if shown in sign.frames]
    sequence = lexicon.begin()
    size, shown_view = clip.frames[0].size, None
    for sign in rng.sample(present, min(count, len(present))):
        sequence.begin_user()
        sequence.add_text(questions.question_about(sign.color, sign.shape, rng))
        sequence.end_turn()
        if shown_view is None:
            sequence.begin_user()
            shown_view = _show_frame(sequence, clip, shown, clips.FRAMES + 1)
        view, start = shown_view
        centers = [(x / size[0], y / size[1]) for x, y in sign.centers[sign.frames.index(shown)]]
        turns.add_answer(lexicon, sequence, sign.text, view, start, centers)
    return sequence


def _add_frame(
    lexicon: Lexicon, sequence: Sequence, clip: clips.Clip, frame: int, number: int, sign: clips.ClipSign
) -> None:
    """The selected frame in the user's turn, and the answer."""
    view, start = _show_frame(sequence, clip, frame, number)
    width, height = clip.frames[0].size
    centers = [(x / width, y / height) for x, y in sign.centers[sign.frames.index(frame)]]
    turns.add_answer(lexicon, sequence, sign.text, view, start, centers)


def _show_frame(sequence: Sequence, clip: clips.Clip, frame: int, number: int) -> tuple[View, int]:
    """One selected frame, every character labelled, to the end of the user's turn; returns it and where it starts."""
    width, height = clip.frames[0].size
    sequence.add_text(f"Here are the selected frames (Frame Size: {width}x{height}, Numbered {number} to {number}):")
    view = views.view_of(patches.resize(clip.frames[frame - 1], patches.BUDGETS["selected_frame"]))
    texts = [
        (other.text, [(x / width, y / height) for x, y in other.centers[other.frames.index(frame)]])
        for other in clip.signs
        if frame in other.frames
    ]
    named = [
        (other.color, other.shape, turns.shares_of(other.boxes[other.frames.index(frame)], (width, height)))
        for other in clip.signs
        if frame in other.frames
    ]
    views.label_orders(view, [centers for _, centers in texts])
    views.label_owners(view, [(*name[:2], centers) for name, (_, centers) in zip(named, texts, strict=True)])
    view = views.label_signs(views.label_characters(view, texts), named)
    start = sequence.add_view(view)
    sequence.end_turn()
    return view, start
