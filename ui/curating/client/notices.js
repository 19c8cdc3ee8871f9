// Short sentences at the foot of the page, said to screen readers too; at most one stands, with at most one thing to
// press, and a list of what it speaks of, each of which can be opened.
import { make, say, each } from '../../client/dom.js';

const SPOKEN_FOR_MS = 6000;
let box = null,
  timer = null,
  keptUntil = 0;
function place() {
  if (box) return box;
  box = make('div', 'notice', document.body);
  box.setAttribute('role', 'status');
  make('span', 'notice-text', box);
  make('button', 'notice-button', box);
  make('ul', 'notice-list', box);
  box.dataset.tone = 'plain';
  box.hidden = true;
  return box;
}
export function notice(text, { tone = 'plain', button = '', press = null, stays = false, list = [] } = {}) {
  // What went wrong is not wiped away by the next verdict's word.
  if (tone !== 'bad' && Date.now() < keptUntil) return;
  keptUntil = tone === 'bad' && button ? Date.now() + SPOKEN_FOR_MS : 0;
  const node = place();
  clearTimeout(timer);
  node.hidden = false;
  node.dataset.tone = tone;
  say(node.firstChild, text);
  const [, action, named] = node.children;
  named.hidden = !list.length;
  each(
    named,
    list,
    () => make('button', 'notice-named', make('li')).parentNode,
    (row, one) => {
      say(row.firstChild, one.text);
      row.firstChild.onclick = one.press;
    },
  );
  action.hidden = !button;
  say(action, button);
  action.onclick = () => {
    hush();
    if (press) press();
  };
  if (!stays) timer = setTimeout(hush, tone === 'bad' ? 9000 : 5000);
}
// What went wrong, as an error says it.
export const complain = (error) => notice(error.message, { tone: 'bad' });
export function hush() {
  keptUntil = 0;
  if (box) {
    box.hidden = true;
    say(box.firstChild, '');
  }
}
