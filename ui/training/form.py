"""The knobs of the Train screen, as they stand in its left column: what is learned from, how, and what it is measured on."""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import Any

import gradio as gr

from engine.evaluation.held_out import SHARE
from engine.store import Store
from ui.page import eyebrow
from ui.training import knobs
from ui.training.held_out import held_out_choices

__all__ = ["KIND_INFO", "Form", "build_form"]

_KINDS = [
    ("Supervised fine-tuning (SFT)", "sft"),
    ("Preferences (DPO)", "dpo"),
    ("Curiosity-driven RL (GRPO)", "grpo"),
]
KIND_INFO = {
    "sft": "Learns to say, turn by turn, what accepted traces say. Erroneous and failed turns are left out.",
    "dpo": "Learns to go on as people corrected the model, and as they chose between two attempts, rather than the other way.",
    "grpo": "Tries the accepted traces' questions again and again, and learns from what was right. Curiosity pays for "
    "looking closer while few attempts do.",
}
_REWARDS = [
    ("Paper: right, curious, sparing", "paper"),
    ("Released code: its own bonus", "released-code"),
    ("Credit: what each look was worth", "credit"),
    ("Without curiosity: right alone", "plain"),
]
_ADVANTAGES = [
    ("Normalised in the group (paper)", "normalised"),
    ("Centred only (released code)", "centred"),
    ("By prefix: of attempts that began alike", "by-prefix"),
]


@dataclass(frozen=True, slots=True)
class Form:
    """In the order of `ui.training.knobs.read_knobs`."""

    kind: gr.Radio
    passes: gr.Number
    steps: gr.Number
    rate: gr.Number
    rank: gr.Number
    held_out: gr.Dropdown
    percent: gr.Number
    count: gr.Number
    rl_steps: gr.Number
    queries: gr.Number
    rollouts: gr.Number
    reward: gr.Dropdown
    advantage: gr.Dropdown
    file: gr.Textbox
    variants: gr.Number

    @property
    def knobs(self) -> list[Any]:
        return [getattr(self, field.name) for field in fields(self)]

    @property
    def of_sft(self) -> list[Any]:
        """What RL does not have, and DPO has, too."""
        return [self.passes, self.steps]

    @property
    def of_rl(self) -> list[Any]:
        return [self.rl_steps, self.queries, self.rollouts, self.reward, self.advantage]


def build_form(store: Store) -> Form:
    """Below the heading of what is learned from."""
    eyebrow("How")
    kind = gr.Radio(_KINDS, value="sft", label="Kind", info=KIND_INFO["sft"], elem_id="train-kind")
    with gr.Row(elem_classes="train-knobs"):
        rl_steps = _number("Steps", knobs.RL.steps, "train-rl-steps", visible=False)
        queries = _number("Questions", knobs.RL.queries_a_step, "train-queries", visible=False)
        rollouts = _number("Rollouts", knobs.RL.rollouts, "train-rollouts", visible=False)
    reward = gr.Dropdown(_REWARDS, value="paper", label="Reward", elem_id="train-reward", visible=False)
    advantage = gr.Dropdown(
        _ADVANTAGES, value=knobs.RL.advantage, label="Advantages", elem_id="train-advantage", visible=False
    )
    with gr.Row(elem_classes="train-knobs"):
        passes = _number("Passes", knobs.SFT.passes, "train-passes")
        rate = _number("Learning rate", knobs.SFT.learning_rate, "train-rate", step=0.00001)
        rank = _number("Rank", knobs.SFT.rank, "train-rank")
    eyebrow("Measured on, before and after")
    held_out = gr.Dropdown(
        held_out_choices(store),
        value=SHARE,
        label="Held out",
        info="Never learned from; the same examples before and after.",
        elem_id="train-held-out",
    )
    file = gr.Textbox(label="Where it lies on the studio's computer", max_lines=1, visible=False, elem_id="train-file")
    with gr.Row(elem_classes="train-knobs"):
        percent = _number("Share, %", round(100 * knobs.HELD_OUT.share), "train-share")
        count = _number("At most, examples", knobs.HELD_OUT.count, "train-count")
    with gr.Accordion("Advanced", open=False, elem_classes="train-advanced", elem_id="train-advanced"):
        steps = gr.Number(0, label="Steps (0: as many as the passes need)", elem_id="train-steps")
        variants = gr.Number(
            knobs.SFT.box_variants,
            label="Variants with moved boxes",
            info="Of each trace, one of them a pass. For few traces, whose boxes leave some room.",
            elem_id="train-variants",
        )
    return Form(
        kind=kind,
        passes=passes,
        steps=steps,
        rate=rate,
        rank=rank,
        held_out=held_out,
        percent=percent,
        count=count,
        rl_steps=rl_steps,
        queries=queries,
        rollouts=rollouts,
        reward=reward,
        advantage=advantage,
        file=file,
        variants=variants,
    )


def _number(label: str, value: float, elem_id: str, **options: Any) -> gr.Number:
    return gr.Number(value, label=label, elem_id=elem_id, min_width=70, **options)
