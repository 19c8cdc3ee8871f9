"""Conversations to learn from: whole traces on scenes and clips, and cheap parts of them.

Idea: a trace is a question, an operation, what comes back, and the answer. Several questions share one first view, as the picture
is the dear part. Parts alone (where is it; what does this crop say) teach most of it at a fraction of the cost.

Invariant: every text is what the engine's protocol `studio` renders; `tests/tiny` compares them. Boxes are those that the model should
propose: the sign and a margin of about one hundredth, on the grid of two decimals.

Not covered: nested zooms, zooming into a selected frame, several selected frames.
"""

from __future__ import annotations

import math
import random
from dataclasses import dataclass
from functools import lru_cache

from transformers import PreTrainedTokenizerFast

from engine.tiny import clips, patches, questions, scenes, views
from engine.tiny.sequences import Encode, Sequence
from engine.tiny.views import View
from engine.tiny.words import CHARACTERS

Shares = tuple[float, float, float, float]

NO_OPERATIONS = " Answer without operations."
TOO_SMALL = "The text on the {color} {shape} is too small to read. I will {plan}."
ZOOM_PLAN, SELECT_PLAN = "zoom in", "select the frame"
WRONG_PLACE = "That is not the {color} {shape}. I will look again."
AFTER_ERROR = "I will try again."
ERRORS = (
    "the box {box} is empty, reversed or outside the picture: x1 < x2 and y1 < y2 are needed, all from 0 to 1",
    "there is no picture {number}",
    "the call is not valid JSON",
    "bbox_2d needs four numbers [x1, y1, x2, y2], not {box}",
)


@dataclass(frozen=True, slots=True)
class Lexicon:
    """The tokens that samples look at."""

    encode: Encode
    picture_id: int
    coordinate_ids: frozenset[int]
    character_ids: frozenset[int]
    digit_ids: frozenset[int]

    def begin(self) -> Sequence:
        return Sequence(self.encode, self.picture_id)


def margin_box(box: tuple[int, int, int, int], size: tuple[int, int]) -> Shares:
    """The box to propose for a sign: a hundredth wider on each side, rounded outwards to hundredths."""
    (left, top, right, bottom), (width, height) = box, size
    low = [math.floor(100 * edge - 1) / 100 for edge in (left / width, top / height)]
    high = [math.ceil(100 * edge + 1) / 100 for edge in (right / width, bottom / height)]
    return tuple(min(1.0, max(0.0, edge)) for edge in (*low, *high))


def call_zoom(thought: str, box: Shares) -> str:
    edges = ", ".join(f"{edge:.2f}" for edge in box)
    return f'{thought}<tool_call>{{"name": "zoom_in", "arguments": {{"bbox_2d": [{edges}], "target_image": 1}}}}</tool_call>'


def call_select(thought: str, frame: int) -> str:
    return f'{thought}<tool_call>{{"name": "select_frames", "arguments": {{"target_frames": [{frame}]}}}}</tool_call>'


def answer(text: str) -> str:
    return f"It says \\boxed{{{text}}}"


def guess(text: str) -> str:
    return f"I can only guess: \\boxed{{{text}}}"


def thought_for(sign: scenes.Sign | clips.ClipSign, plan: str) -> str:
    return TOO_SMALL.format(color=sign.color, shape=sign.shape, plan=plan)


def shares_of(box: tuple[float, ...], size: tuple[int, int]) -> Shares:
    return box[0] / size[0], box[1] / size[1], box[2] / size[0], box[3] / size[1]


def scene_view(scene: scenes.Scene) -> View:
    """The first view of a scene, every token labelled."""
    view = views.view_of(patches.resize(scene.picture, patches.BUDGETS["image"]))
    named = [(sign.color, sign.shape, shares_of(sign.box, scene.picture.size)) for sign in scene.signs]
    return views.label_signs(view, named)


def frame_views(clip: clips.Clip) -> list[View]:
    """The small first views of a clip's frames, every token labelled."""
    labelled = []
    for number, frame in enumerate(clip.frames, 1):
        named = [
            (sign.color, sign.shape, shares_of(sign.boxes[sign.frames.index(number)], frame.size))
            for sign in clip.signs
            if number in sign.frames
        ]
        view = views.view_of(patches.resize(frame, patches.BUDGETS["frame"]))
        labelled.append(views.label_signs(view, named))
    return labelled


def jitter(rng: random.Random, box: Shares, spread: float) -> Shares:
    """A box as a model might propose it instead."""
    x1, y1, x2, y2 = (min(1.0, max(0.0, round(edge + rng.gauss(0, spread), 2))) for edge in box)
    return (x1, y1, x2, y2) if x2 - x1 > 0.02 and y2 - y1 > 0.02 else box


def cut(scene: scenes.Scene, box: Shares) -> tuple[View, tuple[int, int], tuple[int, int, int, int]]:
    """The crop of a box as the model sees it, its size and place in pixels, every character labelled."""
    width, height = scene.picture.size
    left, top = math.floor(box[0] * width + 1e-6), math.floor(box[1] * height + 1e-6)
    right, bottom = math.ceil(box[2] * width - 1e-6), math.ceil(box[3] * height - 1e-6)
    place = (left, top, max(left + 1, right), max(top + 1, bottom))
    size = (place[2] - place[0], place[3] - place[1])
    view = views.view_of(patches.resize(scene.picture.crop(place), patches.BUDGETS["crop"]))
    texts = [(sign.text, [((x - left) / size[0], (y - top) / size[1]) for x, y in sign.centers]) for sign in scene.signs]
    return views.label_characters(view, texts), size, place


def holds_text(place: tuple[int, int, int, int], sign: scenes.Sign) -> bool:
    box = sign.text_box
    return place[0] <= box[0] and place[1] <= box[1] and place[2] >= box[2] and place[3] >= box[3]


def add_crop(lexicon: Lexicon, sequence: Sequence, scene: scenes.Scene, sign: scenes.Sign, box: Shares) -> None:
    """The crop as a user turn and the answer that follows it."""
    view, size, place = cut(scene, box)
    sequence.begin_user()
    sequence.add_text(f"Here is the cropped image (Image Size: {size[0]}x{size[1]}):")
    start = sequence.add_view(view)
    sequence.end_turn()
    centers = [((x - place[0]) / size[0], (y - place[1]) / size[1]) for x, y in sign.centers]
    add_answer(lexicon, sequence, sign.text, view, start, centers)


def add_answer(
    lexicon: Lexicon, sequence: Sequence, text: str, view: View, start: int, centers: list[tuple[float, float]]
) -> None:
    """The answer; each character is read off the token that its centre lies in."""
    where = sequence.add_assistant(answer(text))
    first = where.stop - 1 - len(text)  # the characters stand before the closing brace
    for k, (x, y) in enumerate(centers):
        token = view.token_at(x, y)
        if token is not None:
            sequence.pulls.append((first + k - 1, start + token))


def add_zoom_call(lexicon: Lexicon, sequence: Sequence, thought: str, box: Shares, target: int) -> None:
    where = sequence.add_assistant(call_zoom(thought, box))
    sequence.pull_tokens(where, lexicon.coordinate_ids, target)


def zoom_trace(rng: random.Random, lexicon: Lexicon, scene: scenes.Scene, count: int) -> Sequence:
    """Several questions on one scene, each answered by zooming in; now and then a guess, an error or a wrong place."""
    sequence = lexicon.begin()
    sequence.begin_user()
    view = scene_view(scene)
    start = sequence.add_view(view)
    asked = rng.sample(scene.signs, min(count, len(scene.signs)))
    for number, sign in enumerate(asked):
        if number:
            sequence.begin_user()
        question = questions.question_about(sign.color, sign.shape, rng)
        if rng.random() < 0.05:
            sequence.add_text(question + NO_OPERATIONS)
            sequence.end_turn()
            sequence.add_assistant(guess(sign.text))
            continue
        sequence.add_text(question)
        sequence.end_turn()
        box = margin_box(sign.box, scene.picture.size)
        target = start + _token_of(view, scene, sign)
        thought = thought_for(sign, ZOOM_PLAN)
        fault = rng.random()
        if fault < 0.025:
            thought = _add_error(rng, sequence, thought, box)
        elif fault < 0.06:
            thought = _add_wrong_place(rng, sequence, thought, scene, sign)
        add_zoom_call(lexicon, sequence, thought, box, target)
        shown = jitter(rng, box, rng.choice((0.0, 0.006, 0.012)))
        if not holds_text(cut_place(scene, shown), sign):
            shown = box
        add_crop(lexicon, sequence, scene, sign, shown)
    return sequence


def cut_place(scene: scenes.Scene, box: Shares) -> tuple[int, int, int, int]:
    width, height = scene.picture.size
    return (
        math.floor(box[0] * width + 1e-6),
        math.floor(box[1] * height + 1e-6),
        math.ceil(box[2] * width - 1e-6),
        math.ceil(box[3] * height - 1e-6),
    )


def _token_of(view: View, scene: scenes.Scene, sign: scenes.Sign) -> int:
    x1, y1, x2, y2 = shares_of(sign.box, scene.picture.size)
    return view.token_at((x1 + x2) / 2, (y1 + y2) / 2)


def _add_error(rng: random.Random, sequence: Sequence, thought: str, box: Shares) -> str:
    """A call that failed; returns the thought to go on with."""
    wrong = (box[2], box[1], box[0], box[3]) if rng.random() < 0.5 else (*box[:3], 1.2)
    sequence.add_assistant(call_zoom(thought, wrong), is_learned=False)
    sequence.begin_user()
    reason = rng.choice(ERRORS).format(box=list(wrong), number=rng.randint(2, 9))
    sequence.add_text(f"Execution error: {reason}")
    sequence.end_turn()
    return AFTER_ERROR


def _add_wrong_place(rng: random.Random, sequence: Sequence, thought: str, scene: scenes.Scene, sign: scenes.Sign) -> str:
    """A zoom that shows something else, mostly another sign; returns the thought to go on with."""
    others = [other for other in scene.signs if other is not sign]
    box = margin_box(rng.choice(others or [sign]).box, scene.picture.size)
    if not others or rng.random() < 0.3:
        x, y = rng.uniform(0, 0.85), rng.uniform(0, 0.85)
        box = tuple(round(edge, 2) for edge in (x, y, x + 0.14, y + 0.14))
    view, size, place = cut(scene, box)
    if holds_text(place, sign):
        return thought
    sequence.add_assistant(call_zoom(thought, box), is_learned=False)
    sequence.begin_user()
    sequence.add_text(f"Here is the cropped image (Image Size: {size[0]}x{size[1]}):")
    sequence.add_view(view)
    sequence.end_turn()
    return WRONG_PLACE.format(color=sign.color, shape=sign.shape)


def ground_trace(rng: random.Random, lexicon: Lexicon, scene: scenes.Scene, count: int) -> Sequence:
    """Questions and calls only: where things are, at a third of a trace's cost."""
    sequence = lexicon.begin()
    sequence.begin_user()
    view = scene_view(scene)
    start = sequence.add_view(view)
    for number, sign in enumerate(rng.sample(scene.signs, min(count, len(scene.signs)))):
        if number:
            sequence.begin_user()
        sequence.add_text(questions.question_about(sign.color, sign.shape, rng))
        sequence.end_turn()
        box = margin_box(sign.box, scene.picture.size)
        add_zoom_call(lexicon, sequence, thought_for(sign, ZOOM_PLAN), box, start + _token_of(view, scene, sign))
    return sequence


def read_traces(rng: random.Random, lexicon: Lexicon, scene: scenes.Scene) -> list[Sequence]:
    """Each sign of a scene as a crop alone: the second half of a trace."""
    traces = []
    for sign in scene.signs:
        box = margin_box(sign.box, scene.picture.size)
        shown = jitter(rng, box, rng.choice((0.0, 0.006, 0.014)))
        if not holds_text(cut_place(scene, shown), sign):
            shown = box
        sequence = lexicon.begin()
        sequence.begin_user()
        sequence.add_text(questions.question_about(sign.color, sign.shape, rng))
        sequence.end_turn()
        add_crop(lexicon, sequence, scene, sign, shown)
        traces.append(sequence)
    return traces


def begin_clip(lexicon: Lexicon, clip: clips.Clip) -> tuple[Sequence, list[View], list[int]]:
    sequence = lexicon.begin()
    sequence.begin_user()
    seen, starts = frame_views(clip), []
    for number, view in enumerate(seen, 1):
        sequence.add_text(f"Frame {number}:")
        starts.append(sequence.add_view(view))
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
            sequence.add_text(question + NO_OPERATIONS)
            sequence.end_turn()
            sequence.add_assistant(guess(sign.text))
            continue
        sequence.add_text(question)
        sequence.end_turn()
        middle = len(sign.frames) // 2
        frame = sign.frames[middle]
        x1, y1, x2, y2 = shares_of(sign.boxes[middle], size)
        token = seen[frame - 1].token_at((x1 + x2) / 2, (y1 + y2) / 2)
        where = sequence.add_assistant(call_select(thought_for(sign, SELECT_PLAN), frame))
        sequence.pull_tokens(where, lexicon.digit_ids, starts[frame - 1] + token)
        if number < reads:
            number_shown += 1
            sequence.begin_user()
            _add_frame(lexicon, sequence, clip, frame, number_shown, sign)
    return sequence


def frame_trace(rng: random.Random, lexicon: Lexicon, clip: clips.Clip) -> Sequence:
    """A full-size frame alone, and every sign on it read: the second half of a clip's trace."""
    shown = rng.choice([frame for sign in clip.signs for frame in sign.frames])
    sequence = lexicon.begin()
    for number, sign in enumerate(rng.sample([sign for sign in clip.signs if shown in sign.frames], 1)):
        sequence.begin_user()
        sequence.add_text(questions.question_about(sign.color, sign.shape, rng))
        sequence.end_turn()
        sequence.begin_user()
        _add_frame(lexicon, sequence, clip, shown, clips.FRAMES + 1 + number, sign)
    return sequence


def _add_frame(
    lexicon: Lexicon, sequence: Sequence, clip: clips.Clip, frame: int, number: int, sign: clips.ClipSign
) -> None:
    """The selected frame in the user's turn, and the answer."""
    width, height = clip.frames[0].size
    sequence.add_text(f"Here are the selected frames (Frame Size: {width}x{height}, Numbered {number} to {number}):")
    view = views.view_of(patches.resize(clip.frames[frame - 1], patches.BUDGETS["selected_frame"]))
    texts = [
        (other.text, [(x / width, y / height) for x, y in other.centers[other.frames.index(frame)]])
        for other in clip.signs
        if frame in other.frames
    ]
    view = views.label_characters(view, texts)
    start = sequence.add_view(view)
    sequence.end_turn()
    centers = [(x / width, y / height) for x, y in sign.centers[sign.frames.index(frame)]]
    add_answer(lexicon, sequence, sign.text, view, start, centers)


def lexicon_of(tokenizer: PreTrainedTokenizerFast) -> Lexicon:
    """The lexicon of a tokenizer. Its texts repeat, so their tokens are remembered."""

    @lru_cache(maxsize=20000)
    def encode(text: str) -> list[int]:
        return tokenizer(text, add_special_tokens=False)["input_ids"]

    def ids(tokens: list[str]) -> frozenset[int]:
        return frozenset(tokenizer.convert_tokens_to_ids(tokens))

    coordinates = ids([f"{k / 100:.2f}" for k in range(101)])
    picture = tokenizer.convert_tokens_to_ids("<|image_pad|>")
    return Lexicon(encode, picture, coordinates, ids(list(CHARACTERS)), ids(list("0123456789")))
