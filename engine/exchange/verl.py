"""The format `verl`: questions with gold answers for reinforcement learning, in one parquet file, a row a question.

    data_source   where the question is from, by which a reward function is chosen
    prompt        [{"role": "system", "content"}, {"role": "user", "content": "<image>Q"}]
    images        the pictures of the placeholders, with their bytes; features: List(Image())
    ability       "visual_reasoning"
    reward_model  {"style": "rule", "ground_truth": the gold answer}
    extra_info    {"split": "train", "index", "qid", "is_video", and the example: "question", "options", "answers" (the gold one
                   and those that are as good), "boxes", "frames", "rule", "category", "difficulty", "source"}

It is a format of prompts: what a policy did has no place in it. A clip is its 16 frames with a placeholder each. RLHFDataset
leaves out, with a line on the console, what is longer than `max_prompt_length` (1024 tokens by default: less than a clip or a
large picture takes), and rows whose pictures are paths beside bytes that are null (seen in verl 0.9.1).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import TYPE_CHECKING

from engine.errors import InvalidInput
from engine.exchange.declared import AS_FRAMES, said_by, with_marks
from engine.exchange.format import Format, Row
from engine.exchange.placeholders import ESCAPED
from engine.exchange.sheet import Sheet
from engine.exchange.trl import pictures
from engine.store import Dossier
from engine.trace import Evidence, first_views

if TYPE_CHECKING:
    import pyarrow

__all__ = ["VERL"]

ATTEMPTS = "attempts, of which a question keeps nothing: one or more each"


def _rows(dossier: Dossier, sheet: Sheet) -> Iterator[Row]:
    example = dossier.example
    if example.answer is None:
        raise InvalidInput("its question has no gold answer, which a reward needs")
    said = said_by(_asked(dossier), sheet)
    turns = said.turns
    evidence = example.evidence or Evidence()
    sheet.lose(ESCAPED, said.escaped)
    sheet.lose(ATTEMPTS)
    yield {
        "data_source": example.source.partition("/")[0] or "pixel-reasoner-studio",
        "prompt": [{"role": turn.role, "content": with_marks(turn.parts)} for turn in turns],
        "images": pictures(turns, dossier, sheet),
        "ability": "visual_reasoning",
        "reward_model": {"style": "rule", "ground_truth": example.answer},
        "extra_info": {
            "split": "train",
            "index": dossier.number,
            "qid": dossier.id,
            "is_video": any(medium.kind == "video" for medium in dossier.trace.media),
            "question": example.question,
            "options": list(example.options),
            "answers": [example.answer, *example.other_answers],
            "boxes": [box.as_list() for box in evidence.boxes],
            "frames": list(evidence.frames),
            "rule": example.rule,
            "category": example.category,
            "difficulty": example.difficulty,
            "source": example.source,
        },
    }


def _asked(dossier: Dossier) -> Dossier:
    """The question alone, as it is put to a policy that may operate."""
    trace = dossier.trace
    opening = trace.views[: len(first_views(trace.media))]
    return replace(dossier, trace=replace(trace, steps=(), views=opening, is_operating=True))


def _schema() -> pyarrow.Schema:
    from datasets import Features, Image, List, Value

    text, texts = Value("string"), List(Value("string"))
    known = {"question": text, "options": texts, "answers": texts, "boxes": List(List(Value("float64")))}
    known |= {"frames": List(Value("int64")), "rule": text, "category": text, "difficulty": text, "source": text}
    return Features(
        {
            "data_source": text,
            "prompt": List({"role": text, "content": text}),
            "images": List(Image()),
            "ability": text,
            "reward_model": {"style": text, "ground_truth": text},
            "extra_info": {"split": text, "index": Value("int64"), "qid": text, "is_video": Value("bool")} | known,
        }
    ).arrow_schema


VERL = Format(
    name="verl",
    title="verl",
    description="Questions with gold answers and pictures for verl's reinforcement learning.",
    file="verl.parquet",
    losses=(ATTEMPTS, AS_FRAMES, ESCAPED),
    is_of_examples=True,
    rows=_rows,
    schema=_schema,
    embedded=("images",),
)
