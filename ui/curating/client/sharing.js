// Tags, assignments and several reviews of the trace on the workbench; and, where reviewers disagree, the last word.
import { workbench, watch, changed, item } from './workbench.js';
import { reopen, keep, show } from './walking.js';
import { post, get } from '../../client/server.js';
import { make, say, tell, put, each } from '../../client/dom.js';
import { complain } from './notices.js';

async function send(path, body) {
  try {
    const answer = await post(path, { trace: workbench.current, ...body }),
      row = item(answer.id);
    if (row && answer.tags) row.tags = answer.tags;
    if (row && answer.status) row.status = answer.status;
    if (workbench.detail && workbench.detail.id === answer.id) {
      const detail = { ...workbench.detail, ...answer };
      keep(detail);
      show(detail);
    }
    changed();
  } catch (error) {
    complain(error);
    if (workbench.detail) reopen();
  }
}

function mountWords(box, path, field) {
  const list = box.querySelector('ul'),
    form = box.querySelector('form'),
    input = form.querySelector('input');
  form.addEventListener('submit', (event) => {
    event.preventDefault();
    const word = input.value.trim();
    input.value = '';
    if (word) send(path, { [field]: word, is_on: true });
  });
  list.addEventListener('click', (event) => {
    const button = event.target.closest('button');
    if (button) send(path, { [field]: button.dataset.word, is_on: false });
  });
  return (words) => {
    list.hidden = !words.length;
    each(
      list,
      words,
      () => {
        const node = make('li', 'sharing-word');
        make('span', '', node);
        make('button', '', node, '×');
        return node;
      },
      (node, word) => {
        say(node.firstChild, word);
        node.lastChild.dataset.word = word;
        put(node.lastChild, { 'aria-label': `Take away ${word}` });
      },
    );
  };
}

export function mountSharing(root) {
  const fold = root.querySelector('.sharing');
  const drawTags = mountWords(fold.querySelector('.sharing-tags'), 'curate/tag', 'tag');
  const drawAssigned = mountWords(fold.querySelector('.sharing-assigned'), 'curate/assign', 'person');
  const wanted = fold.querySelector('.sharing-wanted'),
    agreement = fold.querySelector('.sharing-agreement');
  wanted.addEventListener('change', () => send('curate/round', { wanted: Number(wanted.value) }));
  const dispute = root.querySelector('.dispute');
  dispute.addEventListener('click', (event) => {
    const verdict = event.target.dataset.verdict;
    if (verdict)
      send('curate/adjudicate', {
        is_insisting: workbench.isInsisting === workbench.current,
        revision: workbench.detail.head.id,
        verdict,
        reason: dispute.querySelector('input').value.trim(),
      });
  });
  fold.addEventListener('toggle', async () => {
    if (!fold.open) return;
    try {
      const { alpha, revisions, pairs } = await get('curate/agreement');
      const words = pairs
        .slice(0, 4)
        .filter((pair) => pair.kappa !== null)
        .map((pair) => `${pair.reviewers.join(' and ')} ${pair.kappa.toFixed(2)}`);
      tell(
        agreement,
        revisions
          ? 'Agreement on ' +
              revisions +
              ' twice reviewed: alpha ' +
              (alpha === null ? 'not known yet' : alpha.toFixed(2)) +
              (words.length ? `; kappa ${words.join(', ')}` : '') +
              '.'
          : '',
      );
    } catch {
      /* it is only a figure */
    }
  });
  watch(() => {
    const detail = workbench.detail;
    fold.hidden = !detail;
    dispute.hidden = !(detail?.round && detail.round.state === 'disputed');
    if (!detail) return;
    drawTags(detail.tags || []);
    drawAssigned(detail.assigned || []);
    const round = detail.round || { wanted: 1, given: 0, state: 'open' };
    if (document.activeElement !== wanted) wanted.value = String(round.wanted);
    tell(
      fold.querySelector('.sharing-round'),
      round.wanted > 1
        ? round.given +
            ' of ' +
            round.wanted +
            ' reviews are in' +
            (round.state === 'open'
              ? '; others’ verdicts show after yours.'
              : `, ${round.state === 'adjudicated' ? 'decided' : round.state}.`)
        : '',
    );
    say(fold.querySelector('.sharing-count'), [...(detail.tags || []), ...(detail.assigned || [])].join(', '));
  });
}
