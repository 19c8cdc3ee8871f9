// Changing the trace on the bench. A change is shown at once, then told to the server, which executes it and says what
// the trace is now; while more changes are on their way, older answers are not shown. Text is told when the typing
// rests.
import { bench, changed, forget, item, keep, chooseStep, show } from './bench.js';
import { tell, amend, waitingFor } from './outbox.js';
import { notice } from './notices.js';

const REST_MS = 500;
let typing = null; // { trace, step, field, value, timer }
let last = null; // the last text told: { task, trace, step, field }

export const mayEdit = () =>
  !!bench.detail && bench.detail.is_editable && (!bench.detail.holder || bench.isInsisting === bench.current);

export function edit(change, { optimistic = null } = {}) {
  if (!mayEdit()) return null;
  rest();
  last = null;
  if (optimistic) optimistic(bench.detail.steps[change.step]);
  bench.detail.draft.is_changed = true;
  const task = tell('curate/edit', { trace: bench.current, counter: null, edit: change });
  changed();
  return task;
}

export function setBox(step, box, view = null) {
  edit(
    { edit: 'set_box', step, box, view },
    {
      optimistic: (one) => {
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
  if (mayEdit() && rest() | bench.detail.draft.can_undo) tell('curate/undo', { trace: bench.current, counter: null });
  else if (bench.detail) notice('There is nothing to undo.');
}
export function redo() {
  rest();
  if (mayEdit() && bench.detail.draft.can_redo) tell('curate/redo', { trace: bench.current, counter: null });
}

// --- text ---
export function type(field, value, step = bench.step) {
  if (!mayEdit() || step === null || step < 0) return;
  if (typing && (typing.step !== step || typing.field !== field)) rest();
  clearTimeout(typing?.timer);
  bench.detail.steps[step][field] = value;
  typing = { trace: bench.current, step, field, value, timer: setTimeout(rest, REST_MS) };
  changed();
}
// Tells what was typed last, if anything; true where there was something.
export function rest() {
  if (!typing) return false;
  const { trace, step, field, value, timer } = typing;
  clearTimeout(timer);
  typing = null;
  const change =
    field === 'answer' ? { edit: 'set_answer', step, answer: value } : { edit: 'set_thought', step, thought: value };
  if (last && last.trace === trace && last.step === step && last.field === field && amend(last.task, { edit: change }))
    return true;
  last = { task: tell('curate/edit', { trace, counter: null, edit: change }), trace, step, field };
  if (bench.detail && bench.detail.id === trace) bench.detail.draft.is_changed = true;
  return true;
}
export const isTyping = () => typing !== null;

// --- what the server said ---
export function adopt(work, focus = null) {
  const row = item(work.id);
  if (row && work.status) row.status = work.status;
  forget(work.id);
  if (!bench.detail || bench.detail.id !== work.id) return;
  if (work.counts) bench.counts = work.counts;
  if (waitingFor(work.id) || typing) {
    // Something newer is on its way; what it will not change is taken over now.
    bench.detail.draft = work.draft;
  } else {
    const detail = { ...bench.detail, ...work };
    keep(detail);
    show(detail);
    if (focus !== null) chooseStep(Math.min(focus, detail.steps.length - 1));
  }
  changed();
}
