// The right column: the steps as cards, what can be done to the chosen one, what the policy would do from here, what
// changed, what was decided, and the bar of decisions.
import { workbench, watch } from './workbench.js';
import { decide, reject, giveReason, closeReason, isHeldElsewhere, obstacle } from './verdicts.js';
import { mountSteps, drawSteps } from './steps.js';
import { mountPanel, drawSaved } from './panel.js';
import { mountCandidates } from './candidates.js';
import { drawChanges } from './changes.js';
import { insist } from './holding.js';
import { mountVersions } from './versions.js';
import { mountSharing } from './sharing.js';
import { pairsThatDiffer, sideBySide } from './preferring.js';
import { deletePicture, deleteTrace } from './deleting.js';
import { tell as send } from './outbox.js';
import { make, say, tell, put, each } from '../../client/dom.js';
import { togglePalette } from '../../client/palette.js';
import { explain } from '../../client/terms.js';
import { STOP_WORDS, VERDICT_WORDS, ago, count } from '../../client/words.js';
import { toggleSheet } from './keys.js';
import { toggleFocus } from './layout.js';

export function mount({ element: root }) {
  const part = (name) => root.querySelector(`.inspector-${name}`);
  const cards = part('cards'),
    approve = root.querySelector('#curate-approve');

  mountSteps(cards);
  const drawPanel = mountPanel(root);
  approve.addEventListener('click', () => decide('accepted'));
  root.querySelector('#curate-reject').addEventListener('click', () => reject());
  part('keys').addEventListener('click', () => toggleSheet());
  part('palette').addEventListener('click', togglePalette);
  explain(root);
  part('focus').addEventListener('click', () => toggleFocus());
  part('insist').addEventListener('click', () => insist());
  part('discard').addEventListener('click', () => send('curate/discard', { trace: workbench.current, counter: null }));
  part('keep').addEventListener('click', () => {
    const is_insisting = workbench.isInsisting === workbench.current;
    send('curate/save', { trace: workbench.current, counter: null, is_insisting });
  });
  const why = part('why'),
    other = why.querySelector('input');
  // Known before the first trace is: the queue's column brings them.
  const drawReasons = () =>
    each(
      why.querySelector('.inspector-reasons'),
      workbench.reasons,
      () => make('button', 'inspector-reason'),
      (button, reason, index) => {
        if (button.childElementCount) return;
        make('kbd', '', button, String(index + 1));
        make('span', '', button, reason);
        button.addEventListener('click', () => giveReason(reason));
      },
    );
  other.addEventListener('keydown', (event) => {
    if (event.key === 'Enter' && !event.isComposing) {
      giveReason(other.value.trim());
      other.value = '';
      other.blur();
    }
  });
  why.querySelector('.inspector-leave').addEventListener('click', () => closeReason());
  mountCandidates(root);
  mountVersions(root);
  mountSharing(root);
  part('beside').addEventListener('click', () => sideBySide());
  part('pairs').addEventListener('click', () => pairsThatDiffer());
  part('delete').addEventListener('click', () => deleteTrace());
  part('delete-picture').addEventListener('click', () => deletePicture());
  let drawnChanges = null;
  // The bar grows with what it asks, and what stands above it makes room.
  const bar = root.querySelector('.workbench-bar');
  new ResizeObserver(() => document.documentElement.style.setProperty('--action-bar', `${bar.offsetHeight}px`)).observe(
    bar,
  );

  function drawOutcome(detail) {
    part('gold-row').hidden = detail.gold === null;
    say(part('gold'), detail.gold === null ? '' : detail.gold);
    part('score-row').hidden = detail.score === null;
    say(part('score'), detail.score === null ? '' : detail.score.toFixed(2));
    tell(part('none'), detail.answer === null ? `No answer. ${STOP_WORDS[detail.stop_reason] || ''}` : '');
    // As it was scored, not as it is spelt: "two" may be right where the gold answer is 2.
    const isKnown = detail.gold !== null && detail.answer !== null && detail.score !== null;
    const word = detail.score >= 1 ? 'yes' : detail.score <= 0 ? 'no' : 'partly';
    root.querySelector('.inspector').dataset.right = isKnown ? word : '';
  }
  function drawReviews(detail) {
    const standing = detail.reviews.filter((review) => !review.is_undone).reverse();
    part('reviews').hidden = !standing.length;
    each(
      part('review-list'),
      standing,
      () => {
        const row = make('li', 'review');
        make('span', 'review-who', row);
        make('span', 'review-why', row);
        return row;
      },
      (row, review) => {
        row.dataset.verdict = review.verdict;
        say(
          row.firstChild,
          review.reviewer +
            ' ' +
            VERDICT_WORDS[review.verdict] +
            ', ' +
            ago(review.created_at) +
            (review.is_of_head ? '' : ', an earlier version'),
        );
        tell(row.lastChild, review.reason);
      },
    );
  }

  watch(() => {
    const detail = workbench.detail;
    root.querySelector('.inspector').dataset.state = detail ? 'full' : workbench.current ? 'waiting' : 'empty';
    drawSteps(cards);
    drawPanel();
    part('body').hidden = !detail;
    why.hidden = !workbench.isAsking;
    if (workbench.isAsking) drawReasons();
    drawSaved(part('saved'));
    for (const id of ['curate-approve', 'curate-reject'])
      root.querySelector(`#${id}`).disabled = !detail || isHeldElsewhere();
    if (!detail) {
      drawnChanges = null;
      return;
    }
    part('held').hidden = !isHeldElsewhere();
    if (detail.holder) say(part('holder'), detail.holder.sentence || `${detail.holder.name} is working on this trace.`);
    tell(part('why-not'), detail.why_not || '');
    const blocked = obstacle();
    approve.classList.toggle('is-blocked', !!blocked);
    put(approve, { title: blocked || null, 'aria-describedby': blocked ? 'inspector-blocked' : null });
    tell(part('blocked'), blocked && detail.draft.is_changed ? blocked : '');
    drawOutcome(detail);
    part('changes').hidden = !detail.changes.length;
    part('draft-acts').hidden = !detail.draft?.is_changed;
    if (drawnChanges !== detail.changes) {
      drawnChanges = detail.changes;
      drawChanges(part('change-list'), detail.changes);
    }
    drawReviews(detail);
    say(part('count'), count(detail.steps.length, 'step'));
  });
}
