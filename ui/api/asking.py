"""Asking by program: one question about pictures or a clip, watched until it is answered."""

from __future__ import annotations

import secrets
from collections.abc import Iterator
from typing import Annotated

from pydantic import Field

from engine.errors import Unavailable
from engine.trace import Example
from engine.trace_json import media_to_json, step_to_json, trace_to_json, view_to_json
from ui.answering import Progress
from ui.api.endpoint import Services
from ui.api.values import TraceValue, trace_url
from ui.asking.reading import MAX_FILES, MAX_QUESTION_CHARACTERS, example_of

__all__ = ["ask"]

_LOOK_EVERY_S = 1.0
"""How often there is an answer though nothing is new: between two answers a call can be cancelled."""


def ask(
    services: Services,
    person: str,
    question: Annotated[str, Field(description="What is asked.", min_length=1, max_length=MAX_QUESTION_CHARACTERS)],
    media: Annotated[
        list[str],
        Field(
            description="The pictures or the clip that it is asked about, each by the SHA-256 of its bytes as the studio has "
            "it; from gradio_client also handle_file(path), which sends the file.",
            min_length=1,
            max_length=MAX_FILES,
        ),
    ],
    is_operating: Annotated[
        bool, Field(description="Whether the model may look closer; false: it answers at first sight.")
    ] = True,
    seed: Annotated[
        int | None, Field(description="For sampling; null: always the most likely words.", ge=0, lt=2**63)
    ] = None,
) -> Iterator[TraceValue]:
    """Ask a question about pictures or a clip, and get the trace: what the model thought, where it looked, its answer. The
    trace is recorded in the studio. While it goes on, each newer answer holds what there is so far. Cancelling the call ends
    it; what there is then is recorded as cancelled."""
    example = example_of(services.studio, person, media, question)
    # Nobody else asks as this page, so nothing that was asked before is stopped.
    page = f"api {secrets.token_hex(16)}"
    attempt = services.answering.ask(page, example, author=person, is_operating=is_operating, seed=seed)
    progress = None
    try:
        while progress is None or not progress.is_over:
            progress = attempt.after(progress, _LOOK_EVERY_S)
            yield _value(services, example, is_operating, progress or Progress())
    finally:
        # Whoever stopped waiting has no key to come back with.
        attempt.stop()


def _value(services: Services, example: Example, is_operating: bool, progress: Progress) -> TraceValue:
    if progress.is_over:
        if progress.trace_id is None:
            raise Unavailable(progress.problem or "This was cancelled before anything could be asked; ask again.")
        trace = services.studio.store.revisions.head(progress.trace_id).trace
        ended = {"url": trace_url(progress.trace_id), "thought": None, "is_operating": is_operating}
        return trace_to_json(trace, progress.trace_id) | ended  # type: ignore[return-value]
    return {
        "version": 1,
        "id": None,
        "url": None,
        "question": example.question,
        "answer": progress.answer,
        "stop_reason": None,
        "policy": progress.policy,
        "protocol": "",
        "media": [media_to_json(medium) for medium in example.media],  # type: ignore[misc]
        "views": [view_to_json(view) for view in progress.views],  # type: ignore[misc]
        "steps": [step_to_json(step) for step in progress.steps],  # type: ignore[misc]
        "is_operating": is_operating,
        "thought": progress.thought,
    }
