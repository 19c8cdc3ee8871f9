// Two versions side by side: their steps, their looks, what differs. The sheet serves two attempts too (preferring.js).
import { workbench } from './workbench.js';
import { get, address } from '../../client/server.js';
import { make } from '../../client/dom.js';
import { drawCards } from '../../client/step_card.js';
import { drawChanges } from './changes.js';
import { complain } from './notices.js';
import { keyReader } from '../../client/keyboard.js';

const keyOf = keyReader();
let dialog = null;
// The sheet, empty but for its title; a button in it that carries data-key is pressed by that key.
export function sheet(title) {
  if (!dialog) {
    dialog = make('dialog', 'sheet pair', document.body);
    dialog.addEventListener('click', (event) => {
      if (event.target === dialog) dialog.close();
    });
    dialog.addEventListener('keydown', (event) => {
      const key = keyOf(event),
        button = [...dialog.querySelectorAll('[data-key]')].find((one) => one.dataset.key === key);
      if (button && !event.repeat) {
        event.preventDefault();
        event.stopPropagation();
        button.click();
      }
    });
  }
  dialog.textContent = '';
  dialog.setAttribute('aria-label', title);
  const head = make('div', 'sheet-head', dialog);
  make('h2', 'sheet-title', head, title);
  make('button', 'sheet-close', head, 'Close').addEventListener('click', () => dialog.close());
  if (!dialog.open) dialog.showModal();
  return make('div', 'pair-body', dialog);
}
export const isPairOpen = () => !!dialog && dialog.open;
export const closePair = () => dialog?.close();

export function side(parent, title, one) {
  const box = make('section', 'pair-side', parent);
  make('h3', 'pair-title', box, title);
  drawCards(make('ol', 'pair-steps', box), one.steps, one.views);
  return box;
}
function both(body, data, titles) {
  const sides = make('div', 'pair-sides', body);
  data.sides.forEach((one, index) => side(sides, titles[index], one));
  make('h3', 'pair-title', body, data.changes.length ? 'What differs' : 'Nothing differs');
  drawChanges(make('ul', 'pair-changes', body), data.changes);
}
const name = (one) => (one.number === null ? 'Your draft' : `Version ${one.number} by ${one.author}`);

export async function compareVersions(older, newer, { title = 'Two versions', acts = [] } = {}) {
  try {
    const data = await get(address('curate/compare', { trace: workbench.current, old: older, new: newer }));
    const body = sheet(title);
    both(body, data, data.sides.map(name));
    if (acts.length) {
      const bar = make('div', 'pair-acts', body);
      for (const [text, press] of acts)
        make('button', 'sheet-button', bar, text).addEventListener('click', () => {
          dialog.close();
          press();
        });
    }
  } catch (error) {
    complain(error);
  }
}
