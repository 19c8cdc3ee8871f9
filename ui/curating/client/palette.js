// The command palette (Ctrl K): every action of the keyboard, every screen, list and filter, and every trace by its
// question, found by a few letters.
import { list, choose } from './walking.js';
import { only } from './filters.js';
import { workbench } from './workbench.js';
import { get, address } from '../../client/server.js';
import { each, make, put, say } from '../../client/dom.js';
import { ranked } from '../../client/ranking.js';
import { capital, STATUS_WORDS } from '../../client/words.js';

const MOST = 9,
  REST_MS = 120,
  ROOMS = [
    ['Ask', './'],
    ['Train', 'train'],
    ['Evaluate', 'evaluate'],
    ['Data', 'data'],
  ];
let dialog = null,
  shown = [],
  at = 0,
  traces = [],
  asked = 0,
  timer = null,
  commands = [];

// { words, kind, note, press }
function everything(actions) {
  const statuses = Object.entries(STATUS_WORDS).map(([status, word]) => ({
    words: `Show what is ${word}`,
    kind: 'List',
    press: () => list(only({ status })),
  }));
  return [
    ...actions.map(({ key, meaning, press }) => ({ words: capital(meaning), kind: 'Do', note: key, press })),
    ...lists(),
    ...statuses,
    ...ROOMS.map(([room, href]) => ({ words: `Go to ${room}`, kind: 'Go', press: () => location.assign(href) })),
  ];
}
const lists = () => [
  { words: 'Show all traces', kind: 'List', press: () => list(only({})) },
  { words: 'Show what is assigned to me', kind: 'List', press: () => list(only({ assigned_to: workbench.me })) },
  { words: 'Show my drafts', kind: 'List', press: () => list(only({ drafted_by: workbench.me })) },
  { words: 'Show where reviewers disagree', kind: 'List', press: () => list(only({ round: 'disputed' })) },
];

function found(typed) {
  const known = ranked(commands, typed, (one) => one.words).slice(0, traces.length ? MOST - 3 : MOST);
  return [...known, ...traces].slice(0, MOST + 3);
}
async function look(typed) {
  const mine = ++asked;
  if (typed.trim().length < 2) {
    traces = [];
    return;
  }
  try {
    const { items } = await get(address('curate/queue', { search: typed, order: 'newest' }));
    if (mine !== asked) return;
    traces = items.slice(0, 6).map((item) => ({
      words: item.question,
      kind: 'Trace',
      note: `#${item.number} · ${STATUS_WORDS[item.status]}`,
      press: () => choose(item.id),
    }));
    draw();
  } catch {
    /* the actions are there without */
  }
}
function draw() {
  const [input, rows] = dialog.querySelectorAll('input, ul');
  shown = found(input.value);
  at = Math.max(0, Math.min(at, shown.length - 1));
  each(
    rows,
    shown,
    () => {
      const row = make('li', 'palette-row');
      put(row, { role: 'option' });
      for (const name of ['kind', 'words', 'note']) make('span', `palette-${name}`, row);
      return row;
    },
    (row, one, index) => {
      put(row, { id: `palette-${index}`, 'aria-selected': String(index === at) });
      [one.kind, one.words, one.note || ''].forEach((text, part) => {
        say(row.children[part], text);
      });
    },
  );
  put(input, { 'aria-activedescendant': shown.length ? `palette-${at}` : null });
  dialog.querySelector('.palette-none').hidden = shown.length > 0;
  rows.children[at]?.scrollIntoView({ block: 'nearest' });
}
function press(one) {
  dialog.close();
  if (one) one.press();
}
function build() {
  dialog = make('dialog', 'sheet palette', document.body);
  put(dialog, { 'aria-label': 'Commands' });
  const input = make('input', '', dialog),
    rows = make('ul', 'palette-rows', dialog);
  put(input, {
    type: 'text',
    dir: 'auto',
    role: 'combobox',
    'aria-expanded': 'true',
    'aria-controls': 'palette-rows',
    'aria-label': 'What to do, or a trace',
    placeholder: 'What to do, or a trace',
    autocomplete: 'off',
    spellcheck: 'false',
  });
  put(rows, { id: 'palette-rows', role: 'listbox', 'aria-label': 'Found' });
  say(make('p', 'palette-none', dialog), 'Nothing is called that, and no trace speaks of it.');
  dialog.addEventListener('click', (event) => {
    const row = event.target.closest('li');
    if (row) press(shown[[...rows.children].indexOf(row)]);
    else if (event.target === dialog) dialog.close();
  });
  input.addEventListener('input', () => {
    at = 0;
    draw();
    clearTimeout(timer);
    timer = setTimeout(() => look(input.value), REST_MS);
  });
  input.addEventListener('keydown', (event) => {
    const by = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (by) at = (at + by + shown.length) % Math.max(1, shown.length);
    else if (event.key !== 'Enter' || event.isComposing) return;
    event.preventDefault();
    if (by) draw();
    else press(shown[at]);
  });
}

export const isPaletteOpen = () => !!dialog?.open;
// `actions` are { key, meaning, press }.
export function togglePalette(actions) {
  if (!dialog) build();
  if (dialog.open) {
    dialog.close();
    return;
  }
  commands = everything(actions);
  traces = [];
  at = 0;
  dialog.querySelector('input').value = '';
  dialog.showModal();
  draw();
}
