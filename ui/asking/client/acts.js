// What can be done with an answer that is there: take it away, look at what the model was told, say whether it is
// right.
import { each, make, put, say, tell } from '../../client/dom.js';
import { get, post } from '../../client/server.js';
import { viewWords } from '../../client/words.js';

const SAID_MS = 2500;

// `current()` is the answer's value. Returns what draws the acts whenever a new value has come.
export function acts(root, current) {
  const part = (name) => root.querySelector(`.answer-${name}`);
  const notice = part('said');
  let shown = null,
    fading = null;

  function told(sentence) {
    say(notice, sentence);
    clearTimeout(fading);
    fading = setTimeout(() => say(notice, ''), SAID_MS);
  }
  async function copy(text, sentence) {
    try {
      await navigator.clipboard.writeText(text);
      told(sentence);
    } catch {
      // Refused (an unencrypted address, a frame): it stands there to be copied by hand.
      told(text);
    }
  }
  part('copy').addEventListener('click', () => copy(current().answer || '', 'The answer is copied.'));
  part('link-copy').addEventListener('click', () => copy(location.href, 'The link is copied.'));

  const dialog = part('told');
  part('tell').addEventListener('click', async () => {
    try {
      draw(await get(`ask/kept/${shown}/told`));
      dialog.showModal();
    } catch (error) {
      told(error.message);
    }
  });
  function draw({ turns, has_sizes }) {
    say(
      part('told-note'),
      has_sizes
        ? 'Every turn as the wire format writes it, and each view at the size at which the model was shown it.'
        : 'Every turn as the wire format writes it. Another model answers here now, so the views stand at full size.',
    );
    each(part('turns'), turns, createTurn, updateTurn);
  }

  const wrong = part('wrong');
  async function judge(isRight) {
    const answer = isRight ? '' : part('right').value.trim();
    try {
      await post('ask/judge', { trace: shown, is_right: isRight, right_answer: answer });
      wrong.hidden = true;
      told('Thank you: whoever reviews sees it.');
    } catch (error) {
      told(error.message);
    }
    press(isRight);
  }
  function press(isRight) {
    put(part('up'), { 'aria-pressed': String(isRight === true) });
    put(part('down'), { 'aria-pressed': String(isRight === false) });
  }
  part('up').addEventListener('click', () => judge(true));
  part('down').addEventListener('click', () => {
    wrong.hidden = !wrong.hidden;
    if (!wrong.hidden) part('right').focus();
  });
  wrong.addEventListener('submit', (event) => {
    event.preventDefault();
    judge(false);
  });

  return () => {
    const { trace_id = null, answer = null } = current() || {};
    part('acts').hidden = !trace_id;
    if (trace_id === shown) return;
    shown = trace_id;
    say(notice, '');
    press(null);
    wrong.hidden = true;
    part('right').value = '';
    part('copy').hidden = answer === null;
    part('judging').hidden = answer === null;
    for (const name of ['trace.json', 'crops.zip', 'boxes.png'])
      put(part('acts').querySelector(`[download="${name}"]`), { href: `ask/kept/${trace_id}/${name}` });
  };
}

const ROLES = { system: 'Told before', user: 'Told', assistant: 'Said' };
function createTurn() {
  const item = make('li', 'answer-turn');
  make('b', '', item);
  make('pre', '', item);
  make('div', 'answer-seen', item);
  return item;
}
function updateTurn(item, { role, text, views }) {
  say(item.children[0], ROLES[role]);
  tell(item.children[1], text);
  each(item.children[2], views, createSeen, updateSeen);
}
function createSeen() {
  const figure = make('figure');
  make('img', '', figure).loading = 'lazy';
  make('figcaption', '', figure);
  return figure;
}
function updateSeen(figure, { number, width, height, url }) {
  put(figure.firstChild, { src: url, width, height, alt: `View ${number} as it was shown` });
  say(figure.lastChild, viewWords({ number, frame: null, box: [], width, height }));
}
