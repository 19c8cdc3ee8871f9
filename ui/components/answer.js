import { acts } from '../asking/client/acts.js';
import { sureness } from '../asking/client/sureness.js';
import { watching } from '../asking/client/watching.js';
import { each, make, say, tell } from '../client/dom.js';
import { duration } from '../client/words.js';

const NARROW_PX = 768;

export function mount({ element, props, trigger, watch }) {
  const root = element.querySelector('.answer');
  const part = (name) => root.querySelector(`.answer-${name}`);
  const drawSureness = sureness(root);
  const drawActs = acts(root, () => props.value);
  let started = null,
    clock = null,
    asked = null;

  function tick() {
    tell(part('clock'), duration((performance.now() - started) / 1000));
  }

  // A long question shows its beginning, and all of it on demand.
  const more = part('more');
  function fold() {
    const question = part('question');
    more.hidden = question.scrollHeight <= question.clientHeight + 1 && question.classList.contains('is-folded');
    say(more, question.classList.contains('is-folded') ? 'Show the whole question' : 'Show less');
    more.setAttribute('aria-expanded', String(!question.classList.contains('is-folded')));
  }
  more.addEventListener('click', () => {
    part('question').classList.toggle('is-folded');
    fold();
  });
  new ResizeObserver(fold).observe(part('question'));

  // On a phone the answer stands below the picture, where each crop pushes it further down; who scrolls is left alone.
  let keptAt_px = null;
  function keepInSight() {
    if (innerWidth >= NARROW_PX || (keptAt_px !== null && Math.abs(scrollY - keptAt_px) > 2)) return;
    root.scrollIntoView({ block: 'end' });
    keptAt_px = scrollY;
  }

  function render() {
    const value = props.value || { state: 'empty' };
    const isRunning = value.state === 'running';
    root.dataset.state = value.state;
    root.dataset.tone = value.tone || 'plain';
    root.dataset.sure = value.sure?.level || '';
    if (asked !== value.address) part('question').classList.add('is-folded');
    asked = value.address;
    tell(part('question'), value.question || '');
    each(
      part('options'),
      value.options || [],
      () => make('li'),
      (item, option) => say(item, option),
    );
    fold();
    tell(part('text'), value.answer === null || value.answer === undefined ? '' : value.answer);
    tell(part('note'), value.note || '');
    tell(part('policy'), value.state === 'empty' ? '' : value.policy || '');
    tell(part('hint'), value.state === 'empty' ? value.hint || '' : '');
    part('spinner').hidden = !isRunning;
    say(part('status'), value.status || '');
    say(part('problem'), value.problem || '');
    drawSureness(value.sure || null);
    drawActs();
    const link = part('link');
    link.hidden = !value.link;
    if (value.link) {
      link.href = value.link.href;
      say(link, value.link.text);
    }
    if (isRunning && clock === null) {
      keptAt_px = null;
      started = performance.now() - 1000 * (value.elapsed_s || 0);
      clock = setInterval(tick, 100);
      tick();
    }
    // The crops are drawn a moment later than the card.
    if (clock !== null) requestAnimationFrame(() => requestAnimationFrame(keepInSight));
    if (!isRunning && clock !== null) {
      clearInterval(clock);
      clock = null;
    }
    if (!isRunning) tell(part('clock'), typeof value.elapsed_s === 'number' ? duration(value.elapsed_s) : '');
  }

  const told = watching(
    () => props.value,
    (wanted) => {
      props.value = { ...props.value, wanted };
      trigger('open');
    },
  );
  watch('value', () => {
    told();
    render();
  });
  render();
}
