// Data sets, and attempts at them. `setsChanged` tells this section that something came in.
import { each, make, options, put, say, tell } from '../../client/dom.js';
import { get, post } from '../../client/server.js';
import { ago, count } from '../../client/words.js';
import { choice, field } from './fields.js';
import { drawList, followJobs } from './jobs.js';

const CHANGED = 'studio:data-sets';
export const setsChanged = () => document.dispatchEvent(new Event(CHANGED));

// The queue finds a source by its first part (engine/store/query.py).
const inCurate = (set) => ({
  words: 'Look at them in Curate',
  href: `curate?source=${encodeURIComponent(set.split('/')[0])}`,
  isPage: true,
});

const ASK_AGAIN_MS = 3000;
const KEEP = [
  ['all', 'all attempts'],
  ['right', 'only right ones'],
  ['disagreeing', 'only where they disagree'],
];

export function mount({ element }) {
  const root = element.querySelector('.data-section');
  make('h2', 'eyebrow', root, 'Data sets');
  const empty = make('p', 'data-empty', root);
  const list = make('ul', 'data-sets', root);
  const form = make('form', 'data-collect', root);
  form.hidden = true;
  const error = make('p', 'data-error', root);
  put(error, { role: 'alert' });
  const jobs = followJobs(root, 'collect', {
    title: (job) => `Attempts at “${job.config.data_set}”`,
    more: (node, job) => drawList(node, '', [], job.progress > 0 ? inCurate(job.config.data_set) : null),
  });
  let chosen = null,
    canCollect = true;

  // --- the form ----------------------------------------------------------------------------------------------------

  const title = make('h3', 'data-job-title', form);
  const fields = make('div', 'data-fields', form);
  const number = (words, value, attributes) => {
    const input = make('input', 'data-input');
    put(input, { type: 'number', ...attributes });
    input.value = value;
    field(fields, words, input);
    return input;
  };
  const adapter = choice([], '', () => {});
  put(adapter, { id: 'data-collect-adapter' });
  field(fields, 'Who answers', adapter);
  const attempts = number('Attempts at each', 2, { min: 1, max: 64, id: 'data-collect-attempts' });
  const keep = choice(KEEP, 'all', () => {});
  field(fields, 'Keep', keep);
  const temperature = number('Temperature', 1, { min: 0.01, max: 10, step: 'any' });
  const limit = number('Only the first (empty: all)', '', { min: 1 });
  const tokens = number('Limit on tokens (empty: none)', '', { min: 1 });
  const buttons = make('div', 'data-buttons', form);
  put(make('button', 'data-button is-primary', buttons, 'Start'), { type: 'submit', id: 'data-collect-start' });
  const cancel = make('button', 'data-button', buttons, 'Not now');
  cancel.addEventListener('click', () => choose(null));
  form.addEventListener('submit', async (event) => {
    event.preventDefault();
    try {
      const begun = await post('data/collect', {
        data_set: chosen,
        adapter: adapter.value,
        attempts: Number(attempts.value),
        keep: keep.value,
        temperature: Number(temperature.value),
        limit: limit.value ? Number(limit.value) : null,
        max_tokens: tokens.value ? Number(tokens.value) : null,
      });
      choose(null);
      jobs.look(begun);
    } catch (problem) {
      say(error, problem.message);
    }
  });
  function choose(name) {
    chosen = name;
    form.hidden = !name;
    say(error, '');
    if (!name) return;
    say(title, `Let the policy attempt “${name}”`);
    attempts.focus();
  }

  // --- the list ----------------------------------------------------------------------------------------------------

  function create() {
    const item = make('li', 'data-set');
    make('span', 'data-set-name', item);
    make('span', 'data-set-count', item);
    make('button', 'data-button data-set-collect', item, 'Collect');
    return item;
  }
  function draw(item, set) {
    say(item.querySelector('.data-set-name'), set.name);
    const scored =
      set.with_answer === set.count ? 'all with an answer' : `${set.with_answer.toLocaleString('en')} with an answer`;
    say(item.querySelector('.data-set-count'), `${count(set.count, 'example')}, ${scored} · ${ago(set.updated_at)}`);
    const button = item.querySelector('.data-set-collect');
    put(button, { 'aria-label': `Collect attempts at ${set.name}` });
    button.disabled = !canCollect;
    button.onclick = () => choose(set.name);
  }
  async function look() {
    try {
      const told = await get('data/sets');
      canCollect = told.can_collect;
      const by = adapter.value;
      options(
        adapter,
        told.adapters.map(({ id, name }) => [id, name]),
      );
      if (by) adapter.value = by;
      if (!canCollect) setTimeout(look, ASK_AGAIN_MS); // the model is on its way
      each(list, told.sets, create, draw);
      tell(empty, told.sets.length ? '' : 'None yet. What you bring in is listed here, and the policy can attempt it.');
    } catch (problem) {
      say(error, problem.message);
    }
  }
  document.addEventListener(CHANGED, look);
  look();
}
