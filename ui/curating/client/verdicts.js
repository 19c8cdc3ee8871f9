// Verdicts: told in the order they were given, while the page has already moved on.
import { workbench, changed, item } from './workbench.js';
import { choose, list, moveOn, settle, reopen, forget } from './walking.js';
import { tell, waitingFor } from './outbox.js';
import { rest, adopt, mayEdit } from './editing.js';
import { endNudge } from './drag.js';
import { complain, notice } from './notices.js';
import { beginning, capital, VERDICT_WORDS } from '../../client/words.js';

let last = null;
// When this page's verdicts were given, in milliseconds (`../../client/pace.js`).
export const decidedAt = [];
let awaited = null; // the verdict whose answer the page waits for before it moves on

// What stands in the way of approving what is on the workbench: a sentence, or ''.
export function obstacle() {
  const detail = workbench.detail;
  if (!detail?.draft) return '';
  return detail.problems.join(' ');
}
export const isHeldElsewhere = () => !!(workbench.detail?.holder && workbench.isInsisting !== workbench.current);

// False, with a sentence that says why, where the verdict cannot be given.
export function decide(verdict, reason = '', { isMoving = true } = {}) {
  const id = workbench.current,
    row = item(id),
    detail = workbench.detail;
  if (!id || (!row && !detail) || (awaited && awaited.body.trace === id)) return false;
  if (!detail && verdict !== 'skipped') {
    notice('It is still being fetched; look at it, then decide.');
    return false;
  }
  if (isHeldElsewhere() && verdict !== 'skipped') {
    notice(detail.holder.sentence || `${detail.holder.name} is working on this trace.`, { tone: 'bad' });
    return false;
  }
  endNudge();
  rest();
  if (detail?.draft?.is_behind && verdict !== 'skipped') {
    notice('Somebody else saved a version meanwhile: say first which of the two goes on.', { tone: 'bad' });
    return false;
  }
  // What is on its way may have removed what stands in the way; the server says.
  if (verdict === 'accepted' && obstacle() && !waitingFor(id)) {
    notice(obstacle(), { tone: 'bad' });
    return false;
  }
  if (!workbench.isAsking) decidedAt.push(Date.now());
  const question = (detail || row).question,
    before = (row || detail).status;
  if (verdict !== 'skipped') {
    if (row) row.status = verdict;
    if (detail) detail.status = verdict;
  }
  const task = tell(
    'curate/review',
    {
      trace: id,
      revision: detail ? detail.head.id : row.head_id,
      verdict,
      reason,
      is_insisting: workbench.isInsisting === id,
    },
    before,
  );
  forget(id);
  notice(`${capital(VERDICT_WORDS[verdict])}: ${beginning(question)}`, {
    button: 'Undo (u)',
    press: () => takeBack(id),
  });
  last = id;
  if (isMoving) {
    workbench.isAsking = false;
    // Where somebody else is at work too, theirs may stand by now: the page stays until the server has taken this one.
    if (workbench.isInsisting === id && verdict !== 'skipped') awaited = task;
    else moveOn();
  }
  changed();
  return true;
}
export function takeBack(id = last) {
  if (!id) return;
  last = null;
  forget(id);
  tell('curate/review/undo', { trace: id });
  if (workbench.current !== id) choose(id);
  notice('Taken back.');
}

export function reject() {
  if (workbench.isAsking) {
    closeReason();
    moveOn();
    return;
  }
  if (isHeldElsewhere() || !workbench.detail) {
    decide('rejected');
    return;
  }
  if (!decide('rejected', '', { isMoving: false })) return;
  workbench.isAsking = true;
  changed();
}
export function giveReason(reason) {
  decide('rejected', reason);
}
export function closeReason() {
  workbench.isAsking = false;
  changed();
}

// After an edit that adds steps, the first of them is the one to look at.
const focusAfter = (edit) =>
  !edit ? null : edit.edit === 'insert_step' ? edit.at : edit.edit === 'take_steps' ? edit.after + 1 : null;

// --- what became of what was told (called by the outbox) ---
export const answers = {
  done(task, answer) {
    if (task.path.startsWith('curate/review')) {
      settle(answer);
      const isAwaited = task === awaited;
      if (isAwaited) awaited = null;
      if (workbench.current !== answer.id) return;
      if (isAwaited) moveOn();
      else if (workbench.detail) reopen();
    } else {
      adopt(answer, focusAfter(task.body.edit));
      // What was on its way when drafts were asked for is one by now.
      if (workbench.query.drafted_by && !item(answer.id)) list();
    }
  },
  refused(task, error) {
    const id = task.body.trace,
      row = item(id);
    forget(id);
    if (task === awaited) awaited = null;
    if (row && task.before) row.status = task.before;
    if (workbench.current === id) {
      workbench.isAsking = false;
      complain(error);
      reopen();
    } else {
      // The page has moved on: the row says it until the trace is opened again.
      if (row) row.isRefused = true;
      notice(error.message, { tone: 'bad', button: 'Open it', press: () => choose(id) });
    }
    changed();
  },
};
export { mayEdit };
