// The keyboard, and the sheet that `?` shows; both are made of one table. Keys work wherever nobody is typing, and mean
// the same on every layout (../../client/keyboard.js).
import { move, moveStep, chooseStep } from './walking.js';
import { decide, reject, takeBack, closeReason, giveReason } from './verdicts.js';
import { undo, redo } from './editing.js';
import { insertLook, moveStepBy, markStep, deleteStep } from './panel.js';
import { goOn, stopAll } from './candidates.js';
import { sideBySide, isPairOpen } from './pair.js';
import { moveAttempt } from './attempts.js';
import { toggle, clear, chosen } from './bulk.js';
import { workbench } from './workbench.js';
import { make } from '../../client/dom.js';
import { keyReader } from '../../client/keyboard.js';

export const REASONS = ['wrong answer', 'wrong place', 'wrong reasoning', 'bad question', 'unreadable picture'];
export const KEYS = [
  [
    'Traces',
    [
      ['j', 'next trace', () => move(1)],
      ['k', 'previous trace', () => move(-1)],
      ['l', 'next attempt at the same question', () => moveAttempt(1)],
      ['h', 'previous attempt at it', () => moveAttempt(-1)],
      ['v', 'choose the trace for a verdict on many', () => toggle(workbench.current)],
      ['=', 'side by side with another attempt', () => workbench.current && sideBySide()],
      ['/', 'search', () => document.querySelector('#curate-search input').select()],
    ],
  ],
  [
    'Verdict',
    [
      ['a', 'approve, and on to the next', () => decide('accepted')],
      ['r', 'reject; then a number says why', () => reject()],
      ['s', 'skip', () => decide('skipped')],
      ['f', 'flag for somebody else', () => decide('flagged')],
      ['u', 'take my last verdict back', () => takeBack()],
    ],
  ],
  [
    'Steps',
    [
      ['n', 'next step', () => moveStep(1)],
      ['p', 'previous step', () => moveStep(-1)],
      ['1', 'step 1, and so on to 9', (key) => chooseStep(Number(key) - 1), '1-9'],
    ],
  ],
  [
    'Change',
    [
      ['b', 'go to the box: arrows move it, shift resizes, Delete removes', () => focusBox()],
      ['e', 'write the thought', () => write('#curate-thought textarea')],
      ['w', 'write the answer', () => write('#curate-answer textarea')],
      ['i', 'insert a look', () => workbench.detail && insertLook()],
      ['m', 'mark the step as wrong, or not', () => workbench.detail && workbench.step !== null && markStep()],
      ['[', 'move the step up', () => moveStepBy(-1)],
      [']', 'move the step down', () => moveStepBy(1)],
      ['x', 'delete the step', () => workbench.detail && workbench.step !== null && deleteStep()],
      ['c', 'let the model continue from here', () => workbench.detail && goOn()],
      ['.', 'stop it', () => stopAll()],
      ['z', 'undo', () => undo()],
      ['Z', 'redo', () => redo(), 'shift z'],
    ],
  ],
  [
    'Help',
    [
      ['?', 'this sheet', () => toggleSheet()],
      ['Esc', 'leave a field, close a sheet', null],
    ],
  ],
];

// A held key goes on walking; whatever decides or changes something is done once a press.
const REPEATED = 'jknphl';
const TYPING = 'input:not([type=radio]):not([type=checkbox]), textarea, select, [contenteditable]';
let sheet = null;
const write = (where) => {
  const area = document.querySelector(where);
  if (!area.disabled) {
    area.focus();
    area.setSelectionRange(area.value.length, area.value.length);
  }
};
const focusBox = () => {
  const box = document.querySelector('#curate-media g.box.is-chosen') || document.querySelector('#curate-media g.box');
  if (box) box.focus();
};

function act(key) {
  if (workbench.isAsking && /^[1-9]$/.test(key)) {
    if (REASONS[key - 1]) giveReason(REASONS[key - 1]);
    return true;
  }
  for (const [, rows] of KEYS) {
    for (const [name, , press] of rows) {
      if (press && (name === key || (name === '1' && /^[1-9]$/.test(key)))) {
        press(key);
        return true;
      }
    }
  }
  return false;
}
export function listen() {
  const keyOf = keyReader();
  document.addEventListener('keydown', (event) => {
    if (event.isComposing) return;
    if (event.key === 'Escape') {
      if (isPairOpen() || sheet?.open) return;
      if (event.target.matches(TYPING)) event.target.blur();
      else if (workbench.isAsking) closeReason();
      else if (chosen.size) clear();
      return;
    }
    // A browser presses a button again and again while Enter is held on it.
    if (event.repeat && event.key === 'Enter' && event.target.closest('button')) event.preventDefault();
    const key = keyOf(event);
    if (!key || event.defaultPrevented || event.target.matches(TYPING)) return;
    if (isPairOpen() || (sheet?.open && key !== '?')) return;
    if ((event.repeat && !REPEATED.includes(key)) || act(key)) event.preventDefault();
  });
}

export function toggleSheet() {
  if (!sheet) sheet = makeSheet();
  if (sheet.open) sheet.close();
  else sheet.showModal();
}
function makeSheet() {
  const dialog = make('dialog', 'sheet', document.body);
  dialog.setAttribute('aria-label', 'Keys');
  const head = make('div', 'sheet-head', dialog);
  make('h2', 'sheet-title', head, 'Keys');
  const close = make('button', 'sheet-close', head, 'Close');
  close.addEventListener('click', () => dialog.close());
  dialog.addEventListener('click', (event) => {
    if (event.target === dialog) dialog.close();
  });
  const groups = make('div', 'sheet-groups', dialog);
  for (const [title, rows] of KEYS) {
    const group = make('section', 'sheet-group', groups);
    make('h3', 'sheet-name', group, title);
    const table = make('dl', 'sheet-keys', group);
    for (const [name, meaning, , shown] of rows) {
      const term = make('dt', '', table);
      make('kbd', '', term, shown || name);
      make('dd', '', table, meaning);
    }
  }
  return dialog;
}
