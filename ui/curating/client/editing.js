// Changing the trace on the workbench. A change is shown at once, then told to the server, which executes it and says
// what the trace is now; while more changes are on their way, older answers are not shown. Text is told when the typing
// rests.
import { workbench, changed, item } from './workbench.js';
import { forget, keep, chooseStep, show } from './walking.js';
import { tell, amend, waitingFor } from './outbox.js';
import { notice } from './notices.js';

const REST_MS = 500;
let typing = null; // { trace, step, field, value, timer, isNew: the step is inserted with it }
let last = null; // the last text told: { task, trace, step, field }

export const mayEdit = () =>
  !!workbench.detail &&
  workbench.detail.is_editable &&
  (!workbench.detail.holder || workbench.isInsisting === workbench.current);

export function edit(change, { optimistic = null } = {}) {
  if (!mayEdit()) return null;
  rest();
  last = null;
  if (optimistic) optimistic(workbench.detail.steps[change.step]);
  workbench.detail.draft.is_changed = true;
  const task = tell('curate/edit', { trace: workbench.current, counter: null, edit: change });
  changed();
  return task;
}

// Where a step goes that is inserted behind `step`: an answer stays the last word.
export function placeAfter(step) {
  const steps = workbench.detail.steps;
  return step === null ? steps.length : steps[step].answer !== null ? step : step + 1;
}
export const answerStep = () =>
  workbench.detail ? workbench.detail.steps.findLastIndex((step) => step.answer !== null) : -1;

export function setBox(step, box, view = null) {
  edit(
    { edit: 'set_box', step, box, view },
    {
      optimistic: (one) => {
        if (view !== null) one.view = view;
        Object.assign(one, { box, name: one.answer === null ? 'zoom_in' : one.name, error: null, isPending: true });
      },
    },
  );
}
export function setFrames(step, frames) {
  edit(
    { edit: 'set_frames', step, frames },
    {
      optimistic: (one) => {
        Object.assign(one, { frames, name: 'select_frames', error: null, isPending: true });
      },
    },
  );
}
export function undo() {
  if (mayEdit() && rest() | workbench.detail.draft.can_undo)
    tell('curate/undo', { trace: workbench.current, counter: null });
  else if (workbench.detail) notice('There is nothing to undo.');
}
export function redo() {
  rest();
  if (mayEdit() && workbench.detail.draft.can_redo) tell('curate/redo', { trace: workbench.current, counter: null });
}

// --- text ---
export function type(field, value, step = workbench.step) {
  if (!mayEdit() || step === null || step < 0) return;
  if (typing && (typing.step !== step || typing.field !== field)) rest();
  clearTimeout(typing?.timer);
  workbench.detail.steps[step][field] = value;
  const isNew = !!typing?.isNew;
  typing = { trace: workbench.current, step, field, value, isNew, timer: setTimeout(rest, REST_MS) };
  changed();
}
// An answer where there was none makes the step that says it.
export function typeAnswer(value) {
  const at = answerStep();
  if (at >= 0 || !mayEdit()) {
    type('answer', value, at);
    return;
  }
  rest();
  const step = { thought: '', name: 'answer', answer: value, frames: [], views: [], badges: [] };
  typing = { step: workbench.detail.steps.push(step) - 1, field: 'answer', isNew: true };
  type('answer', value, typing.step);
}
// Tells what was typed last, if anything; true where there was something.
export function rest() {
  if (!typing) return false;
  const { trace, step, field, value, timer, isNew } = typing;
  clearTimeout(timer);
  typing = null;
  const change = isNew
    ? { edit: 'insert_step', at: step, thought: '', answer: value }
    : { edit: `set_${field}`, step, [field]: value };
  if (last && last.trace === trace && last.step === step && last.field === field && amend(last.task, { edit: change }))
    return true;
  last = { task: tell('curate/edit', { trace, counter: null, edit: change }), trace, step, field };
  if (workbench.detail && workbench.detail.id === trace) workbench.detail.draft.is_changed = true;
  return true;
}
export const isTyping = () => typing !== null;

// --- what the server said ---
export function adopt(work, focus = null) {
  const row = item(work.id);
  if (row && work.status) row.status = work.status;
  forget(work.id);
  if (!workbench.detail || workbench.detail.id !== work.id) return;
  if (work.counts) workbench.counts = work.counts;
  if (waitingFor(work.id) || typing) {
    // Something newer is on its way; what it will not change is taken over now.
    workbench.detail.draft = work.draft;
  } else {
    const detail = { ...workbench.detail, ...work };
    keep(detail);
    show(detail);
    if (focus !== null) chooseStep(Math.min(focus, detail.steps.length - 1));
  }
  changed();
}
