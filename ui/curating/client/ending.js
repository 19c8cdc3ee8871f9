// The end of the list: what was made of it, and what can be done next.
import { workbench } from './workbench.js';
import { choose, list, move } from './walking.js';
import { only } from './filters.js';
import { each, make, put, say } from '../../client/dom.js';
import { VERDICT_WORDS } from '../../client/words.js';

const OPEN = ['new', 'edited'];

// What is next, the nearest first: { text, press } or { text, href }.
function offers() {
  const { items, counts, query } = workbench,
    left = items.filter((one) => OPEN.includes(one.status)),
    elsewhere = (counts.new || 0) - left.filter((one) => one.status === 'new').length;
  return [
    left.length && {
      text: `Go through the ${left.length === 1 ? '1 that is' : `${left.length} that are`} left`,
      press: () => choose(left[0].id),
    },
    elsewhere > 0 && { text: `Go to the ${elsewhere} new elsewhere`, press: () => list(only({ status: 'new' })) },
    counts.flagged > 0 &&
      query.status !== 'flagged' && {
        text: `Look at the ${counts.flagged} flagged`,
        press: () => list(only({ status: 'flagged' })),
      },
    counts.accepted > 0 && { text: `Train on the ${counts.accepted} approved`, href: 'train' },
    items.length > 0 && { text: 'Back to the last', press: () => move(-1) },
  ].filter(Boolean);
}

// Takes over the element; returns what draws it.
export function endIn(parent) {
  const [, , note, acts] = parent.children;
  let drawn = '';
  return () => {
    parent.hidden = !workbench.isAtEnd;
    if (parent.hidden) {
      drawn = '';
      return;
    }
    const words = ['accepted', 'rejected', 'flagged']
      .map((status) => [workbench.items.filter((one) => one.status === status).length, VERDICT_WORDS[status]])
      .filter(([number]) => number > 0)
      .map(([number, word]) => `${number} ${word}`);
    say(note, words.length ? `Of these ${workbench.items.length}: ${words.join(', ')}.` : 'None of these is decided.');
    const all = offers(),
      key = all.map((one) => one.text).join();
    if (key === drawn) return;
    drawn = key;
    acts.textContent = '';
    each(
      acts,
      all,
      () => make('span'),
      () => {},
    );
    all.forEach((one, index) => {
      const node = make(one.href ? 'a' : 'button', 'editor-offer', acts.children[index], one.text);
      if (one.href) put(node, { href: one.href });
      else node.addEventListener('click', one.press);
    });
  };
}
