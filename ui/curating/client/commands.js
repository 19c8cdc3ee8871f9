// What Curate offers to the palette: every action of the keyboard, the lists, and every trace by what was said in it.
import { list, choose } from './walking.js';
import { only } from './filters.js';
import { workbench } from './workbench.js';
import { get, address } from '../../client/server.js';
import { capital, STATUS_WORDS } from '../../client/words.js';

const lists = () => [
  { words: 'Show all traces', kind: 'List', press: () => list(only({})) },
  { words: 'Show what is assigned to me', kind: 'List', press: () => list(only({ assigned_to: workbench.me })) },
  { words: 'Show my drafts', kind: 'List', press: () => list(only({ drafted_by: workbench.me })) },
  { words: 'Show where reviewers disagree', kind: 'List', press: () => list(only({ round: 'disputed' })) },
  ...Object.entries(STATUS_WORDS).map(([status, word]) => ({
    words: `Show what is ${word}`,
    kind: 'List',
    press: () => list(only({ status })),
  })),
];

// `actions` are { key, meaning, press }.
export const commandsOf = (actions) => [
  ...actions.map(({ key, meaning, press }) => ({ words: capital(meaning), kind: 'Do', note: key, press })),
  ...lists(),
];
export async function tracesWith(typed) {
  const { items } = await get(address('curate/queue', { search: typed, order: 'newest' }));
  return items.map((item) => ({
    words: item.question,
    kind: 'Trace',
    note: `#${item.number} · ${STATUS_WORDS[item.status]}`,
    press: () => choose(item.id),
  }));
}
