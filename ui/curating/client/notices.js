// Short sentences at the foot of the page, said to screen readers too; at most one stands, with at most one thing to press.
import { make, say } from './dom.js';

let box = null, timer = null;
function place() {
  if (box) return box;
  box = make('div', 'notice', document.body);
  box.setAttribute('role', 'status');
  make('span', 'notice-text', box);
  make('button', 'notice-button', box);
  box.dataset.tone = 'plain';
  box.hidden = true;
  return box;
}
export function notice(text, { tone = 'plain', button = '', press = null, stays = false } = {}) {
  const node = place();
  clearTimeout(timer);
  node.hidden = false;
  node.dataset.tone = tone;
  say(node.firstChild, text);
  const [, action] = node.children;
  action.hidden = !button;
  say(action, button);
  action.onclick = () => { hush(); if (press) press(); };
  if (!stays) timer = setTimeout(hush, tone === 'bad' ? 9000 : 5000);
}
export function hush() { if (box) { box.hidden = true; say(box.firstChild, ''); } }
