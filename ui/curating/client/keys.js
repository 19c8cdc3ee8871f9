// The keyboard, and the sheet that `?` shows; both are made of one table. Keys work wherever nobody is typing, and mean
// the same on every layout (../../client/keyboard.js).
import { move, moveStep, chooseStep } from './walking.js';
import { decide, reject, takeBack, closeReason, giveReason } from './verdicts.js';
import { undo, redo } from './editing.js';
import { insertLook, moveStepBy, markStep, deleteStep, stillRight } from './panel.js';
import { goOn, stopAll } from './candidates.js';
import { isPairOpen } from './pair.js';
import { pairsThatDiffer, sideBySide } from './preferring.js';
import { moveAttempt } from './attempts.js';
import { toggle, clear, chosen } from './bulk.js';
import { showLook, showWhole, toggleLoupe, zoomIn, zoomOut } from './sighting.js';
import { isFocused, isQueueOpen, toggleFocus, toggleQueue } from './layout.js';
import { notice } from './notices.js';
import { commandsOf, tracesWith } from './commands.js';
import { watch, workbench } from './workbench.js';
import { make } from '../../client/dom.js';
import { keyReader } from '../../client/keyboard.js';
import { isPaletteOpen, offer } from '../../client/palette.js';

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
      ['d', 'which is better: pairs of attempts that differ', () => pairsThatDiffer()],
      ['/', 'search', () => search()],
      ['q', 'the queue, where it is folded away', () => toggleQueue()],
    ],
  ],
  [
    'Picture',
    [
      ['+', 'zoom in, as the wheel does', () => zoomIn()],
      ['-', 'zoom out', () => zoomOut()],
      ['0', 'the whole picture', () => showWhole()],
      ['t', 'as near as the step looked, and back', () => showLook()],
      ['g', 'a loupe at the mouse, or none', () => toggleLoupe()],
      [' ', 'held: drag the picture', null, 'space'],
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
      ['y', 'the stale step is still right, and on to the next stale one', () => stillRight()],
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
      ['K', 'every action and every trace, by a few letters', null, 'ctrl k'],
      ['o', 'one thing at a time: picture, crop, answer, verdict', () => toggleFocus()],
      ['Esc', 'leave a field, close a sheet', null],
    ],
  ],
];

// A held key goes on walking; whatever decides or changes something is done once a press.
const REPEATED = 'jknphl+-';
const TYPING = 'input:not([type=radio]):not([type=checkbox]), textarea, select, [contenteditable]';
let sheet = null;
// Who asked to write goes on typing whether or not there is a field: until it is there, or the keys rest, letters are
// kept for it and mean nothing else.
const DEAF_MS = 1500;
let writing = null; // { where, until, text }
function write(where) {
  const area = document.querySelector(where);
  area.focus();
  if (document.activeElement === area) {
    const typed = area.readOnly ? '' : (writing?.text ?? '');
    writing = null;
    if (typed) {
      area.value += typed;
      area.dispatchEvent(new Event('input', { bubbles: true }));
    }
    area.setSelectionRange(area.value.length, area.value.length);
    if (area.readOnly) notice(workbench.detail.why_not || 'Nothing can be written here at the moment.');
  } else {
    const isComing = workbench.current && !workbench.detail && !workbench.detailProblem;
    writing = { where: isComing ? where : null, until: Date.now() + DEAF_MS, text: '' };
    if (!isComing) notice(workbench.detail?.why_not || 'There is nothing to write into.');
  }
}
function search() {
  if (isFocused()) toggleFocus();
  toggleQueue(true);
  document.querySelector('#curate-search input').select();
}
const isDeaf = (event) => {
  if (!writing || (Date.now() > writing.until && !writing.where)) return false;
  if (event.key.length > 1 || event.ctrlKey || event.metaKey) return false;
  writing.until = Date.now() + DEAF_MS;
  if (writing.where) writing.text += event.key;
  return true;
};
const focusBox = () => {
  const box = document.querySelector('#curate-media g.box.is-chosen') || document.querySelector('#curate-media g.box');
  if (box) box.focus();
};

// What can be done without pointing at anything: { key, meaning, press }.
const actions = () =>
  KEYS.flatMap(([, rows]) =>
    rows
      .filter(([name, , press]) => press && name !== '1')
      .map(([name, meaning, press, shown]) => ({ key: shown || name, meaning, press: () => press(name) })),
  );
function act(key) {
  if (workbench.isAsking && /^[1-9]$/.test(key)) {
    if (workbench.reasons[key - 1]) giveReason(workbench.reasons[key - 1]);
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
  watch(
    () => {
      if (writing?.where && workbench.detailProblem) writing.where = null;
    },
    () => {
      if (writing?.where && workbench.detail) write(writing.where);
    },
  );
  offer({ commands: () => commandsOf(actions()), look: tracesWith, isBusy: () => isPairOpen() || !!sheet?.open });
  const keyOf = keyReader();
  document.addEventListener('keydown', (event) => {
    if (event.isComposing) return;
    if (event.key === 'Escape') {
      if (isPairOpen() || isPaletteOpen() || sheet?.open) return;
      if (event.target.matches(TYPING)) event.target.blur();
      else if (isQueueOpen()) toggleQueue(false);
      else if (writing) writing = null;
      else if (workbench.isAsking) closeReason();
      else if (chosen.size) clear();
      return;
    }
    // A browser presses a button again and again while Enter is held on it.
    if (event.repeat && event.key === 'Enter' && event.target.closest('button')) event.preventDefault();
    const key = keyOf(event);
    if (!key || event.defaultPrevented || event.target.matches(TYPING)) return;
    if (isPairOpen() || isPaletteOpen() || (sheet?.open && key !== '?')) return;
    if (isDeaf(event)) {
      event.preventDefault();
      return;
    }
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
