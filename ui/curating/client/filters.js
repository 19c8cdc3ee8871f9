// What the queue shows beside status and search: filters in a sheet that folds out, each one that is set as a word to
// take away, and views kept under a name. The whole query stands in the address.
import { workbench, watch, changed } from './workbench.js';
import { list } from './walking.js';
import { get, post } from '../../client/server.js';
import { make, say, tell, put, each, options } from '../../client/dom.js';
import { complain, notice } from './notices.js';
import { TERMS } from '../../client/terms.js';

const names = () => workbench.filters.map((filter) => filter.name);
const filterOf = (name) => workbench.filters.find((filter) => filter.name === name);
const none = () => Object.fromEntries(names().map((name) => [name, '']));
const shownValue = (name, value) => filterOf(name).choices.find(([one]) => one === value)?.[1] ?? value;
const set = () => names().filter((name) => workbench.query[name]);
// Whether anything keeps traces out of the list; a query of nothing but `query`; a list of them all.
export const isNarrowed = () => !!(workbench.query.search || workbench.query.status || set().length);
export const only = (query) => ({ search: '', status: '', ...none(), ...query });
export const showAll = () => list(only({}));

export function mountFilters(root) {
  const fold = root.querySelector('.filters'),
    fields = fold.querySelector('.filters-fields'),
    chips = root.querySelector('.filters-set');
  const views = fold.querySelector('.filters-views'),
    name = fold.querySelector('.filters-name');
  let choices = { policy: [], source: [], tag: [], views: [] },
    isKnown = false;

  each(
    fields,
    workbench.filters,
    () => make('label', 'filters-field'),
    (node, { name: key, title, kind }) => {
      put(make('span', '', node, title), { title: TERMS[key] });
      const field = make(kind === 'text' || kind === 'day' ? 'input' : 'select', '', node);
      field.dataset.filter = key;
      if (kind === 'day') field.type = 'date';
      else if (kind === 'text') {
        field.type = 'text';
        field.maxLength = 60;
      }
      field.addEventListener('change', () => list({ [key]: field.value.trim() }));
    },
  );
  function fill() {
    for (const { name: key, kind, choices: offered } of workbench.filters) {
      const field = fields.querySelector(`[data-filter=${key}]`);
      if (field.tagName !== 'SELECT') continue;
      let pairs = kind === 'known' ? (choices[key] || []).map((value) => [value, value]) : offered;
      const value = workbench.query[key];
      if (value && !pairs.some(([one]) => one === value)) pairs = [...pairs, [value, value]];
      options(field, [['', 'any'], ...pairs]);
    }
  }
  async function know() {
    try {
      choices = await get('curate/choices');
      isKnown = true;
      fill();
      changed();
    } catch {
      /* the filters that need no list work */
    }
  }
  fold.addEventListener('toggle', () => {
    if (fold.open) know();
  });
  fold.querySelector('.filters-clear').addEventListener('click', () => list(none()));
  fold.querySelector('.filters-keep').addEventListener('submit', async (event) => {
    event.preventDefault();
    const query = Object.fromEntries(Object.entries(workbench.query).filter(([, value]) => value));
    try {
      choices = await post('curate/view', { name: name.value.trim(), query });
      name.value = '';
      notice('The view is kept.');
      changed();
    } catch (error) {
      complain(error);
    }
  });
  views.addEventListener('click', async (event) => {
    const item = event.target.closest('li'),
      view = item && choices.views[[...views.children].indexOf(item)];
    if (!view) return;
    if (event.target.dataset.act === 'delete') {
      try {
        choices = await post('curate/view', { name: view.name });
        changed();
      } catch (error) {
        complain(error);
      }
    } else if (event.target.dataset.act === 'open') {
      list(only({ order: 'newest', ...view.query }));
    }
  });
  const mine = root.querySelector('.queue-mine');
  const isMine = (button) => !!workbench.me && workbench.query[button.dataset.mine] === workbench.me;
  mine.addEventListener('click', (event) => {
    const button = event.target.closest('button');
    if (button && workbench.me) list({ [button.dataset.mine]: isMine(button) ? '' : workbench.me });
  });
  chips.addEventListener('click', (event) => {
    const button = event.target.closest('button');
    if (button) list({ [button.dataset.filter]: '' });
  });
  fill();

  watch(() => {
    if (!isKnown && set().some((key) => filterOf(key).kind === 'known')) fill();
    for (const key of names()) {
      const field = fields.querySelector(`[data-filter=${key}]`),
        value = workbench.query[key] || '';
      if (field.value !== value && document.activeElement !== field) field.value = value;
    }
    for (const button of mine.children) put(button, { 'aria-pressed': String(isMine(button)) });
    const now = set();
    chips.hidden = !now.length;
    each(
      chips,
      now,
      () => {
        const button = make('button', 'filters-chip');
        make('span', '', button);
        make('span', 'filters-off', button, '×');
        return button;
      },
      (button, key) => {
        button.dataset.filter = key;
        say(button.firstChild, `${filterOf(key).title}: ${shownValue(key, workbench.query[key])}`);
        put(button, { 'aria-label': `Take away the filter ${filterOf(key).title}` });
      },
    );
    say(fold.querySelector('.filters-count'), now.length ? String(now.length) : '');
    views.hidden = !choices.views.length;
    each(
      views,
      choices.views,
      () => {
        const item = make('li', 'filters-view');
        make('button', '', item).dataset.act = 'open';
        make('button', '', item, '×').dataset.act = 'delete';
        return item;
      },
      (item, view) => {
        say(item.firstChild, view.name);
        put(item.lastChild, { 'aria-label': `Delete the view ${view.name}` });
      },
    );
    tell(fold.querySelector('.filters-views-title'), choices.views.length ? 'Your views' : '');
  });
}
