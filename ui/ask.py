"""The Ask screen: a picture or clip, a question, and the model looking closer step by step until it answers.

What stands on the page is its own affair: the media are named by the stage's value, the question by its box, so two
tabs never meet. What ended is in the store, and `/?trace=ID` shows it again. Values that come back from the browser
are read for hashes, indexes and texts only, and looked up again.

Not covered: several turns of one conversation (each question is an attempt of its own at the same media), changing a
trace (Curate).
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import gradio as gr

from engine.errors import InvalidInput, NotFound, PersonError
from engine.trace import Example, Trace
from ui.answering import Progress
from ui.components.answer import Answer
from ui.components.crops import Crops
from ui.components.drop import Drop
from ui.components.filmstrip import Filmstrip
from ui.components.samples import Samples
from ui.components.source import Source
from ui.components.steps import Steps
from ui.guests import query, user_of
from ui.page import Page, eyebrow, heading
from ui.rights import handles
from ui.studio import Studio
from ui.trace_values import filmstrip_value, media_value, outcome, source_value, steps_value, thumbnail_url

__all__ = ["MAX_FILES", "MAX_QUESTION_CHARACTERS", "build", "example_of", "seed_of"]

MAX_FILES = 4
MAX_QUESTION_CHARACTERS = 2000
_HINT = "Ask something that is too small to read at first sight. The model zooms in, or picks frames, and you see what it sees."
_NO_STEPS = "Each look the model takes will stand here: what it thought, what it did, what it saw."
_QUIET: dict[str, Any] = {"show_progress": "hidden", "api_name": False}


def build(studio: Studio, page: Page) -> None:
    answering = page.answering
    with gr.Row(elem_classes="columns"):
        with gr.Column(scale=0, min_width=296, elem_classes="column-left"):
            heading("Ask about a picture or a clip", "Pick a sample, or bring your own.")
            eyebrow("Samples")
            samples = Samples(elem_id="ask-samples")
        with gr.Column(scale=1, min_width=320, elem_classes="column-middle", elem_id="ask-media"):
            source = Source(source_value(()))
            film = Filmstrip(filmstrip_value(()))
            crops = Crops(source_value(()))
            drop = Drop({"media": None, "is_compact": False}, max_files=MAX_FILES, max_mb=studio.settings.max_upload_mb)
        with gr.Column(scale=0, min_width=416, elem_classes="column-right"):
            question = gr.Textbox(
                label="Question",
                placeholder="What is written on the red sign?",
                lines=1,
                max_lines=5,
                max_length=MAX_QUESTION_CHARACTERS,
                interactive=True,
                elem_id="ask-question",
            )
            with gr.Row(elem_classes="ask-buttons"):
                run = gr.Button("Ask", variant="primary", elem_id="ask-run", scale=3, min_width=120)
                stop = gr.Button("Stop", interactive=False, elem_id="ask-stop", scale=1, min_width=80)
            with gr.Accordion("Advanced", open=False, elem_classes="ask-advanced"):
                is_plain = gr.Checkbox(label="Answer at first sight, without zooming or picking frames", value=False)
                seed = gr.Textbox(label="Seed, a whole number (empty: the most likely words)", max_length=12)
            answer = Answer({"state": "empty", "hint": _HINT}, elem_id="ask-answer")
            review = gr.Button("Send to review", interactive=False, elem_id="ask-review")
            eyebrow("Steps")
            steps = Steps({"steps": [], "empty": _NO_STEPS}, elem_id="ask-steps")

    shown = [source, film, crops, steps, answer, run, stop, review]

    @handles("look")
    def list_samples(request: gr.Request) -> dict:
        return _samples_value(studio)

    @handles("look")
    def open_trace(request: gr.Request) -> tuple:
        return _opened(studio, query(request, "trace"))

    @handles("look")
    def pick_sample(value: Any, request: gr.Request) -> tuple:
        sample = studio.samples()[_index(value)]
        return ({"media": None, "is_compact": True}, sample.question, *_fresh(_media(studio, [sample.sha256])))

    @handles("look")
    def take_files(value: Any, request: gr.Request) -> tuple:
        return ({"media": None, "is_compact": True}, *_fresh(_media(studio, _hashes(value))))

    @handles("ask")
    def ask(stage: Any, text: str, plain: bool, number: str, before: Any, request: gr.Request) -> Iterator[tuple]:
        try:
            media = _media(studio, _hashes(stage))
            example, seed_number = example_of(studio, _hashes(stage), text), seed_of(number)
        except PersonError as error:
            yield _refused(str(error), before)
            return
        attempt = answering.ask(
            str(request.session_hash),
            example,
            author=user_of(request),
            is_operating=not plain,
            seed=seed_number,
        )
        for progress in attempt:
            yield _shown(media, example.question, progress, attempt.key)

    @handles("ask")
    def resume(value: Any, text: str, request: gr.Request) -> Iterator[tuple]:
        """A page that slept, or was thrown away meanwhile, looks again at what it had asked."""
        attempt = answering.find(str(value.get("attempt"))) if isinstance(value, dict) else None
        if attempt is None:
            yield tuple(gr.skip() for _ in range(2 + len(shown)))
            return
        media = _media(studio, [medium.sha256 for medium in attempt.example.media])
        question = attempt.example.question
        for progress in attempt:
            yield (
                {"media": None, "is_compact": True},
                gr.skip() if (text or "").strip() else question,
                *_shown(media, question, progress, attempt.key),
            )

    @handles("ask")
    def stop_asking(value: Any, request: gr.Request) -> Any:
        # A page that came back may have a session that never asked; the key is what it knows the attempt by.
        if not answering.stop(str(request.session_hash)) and isinstance(value, dict):
            answering.leave(str(value.get("attempt")))
        return gr.Button(interactive=False)

    @handles("send_to_review")
    def send_to_review(value: Any, request: gr.Request) -> tuple:
        return _sent(studio, value, user_of(request))

    page.blocks.load(list_samples, None, samples, **_QUIET)
    page.blocks.load(open_trace, None, [drop, question, *shown], **_QUIET)
    samples.pick(pick_sample, samples, [drop, question, *shown], trigger_mode="always_last", **_QUIET)
    drop.take(take_files, drop, [drop, *shown], trigger_mode="always_last", **_QUIET)
    gr.on(
        [run.click, question.submit],
        ask,
        [source, question, is_plain, seed, answer],
        shown,
        trigger_mode="once",
        concurrency_limit=16,
        **_QUIET,
    )
    answer.resume(
        resume, [answer, question], [drop, question, *shown], trigger_mode="once", concurrency_limit=16, **_QUIET
    )
    stop.click(stop_asking, answer, stop, trigger_mode="multiple", queue=False, **_QUIET)
    review.click(send_to_review, answer, [answer, review], trigger_mode="once", **_QUIET)


# --- what comes from the browser ------------------------------------------------------------------------------------


def _hashes(value: Any) -> list[str]:
    media = value.get("media") if isinstance(value, dict) else None
    return [str(medium.get("sha256")) for medium in (media or [])[:MAX_FILES] if isinstance(medium, dict)]


def seed_of(text: str | None) -> int | None:
    """The seed that a person typed, None for an empty field. Raises InvalidInput for anything but a whole number from 0."""
    text = (text or "").strip()
    if not text:
        return None
    if not text.isascii() or not text.isdigit():
        raise InvalidInput(f"The seed {text!r} is not a whole number from 0; leave it empty for the most likely words.")
    return int(text)


def _index(value: Any) -> int:
    current = value.get("current") if isinstance(value, dict) else None
    return current if isinstance(current, int) and current >= 0 else 0


def _media(studio: Studio, hashes: list[str]) -> list[dict[str, Any]]:
    return [media_value(studio.media.load(sha256), studio.store.media.name_of(sha256)) for sha256 in hashes]


def example_of(studio: Studio, hashes: list[str], text: str) -> Example:
    """A question about media of the studio. Raises InvalidInput for what cannot be asked, NotFound for media that are not
    there."""
    question = (text or "").strip()
    if not hashes:
        raise InvalidInput("Choose a picture or a clip first: a sample, or one of your own.")
    if not question:
        raise InvalidInput("Write a question first.")
    if len(question) > MAX_QUESTION_CHARACTERS:
        raise InvalidInput(
            f"The question has {len(question)} characters; at most {MAX_QUESTION_CHARACTERS} can be asked at once."
        )
    return Example(question, tuple(studio.media.load(sha256).media for sha256 in hashes))


# --- what goes to the browser ---------------------------------------------------------------------------------------


def _samples_value(studio: Studio) -> dict:
    items = []
    for sample in studio.samples():
        kind = studio.media.load(sample.sha256).media.kind
        url = thumbnail_url(sample.sha256, None if kind == "image" else 1)
        items.append({"title": sample.title, "question": sample.question, "kind": kind, "url": url})
    return {"items": items, "current": None}


def _fresh(media: list[dict[str, Any]]) -> tuple:
    """Media on the stage, nothing asked yet."""
    return (
        source_value(media),
        filmstrip_value(media),
        source_value(media),
        {"steps": [], "empty": _NO_STEPS},
        {"state": "empty", "hint": _HINT},
        *_buttons(is_running=False),
        gr.Button(interactive=False),
    )


def _shown(media: list[dict[str, Any]], question: str, progress: Progress, attempt: str | None = None) -> tuple:
    """Everything that the page shows of an attempt, so far or at its end; `attempt` is its key while it may be watched."""
    views, done = progress.views, progress.steps
    stage = source_value(media, views, done)
    value = {
        "state": "done" if progress.is_over else "running",
        "question": question,
        "answer": progress.answer,
        "elapsed_s": None if progress.elapsed_s is None else round(progress.elapsed_s, 1),
        "policy": progress.policy,
        "trace_id": progress.trace_id,
        "attempt": None if progress.is_over else attempt,
        **_told(progress),
    }
    return (
        stage,
        filmstrip_value(media, views, done),
        stage,
        steps_value(media, views, done, progress.thought),
        value,
        *_buttons(is_running=not progress.is_over),
        gr.Button(interactive=progress.trace_id is not None),
    )


def _told(progress: Progress) -> dict[str, str]:
    """The line below the answer, how serious it is, and what a screen reader says."""
    count = len(progress.steps)
    if progress.waiting is not None:
        return {"note": f"{progress.waiting}; your question waits", "tone": "plain", "status": "The model is loading."}
    if progress.stop_reason is None:
        last = progress.steps[-1] if count else None
        saw = f"Step {count} is done. " if last else ""
        if progress.before is not None:
            line = f"In line: {progress.before} before you" if progress.before else "In line: you are next"
            return {"note": line, "tone": "plain", "status": f"{saw}{line}."}
        return {"note": f"Step {count + 1}: thinking", "tone": "plain", "status": f"{saw}Thinking."}
    note = progress.problem or outcome(progress.stop_reason, count)
    tone = {"answered": "plain", "failed": "bad"}.get(progress.stop_reason, "warn")
    answer = f"The answer is {progress.answer}. " if progress.answer else ""
    return {"note": note, "tone": tone, "status": answer + note}


def _buttons(*, is_running: bool) -> tuple[Any, Any]:
    return gr.Button(interactive=not is_running), gr.Button(interactive=is_running)


def _refused(sentence: str, before: Any) -> tuple:
    """The sentence, and everything else as it was."""
    value = {**(before if isinstance(before, dict) else {"state": "empty", "hint": _HINT}), "problem": sentence}
    return (gr.skip(), gr.skip(), gr.skip(), gr.skip(), value, *_buttons(is_running=False), gr.skip())


def _opened(studio: Studio, trace_id: str | None) -> tuple:
    """The page as it stood when the trace of that id ended; as it is, without one."""
    if trace_id is None:
        return tuple(gr.skip() for _ in range(10))
    try:
        trace = studio.store.revisions.head(trace_id).trace
        media = _media(studio, [medium.sha256 for medium in trace.media])
    except NotFound as error:
        return (gr.skip(), gr.skip(), *_refused(str(error), None))
    progress = _progress(trace, trace_id)
    return ({"media": None, "is_compact": True}, trace.question, *_shown(media, trace.question, progress))


def _progress(trace: Trace, trace_id: str) -> Progress:
    return Progress(
        views=trace.views,
        steps=trace.steps,
        stop_reason=trace.stop_reason,
        answer=trace.answer,
        trace_id=trace_id,
        policy=trace.policy,
    )


def _sent(studio: Studio, value: Any, reviewer: str) -> tuple:
    """Flags the trace for review; the answer gets a link to where it is reviewed."""
    trace_id = str(value.get("trace_id")) if isinstance(value, dict) else ""
    try:
        studio.workbench.send_to_review(trace_id, reviewer)
    except PersonError as error:
        return {**value, "problem": str(error)}, gr.skip()
    link = {"href": f"curate?trace={trace_id}", "text": "Sent to review: open it in Curate"}
    return {**value, "link": link, "status": "Sent to review."}, gr.Button(interactive=False)
