// The section of the Data screen for deleting: what to delete, and what lies in the bin.
import { get, post } from '../../client/server.js';
import { make, each, say, tell } from '../../client/dom.js';
import { ago, count } from '../../client/words.js';
import { askAndDelete, confirm, restore } from './confirming.js';

const OF = { picture: 'The picture', person: 'Of', before: 'Before' };

export function mount({ element: root }) {
  const form = root.querySelector('.bin-form'),
    list = root.querySelector('.bin-list'),
    status = root.querySelector('.bin-status'),
    empty = root.querySelector('.bin-empty');
  const fields = Object.fromEntries([...form.querySelectorAll('[data-kind]')].map((node) => [node.dataset.kind, node]));
  const kind = form.querySelector('select');

  async function attempt(act, word) {
    tell(status, word);
    try {
      tell(status, await act());
    } catch (error) {
      tell(status, error.message);
      status.dataset.tone = 'bad';
      return;
    }
    status.dataset.tone = 'plain';
    await draw();
  }
  async function draw() {
    let found;
    try {
      found = await get('bin');
    } catch (error) {
      tell(status, error.message);
      return;
    }
    say(root.querySelector('.bin-none'), found.deletions.length ? '' : 'The bin is empty.');
    empty.disabled = !found.deletions.length && !found.is_unfinished;
    each(
      list,
      found.deletions,
      () => {
        const row = make('li', 'bin-row');
        make('span', 'bin-what', row);
        make('span', 'bin-when', row);
        make('button', 'bin-restore', row, 'Restore');
        return row;
      },
      (row, one) => {
        const named = one.kind === 'person' || one.kind === 'before' ? `${OF[one.kind]} ${one.names[0]}: ` : '';
        const first = one.first ? `#${one.first.number} ${one.first.question}` : `${one.media} media`;
        const what = `${named}${first}${one.traces > 1 ? ` and ${one.traces - 1} more` : ''}`;
        say(row.children[0], what);
        say(row.children[1], `${one.author}, ${ago(one.created_at)}`);
        row.children[2].setAttribute('aria-label', `Restore ${what}`);
        row.children[2].onclick = () =>
          attempt(async () => {
            const back = await restore(one.id);
            return `Restored ${count(back.traces, 'trace')}.`;
          }, 'Restoring …');
      },
    );
  }

  const turn = () => {
    for (const name in fields) fields[name].hidden = name !== kind.value;
  };
  kind.addEventListener('change', turn);
  form.addEventListener('submit', (event) => {
    event.preventDefault();
    const input = fields[kind.value].querySelector('input'),
      name = input.value.trim();
    if (!name) return input.focus();
    attempt(async () => {
      const gone = await askAndDelete(kind.value, [name], `Delete? ${OF[kind.value]} ${name.slice(0, 24)}`);
      if (!gone) return '';
      input.value = '';
      return `Deleted ${count(gone.traces, 'trace')}; the bin keeps it.`;
    }, '');
  });
  empty.addEventListener('click', async () => {
    const note = 'Exports, backups and weights that learned from it are copies, and stay.';
    const sentences = ['Everything in the bin is gone for good, and cannot be restored.'];
    if (await confirm('Empty the bin?', sentences, { note, go: 'Empty the bin' }))
      attempt(async () => {
        const gone = await post('bin/empty', {});
        const revisions = count(gone.revisions, 'revision');
        return `Gone for good: ${count(gone.traces, 'trace')}, ${revisions}, ${gone.media} media.`;
      }, 'Emptying …');
  });
  turn();
  draw();
}
