// The right column: the steps as cards, what is known of the answer, earlier verdicts, and the bar of decisions.
import { bench, watch, chooseStep, viewsOf } from './bench.js';
import { decide, reject, giveReason, closeReason } from './verdicts.js';
import { make, say, tell, put, each, tone, count, when } from './dom.js';
import { REASONS, toggleSheet } from './keys.js';

const WORDS = { accepted: 'approved', rejected: 'rejected', skipped: 'skipped', flagged: 'flagged' };
const ENDS = { answered: '', max_steps: 'It ran out of steps.', max_tokens: 'It ran out of words.', cancelled: 'It was stopped.', failed: 'Something broke while it ran.' };

export function mount(root) {
  const part = (name) => root.querySelector('.inspector-' + name);
  const cards = part('cards');

  cards.addEventListener('click', (event) => {
    const card = event.target.closest('.card');
    if (card) chooseStep([...cards.children].indexOf(card));
  });
  root.querySelector('#curate-approve').addEventListener('click', () => decide('accepted'));
  root.querySelector('#curate-reject').addEventListener('click', () => reject());
  part('keys').addEventListener('click', () => toggleSheet());
  const why = part('why'), other = why.querySelector('input');
  each(why.querySelector('.inspector-reasons'), REASONS, () => make('button', 'inspector-reason'), (button, reason, index) => {
    make('kbd', '', button, String(index + 1));
    make('span', '', button, reason);
    button.addEventListener('click', () => giveReason(reason));
  });
  other.addEventListener('keydown', (event) => { if (event.key === 'Enter') { giveReason(other.value.trim()); other.value = ''; other.blur(); } });
  why.querySelector('.inspector-leave').addEventListener('click', () => closeReason());

  function create() {
    const item = make('li', 'card');
    const head = make('button', 'card-head', item);
    make('span', 'card-number', head);
    const words = make('span', 'card-words', head);
    const top = make('span', 'card-top', words);
    make('span', 'card-name', top);
    make('span', 'card-badge', top);
    make('span', 'card-thought', words);
    const picture = make('img', 'card-picture', head);
    picture.alt = ''; picture.decoding = 'async';
    make('p', 'card-error', item);
    return item;
  }
  function update(item, step, index) {
    const isChosen = bench.step === index;
    item.style.setProperty('--tone', tone(index));
    put(item, { 'data-name': step.name, class: 'card' + (isChosen ? ' is-chosen' : '') + (step.is_erroneous ? ' is-erroneous' : '') });
    const [head, error] = item.children;
    put(head, { 'aria-current': isChosen ? 'step' : 'false' });
    say(head.children[0], String(index + 1));
    const [top, thought] = head.children[1].children;
    say(top.children[0], step.name + (step.frames.length ? ' ' + step.frames.join(', ') : step.view ? ' in view ' + step.view : ''));
    tell(top.children[1], step.is_erroneous ? 'erroneous' : '');
    say(thought, step.answer !== null && !step.thought ? step.answer : step.thought);
    const [view] = viewsOf(index), picture = head.children[2];
    picture.hidden = !view;
    if (view && picture.getAttribute('src') !== view.url) picture.src = view.url;
    tell(error, step.error ? 'It did not work: ' + step.error : '');
  }

  watch(() => {
    const detail = bench.detail;
    root.querySelector('.inspector').dataset.state = detail ? 'full' : bench.current ? 'waiting' : 'empty';
    each(cards, detail ? detail.steps : [], create, update);
    part('body').hidden = !detail;
    why.hidden = !bench.isAsking;
    for (const id of ['curate-approve', 'curate-reject']) document.getElementById(id).disabled = !detail;
    if (!detail) return;
    tell(part('answer'), detail.answer);
    part('none').hidden = detail.answer !== null;
    say(part('none'), 'No answer. ' + (ENDS[detail.stop_reason] || ''));
    part('gold-row').hidden = detail.gold === null;
    say(part('gold'), detail.gold === null ? '' : detail.gold);
    part('score-row').hidden = detail.score === null;
    say(part('score'), detail.score === null ? '' : detail.score.toFixed(2));
    root.querySelector('.inspector').dataset.right = detail.gold === null ? '' : detail.score === 1 ? 'yes' : detail.score === 0 ? 'no' : '';
    const standing = detail.reviews.filter((review) => !review.is_undone).reverse();
    part('reviews').hidden = !standing.length;
    each(part('review-list'), standing, () => { const row = make('li', 'review'); make('span', 'review-who', row); make('span', 'review-why', row); return row; }, (row, review) => {
      row.dataset.verdict = review.verdict;
      say(row.firstChild, review.reviewer + ' ' + WORDS[review.verdict] + ', ' + when(review.created_at) + (review.is_of_head ? '' : ', an earlier version'));
      tell(row.lastChild, review.reason);
    });
    say(part('count'), count(detail.steps.length, 'step'));
  });
}
