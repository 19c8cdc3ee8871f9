"""The embedded reasoner's tokenizer: bytes, Qwen's special tokens, coordinates and the fixed words of its small world.

Idea: what the model must place or spell is one token each: every capital and digit, every coordinate 0.00 to 1.00.
What it never varies (the frame of a call) is one token each too, which makes an answer short. Everything else is
built from bytes, so that any text can be encoded and comes back unchanged.

The words come in two lists: those of signs and clips, and those of the miniature benchmarks. A checkpoint holds its tokens
in order, so that one trained with fewer words can be gone on from.

Invariant: `decode(encode(text)) == text` for every text; the vocabulary is written down here, nothing is learned
from a corpus; the tokens of `build_tokenizer(("signs",))` never change.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal

import torch
from tokenizers import AddedToken, Regex, Tokenizer, decoders, models, pre_tokenizers
from transformers import PreTrainedTokenizerFast

from engine.lab.recipe.losses import Vocabulary
from engine.lab.world import questions, signs, words
from engine.lab.world.miniature.objects import KINDS, MARKS
from engine.lab.world.miniature.tally import PLURALS
from engine.lab.world.miniature.vstar import DIRECTIONS

__all__ = [
    "CHAT_TEMPLATE",
    "COORDINATES",
    "WORLDS",
    "build_tokenizer",
    "fitted",
    "move_rows",
    "special_ids",
    "tokens_in",
    "tokens_of",
    "vocabulary_of",
]

SPECIAL = (
    "<|endoftext|>",
    "<|im_start|>",
    "<|im_end|>",
    "<|vision_start|>",
    "<|vision_end|>",
    "<|image_pad|>",
    "<|video_pad|>",
)
COORDINATES = tuple(f"{k / 100:.2f}" for k in range(101))
CALLS = (
    "<tool_call>",
    "</tool_call>",
    '{"name": "zoom_in", "arguments": {"bbox_2d": [',
    '], "target_image": ',
    '{"name": "select_frames", "arguments": {"target_frames": [',
    "]}}",
    "}}",
    ", ",
    "\\boxed{",
)
SENTENCES = (
    "user assistant system The text on the is too small to read. I will zoom in. It says Here is the cropped image (Image Size): "
    "Here are the selected frames (Frame Size), (Numbered a to b): Frame Answer without operations. Execution error: "
    "I will select the frame. That is not the sign. I will look again. I will try again. I can only guess: "
)
World = Literal["signs", "miniature"]
WORLDS: tuple[World, ...] = ("signs", "miniature")
MINIATURE_SENTENCES = (
    "On the where is seen from What color object on the How many are on the things What is written first last "
    "Which way does the move left right above below up down What is the title of the poster number in the panel code "
    "small print next to table above bar word tallest It is large enough here None at then again none of "
    "These frames do not show it There not this part That They look closer show shows cut off again another place "
    "somewhere else still but further Now few closely answer whole see others them more enough can only guess"
)
MINIATURE_MARKS = (" at (", "), ", "). ")
"""The frame of a place that a thought names."""
CHAT_TEMPLATE = """{%- for message in messages -%}
{{- '<|im_start|>' + message['role'] + '\\n' -}}
{%- if message['content'] is string -%}{{- message['content'] -}}
{%- else -%}
{%- for part in message['content'] -%}
{%- if part['type'] == 'image' or 'image' in part -%}{{- '<|vision_start|><|image_pad|><|vision_end|>' -}}
{%- elif 'text' in part -%}{{- part['text'] -}}
{%- endif -%}
{%- endfor -%}
{%- endif -%}
{{- '<|im_end|>\\n' -}}
{%- endfor -%}
{%- if add_generation_prompt -%}{{- '<|im_start|>assistant\\n' -}}{%- endif -%}
"""


def _byte_alphabet() -> list[str]:
    return sorted(pre_tokenizers.ByteLevel.alphabet())


def _world_words() -> list[str]:
    """Words that get a token of their own, with and without the space before."""
    texts = [SENTENCES, *(phrasing.replace("{color}", "").replace("{shape}", "") for phrasing in questions.PHRASINGS)]
    found = {piece.strip(".,:?()") for text in texts for piece in text.split()} | set(signs.COLORS) | set(signs.SHAPES)
    return sorted(word for word in found if len(word) > 1 and word.isalpha())


def _miniature_words() -> list[str]:
    """The words that the miniature benchmarks need beyond those."""
    found = {*MINIATURE_SENTENCES.split(), *KINDS, *MARKS, *PLURALS.values(), *DIRECTIONS}
    return sorted(found - set(_world_words()))


def build_tokenizer(worlds: tuple[World, ...] = WORLDS) -> PreTrainedTokenizerFast:
    """`worlds` leaves out the words that weights were trained without."""
    tokens = [*SPECIAL, *_byte_alphabet()]
    is_whole = "miniature" in worlds
    for word in [*_world_words(), *(_miniature_words() if is_whole else ())]:
        tokens += [word, "Ġ" + word]  # Ġ is how byte-level BPE writes a space
    vocabulary = {token: k for k, token in enumerate(tokens)}
    # No merges at all: a word of the list is one token, anything else is its bytes.
    core = Tokenizer(models.BPE(vocab=vocabulary, merges=[], ignore_merges=True))
    pattern = Regex(r" ?[A-Z]?[a-z]+|[A-Z]| ?[0-9]| ?[^\sA-Za-z0-9]|\s")
    core.pre_tokenizer = pre_tokenizers.Sequence(
        [
            pre_tokenizers.Split(pattern, "isolated"),
            pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False),
        ]
    )
    core.decoder = decoders.ByteLevel()
    core.add_special_tokens([AddedToken(token, normalized=False, special=True) for token in SPECIAL])
    core.add_tokens([AddedToken(token, normalized=False) for token in (*CALLS, *COORDINATES)])
    if is_whole:
        core.add_tokens([AddedToken(token, normalized=False) for token in MINIATURE_MARKS])
    return PreTrainedTokenizerFast(
        tokenizer_object=core,
        eos_token="<|im_end|>",
        pad_token="<|endoftext|>",
        additional_special_tokens=[token for token in SPECIAL if token not in ("<|im_end|>", "<|endoftext|>")],
        chat_template=CHAT_TEMPLATE,
        model_max_length=8192,
        clean_up_tokenization_spaces=False,
        extra_special_tokens={
            "image_token": "<|image_pad|>",
            "video_token": "<|video_pad|>",
            "vision_bos_token": "<|vision_start|>",
            "vision_eos_token": "<|vision_end|>",
        },
    )


def vocabulary_of(tokenizer: PreTrainedTokenizerFast) -> Vocabulary:
    size = -(-len(tokenizer) // 64) * 64
    ids = torch.tensor(tokenizer.convert_tokens_to_ids(list(COORDINATES)))
    is_coordinate, is_character = torch.zeros(size, dtype=torch.bool), torch.zeros(size, dtype=torch.bool)
    value = torch.zeros(size)
    is_coordinate[ids] = True
    value[ids] = torch.arange(101.0)
    # The brace that closes an answer counts as a character: where a text ends must be seen, not worded.
    is_character[tokenizer.convert_tokens_to_ids([*words.CHARACTERS, "}"])] = True
    is_value = torch.zeros(size, dtype=torch.bool)
    known = tokenizer.get_vocab()
    # What tells one answer, one subject or one decision from another; a word of a question is never predicted.
    subjects = (*PLURALS.values(), *signs.SHAPES, "things", "panel", "bar", "number", "word", "first", "last")
    turns = ("Here", "The", "It", "text", "object", "is", "says")  # one of these, and another answer is on its way
    values = (*KINDS, *signs.COLORS, *DIRECTIONS, *subjects, *turns, "up", "down", "again", "None", "large", "too")
    is_value[[known[token] for word in values for token in (word, "Ġ" + word) if token in known]] = True
    is_value[[known[token] for token in (*MINIATURE_MARKS, ":") if token in known]] = True
    return Vocabulary(ids, is_coordinate, value, is_character, is_value, known["\\boxed{"])


def tokens_of(tokenizer: PreTrainedTokenizerFast) -> list[str]:
    """All tokens in the order of their ids."""
    return [str(token) for token in tokenizer.convert_ids_to_tokens(list(range(len(tokenizer))))]


def tokens_in(checkpoint: Mapping[str, Any]) -> list[str]:
    """The tokens that a checkpoint of the recipe was trained with; one that does not say has those of signs and clips."""
    found = checkpoint.get("tokens")
    return found if found is not None else tokens_of(build_tokenizer(("signs",)))


def move_rows(rows: torch.Tensor, old: list[str], new: list[str], fresh: torch.Tensor) -> torch.Tensor:
    """The embedding of `new` tokens: the row that a token had in `rows`, or that of `fresh`. Not the mean of the bytes
    that a word is written with: rows of letters that no text used have grown to three times the others' norm, away from
    whatever is said. rows: (old vocabulary, hidden), fresh: (new, hidden)."""
    place = {token: k for k, token in enumerate(old)}
    moved = fresh.clone()
    for k, token in enumerate(new):
        if token in place:
            moved[k] = rows[place[token]]
    return moved


def fitted(
    state: Mapping[str, torch.Tensor], old: list[str], new: list[str], fresh: torch.Tensor
) -> dict[str, torch.Tensor]:
    """A checkpoint's tensors with the embedding's rows moved to where `new` has the tokens of `old`."""
    if old == new:
        return dict(state)
    return {
        name: move_rows(one, old, new, fresh) if name.endswith("embed_tokens.weight") else one
        for name, one in state.items()
    }


def special_ids(tokenizer: PreTrainedTokenizerFast) -> dict[str, int]:
    vocabulary = tokenizer.get_vocab()
    return {token: vocabulary[token] for token in SPECIAL}
