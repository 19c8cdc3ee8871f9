// An example on which two runs differ: its picture, both answers, and on demand both traces side by side.
import { make, put, say } from './dom.js';
import { get } from './server.js';
import { drawCards } from './step_card.js';

export function createDiffering() {
  const item = make('li', 'differing');
  make('img', 'differing-picture', item).alt = '';
  const text = make('div', 'differing-words', item);
  make('p', 'differing-question', text);
  const answers = make('p', 'differing-answers', text);
  make('span', 'differing-gold', answers);
  make('a', 'differing-before', answers);
  make('a', 'differing-after', answers);
  const more = make('details', 'differing-more', item);
  make('summary', 'differing-summary', more, 'Both traces, side by side');
  make('div', 'differing-sides', more);
  more.addEventListener('toggle', () => more.open && drawSides(more));
  return item;
}

// `names` are those of the two runs: ['before', 'after'].
export function drawDiffering(item, one, names) {
  const part = (name) => item.querySelector(`.differing-${name}`);
  const isChanged = one.before !== one.after;
  item.classList.toggle('is-worse', isChanged && one.after < one.before);
  item.classList.toggle('is-better', isChanged && one.after > one.before);
  const image = part('picture');
  image.hidden = !one.picture;
  if (one.picture) put(image, { src: one.picture });
  say(part('question'), one.question);
  say(part('gold'), one.gold === null ? '' : `right: ${one.gold}`);
  ['before', 'after'].forEach((side, index) => {
    const link = part(side),
      mark = typeof one[side] !== 'number' ? '' : one[side] >= 0.5 ? ' ✓' : ' ✗';
    say(link, `${names[index]}: ${one[`${side}_answer`] ?? 'no answer'}${mark}`);
    if (one[`${side}_trace`]) put(link, { href: `curate?trace=${one[`${side}_trace`]}` });
    else link.removeAttribute('href');
  });
  const more = part('more'),
    both = [one.before_trace, one.after_trace];
  more.hidden = !(both[0] && both[1]);
  if (more.dataset.left !== both[0] || more.dataset.right !== both[1]) {
    more.open = false;
    part('sides').replaceChildren();
    put(more, { 'data-left': both[0] ?? '', 'data-right': both[1] ?? '', 'data-names': names.join('\n') });
  }
}

async function drawSides(more) {
  const sides = more.querySelector('.differing-sides');
  if (sides.firstChild) return;
  const { left, right, names } = more.dataset;
  try {
    const told = await get(`curate/pair?left=${left}&right=${right}`);
    told.sides.forEach((one, index) => {
      const side = make('section', 'differing-side', sides);
      make('h3', 'differing-side-name', side, names.split('\n')[index]);
      drawCards(make('ol', 'differing-steps', side), one.steps, one.views);
    });
  } catch (problem) {
    make('p', 'data-error', sides, problem.message);
  }
}
