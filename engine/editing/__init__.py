"""Editing: a person's changes to a trace, as values; pure but for the sizes of pictures.

`edits` are what can be done, `draft` is the trace while it is being changed (undo, redo, what is stale), `applying`
makes the next state and executes operations again, `problems` says what stands in the way of approving, `continuing`
lets a policy go on, `diff` compares versions.

Not covered: where drafts are kept and who may change what (`engine.store`, `engine.workbench`).
"""

from engine.editing.applying import apply, relative_box, writable_zoom
from engine.editing.continuing import continuation, continue_from, prefix
from engine.editing.diff import BoxDiff, FramesDiff, StepDiff, WordDiff, diff, step_diff_to_json, word_diff
from engine.editing.draft import (
    MAX_MOMENTS,
    Draft,
    Moment,
    State,
    committed,
    draft_from_json,
    draft_of,
    draft_to_json,
    operation_boxes,
    redo,
    undo,
)
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
    describe,
    edit_from_json,
    edit_to_json,
)
from engine.editing.problems import is_approvable, is_unreadable, problems, trace_problems

__all__ = [
    "MAX_MOMENTS",
    "BoxDiff",
    "Confirm",
    "DeleteStep",
    "Draft",
    "Edit",
    "FramesDiff",
    "InsertStep",
    "MarkErroneous",
    "Moment",
    "MoveStep",
    "RemoveOperation",
    "Rerun",
    "SetAnswer",
    "SetBox",
    "SetFrames",
    "SetThought",
    "State",
    "StepDiff",
    "TakeSteps",
    "WordDiff",
    "apply",
    "committed",
    "continuation",
    "continue_from",
    "describe",
    "diff",
    "draft_from_json",
    "draft_of",
    "draft_to_json",
    "edit_from_json",
    "edit_to_json",
    "is_approvable",
    "is_unreadable",
    "operation_boxes",
    "prefix",
    "problems",
    "redo",
    "relative_box",
    "step_diff_to_json",
    "trace_problems",
    "undo",
    "word_diff",
    "writable_zoom",
]
