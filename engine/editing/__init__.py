"""Editing: a person's changes to a trace, as values; pure but for the sizes of pictures.

`edits` are what can be done, `draft` is the trace while it is being changed (undo, redo, what is stale), `applying`
makes the next state and executes operations again, `problems` says what stands in the way of approving, `continuing`
lets a policy go on, `diff` compares versions.

Not covered: where drafts are kept and who may change what (`engine.store`, `engine.workbench`).
"""

from engine.editing.applying import apply
from engine.editing.continuing import continuation, continue_from, prefix
from engine.editing.diff import diff, step_diff_to_json
from engine.editing.draft import Draft, committed, draft_from_json, draft_of, draft_to_json, redo, undo
from engine.editing.edits import (
    Confirm,
    DeleteStep,
    Edit,
    InsertStep,
    MarkErroneous,
    MoveStep,
    RemoveOperation,
    Rerun,
    SetAnswer,
    SetBox,
    SetFrames,
    SetThought,
    TakeSteps,
    edit_from_json,
    edit_to_json,
)
from engine.editing.problems import is_unreadable, problems, trace_problems

__all__ = [
    "Confirm",
    "DeleteStep",
    "Draft",
    "Edit",
    "InsertStep",
    "MarkErroneous",
    "MoveStep",
    "RemoveOperation",
    "Rerun",
    "SetAnswer",
    "SetBox",
    "SetFrames",
    "SetThought",
    "TakeSteps",
    "apply",
    "committed",
    "continuation",
    "continue_from",
    "diff",
    "draft_from_json",
    "draft_of",
    "draft_to_json",
    "edit_from_json",
    "edit_to_json",
    "is_unreadable",
    "prefix",
    "problems",
    "redo",
    "step_diff_to_json",
    "trace_problems",
    "undo",
]
