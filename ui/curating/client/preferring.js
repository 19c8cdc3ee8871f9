// Which of two attempts is better: beside the trace on the workbench, or one pair after the other of those that came to
// different answers. Blind: whose they are is told afterwards. Question and picture stay in sight, keys decide.
import { workbench } from './workbench.js';
import { closePair, sheet, side } from './pair.js';
import { get, post, address } from '../../client/server.js';
import { make, options, put, say, svg } from '../../client/dom.js';
import { FRAME_SIDE, stageUrl } from '../../client/media.js';
import { inPixels, tagAt } from '../../client/geometry.js';
import { complain, notice } from './notices.js';

const NAMES = ['A', 'B'],
  TONES = ['var(--tone-1)', 'var(--tone-2)'];
let turn = 0; // which question was asked last: an answer to an earlier one is not drawn

// The views that an attempt looked at.
const looksOf = ({ steps, views }) => steps.flatMap((step) => step.views.map((number) => views[number - 1]));

function drawPicture(parent, medium, data, index) {
  const drawing = svg('svg', { class: 'pair-picture', viewBox: `0 0 ${medium.width} ${medium.height}` }, parent);
  put(drawing, { role: 'img', 'aria-label': `${medium.name || 'The source'}, with what A and B looked at` });
  drawing.style.setProperty('--ratio', medium.width / medium.height);
  if (medium.is_missing) return;
  put(svg('image', {}, drawing), { width: medium.width, height: medium.height, href: stageUrl(medium, null) });
  const scale = medium.width / 420;
  data.sides.forEach((one, which) => {
    for (const { media, box } of looksOf(one)) {
      if (media !== index) continue;
      const group = svg('g', { class: 'box' }, drawing),
        at = inPixels(box, medium),
        // B's tag stands beside A's where both looked at one place.
        { tag, words } = tagAt({ ...at, x: at.x + which * 24 * scale }, medium, NAMES[which], scale);
      group.style.setProperty('--tone', TONES[which]);
      put(svg('rect', { class: 'box-body' }, group), at);
      put(svg('rect', { class: 'box-tag' }, group), tag);
      say(svg('text', { ...words, class: 'box-label' }, group), NAMES[which]);
    }
  });
}
function drawClip(parent, medium, data, index) {
  const strip = make('div', 'pair-strip', parent);
  medium.times_s.forEach((time_s, at) => {
    const frame = make('span', 'pair-frame', strip),
      takers = NAMES.filter((_, which) =>
        looksOf(data.sides[which]).some((look) => look.media === index && look.frame === at + 1),
      );
    const image = make('img', '', frame);
    put(image, {
      src: stageUrl(medium, at + 1, FRAME_SIDE),
      loading: 'lazy',
      alt: `Frame ${at + 1} at ${time_s.toFixed(1)} s${takers.length ? `, looked at by ${takers.join(' and ')}` : ''}`,
    });
    for (const one of takers)
      make('b', 'pair-taker', frame, one).style.setProperty('--tone', TONES[NAMES.indexOf(one)]);
  });
}

// `data` as /curate/pair gives it. `act(chosen, rejected, isTie)` decides, `pass` (or null) goes on without.
function draw(data, { title, question, choices = [], more = () => {}, act, pass = null }) {
  const body = sheet(title);
  body.classList.add('is-choosing');
  const top = make('div', 'pair-top', body),
    asked = make('div', 'pair-asked', top);
  make('p', 'pair-question', asked, question);
  if (choices.length)
    choices.forEach((one, index) => {
      make('p', 'pair-option', asked, `${String.fromCharCode(65 + index)}  ${one}`);
    });
  more(asked);
  const media = make('div', 'pair-media', top);
  data.media.forEach((medium, index) => (medium.kind === 'video' ? drawClip : drawPicture)(media, medium, data, index));
  const sides = make('div', 'pair-sides', body);
  data.sides.forEach((one, index) => {
    const box = side(sides, NAMES[index], one);
    box.style.setProperty('--tone', TONES[index]);
    const answer = make('p', 'pair-answer', box, one.answer ?? 'no answer');
    box.insertBefore(answer, box.children[1]);
  });
  const bar = make('div', 'pair-acts', body),
    [left, right] = data.sides;
  for (const [text, key, press] of [
    ['A is better', '1', () => act(left.id, right.id, false)],
    ['Both alike', '0', () => act(left.id, right.id, true)],
    ['B is better', '2', () => act(right.id, left.id, false)],
    ['Skip', 's', pass],
  ]) {
    if (!press) continue;
    const button = make('button', 'sheet-button', bar);
    make('span', '', button, text);
    make('kbd', '', button, key);
    button.dataset.key = key;
    button.addEventListener('click', press);
  }
  bar.firstChild.focus({ preventScroll: true });
}

async function prefer(chosen, rejected, isTie, after) {
  try {
    const { preference, policies } = await post('curate/prefer', { chosen, rejected, is_tie: isTie });
    const who = policies[0] === policies[1] ? '' : ` It was ${policies[0]}, over ${policies[1]}.`;
    notice(isTie ? 'Kept: both alike.' : `Your preference is kept.${who}`, {
      button: 'Undo',
      press: () =>
        post('curate/prefer/undo', { preference })
          .then(() => notice('Taken back.'))
          .catch(complain),
    });
    after();
  } catch (error) {
    complain(error);
  }
}

export async function sideBySide(other = null) {
  const trace = workbench.current,
    { question, options: choices } = workbench.detail || {};
  try {
    const { items } = await get(`curate/siblings/${trace}`);
    if (!items.length) {
      notice('There is no other attempt at this question.');
      return;
    }
    const against = other || items[0].id,
      data = await get(address('curate/pair', { left: trace, right: against }));
    draw(data, {
      title: 'Which is better?',
      question,
      choices,
      more: (parent) => {
        if (items.length < 2) return;
        const select = make('select', '', make('label', 'pair-choose', parent, 'A beside '));
        options(
          select,
          items.map((item) => [item.id, `#${item.number} · ${item.answer ?? 'no answer'}`]),
        );
        select.value = against;
        select.addEventListener('change', () => sideBySide(select.value));
      },
      act: (...chosen) => prefer(...chosen, closePair),
    });
  } catch (error) {
    complain(error);
  }
}

// The queue of pairs that differ, from behind the pair `after`.
export async function pairsThatDiffer(after = '', done = 0) {
  const mine = ++turn;
  try {
    const data = await get(address('curate/pairs', { after }));
    if (mine !== turn) return;
    if (data.key === null) {
      closePair();
      notice(
        done
          ? `That was the last pair: ${done} compared.`
          : 'No two attempts at one question came to different answers that you have not compared.',
      );
      return;
    }
    draw(data, {
      title: done ? `Which is better? · ${done} compared` : 'Which is better?',
      question: data.question,
      choices: data.options,
      act: (...chosen) => prefer(...chosen, () => pairsThatDiffer(data.key, done + 1)),
      pass: () => pairsThatDiffer(data.key, done),
    });
  } catch (error) {
    complain(error);
  }
}
