"""Conversations on miniature clips: answers from the first views, calls, answers from selected frames, whole traces.

Idea and invariant are those of `world_pictures`. Not covered: what is said (`world_thoughts`), zooming into a selected frame.
"""

from __future__ import annotations

import random
from collections.abc import Sequence

from engine.lab.recipe import turns, world_views
from engine.lab.recipe.sequences import EARLY
from engine.lab.recipe.sequences import Sequence as Tokens
from engine.lab.recipe.turns import Lexicon
from engine.lab.recipe.world_poses import Pose
from engine.lab.recipe.world_speech import Eyes, Piece, Seen, ask, say
from engine.lab.recipe.world_thoughts import (
    AGAIN,
    GUESSED_SHARE,
    HERE,
    LARGE_ENOUGH,
    answer_pieces,
    closer_trace,
    guess_at,
    look_pieces,
    select_pieces,
)
from engine.lab.recipe.world_views import Sight
from engine.lab.world.miniature.drawing import Drawing, Line, Thing

__all__ = ["begin_clip", "clip_trace", "frame_trace", "piece_trace", "show_frames"]


def begin_clip(lexicon: Lexicon, drawing: Drawing) -> tuple[Tokens, list[Seen]]:
    """The first views of all frames. What shows in one looks at its number, to be copied from there."""
    sequence = lexicon.begin()
    sequence.begin_user()
    seen: list[Seen] = []
    for number in range(1, len(drawing.frames) + 1):
        sight = world_views.whole(drawing, number, "frame")
        digit = sequence.add_text(f"Frame {number}:").stop - 2
        one = Seen(sight, sequence.add_view(sight.view))
        seen.append(one)
        shown = [thing for thing in drawing.things if number in thing.frames and not thing.on]
        tokens = sorted({at for thing in shown if (at := one.at(thing.center)) is not None})
        sequence.pulls += [(token, digit, EARLY) for token in tokens]
    return sequence, seen


def clip_trace(
    rng: random.Random,
    lexicon: Lexicon,
    drawing: Drawing,
    poses: Sequence[Pose],
    reads: int,
    guessed_share: float = GUESSED_SHARE,
) -> Tokens:
    """Questions on a clip: easy ones answered at once, hard ones by selecting frames, which the first `reads` of them show;
    a `guessed_share` of those that show none are guessed."""
    sequence, seen = begin_clip(lexicon, drawing)
    number_shown = len(drawing.frames)
    for number, pose in enumerate(poses):
        if number:
            sequence.begin_user()
        is_operating = rng.random() > 0.06
        question = ask(sequence, pose, "" if is_operating else turns.NO_OPERATIONS)
        sequence.end_turn()
        if pose.difficulty == "easy":
            say(sequence, answer_pieces(pose, _only(pose, seen), question, LARGE_ENOUGH))
            continue
        is_shown = reads > 0
        if not is_operating or (not is_shown and rng.random() < guessed_share):
            say(sequence, [Piece(guess_at(rng, pose))])
            continue
        thought = look_pieces(pose, question)
        if is_shown and rng.random() < 0.05:
            wrong = [frame for frame in range(1, len(seen) + 1) if not any(frame in one.frames for one in _shown(pose))]
            if wrong:
                frame = rng.choice(wrong)
                say(sequence, select_pieces(look_pieces(pose), [(frame, None)]), is_learned=False)
                number_shown = show_frames(sequence, drawing, (frame,), number_shown)[1]
                thought = [Piece(AGAIN)]
        say(sequence, select_pieces(thought, [(frame, _why(pose, seen, frame)) for frame in pose.frames]))
        if is_shown:
            reads -= 1
            close, number_shown = show_frames(sequence, drawing, pose.frames, number_shown)
            say(sequence, answer_pieces(pose, close.get, question, HERE))
    return sequence


def frame_trace(rng: random.Random, lexicon: Lexicon, drawing: Drawing, poses: Sequence[Pose]) -> Tokens:
    """Selected frames alone and what can be asked of them. The poses share their frames."""
    first = len(drawing.frames)
    return closer_trace(lexicon, poses, lambda sequence: show_frames(sequence, drawing, poses[0].frames, first)[0].get)


def piece_trace(rng: random.Random, lexicon: Lexicon, drawing: Drawing, poses: Sequence[Pose]) -> Tokens:
    """As `frame_trace`, on a part of the frame. The poses share their frame and their carrier."""
    frame, carrier = poses[0].frames[0], poses[0].carrier
    if carrier is None:
        raise ValueError(f"{poses[0].question!r} names no tray and no board")
    part = world_views.piece(rng, drawing, frame, carrier.box)
    return closer_trace(
        lexicon, poses, lambda sequence: {frame: Seen(*_show(sequence, [part], len(drawing.frames))[0])}.get
    )


def _shown(pose: Pose) -> Sequence[Thing | Line]:
    return (*pose.things, *pose.lines)


def _only(pose: Pose, seen: list[Seen]) -> Eyes:
    """Easy things are read off the frames that would be selected: the same place whenever it is asked."""
    return lambda frame: seen[frame - 1] if frame in pose.frames else None


def _why(pose: Pose, seen: list[Seen], frame: int) -> int | None:
    """The token of a frame that shows what is asked about: the tray or the board, which is named by its colour."""
    named = (pose.carrier, *pose.things) if pose.carrier else pose.things
    return next((seen[frame - 1].at(one.center) for one in named if frame in one.frames), None)


def show_frames(
    sequence: Tokens, drawing: Drawing, frames: Sequence[int], number_shown: int
) -> tuple[dict[int, Seen], int]:
    """Selected frames in the user's turn; returns them by number, and the number of the last picture."""
    sights = [world_views.whole(drawing, frame, "selected_frame") for frame in frames]
    shown = _show(sequence, sights, number_shown)
    return {frame: Seen(*one) for frame, one in zip(frames, shown, strict=True)}, number_shown + len(frames)


def _show(sequence: Tokens, sights: Sequence[Sight], number_shown: int) -> list[tuple[Sight, int]]:
    """Sights in the user's turn, as frames that were selected; with where each begins."""
    width, height = sights[0].size
    last = number_shown + len(sights)
    sequence.begin_user()
    sequence.add_text(
        f"Here are the selected frames (Frame Size: {width}x{height}, Numbered {number_shown + 1} to {last}):"
    )
    shown = [(sight, sequence.add_view(sight.view)) for sight in sights]
    sequence.end_turn()
    return shown
