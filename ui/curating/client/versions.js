// Who did what when, every version to compare with another, and what to do when somebody else saved a version first.
import { workbench, watch, changed } from './workbench.js';
import { get } from '../../client/server.js';
import { tell } from './outbox.js';
import { compareVersions } from './pair.js';
import { make, say, each, options } from '../../client/dom.js';
import { VERDICT_WORDS, ago } from '../../client/words.js';
import { complain } from './notices.js';

const WORDS = {
  recorded: 'recorded it',
  revised: 'saved',
  branched: 'saved beside it',
  ...VERDICT_WORDS,
  undone: 'took back',
  adjudicated: 'decided',
  tagged: 'tagged',
  untagged: 'took off the tag',
  assigned: 'assigned it to',
  unassigned: 'took it from',
  ended: 'ended a round of',
  asked: 'asked for',
};
let known = null,
  isOpen = false;

async function know() {
  const id = workbench.current;
  try {
    const history = await get(`curate/history/${encodeURIComponent(id)}`);
    known = { id, version: workbench.detail?.head.id, ...history };
    changed();
  } catch (error) {
    complain(error);
  }
}

export function mountVersions(root) {
  const fold = root.querySelector('.versions'),
    events = fold.querySelector('.versions-events'),
    pick = fold.querySelector('.versions-pick');
  const [older, newer] = pick.querySelectorAll('select');
  fold.addEventListener('toggle', () => {
    isOpen = fold.open;
    if (isOpen) know();
  });
  pick.addEventListener('submit', (event) => {
    event.preventDefault();
    compareVersions(older.value, newer.value);
  });

  const conflict = root.querySelector('.conflict');
  const mine = () => tell('curate/rebase', { trace: workbench.current, counter: null });
  const theirs = () => tell('curate/discard', { trace: workbench.current, counter: null });
  conflict.querySelector('.conflict-show').addEventListener('click', () =>
    compareVersions(workbench.detail.head.id, 'draft', {
      title: 'Theirs and yours',
      acts: [
        ['Keep mine, on top of theirs', mine],
        ['Take theirs', theirs],
      ],
    }),
  );
  conflict.querySelector('.conflict-mine').addEventListener('click', mine);
  conflict.querySelector('.conflict-theirs').addEventListener('click', theirs);

  watch(() => {
    const detail = workbench.detail;
    const isBehind = !!detail?.draft?.is_behind;
    conflict.hidden = !isBehind;
    if (isBehind)
      say(
        conflict.querySelector('.conflict-text'),
        detail.head.author +
          ' saved version ' +
          detail.head.number +
          ' of this trace while you were changing it. Both are kept: look at the two, then say which goes on.',
      );
    fold.hidden = !detail;
    if (!detail || !isOpen) return;
    if (!known || known.id !== detail.id || known.version !== detail.head.id) {
      known =
        known && known.id === detail.id
          ? { ...known, version: detail.head.id }
          : { id: detail.id, version: detail.head.id, events: [], revisions: [] };
      know();
    }
    each(
      events,
      known.events,
      () => {
        const row = make('li', 'versions-event');
        make('span', '', row);
        make('time', '', row);
        return row;
      },
      (row, one) => {
        say(
          row.firstChild,
          one.who +
            ' ' +
            (WORDS[one.kind] || one.kind) +
            (one.detail && one.kind !== 'recorded' ? ` ${one.detail}` : ''),
        );
        say(row.lastChild, ago(one.at));
      },
    );
    const names = known.revisions.map((one) => [
      one.id,
      `${one.number} ${one.author}${one.is_branch ? ' (beside)' : ''}`,
    ]);
    if (detail.draft?.is_changed) names.unshift(['draft', 'your draft']);
    pick.hidden = names.length < 2;
    for (const [select, at] of [
      [older, names.length - 1],
      [newer, 0],
    ]) {
      const value = select.value;
      options(select, names);
      select.value = names.some(([id]) => id === value) ? value : names.length ? names[at][0] : '';
    }
  });
}
