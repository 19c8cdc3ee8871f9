// The left column: search, status, and the list of traces. It is a listbox: the list has the focus,
// aria-activedescendant the choice.
import { workbench, changed, watch, itemAt, rows as rowsOf } from './workbench.js';
import { list, choose, move, extend } from './walking.js';
import { mountFilters, isNarrowed } from './filters.js';
import { mountBulk, chosen, toggle, chooseTo } from './bulk.js';
import { inList } from '../../client/pictures.js';
import { make, say, put, each, tell } from '../../client/dom.js';
import { STATUS_WORDS } from '../../client/words.js';
import { left } from '../../client/pace.js';
import { decidedAt } from './verdicts.js';
import { toggleQueue } from './layout.js';
import { start } from './start.js';

const STATUSES = ['', 'new', 'edited', 'flagged', 'accepted', 'rejected'];
const TYPING_MS = 160;
const FOOT = ['dot', 'state', 'answer', 'warning', 'sure', 'score', 'attempts'].map((name) => `queue-${name}`);

const OPEN = ['new', 'edited'];
// What is left to decide of what is listed, at the pace of this page.
function progress() {
  const { counts, items, query } = workbench,
    decided = items.filter((one) => !OPEN.includes(one.status)).length;
  if (query.status && !OPEN.includes(query.status)) return '';
  const open = isNarrowed() ? rowsOf().count - decided : OPEN.reduce((sum, status) => sum + (counts[status] || 0), 0);
  return open > 0 ? left(open, decidedAt, !isNarrowed() || workbench.isTotalExact) : 'All of these are decided';
}

export function mount({ element: root, props, watch: follow }) {
  Object.assign(workbench, { filters: props.value.filters, reasons: props.value.reasons });
  const know = () => {
    const { page = '', me = '' } = props.value;
    Object.assign(workbench, { page, me });
    changed();
  };
  follow('value', know);
  know();
  const search = root.querySelector('#curate-search input');
  const statuses = root.querySelector('.queue-statuses');
  const rows = root.querySelector('.queue-list');
  const note = root.querySelector('.queue-note');
  const order = root.querySelector('.queue-order select');
  const showPicture = inList(rows);
  let shown = null,
    timer = null,
    known = rowsOf();

  each(
    statuses,
    STATUSES,
    () => {
      const label = make('label', 'queue-status');
      const input = make('input', 'visually-hidden', label);
      input.type = 'radio';
      input.name = 'queue-status';
      make('span', 'queue-dot', label);
      make('span', 'queue-status-word', label);
      make('span', 'queue-status-count', label);
      return label;
    },
    (label, status) => {
      label.firstChild.value = status;
      put(label, { 'data-status': status || null });
      label.children[1].hidden = !status;
      say(label.children[2], status ? STATUS_WORDS[status] : 'all');
      label.firstChild.addEventListener('change', () => list({ status }));
    },
  );
  search.addEventListener('input', () => {
    clearTimeout(timer);
    timer = setTimeout(() => {
      if (search.value !== workbench.query.search) list({ search: search.value });
    }, TYPING_MS);
  });
  order.addEventListener('change', () => list({ order: order.value }));
  mountFilters(root);
  mountBulk(root);
  rows.addEventListener('click', (event) => {
    const row = event.target.closest('li');
    if (!row) return;
    if (event.ctrlKey || event.metaKey) toggle(row.dataset.id);
    else if (event.shiftKey) chooseTo(row.dataset.id);
    else {
      choose(row.dataset.id);
      toggleQueue(false);
    }
  });
  rows.addEventListener('keydown', (event) => {
    const by = {
      ArrowDown: 1,
      ArrowUp: -1,
      PageDown: 8,
      PageUp: -8,
      Home: -workbench.items.length,
      End: workbench.items.length,
    }[event.key];
    if (by === undefined || event.ctrlKey || event.metaKey || event.altKey) return;
    event.preventDefault();
    event.stopPropagation();
    move(by);
  });
  // Asked again after every change: what was scrolled to while another page was on its way would otherwise wait for
  // ever.
  function reach() {
    if (rows.scrollHeight > rows.clientHeight && rows.scrollTop + rows.clientHeight * 2 > rows.scrollHeight) extend();
  }
  rows.addEventListener('scroll', reach, { passive: true });

  function create() {
    const row = make('li', 'queue-row');
    row.setAttribute('role', 'option');
    const picture = make('img', 'queue-picture', row);
    picture.alt = '';
    picture.decoding = 'async';
    const words = make('div', 'queue-words', row);
    make('p', 'queue-question', words);
    const foot = make('p', 'queue-foot', words);
    for (const name of FOOT) make('span', name, foot);
    return row;
  }
  function update(row, item, index) {
    put(row, {
      id: `queue-${item.id}`,
      'data-id': item.id,
      'data-status': item.status,
      'aria-selected': item.id === workbench.current ? 'true' : 'false',
      'aria-checked': chosen.size ? String(chosen.has(item.id)) : null,
      'data-holder': item.holder || null,
      'aria-posinset': index + 1,
      'aria-setsize': known.isExact ? known.count : -1,
    });
    const [picture, words] = row.children;
    showPicture(picture, item.picture);
    say(words.firstChild, item.question);
    const [, state, answer, warning, sure, score, attempts] = words.lastChild.children;
    say(state, STATUS_WORDS[item.status] || item.status);
    say(answer, item.answer === null ? 'no answer' : item.answer);
    tell(
      warning,
      [
        item.isRefused ? 'verdict not taken' : '',
        item.is_pretending ? 'pretends' : '',
        item.ignores_error ? 'ignores error' : '',
        item.round === 'disputed' ? 'disputed' : '',
        item.holder ? `${item.holder} is on it` : '',
      ]
        .filter(Boolean)
        .join(', '),
    );
    // Of what it generated, token by token (engine/store/facets.py).
    say(sure, item.confidence === null ? '' : `${Math.floor(100 * item.confidence)}% sure`);
    say(score, item.score === null ? '' : item.score.toFixed(2));
    say(attempts, item.attempts > 1 ? `×${item.attempts}` : '');
    put(attempts, { title: item.attempts > 1 ? `${item.attempts} attempts at this question` : null });
  }

  watch(
    () => {
      known = rowsOf();
      each(rows, workbench.items, create, update);
      if (document.activeElement !== search && search.value !== workbench.query.search)
        search.value = workbench.query.search;
      order.value = workbench.query.order;
      [...statuses.children].forEach((label) => {
        const status = label.firstChild.value;
        label.firstChild.checked = status === workbench.query.status;
        const total = status
          ? workbench.counts[status]
          : Object.values(workbench.counts).reduce((sum, n) => sum + n, 0);
        say(label.lastChild, total === undefined ? '' : total > 9999 ? `${Math.round(total / 1000)}k` : String(total));
      });
      const found = (workbench.isTotalExact ? '' : 'more than ') + workbench.total.toLocaleString('en');
      tell(
        note,
        workbench.problem ||
          (workbench.isLoading && !workbench.items.length
            ? 'Looking…'
            : workbench.items.length
              ? isNarrowed()
                ? `${found} found`
                : ''
              : isNarrowed()
                ? 'Nothing here matches. Search looks at questions, thoughts and answers.'
                : 'No traces yet. Ask a question, and what the model did will be listed here.'),
      );
      rows.hidden = !workbench.items.length;
      order.parentElement.hidden = !workbench.items.length;
      put(rows, {
        'aria-busy': workbench.isLoading,
        'aria-activedescendant': itemAt() >= 0 ? `queue-${workbench.current}` : null,
      });
      const reviewed = (workbench.counts.accepted || 0) + (workbench.counts.rejected || 0);
      const all = Object.values(workbench.counts).reduce((sum, n) => sum + n, 0);
      if (all)
        document.dispatchEvent(
          new CustomEvent('studio:progress', {
            detail: {
              note: progress(),
              share: reviewed / all,
            },
          }),
        );
    },
    () => {
      if (shown !== workbench.current) {
        shown = workbench.current;
        const row = rows.children[itemAt()];
        // scrollIntoView would move the page below 1024 px, where the list is not beside the picture.
        if (row && rows.scrollHeight > rows.clientHeight) {
          const top = row.offsetTop - rows.offsetTop,
            foot = top + row.offsetHeight;
          if (top < rows.scrollTop) rows.scrollTop = top - 60;
          else if (foot > rows.scrollTop + rows.clientHeight) rows.scrollTop = foot - rows.clientHeight + 60;
        }
      }
      reach();
    },
  );
  start();
}
