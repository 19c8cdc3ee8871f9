// The command palette (Ctrl K), on every screen: what can be done there, where one can go and what was asked, found by
// a few letters. Whatever stands on a page offers its part (`offer`); what is looked up while somebody types comes from
// a `look(typed)`, a promise of commands.
import { each, make, put, say } from './dom.js';
import { ranked } from './ranking.js';

const MOST = 9,
  MOST_FOUND = 6,
  REST_MS = 120;
const offers = [];
let dialog = null,
  shown = [],
  at = 0,
  looked = [],
  asked = 0,
  timer = null,
  commands = [];

// `commands()` are { words, kind, note?, press } at the moment it is opened; `look(typed)`, where there is one, finds
// more; while one of those who offer says `isBusy()` the palette stays closed.
export function offer({ commands = () => [], look = null, isBusy = () => false }) {
  offers.push({ commands, look, isBusy });
}

function found(typed) {
  const known = ranked(commands, typed, (one) => one.words).slice(0, looked.length ? MOST - 3 : MOST);
  return [...known, ...looked].slice(0, MOST + 3);
}
async function look(typed) {
  const mine = ++asked;
  looked = [];
  if (typed.trim().length < 2) return;
  const lookers = offers.filter((one) => one.look);
  const answers = await Promise.allSettled(lookers.map((one) => one.look(typed)));
  if (mine !== asked) return;
  // What cannot be looked up is missing; the commands are there without.
  looked = answers.flatMap(({ value }) => value ?? []).slice(0, MOST_FOUND);
  draw();
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
    'aria-label': 'What to do, or what was asked',
    placeholder: 'What to do, or what was asked',
    autocomplete: 'off',
    spellcheck: 'false',
  });
  put(rows, { id: 'palette-rows', role: 'listbox', 'aria-label': 'Found' });
  say(make('p', 'palette-none', dialog), 'Nothing is called that, and nothing asked speaks of it.');
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
export function listenForPalette() {
  document.addEventListener('keydown', (event) => {
    const isAsked = (event.ctrlKey || event.metaKey) && !event.shiftKey && event.key.toLowerCase() === 'k';
    if (!isAsked || event.isComposing) return;
    event.preventDefault();
    togglePalette();
  });
}
export function togglePalette() {
  if (!dialog) build();
  if (dialog.open) {
    dialog.close();
    return;
  }
  if (offers.some((one) => one.isBusy())) return;
  commands = offers.flatMap((one) => one.commands());
  looked = [];
  at = 0;
  dialog.querySelector('input').value = '';
  dialog.showModal();
  draw();
}
