"""Texts of people and models in files where some words mean pictures: `<image>` in a question must stay a word.

    escaped("Is <image> a tag?")      a WORD JOINER (U+2060, of no width) after "<", so that no reader finds a placeholder

The words: what LLaMA-Factory, ms-swift and verl replace by media (`<image>`, `<video>`, `<audio>`, `<img>`, `<bbox>`,
`<ref-object>`), and everything of the form `<|...|>`, which the tokenizers of the Qwen family read as one token wherever
it stands, `<|image_pad|>` and `<|im_end|>` among them.

Invariants: `unescaped(escaped(text)) == text`; `has_placeholder(escaped(text))` is False.
"""

from __future__ import annotations

import re
from dataclasses import replace

from engine.trace import Example, Observation, Step, Trace

__all__ = ["ESCAPED", "escaped", "escaped_attempt", "has_placeholder", "unescaped"]

_JOINER = "\u2060"
_WORDS = r"(?:image|video|audio|img|/img|bbox|ref-object|\|[^<>|\s]{1,64}\|)>"
_MARK = re.compile(f"<(?={_JOINER}*{_WORDS})")
_ESCAPED_MARK = re.compile(f"<{_JOINER}(?={_JOINER}*{_WORDS})")
_PLACEHOLDER = re.compile(f"<{_WORDS}")

ESCAPED = "texts that hold the word of a placeholder, such as <image>, written with a WORD JOINER (U+2060) after the <"


def escaped(text: str) -> str:
    return _MARK.sub(f"<{_JOINER}", text)


def unescaped(text: str) -> str:
    return _ESCAPED_MARK.sub("<", text)


def has_placeholder(text: str) -> bool:
    return _PLACEHOLDER.search(text) is not None


def escaped_attempt(trace: Trace, example: Example) -> tuple[Trace, Example, int]:
    """Both with every text that ends up in a prompt escaped, and how many of the texts had to be."""
    texts = [trace.question, *example.options]
    for step in trace.steps:
        error = step.observation.error if step.observation else None
        texts += [text for text in (step.thought, step.answer, error) if text]
    count = sum(escaped(text) != text for text in texts)
    if not count:
        return trace, example, 0
    question = escaped(trace.question)
    steps = tuple(_escaped_step(step) for step in trace.steps)
    options = tuple(map(escaped, example.options))
    return replace(trace, question=question, steps=steps), replace(example, question=question, options=options), count


def _escaped_step(step: Step) -> Step:
    observation = step.observation
    if observation is not None and observation.error is not None:
        observation = Observation(error=escaped(observation.error))
    answer = None if step.answer is None else escaped(step.answer)
    return replace(step, thought=escaped(step.thought), answer=answer, observation=observation)
