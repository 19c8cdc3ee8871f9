// How the screen is laid out, as a person likes it: how wide the columns are, one thing at a time (focus), and, where
// there is no room for three columns, the queue as a drawer. What is remembered is remembered in this browser.
import { make, put } from '../../client/dom.js';
import { clamp } from '../../client/geometry.js';

const KEY = 'studio-layout',
  // The least and most of a column in pixels, and what the picture keeps.
  LIMITS = { left: [220, 520], right: [300, 620] },
  USUAL = { left: 300, right: 392 },
  KEPT_PX = 420,
  STEP_PX = 24;
let kept = {};
try {
  kept = JSON.parse(localStorage.getItem(KEY)) || {};
} catch {
  /* storage may be refused inside a frame: the usual layout then */
}
function keep(change) {
  Object.assign(kept, change);
  try {
    localStorage.setItem(KEY, JSON.stringify(kept));
  } catch {
    /* it holds for this page then */
  }
}
const bench = () => document.querySelector('.workbench');
const widthOf = (side) => (typeof kept[side] === 'number' ? clamp(kept[side], ...LIMITS[side]) : USUAL[side]);

export const isFocused = () => !!kept.isFocused;
export function toggleFocus() {
  keep({ isFocused: !kept.isFocused });
  draw();
}
export const isQueueOpen = () => !!bench()?.classList.contains('is-queue-open');
// The drawer of the queue, where it is one.
export function toggleQueue(isOpen = !isQueueOpen()) {
  bench().classList.toggle('is-queue-open', isOpen);
  for (const button of document.querySelectorAll('.editor-queue')) put(button, { 'aria-expanded': String(isOpen) });
}

function draw() {
  const root = bench();
  root.classList.toggle('is-focused', isFocused());
  put(document.querySelector('.inspector-focus'), { 'aria-pressed': String(isFocused()) });
  for (const side of ['left', 'right']) {
    root.style.setProperty(`--${side}-width`, `${widthOf(side)}px`);
    put(root.querySelector(`.workbench-sash.is-${side}`), { 'aria-valuenow': widthOf(side) });
  }
}
function makeSash(side, label) {
  const sash = make('div', `workbench-sash is-${side}`, bench()),
    sign = side === 'left' ? 1 : -1,
    other = side === 'left' ? 'right' : 'left';
  put(sash, {
    role: 'separator',
    tabindex: 0,
    'aria-orientation': 'vertical',
    'aria-label': label,
    'aria-valuemin': LIMITS[side][0],
    'aria-valuemax': LIMITS[side][1],
    title: 'Drag to change the width; double click for the usual one',
  });
  function resize(width) {
    const most = innerWidth - widthOf(other) - KEPT_PX;
    keep({ [side]: Math.round(clamp(Math.min(width, most), ...LIMITS[side])) });
    draw();
  }
  let from = null;
  sash.addEventListener('pointerdown', (event) => {
    from = { x: event.clientX, width: widthOf(side) };
    sash.setPointerCapture(event.pointerId);
    event.preventDefault();
  });
  sash.addEventListener('pointermove', (event) => {
    if (from) resize(from.width + sign * (event.clientX - from.x));
  });
  for (const name of ['pointerup', 'pointercancel'])
    sash.addEventListener(name, () => {
      from = null;
    });
  sash.addEventListener('dblclick', () => resize(USUAL[side]));
  sash.addEventListener('keydown', (event) => {
    const by = { ArrowLeft: -1, ArrowRight: 1 }[event.key];
    if (!by) return;
    event.preventDefault();
    event.stopPropagation();
    resize(widthOf(side) + by * sign * STEP_PX);
  });
}

export function mountLayout() {
  makeSash('left', 'Width of the queue');
  makeSash('right', 'Width of the steps');
  // Below the bar of decisions and beside an open drawer nothing else is meant.
  document.addEventListener('pointerdown', (event) => {
    if (isQueueOpen() && !event.target.closest('.workbench-left, .editor-queue, dialog')) toggleQueue(false);
  });
  draw();
}
