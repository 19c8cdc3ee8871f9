"""The Train screen: what would be learned, few knobs, the run as it goes, and what becomes of the adapter.

The idea: everything that the page shows is read from the store (`ui.training.board`), again whenever something there
has changed; the page keeps only which run it looks at. So a page that is opened later, reloaded or opened twice shows
the whole run, and a run does not know whether anybody looks. `/train?job=ID` opens a certain run, otherwise it is the
newest.

What may be pressed, and the sentence that says why not, comes from `ui.training.controls`.
Not covered: every rollout of a run; a few are kept to be looked at (`engine.training.looked_at`).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import fields, replace
from typing import TYPE_CHECKING, Any

import gradio as gr

from engine.errors import Doubtful, PersonError, Unavailable
from engine.evaluation.held_out import SHARE, HeldOut
from ui.components.basis import Basis
from ui.components.comparison import Comparison
from ui.components.curves import Curves
from ui.components.job import Job
from ui.components.plan import Plan
from ui.components.rollouts import Rollouts
from ui.components.runs import Runs
from ui.components.who import WhoAnswers
from ui.guests import query, user_of
from ui.page import Page, eyebrow, heading
from ui.rights import handles, permitted
from ui.studio import Studio
from ui.training import knobs
from ui.training.adapter_part import build_adapter_part
from ui.training.board import Board, Seen, has_changed, read_board, runs_beside
from ui.training.controls import Control, Controls, controls
from ui.training.form import KIND_INFO, Form, build_form
from ui.training.held_out import FILE, held_out_choices

if TYPE_CHECKING:
    from ui.training.desk import TrainingDesk

__all__ = ["build"]

_NOTE = "What people approved becomes a LoRA adapter, on frozen weights that go on answering meanwhile."
_HELD_OUT = [field.name for field in fields(Form)].index("held_out")
"""Its place among the knobs."""
_POLL_S, _IDLE_POLL_S = 1.0, 5.0
_HEAR_AGAIN_S = 15.0
"""A page that stopped listening goes on for so long without what was said to it (docs/libraries.md)."""
"""How often a page asks whether something has changed: while a run waits or goes, and otherwise."""
_QUIET: dict[str, Any] = {"show_progress": "hidden", "api_name": False}


def build(studio: Studio, page: Page) -> None:
    chosen, seen = gr.State(None), gr.State(Seen())
    with gr.Row(elem_classes="columns train"):
        with gr.Column(scale=0, min_width=356, elem_classes="column-left"):
            heading("Train on what was approved", _NOTE)
            eyebrow("Learn from")
            basis = Basis(elem_id="train-basis")
            form = build_form(studio.store)
            with gr.Row(elem_classes="action-bar"):
                plan = Plan(describes="train-start", elem_classes="train-plan")
                expected = Plan(describes="train-probe", elem_classes="train-plan")
                start = gr.Button(
                    "Start", variant="primary", interactive=False, elem_id="train-start", scale=2, min_width=80
                )
                probe = gr.Button("Estimate", interactive=False, elem_id="train-probe", min_width=80)
                stop = gr.Button("Stop", interactive=False, elem_id="train-stop", min_width=60)
        with gr.Column(scale=1, min_width=320, elem_classes="column-middle"):
            job = Job(elem_id="train-status")
            curves = Curves(elem_id="train-curves")
            beside = gr.Dropdown(
                [],
                multiselect=True,
                max_choices=5,
                label="Other runs in the same charts",
                visible=False,
                elem_id="train-beside",
            )
            attempts = Rollouts(elem_id="train-rollout-samples")
            eyebrow("Before and after, on held-out examples")
            comparison = Comparison(elem_id="train-comparison")
            part = build_adapter_part()
        with gr.Column(scale=0, min_width=312, elem_classes="column-right"):
            eyebrow("Answers in Ask now")
            who = WhoAnswers(elem_id="train-live")
            roll_back = gr.Button(
                "Back to what answered before", interactive=False, elem_id="train-roll-back", size="sm"
            )
            demote = gr.Button("Back to the backbone alone", interactive=False, elem_id="train-demote", size="sm")
            eyebrow("Runs")
            runs = Runs(elem_id="train-runs")

    numbers = form.knobs
    shown: list[Any] = [seen, basis, job, curves, attempts, comparison, who, runs]
    shown += [plan, start, stop, expected, probe, part.verdict, part.promote, part.discard, part.resume, demote]
    shown += [roll_back, part.rename, part.elsewhere, part.merge, part.push, part.doubt, part.question]
    timer = gr.Timer(_POLL_S)
    shown.append(timer)

    @handles("look")
    def say_nothing(request: gr.Request) -> None:
        """Any event opens the stream of a page that stopped listening while something was under way, and what was said to it
        is still there: the timer, which waits for its last answer, would wait until somebody clicks."""

    gr.Timer(_HEAR_AGAIN_S).tick(say_nothing, trigger_mode="multiple", **_QUIET)

    @handles("look_at_work")
    def open_page(request: gr.Request, *turned: Any) -> tuple:
        at = query(request, "job")
        return (
            gr.Dropdown(held_out_choices(studio.store)),
            _beside(studio, at),
            at,
            *_everything(studio, at, turned),
        )

    @handles("look_at_work")
    def look_again(at: str | None, before: Seen, request: gr.Request, *turned: Any) -> Any:
        if not has_changed(studio, at, before):
            return tuple(gr.skip() for _ in shown)
        return _everything(studio, at, turned, seen=before, doubt=None)

    @handles("look_at_work")
    def pick_run(value: Any, request: gr.Request, *turned: Any) -> tuple:
        at = str(value.get("current")) if isinstance(value, dict) else None
        return (_beside(studio, at), at, *_everything(studio, at, turned))

    @handles("look")
    def show_beside(wanted: list[str] | None, at: str | None, before: Seen, request: gr.Request, *turned: Any) -> tuple:
        return _everything(studio, at, turned, seen=replace(before, beside=tuple(wanted or ())), doubt=None)

    @handles("look_at_work")
    def plan_again(at: str | None, before: Seen, request: gr.Request, *turned: Any) -> tuple:
        parts = controls(studio, read_board(studio, at, before), turned)
        return parts.plan, _button(parts.start), parts.expected, _button(parts.probe)

    @handles("train")
    def start_run(request: gr.Request, *turned: Any) -> tuple:
        problem = _problem(lambda: _desk(studio).start(*_read(request, turned)))
        return (_beside(studio, None), None, *_everything(studio, None, turned, plan_problem=problem))

    @handles("train")
    def probe_run(at: str | None, before: Seen, request: gr.Request, *turned: Any) -> tuple:
        problem = _problem(lambda: _desk(studio).probe(*_read(request, turned)))
        return _everything(studio, at, turned, seen=before, plan_problem=problem)

    @handles("train")
    def stop_run(at: str | None, before: Seen, request: gr.Request, *turned: Any) -> tuple:
        board = read_board(studio, at, before)
        running = board.job if board.job and board.job.is_active else board.active or board.probe
        problem = _problem(lambda: _desk(studio).stop(running.id)) if running else None
        return _everything(studio, at, turned, seen=before, plan_problem=problem)

    def deciding(action: str, act: Callable[[TrainingDesk, Board, str], Any]) -> Callable[..., tuple]:
        """A handler that does something with the run that is shown, or with its adapter."""

        @handles(action)
        def decide(at: str | None, before: Seen, request: gr.Request, *turned: Any) -> tuple:
            board, person = read_board(studio, at, before), user_of(request)
            try:
                problem = _problem(lambda: act(_desk(studio), board, person))
            except Doubtful as error:
                return _everything(studio, at, turned, doubt=str(error))
            return _everything(studio, at, turned, verdict_problem=problem)

        return decide

    resume_run = deciding("train", lambda desk, board, _: desk.resume(_id(board.job)))
    promote_adapter = deciding("promote", lambda desk, board, person: desk.promote(_id(board.adapter), person))
    discard_adapter = deciding("discard_adapter", lambda desk, board, _: desk.discard(_id(board.adapter)))
    insist = deciding("promote", lambda desk, board, person: desk.promote(_id(board.adapter), person, is_sure=True))
    demote_adapter = deciding("promote", lambda desk, _, person: desk.demote(person))
    go_back = deciding("promote", lambda desk, _, person: desk.roll_back(person))

    @handles("look")
    def leave_it(at: str | None, before: Seen, request: gr.Request, *turned: Any) -> tuple:
        return _everything(studio, at, turned)

    @handles("train")
    def rename_adapter(name: str, at: str | None, before: Seen, request: gr.Request, *turned: Any) -> tuple:
        board = read_board(studio, at, before)
        problem = _problem(lambda: _desk(studio).rename(_id(board.adapter), name))
        return _everything(studio, at, turned, verdict_problem=problem)

    @handles("train")
    def merge_adapter(at: str | None, before: Seen, request: gr.Request, *turned: Any) -> tuple:
        board = read_board(studio, at, before)
        problem = _problem(lambda: _desk(studio).merge(_id(board.adapter)))
        return _everything(studio, at, turned, elsewhere_problem=problem)

    @handles("push")
    def push_adapter(
        repo: str, is_public: bool, at: str | None, before: Seen, request: gr.Request, *turned: Any
    ) -> tuple:
        board = read_board(studio, at, before)
        problem = _problem(lambda: _desk(studio).push(_id(board.adapter), repo, is_public=is_public))
        return _everything(studio, at, turned, elsewhere_problem=problem)

    @handles("look_at_work")
    def show_kind(chosen_kind: str, request: gr.Request) -> tuple:
        return (
            gr.Radio(info=KIND_INFO.get(chosen_kind, "")),
            {"sft": knobs.SFT, "dpo": knobs.DPO}.get(chosen_kind, knobs.RL).learning_rate,
            *(gr.update(visible=chosen_kind != "grpo") for _ in form.of_sft),
            *(gr.update(visible=chosen_kind == "grpo") for _ in form.of_rl),
            gr.update(visible=chosen_kind == "sft"),
        )

    @handles("look")
    def show_held_out(name: str | None, request: gr.Request) -> tuple:
        return gr.update(visible=name == SHARE), gr.update(visible=bool(name)), gr.update(visible=name == FILE)

    @handles("look")
    def show_advantage(reward: str | None, request: gr.Request) -> str:
        return knobs.advantage_of(reward)

    everywhere = [chosen, seen, *numbers]
    page.blocks.load(open_page, numbers, [form.held_out, beside, chosen, *shown], **_QUIET)
    timer.tick(
        look_again, everywhere, shown, trigger_mode="once", concurrency_limit=None, show_progress_on=[], **_QUIET
    )
    beside.input(show_beside, [beside, *everywhere], shown, trigger_mode="always_last", **_QUIET)
    runs.pick(pick_run, [runs, *numbers], [beside, chosen, *shown], trigger_mode="always_last", **_QUIET)
    gr.on(
        [number.change for number in numbers],
        plan_again,
        everywhere,
        [plan, start, expected, probe],
        trigger_mode="always_last",
        **_QUIET,
    )
    of_kinds = [form.kind, form.rate, *form.of_sft, *form.of_rl, form.variants]
    form.kind.change(show_kind, form.kind, of_kinds, **_QUIET)
    form.reward.input(show_advantage, form.reward, form.advantage, **_QUIET)
    form.held_out.change(show_held_out, form.held_out, [form.percent, form.count, form.file], **_QUIET)
    start.click(start_run, numbers, [beside, chosen, *shown], trigger_mode="once", **_QUIET)
    stop.click(stop_run, everywhere, shown, trigger_mode="once", **_QUIET)
    once: dict[str, Any] = {"trigger_mode": "once", **_QUIET}
    probe.click(probe_run, everywhere, shown, **once)
    demote.click(demote_adapter, everywhere, shown, **once)
    roll_back.click(go_back, everywhere, shown, **once)
    part.resume.click(resume_run, everywhere, shown, **once)
    part.promote.click(promote_adapter, everywhere, shown, **once)
    part.discard.click(
        discard_adapter,
        everywhere,
        shown,
        js="(...all) => confirm('Delete the weights of this adapter? The record of the run stays.') ? all : null",
        **once,
    )
    part.promote_anyway.click(insist, everywhere, shown, **once)
    part.leave.click(leave_it, everywhere, shown, **once)
    part.rename.click(rename_adapter, [part.new_name, *everywhere], shown, **once)
    part.merge.click(merge_adapter, everywhere, shown, **once)
    part.push.click(push_adapter, [part.repo, part.is_public, *everywhere], shown, **once)


def _everything(
    studio: Studio,
    at: str | None,
    turned: tuple[Any, ...],
    *,
    seen: Seen | None = None,
    plan_problem: str | None = None,
    verdict_problem: str | None = None,
    elsewhere_problem: str | None = None,
    doubt: str | None = "",
) -> tuple:
    """A value for every part that is shown, in their order; `doubt` is what Promote asks, None where that stays as it is."""
    board = read_board(studio, at, seen)
    parts = controls(studio, board, turned)
    pace = gr.Timer(_POLL_S if board.is_busy else _IDLE_POLL_S)
    asked = (gr.skip(), gr.skip())
    if doubt is not None:
        asked = (gr.update(visible=bool(doubt)), {"text": _capital(doubt), "tone": "bad" if doubt else "plain"})
    return (
        *_board_values(board),
        *_control_values(parts, plan_problem, verdict_problem, elsewhere_problem),
        *asked,
        pace,
    )


def _beside(studio: Studio, at: str | None) -> Any:
    """The runs that can stand beside the one that is shown, to choose from; none is chosen."""
    names = [
        (f"{one.config.get('name') or one.kind} ({one.created_at[:16].replace('T', ' ')})", one.id)
        for one in runs_beside(studio, at)
    ]
    return gr.Dropdown(names, value=[], visible=bool(names))


def _board_values(board: Board) -> tuple:
    basis = gr.skip() if board.basis is None else board.basis
    shown = (board.job_value, board.curves, board.attempts, board.comparison, board.who, board.runs)
    return (board.seen, basis, *shown)


def _control_values(
    parts: Controls, plan_problem: str | None, verdict_problem: str | None, elsewhere_problem: str | None
) -> tuple:
    return (
        _or_problem(parts.plan, plan_problem),
        _button(parts.start),
        _button(parts.stop),
        parts.expected,
        _button(parts.probe),
        _or_problem(parts.verdict, verdict_problem),
        _button(parts.promote),
        _button(parts.discard),
        _button(parts.resume),
        _button(parts.demote),
        _button(parts.roll_back),
        _button(parts.rename),
        _or_problem(parts.elsewhere, elsewhere_problem),
        _button(parts.merge),
        _button(parts.push),
    )


def _or_problem(said: dict[str, str], problem: str | None) -> dict[str, str]:
    return said if problem is None else {"text": problem, "tone": "bad"}


def _button(control: Control) -> Any:
    return gr.Button(control.text, interactive=control.is_possible)


def _read(request: gr.Request, turned: tuple[Any, ...]) -> tuple[str, dict[str, Any], HeldOut | None]:
    """The knobs. Raises NotAllowed where a file of the host is named by who may not read there."""
    if turned[_HELD_OUT] == FILE:
        permitted(request, "import_from_host")
    return knobs.read_knobs(*turned)


def _desk(studio: Studio) -> TrainingDesk:
    """A button that cannot be pressed can still be called from outside."""
    if studio.jobs is None:
        raise Unavailable(studio.untrainable or "")
    return studio.jobs


def _problem(action: Callable[[], Any]) -> str | None:
    """Does it; returns the sentence for the person where it cannot be done. Raises Doubtful where it first asks."""
    try:
        action()
    except Doubtful:
        raise
    except PersonError as error:
        return _capital(str(error))
    return None


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]


def _id(record: Any) -> str:
    return "" if record is None else record.id
