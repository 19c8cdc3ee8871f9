"""How good a checkpoint is, cheaply: `python -m engine.lab.recipe.validation DIR/last.pt --scenes 100 --clips 50`.

Idea: greedy answers of the stock model, many at a time, on scenes and clips of a split; also with the true crop in
place of the model's own, which tells finding from reading. The project's real figures come from `python -m engine
evaluate`, which goes through the engine, one example at a time and quantised; this is the recipe's compass.

Invariant: a box hits when it holds at least 90% of the sign and is at most a quarter of the picture; a frame hits
when it shows the sign. Seeds are of the split asked for, counted from its start.
"""

from __future__ import annotations

import argparse
import json
import random
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch
from transformers import AutoModelForImageTextToText, PreTrainedTokenizerFast

from engine.evaluation.hits import LARGEST_HIT_AREA
from engine.lab.recipe import clip_samples, export, patches, scene_samples, turns, views
from engine.lab.recipe import tokenizer as words
from engine.lab.recipe.losses import normalise
from engine.lab.recipe.sequences import Sequence
from engine.lab.world import clips, questions, scenes
from engine.thresholds import HELD_SHARE

__all__ = ["SELECT", "Reader", "box_in", "open_reader", "said"]

ZOOM = re.compile(r'"bbox_2d": \[([\d.]+), ([\d.]+), ([\d.]+), ([\d.]+)\]')
SELECT = re.compile(r'"target_frames": \[([\d, ]+)\]')
BOXED = re.compile(r"\\boxed\{([^}]*)\}")
AT_ONCE = 20


class Reader:
    """Greedy continuation of many conversations at once."""

    def __init__(self, model: Any, tokenizer: PreTrainedTokenizerFast | None = None) -> None:
        self.model = model
        self.tokenizer = tokenizer or words.build_tokenizer()
        self.lexicon = turns.lexicon_of(self.tokenizer)

    def write(self, conversations: list[Sequence], limit: int) -> list[str]:
        texts: list[str] = []
        for start in range(0, len(conversations), AT_ONCE):
            texts += self._write_some(conversations[start : start + AT_ONCE], limit)
        return texts

    @torch.inference_mode()
    def _write_some(self, some: list[Sequence], limit: int) -> list[str]:
        prompts = [one.ids + self.lexicon.encode("<|im_start|>assistant\n") for one in some]
        length = max(map(len, prompts))
        ids = torch.full((len(some), length), self.tokenizer.pad_token_id)
        mask = torch.zeros_like(ids)
        for row, prompt in enumerate(prompts):
            ids[row, length - len(prompt) :] = torch.tensor(prompt)
            mask[row, length - len(prompt) :] = 1
        seen = [view for one in some for _, view in one.views]
        pixels = torch.cat([normalise(torch.from_numpy(view.pixels)) for view in seen])
        written = self.model.generate(
            input_ids=ids,
            attention_mask=mask,
            mm_token_type_ids=(ids == self.lexicon.picture_id).int(),
            pixel_values=pixels.to(self.model.dtype),
            image_grid_thw=torch.tensor([[1, view.rows, view.columns] for view in seen]),
            max_new_tokens=limit,
            do_sample=False,
            pad_token_id=self.tokenizer.pad_token_id,
            eos_token_id=self.tokenizer.eos_token_id,
        )
        return [str(self.tokenizer.decode(row)).split("<|im_end|>")[0] for row in written[:, length:]]


def open_reader(model: Path) -> Reader:
    """A checkpoint of the recipe, or an exported folder with the tokenizer that lies in it."""
    if not model.is_dir():
        return Reader(export.load_model(model))
    loaded = AutoModelForImageTextToText.from_pretrained(model, dtype=torch.float32).eval()
    return Reader(loaded, PreTrainedTokenizerFast.from_pretrained(model))


def said(text: str) -> str | None:
    found = BOXED.search(text)
    return found.group(1).strip().upper() if found else None


def box_in(text: str) -> views.Shares | None:
    """The box of a well-formed call that names a place."""
    found = ZOOM.search(text)
    if found is None:
        return None
    x1, y1, x2, y2 = (min(1.0, float(edge)) for edge in found.groups())
    return (x1, y1, x2, y2) if x1 < x2 and y1 < y2 else None


def _is_hit(box: views.Shares, sign: scenes.Sign, size: tuple[int, int]) -> bool:
    x1, y1, x2, y2 = turns.shares_of(sign.box, size)
    shared = max(0.0, min(x2, box[2]) - max(x1, box[0])) * max(0.0, min(y2, box[3]) - max(y1, box[1]))
    is_small = (box[2] - box[0]) * (box[3] - box[1]) <= LARGEST_HIT_AREA
    return is_small and shared >= HELD_SHARE * (x2 - x1) * (y2 - y1)


def _ask_scene(reader: Reader, scene: scenes.Scene, question: str) -> Sequence:
    sequence = reader.lexicon.begin()
    sequence.begin_user()
    sequence.add_view(scene_samples.scene_view(scene))
    sequence.add_text(question)
    sequence.end_turn()
    return sequence


def _show_crop(reader: Reader, scene: scenes.Scene, question: str, turn: str, box: views.Shares) -> Sequence:
    sequence = _ask_scene(reader, scene, question)
    sequence.add_assistant(turn)
    _show_cut(sequence, scene, box)
    return sequence


def _show_cut(sequence: Sequence, scene: scenes.Scene, box: views.Shares) -> None:
    view, size, _ = scene_samples.cut(scene, box)
    sequence.begin_user()
    sequence.add_text(f"Here is the cropped image (Image Size: {size[0]}x{size[1]}):")
    sequence.add_view(view)
    sequence.end_turn()


def _share(values: list[bool]) -> float:
    return round(sum(values) / len(values), 4)


def _check_scenes(
    reader: Reader, split: str, count: int, first: int, is_operating: bool, report: Callable[[dict], None]
) -> dict:
    rng = random.Random(f"validation {first}")
    asked: list[tuple[scenes.Scene, scenes.Sign, str]] = []
    while len(asked) < count:
        scene = scenes.draw_scene(scenes.seed_for(split, first), split)
        first += 1
        if scene.signs:
            sign = rng.choice(scene.signs)
            question = questions.question_about(sign.color, sign.shape, rng)
            asked.append((scene, sign, question if is_operating else question + turns.NO_OPERATIONS))
    said_first = reader.write([_ask_scene(reader, scene, question) for scene, _, question in asked], 64)
    if not is_operating:
        right = [said(turn) == sign.text for turn, (_, sign, _) in zip(said_first, asked, strict=True)]
        return {"n": count, "accuracy": _share(right)}
    boxes, zoomed, true = [], [], []
    for turn, (scene, sign, question) in zip(said_first, asked, strict=True):
        box = box_in(turn)
        boxes.append(box)
        ideal = turns.margin_box(sign.box, scene.picture.size)
        zoomed.append(_show_crop(reader, scene, question, turn, box or (0.4, 0.4, 0.6, 0.6)))
        true.append(
            _show_crop(reader, scene, question, turns.call_zoom(turns.thought_for(sign, "zoom in"), ideal), ideal)
        )
    answers, read = reader.write(zoomed, 32), reader.write(true, 32)
    hits, right, right_true = [], [], []
    kinds: dict[str, list[bool]] = {}
    for box, answer, other, (scene, sign, _) in zip(boxes, answers, read, asked, strict=True):
        hits.append(box is not None and _is_hit(box, sign, scene.picture.size))
        right.append(box is not None and said(answer) == sign.text)
        right_true.append(said(other) == sign.text)
        kinds.setdefault(_kind_of(sign.text), []).append(right[-1])
        report(
            {
                "sign": f"{sign.color} {sign.shape}",
                "text": sign.text,
                "said": said(answer),
                "true_crop": said(other),
                "hit": hits[-1],
            }
        )
    return {
        "n": count,
        "accuracy": _share(right),
        "stderr": round((_share(right) * (1 - _share(right)) / count) ** 0.5, 4),
        "hit_rate": _share(hits),
        "called": _share([box is not None for box in boxes]),
        "accuracy_true_crop": _share(right_true),
        **{f"accuracy_{kind}": _share(values) for kind, values in sorted(kinds.items())},
    }


def _kind_of(text: str) -> str:
    return "numbers" if text.isdigit() else "letters" if text.isalpha() else "mixed"


def _check_clips(
    reader: Reader, split: str, count: int, first: int, is_operating: bool, report: Callable[[dict], None]
) -> dict:
    rng = random.Random(f"validation clips {first}")
    asked: list[tuple[clips.Clip, clips.ClipSign, str]] = []
    while len(asked) < count:
        clip = clips.draw_clip(scenes.seed_for(split, first), split)
        first += 1
        if clip.signs:
            sign = rng.choice(clip.signs)
            question = questions.question_about(sign.color, sign.shape, rng)
            asked.append((clip, sign, question if is_operating else question + turns.NO_OPERATIONS))
    said_first = reader.write([_ask_clip(reader, clip, question) for clip, _, question in asked], 48)
    if not is_operating:
        right = [said(turn) == sign.text for turn, (_, sign, _) in zip(said_first, asked, strict=True)]
        return {"n": count, "accuracy": _share(right)}
    selected, shown, true = [], [], []
    for turn, (clip, sign, question) in zip(said_first, asked, strict=True):
        found = SELECT.search(turn)
        frames = [int(part) for part in found.group(1).split(", ") if part.strip()] if found else []
        frames = [frame for frame in frames if 1 <= frame <= clips.FRAMES][:1]
        selected.append(frames)
        shown.append(_show_frames(reader, clip, question, turn, frames or [1]))
        middle = sign.frames[len(sign.frames) // 2]
        ideal = turns.call_select(turns.thought_for(sign, turns.SELECT_PLAN), middle)
        true.append(_show_frames(reader, clip, question, ideal, [middle]))
    zooms, zooms_true = reader.write(shown, 64), reader.write(true, 64)
    for sequences, said_next in ((shown, zooms), (true, zooms_true)):
        for sequence, turn, frames, (clip, sign, _) in zip(sequences, said_next, selected, asked, strict=True):
            frame = (frames or [1])[0] if sequences is shown else sign.frames[len(sign.frames) // 2]
            sequence.add_assistant(turn)
            _show_cut(sequence, clip.scene(frame), box_in(turn) or (0.4, 0.4, 0.6, 0.6))
    answers, read = reader.write(shown, 32), reader.write(true, 32)
    hits, boxed, right, right_true = [], [], [], []
    for frames, zoom, answer, other, (clip, sign, _) in zip(selected, zooms, answers, read, asked, strict=True):
        hits.append(bool(set(frames) & set(sign.frames)))
        box = box_in(zoom)
        boxed.append(hits[-1] and box is not None and _is_hit(box, sign.on_frame(frames[0]), clip.frames[0].size))
        right.append(bool(frames) and said(answer) == sign.text)
        right_true.append(said(other) == sign.text)
        report(
            {
                "sign": f"{sign.color} {sign.shape}",
                "text": sign.text,
                "said": said(answer),
                "true_frame": said(other),
                "hit": hits[-1],
                "box_hit": boxed[-1],
            }
        )
    return {
        "n": count,
        "accuracy": _share(right),
        "stderr": round((_share(right) * (1 - _share(right)) / count) ** 0.5, 4),
        "hit_rate": _share(hits),
        "box_hit_rate": _share(boxed),
        "accuracy_true_frame": _share(right_true),
    }


def _ask_clip(reader: Reader, clip: clips.Clip, question: str) -> Sequence:
    sequence, _, _ = clip_samples.begin_clip(reader.lexicon, clip)
    sequence.add_text(question)
    sequence.end_turn()
    return sequence


def _show_frames(reader: Reader, clip: clips.Clip, question: str, turn: str, frames: list[int]) -> Sequence:
    sequence = _ask_clip(reader, clip, question)
    sequence.add_assistant(turn)
    width, height = clip.frames[0].size
    last = clips.FRAMES + len(frames)
    sequence.begin_user()
    sequence.add_text(
        f"Here are the selected frames (Frame Size: {width}x{height}, Numbered {clips.FRAMES + 1} to {last}):"
    )
    for frame in frames:
        sequence.add_view(views.view_of(patches.resize(clip.frames[frame - 1], patches.BUDGETS["selected_frame"])))
    sequence.end_turn()
    return sequence


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m engine.lab.recipe.validation", description=__doc__.splitlines()[0])
    parser.add_argument("model", type=Path, help="a checkpoint of the recipe or an exported folder")
    parser.add_argument("--split", default="validation", choices=tuple(scenes.SEEDS))
    parser.add_argument("--scenes", type=int, default=100)
    parser.add_argument("--clips", type=int, default=50)
    parser.add_argument("--first", type=int, default=0, help="index of the first seed within the split")
    parser.add_argument("--no-operations", action="store_true")
    parser.add_argument("--out", type=Path, help="append the figures to this JSON file")
    parser.add_argument("--show", action="store_true", help="print every answer as well")
    options = parser.parse_args()
    reader = open_reader(options.model)

    def report(row: dict) -> None:
        if options.show:
            print(json.dumps(row), flush=True)

    result: dict = {"model": options.model.name, "split": options.split, "is_operating": not options.no_operations}
    if options.scenes:
        result["signs"] = _check_scenes(
            reader, options.split, options.scenes, options.first, not options.no_operations, report
        )
    if options.clips:
        result["clips"] = _check_clips(
            reader, options.split, options.clips, options.first, not options.no_operations, report
        )
    print(json.dumps(result), flush=True)
    if options.out:
        earlier = json.loads(options.out.read_text(encoding="utf-8")) if options.out.exists() else []
        options.out.write_text(json.dumps([*earlier, result], indent=2) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
