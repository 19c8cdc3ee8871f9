"""What stands on the Ask page first: the samples, or the picture, question and answer that the address names."""

from __future__ import annotations

from fastapi import Request

from engine.errors import PersonError
from ui.answering import Answering
from ui.asking.reading import MAX_FILES
from ui.asking.sureness import sureness_value
from ui.rights import permitted
from ui.sending.first_page import FirstPage
from ui.sending.pages import About
from ui.studio import Studio
from ui.trace_values import thumbnail_url

__all__ = ["ASK_HEADING", "ASK_NOTE", "about_ask"]

ASK_HEADING, ASK_NOTE = "Ask about a picture or a clip", "Pick a sample, or bring your own."
_MOST_SAMPLES = 8
_SAMPLE_SIDE_PX, _PICTURE_SIDE_PX = 96, 384


def about_ask(studio: Studio, answering: Answering, bar: str, request: Request) -> About:
    """What does not exist, or may not be seen, is left to the page itself, which says so."""
    try:
        person = permitted(request, "look")
        if trace := request.query_params.get("trace"):
            return _attempt(studio, answering, bar, trace, person)
        if media := request.query_params.get("media"):
            hashes = media.split(",")[:MAX_FILES]
            studio.workbench.require_media_seen(person, hashes[0])
            question = request.query_params.get("question")
            first = FirstPage(bar, ASK_HEADING, ASK_NOTE, picture=_picture(studio, hashes[0]), question=question)
            return About("Ask", first)
    except PersonError:
        return About("Ask", FirstPage(bar, ASK_HEADING, ASK_NOTE))
    # Those that are still being drawn are not waited for.
    drawn = studio.samples() if getattr(studio.samples, "is_drawn", True) else ()
    samples = [(_picture(studio, one.sha256, _SAMPLE_SIDE_PX), one.sha256, one.question) for one in drawn]
    return About("Ask", FirstPage(bar, ASK_HEADING, ASK_NOTE, samples=samples[:_MOST_SAMPLES]))


def _attempt(studio: Studio, answering: Answering, bar: str, trace_id: str, person: str) -> About:
    attempt = answering.find_for(trace_id, person)
    if attempt is not None and attempt.progress.trace_id is None:
        example = attempt.example
        picture = _picture(studio, example.media[0].sha256)
        return About(example.question, FirstPage(bar, ASK_HEADING, picture=picture, question=example.question))
    studio.workbench.require_seen(person, trace_id)
    item = studio.store.traces.get(trace_id).item
    sure = sureness_value(item.policy, item.confidence, item.answer)
    first = FirstPage(
        bar,
        ASK_HEADING,
        picture=_picture(studio, item.media_sha256) if item.media_sha256 else None,
        question=item.question,
        answer=item.answer,
        note_on_answer=sure["line"] if sure and item.status != "edited" else "",
    )
    return About(item.question, first)


def _picture(studio: Studio, sha256: str, side_px: int = _PICTURE_SIDE_PX) -> str:
    """Raises NotFound."""
    return thumbnail_url(sha256, 1 if studio.media.load(sha256).media.kind == "video" else None, side_px)
