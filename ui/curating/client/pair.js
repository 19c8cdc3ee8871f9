// Two versions, or two attempts, side by side: their steps, their looks, what differs; for attempts, which is better.
import { workbench } from './workbench.js';
import { get, post, address } from '../../client/server.js';
import { make, options } from '../../client/dom.js';
import { drawCards } from '../../client/step_card.js';
import { drawChanges } from './changes.js';
import { complain, notice } from './notices.js';
import { keyReader } from '../../client/keyboard.js';

const keyOf = keyReader();
let dialog = null;
function sheet(title) {
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

function side(parent, title, one) {
  const box = make('section', 'pair-side', parent);
  make('h3', 'pair-title', box, title);
  drawCards(make('ol', 'pair-steps', box), one.steps, one.views);
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

export async function sideBySide(other = null) {
  const trace = workbench.current;
  try {
    const { items } = await get(`curate/siblings/${trace}`);
    if (!items.length) {
      notice('There is no other attempt at this question.');
      return;
    }
    const against = other || items[0].id,
      data = await get(address('curate/pair', { left: trace, right: against }));
    const body = sheet('Which is better?');
    if (items.length > 1) {
      const field = make('label', 'pair-choose', body, 'Beside ');
      const select = make('select', '', field);
      options(
        select,
        items.map((item) => [item.id, `#${item.number} · ${item.policy} · ${item.answer ?? 'no answer'}`]),
      );
      select.value = against;
      select.addEventListener('change', () => sideBySide(select.value));
    }
    const [left, right] = data.sides;
    const bar = make('div', 'pair-acts', body);
    const prefer = (chosen, rejected, isTie) => async () => {
      try {
        const { preference } = await post('curate/prefer', { chosen, rejected, is_tie: isTie });
        dialog.close();
        notice('Your preference is kept.', {
          button: 'Undo',
          press: () =>
            post('curate/prefer/undo', { preference })
              .then(() => notice('Taken back.'))
              .catch(complain),
        });
      } catch (error) {
        complain(error);
      }
    };
    for (const [text, key, press] of [
      ['Left is better (1)', '1', prefer(left.id, right.id, false)],
      ['Right is better (2)', '2', prefer(right.id, left.id, false)],
      ['Equal (0)', '0', prefer(left.id, right.id, true)],
    ]) {
      const button = make('button', 'sheet-button', bar, text);
      button.dataset.key = key;
      button.addEventListener('click', press);
    }
    both(body, data, [`This one, by ${left.policy}`, `The other, by ${right.policy}`]);
    bar.firstChild.focus();
  } catch (error) {
    complain(error);
  }
}
