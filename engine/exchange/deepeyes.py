"""The format `deepeyes`, in only: the training questions of DeepEyes (ChenShawn/DeepEyes-Datasets-47k), parquet.

    data_source, env_name ("visual_toolbox_v2", "chart", "thinklite"), ability
    prompt        [{"role": "system", "content"}, {"role": "user", "content": "<image>\\n...Question:\\nQ ..."}]
    images        [{"bytes", "path"}]
    reward_model  {"style", "ground_truth"}
    extra_info    {"split", "index", "answer", "question"}

It holds prompts and no attempts. The question is `extra_info.question` where it is there, else what the prompt says after
"Question:"; the pictures' bytes are inside, and their paths are those of another machine. Known from the code that makes
it (Visual-Agent/DeepEyes, create_train_dataset.py).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from engine.errors import InvalidInput
from engine.exchange.files import Source, column_rows, file_named, one_file
from engine.exchange.format import Format, Question, Read, read_rows
from engine.exchange.pixel_reasoner_rl import without_placeholders
from engine.exchange.replaying import question_and_options
from engine.json_fields import list_of, optional, require_object, required, text
from engine.trace import Example

__all__ = ["DEEPEYES", "read"]

_INSTRUCTIONS = ("\nThink first", "\nThink step by step")
"""How the two published user prompts go on after a question."""


def read(path: Path) -> Iterator[Read]:
    """The questions of a parquet file. Raises InvalidInput."""
    file = one_file(path, "train.parquet")
    return read_rows(column_rows(file), lambda place, row: _question(place, row, file))


def _question(place: str, row: Mapping[str, Any], file: Path) -> Question:
    known = row.get("extra_info") or {}
    require_object(known)
    images = required(row, "images", list_of(lambda picture: pictured(picture, file.parent)))
    if not images:
        raise InvalidInput("images: a list of at least one picture is expected")
    said = optional(known, "question", text, None) or _asked(row)
    question, options = question_and_options(without_placeholders(said.strip(), (len(images),)))
    reward = row.get("reward_model") or {}
    require_object(reward)
    answer = optional(reward, "ground_truth", text, None)
    index = known.get("index")
    original_id = None if index is None else f"{known.get('split') or 'train'}-{index}"
    category = optional(row, "env_name", text, None) or optional(row, "data_source", text, None)
    example = Example(question, (), answer, options, category=category, source=f"{file.stem}/{original_id or place}")
    return Question(place, example, images, original_id)


def pictured(picture: Any, folder: Path) -> Source:
    """Where the bytes of a picture feature `{"bytes", "path"}` are. Raises InvalidInput."""
    if isinstance(picture, str):
        return file_named(folder, picture)
    require_object(picture)
    data = picture.get("bytes")
    return data if isinstance(data, bytes) else file_named(folder, picture.get("path") or picture.get("image"))


def _asked(row: Mapping[str, Any]) -> str:
    """The question in the last message of the user."""
    messages = [message for message in row.get("prompt") or () if message.get("role") == "user"]
    if not messages or not isinstance(messages[-1].get("content"), str):
        raise InvalidInput("prompt: a message of the user is expected")
    content: str = messages[-1]["content"]
    said = content.partition("Question:")[2] or content
    for start in _INSTRUCTIONS:
        said = said.partition(start)[0]
    return said


DEEPEYES = Format(
    name="deepeyes",
    title="DeepEyes",
    description="The training questions of DeepEyes, with their pictures inside.",
    file="train.parquet",
    read=read,
)
