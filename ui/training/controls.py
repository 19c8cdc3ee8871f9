"""What may be pressed on the Train screen now, and the sentences that say what it would do or why it cannot be. Pure.

Invariant: a button that cannot be pressed has its reason on the page, and one that can be pressed does something.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from engine.errors import PersonError
from engine.store import Job
from ui.studio import Studio
from ui.training.board import Board
from ui.training.expecting import expectation
from ui.training.knobs import dpo_sentence, plan_sentence, read_knobs, rl_sentence
from ui.words import counted, sentence

__all__ = ["Control", "Controls", "controls"]

_NOTHING = "Nothing can be learned from yet: approve traces in Curate first."
_NO_PREFERENCE = (
    "There is no preference to learn from yet: in Curate, correct and approve, or say which of two is better."
)


@dataclass(frozen=True, slots=True)
class Control:
    text: str
    is_possible: bool


@dataclass(frozen=True, slots=True)
class Controls:
    """`plan`, `expected`, `verdict` and `elsewhere` are values of `ui.components.plan.Plan`."""

    plan: dict[str, str]
    start: Control
    stop: Control
    expected: dict[str, str]
    probe: Control
    verdict: dict[str, str]
    promote: Control
    discard: Control
    resume: Control
    demote: Control
    roll_back: Control
    rename: Control
    elsewhere: dict[str, str]
    merge: Control
    push: Control


def controls(studio: Studio, board: Board, turned: Sequence[Any]) -> Controls:
    """`turned` are the values of the knobs, in the order of `knobs.read_knobs`."""
    can_train = studio.jobs is not None
    text, tone, can_start, expected = _plan(studio, board, turned)
    job, adapter = board.job, board.adapter
    is_probing = board.probe is not None and board.probe.is_active
    running = job if job and job.is_active else board.active or (board.probe if is_probing else None)
    is_live = adapter is not None and board.live is not None and adapter.id == board.live.id
    is_there = adapter is not None and not adapter.is_discarded
    can_resume = bool(can_train and job and job.state in ("stopped", "failed", "interrupted") and not board.active)
    return Controls(
        plan={"text": text, "tone": tone},
        start=Control("Start", can_start),
        stop=Control(
            "Stopping" if running and running.state == "stopping" else "Stop",
            bool(can_train and running and running.state in ("queued", "running")),
        ),
        expected=expected,
        probe=Control("Measuring" if is_probing else "Estimate", can_start and not is_probing),
        verdict={"text": _verdict(board, is_live=is_live, can_train=can_train), "tone": "plain"},
        promote=Control("Promoted" if is_live else "Promote", bool(can_train and is_there and not is_live)),
        discard=Control("Discard", bool(can_train and is_there and not is_live)),
        resume=Control("Go on with this run", can_resume),
        demote=Control("Back to the backbone alone", bool(can_train and board.promoted)),
        roll_back=Control(
            f"Back to {board.previous.name}" if board.previous else "Back to what answered before",
            bool(can_train and board.previous),
        ),
        rename=Control("Rename", bool(can_train and is_there)),
        elsewhere=_elsewhere(board.sent),
        merge=Control("Merge into full weights", bool(can_train and is_there)),
        push=Control("Push the adapter", bool(can_train and is_there)),
    )


def _plan(studio: Studio, board: Board, turned: Sequence[Any]) -> tuple[str, str, bool, dict[str, str]]:
    """(sentence, tone, whether Start can be pressed, what the run will take)."""
    nothing = {"text": "", "tone": "plain"}
    if studio.untrainable is not None:
        return studio.untrainable, "warn", False, nothing
    if board.active is not None:
        return "One run at a time: the next can start when this one has ended.", "plain", False, nothing
    try:
        kind, config, held_out = read_knobs(*turned)
    except PersonError as error:
        return str(error), "bad", False, nothing
    if board.seen.usable == 0 and kind != "dpo":
        return _NOTHING, "warn", False, nothing
    assert studio.jobs is not None  # there is no reason why it could not be trained
    learned, apart = studio.jobs.divided(kind, held_out)
    if learned == 0:
        return _NO_PREFERENCE, "warn", False, nothing
    said = {"grpo": rl_sentence, "dpo": dpo_sentence}.get(kind, plan_sentence)
    kept = f" {counted(apart, 'trace')} held out to measure on." if apart else ""
    if kind == "dpo":
        pairs = studio.jobs.pair_kinds()
        kept += f" In all {counted(pairs['edit'], 'correction')} and {counted(pairs['choice'], 'choice')} between two attempts."
    expected = expectation(studio.store, board.probe, kind, config, held_out, learned)
    return said(learned, config) + kept, "plain", True, expected


def _elsewhere(sent: Job | None) -> dict[str, str]:
    """How merging or sending goes, or what it does."""
    if sent is None:
        text = "Merging writes the adapter into the base's unquantised weights; publishing sends files and card to the Hub."
        return {"text": text, "tone": "plain"}
    if sent.is_active:
        return {"text": sentence(sent.message or "Waiting"), "tone": "plain"}
    return {"text": sentence(sent.message), "tone": "plain" if sent.state == "done" else "bad"}


def _verdict(board: Board, *, is_live: bool, can_train: bool) -> str:
    job, adapter = board.job, board.adapter
    if job is None or (adapter is None and job.is_active):
        return "" if job is None else "Once the run has ended, its adapter can be promoted or discarded."
    if adapter is None:
        return "This run left no adapter."
    if adapter.is_discarded:
        return f"The weights of {adapter.name} were discarded; the record of the run stays."
    if is_live:
        return f"{adapter.name} answers in Ask now."
    if not can_train:
        return f"{adapter.name} belongs to {adapter.base_model}, which is not loaded."
    return f"Promote lets {adapter.name} answer in Ask from the next turn on. Discard deletes its weights."
