"""What becomes of an adapter, as it stands below the run: promote or discard, its name, and taking it elsewhere."""

from __future__ import annotations

from dataclasses import dataclass

import gradio as gr

from ui.components.plan import Plan

__all__ = ["AdapterPart", "build_adapter_part"]


@dataclass(frozen=True, slots=True)
class AdapterPart:
    """`doubt` is shown where Promote asks first, with its `question`; `elsewhere` says how merging or sending goes."""

    verdict: Plan
    promote: gr.Button
    discard: gr.Button
    resume: gr.Button
    doubt: gr.Column
    question: Plan
    promote_anyway: gr.Button
    leave: gr.Button
    new_name: gr.Textbox
    rename: gr.Button
    elsewhere: Plan
    merge: gr.Button
    repo: gr.Textbox
    is_public: gr.Checkbox
    push: gr.Button


def build_adapter_part() -> AdapterPart:
    verdict = Plan(describes="train-promote")
    with gr.Row(elem_classes="train-verdict"):
        promote = gr.Button("Promote", interactive=False, elem_id="train-promote", min_width=100)
        discard = gr.Button("Discard", interactive=False, elem_id="train-discard", min_width=100)
        resume = gr.Button("Go on with this run", interactive=False, elem_id="train-resume", min_width=100)
    with gr.Column(visible=False, elem_id="train-doubt") as doubt:
        question = Plan(describes="train-promote-anyway")
        with gr.Row(elem_classes="train-verdict"):
            promote_anyway = gr.Button("Promote all the same", elem_id="train-promote-anyway", min_width=100)
            leave = gr.Button("Leave it", elem_id="train-leave", min_width=100)
    with gr.Row(elem_classes="train-verdict"):
        new_name = gr.Textbox(
            label="Name of this adapter", max_lines=1, max_length=80, elem_id="train-name", min_width=160
        )
        rename = gr.Button("Rename", interactive=False, elem_id="train-rename", min_width=80, scale=0)
    with gr.Accordion("Merge or publish", open=False, elem_classes="train-advanced", elem_id="train-elsewhere"):
        elsewhere = Plan(describes="train-merge")
        with gr.Row(elem_classes="train-verdict"):
            merge = gr.Button("Merge into full weights", interactive=False, elem_id="train-merge", min_width=100)
        repo = gr.Textbox(
            label="Model on the Hugging Face Hub", placeholder="OWNER/NAME", max_lines=1, elem_id="train-repo"
        )
        is_public = gr.Checkbox(label="Everybody may read it", value=False, elem_id="train-public")
        with gr.Row(elem_classes="train-verdict"):
            push = gr.Button("Push the adapter", interactive=False, elem_id="train-push", min_width=100)
    return AdapterPart(
        verdict=verdict,
        promote=promote,
        discard=discard,
        resume=resume,
        doubt=doubt,
        question=question,
        promote_anyway=promote_anyway,
        leave=leave,
        new_name=new_name,
        rename=rename,
        elsewhere=elsewhere,
        merge=merge,
        repo=repo,
        is_public=is_public,
        push=push,
    )
