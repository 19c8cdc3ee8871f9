// What can be done to the chosen step: its thought, the answer, insert, move, mark, delete, undo and redo; and whether
// all of it is saved.
import { workbench } from './workbench.js';
import { answerStep, edit, isTyping, mayEdit, placeAfter, redo, rest, type, typeAnswer, undo } from './editing.js';
import { insertBox } from './drag.js';
import { chooseStep } from './walking.js';
import { state } from './outbox.js';
import { say, put } from '../../client/dom.js';

const MIDDLE = [0.35, 0.35, 0.65, 0.65];
// Of a clip frames are chosen first; into those, or a picture, the new step zooms.
export function insertLook() {
  const { detail, step } = workbench;
  if (!detail || !mayEdit()) return;
  const isClip = detail.media[workbench.media]?.kind === 'video';
  if (isClip && detail.steps[step]?.name !== 'select_frames')
    edit({ edit: 'insert_step', at: placeAfter(step), thought: '', frames: [workbench.frame || 1] });
  else insertBox(MIDDLE);
}
export function moveStepBy(by) {
  const to = workbench.step + by;
  if (workbench.detail && to >= 0 && to < workbench.detail.steps.length) {
    edit({ edit: 'move_step', step: workbench.step, to });
    workbench.step = to;
  }
}
export const markStep = () =>
  edit({
    edit: 'mark_erroneous',
    step: workbench.step,
    is_erroneous: !workbench.detail.steps[workbench.step].is_erroneous,
  });
// The chosen step is confirmed if it is stale, and the next stale one is looked at; a step is seen before it is
// confirmed.
export function stillRight() {
  const { detail, step } = workbench;
  if (!detail || !mayEdit()) return;
  if (detail.steps[step]?.stale)
    edit(
      { edit: 'confirm', step },
      {
        optimistic: (one) => {
          one.stale = null;
        },
      },
    );
  const next = detail.steps.findIndex((one) => one.stale);
  if (next >= 0) chooseStep(next);
}
export const deleteStep = () => edit({ edit: 'delete_step', step: workbench.step });

function grow(area) {
  area.style.height = 'auto';
  area.style.height = `${Math.min(240, area.scrollHeight + 2)}px`;
}

export function mountPanel(root) {
  const part = (name) => root.querySelector(`.panel-${name}`);
  const thought = root.querySelector('#curate-thought textarea'),
    answer = root.querySelector('#curate-answer textarea');
  thought.addEventListener('input', () => {
    type('thought', thought.value);
    grow(thought);
  });
  answer.addEventListener('input', () => {
    typeAnswer(answer.value);
    grow(answer);
  });
  for (const area of [thought, answer]) area.addEventListener('blur', () => rest());
  part('look').addEventListener('click', () => insertLook());
  part('think').addEventListener('click', () =>
    edit({ edit: 'insert_step', at: Math.max(0, workbench.step ?? 0), thought: '' }),
  );
  part('up').addEventListener('click', () => moveStepBy(-1));
  part('down').addEventListener('click', () => moveStepBy(1));
  part('mark').addEventListener('click', () => markStep());
  part('delete').addEventListener('click', () => deleteStep());
  root.querySelector('#curate-undo').addEventListener('click', () => undo());
  part('redo').addEventListener('click', () => redo());

  let shown = '';
  return () => {
    const detail = workbench.detail;
    root.querySelector('.panel').hidden = !detail?.draft;
    if (!detail?.draft) return;
    const step = workbench.step === null ? null : detail.steps[workbench.step],
      may = mayEdit(),
      at = answerStep();
    const key = `${detail.id} ${workbench.step}`;
    const put_in = (area, text) => {
      if (area.value !== text && (document.activeElement !== area || key !== shown || !isTyping())) {
        area.value = text;
      }
    };
    put_in(thought, step ? step.thought : '');
    put_in(answer, at >= 0 ? detail.steps[at].answer : '');
    if (key !== shown || document.activeElement !== thought) {
      grow(thought);
      grow(answer);
    }
    shown = key;
    say(part('which'), step ? `Thought of step ${workbench.step + 1}` : 'Thought');
    // Not disabled: who begins to write where nothing can be written would give verdicts by letters.
    thought.readOnly = !may || !step;
    answer.readOnly = !may;
    put(answer, { placeholder: at < 0 && may ? 'No answer yet. Write one here.' : null });
    part('up').disabled = !may || !step || workbench.step === 0;
    part('down').disabled = !may || !step || workbench.step === detail.steps.length - 1;
    part('delete').disabled = part('mark').disabled = !may || !step;
    part('look').disabled = part('think').disabled = !may;
    put(part('mark'), { 'aria-pressed': !!step?.is_erroneous });
    root.querySelector('#curate-undo').disabled = !may || !(detail.draft.can_undo || isTyping());
    part('redo').disabled = !may || !detail.draft.can_redo;
  };
}

export function drawSaved(node) {
  const { waiting, isAway } = state();
  const text = isAway
    ? waiting === 1
      ? 'Not saved: the server cannot be reached. 1 change is kept in this browser.'
      : `Not saved: the server cannot be reached. ${waiting} changes are kept in this browser.`
    : waiting || isTyping()
      ? 'Saving…'
      : workbench.detail?.draft?.is_changed
        ? 'Saved as your draft'
        : 'Saved';
  put(node, { 'data-state': isAway ? 'away' : waiting || isTyping() ? 'busy' : 'saved' });
  say(node, text);
}
