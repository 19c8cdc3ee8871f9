// Bring in: what, a look at its first rows, which column says what, and the job.
import { make, put, say } from '../../client/dom.js';
import { post } from '../../client/server.js';
import { count } from '../../client/words.js';
import { drawColumns } from './columns.js';
import { choice, field } from './fields.js';
import { drawList, followJobs } from './jobs.js';
import { drawRows } from './rows.js';
import { chosen, dropped, nameOf, send } from './sending.js';
import { setsChanged } from './sets.js';

const ACCEPTED = '.zip,.csv,.tsv,.tab,.jsonl,.ndjson,.json,.parquet,image/*,video/*';

export function mount({ element, props }) {
  const root = element.querySelector('.data-section');
  const about = props.value;
  let source = null, // {upload} or {path} or {hub}, with table, split and config
    columns = null,
    as = null, // the format of another program, '' for questions; null: the server says
    name = '',
    asking = null,
    sending = null;

  make('h2', 'eyebrow', root, 'Bring in');
  const drop = make('div', 'data-drop', root);
  make('p', 'data-drop-title', drop, 'Drop a folder of pictures, a zip, or a table with its pictures here');
  const buttons = make('div', 'data-buttons', drop);
  picker(buttons, 'Choose files', { multiple: true, accept: ACCEPTED });
  picker(buttons, 'Choose a folder', { webkitdirectory: true });
  const most = about.max_mb >= 1000 ? `${about.max_mb / 1000} GB` : `${about.max_mb} MB`;
  make(
    'p',
    'data-hint',
    drop,
    `CSV, TSV, JSONL, JSON or parquet; pictures and clips beside it or below; up to ${most}.`,
  );

  const elsewhere = make('form', 'data-elsewhere', root);
  const where = choice(
    [
      ['path', 'On this machine'],
      ['hub', 'On the Hugging Face Hub'],
    ],
    'path',
    () => put(place, { placeholder: where.value === 'hub' ? 'OWNER/NAME' : '/a/folder or file' }),
  );
  put(where, { 'aria-label': 'Where it is' });
  elsewhere.append(where);
  const place = make('input', 'data-input', elsewhere);
  put(place, { type: 'text', placeholder: '/a/folder or file', 'aria-label': 'Path or name', id: 'data-import-path' });
  put(make('button', 'data-button', elsewhere, 'Look'), { type: 'submit', id: 'data-import-look' });

  const progress = make('p', 'data-progress', root);
  put(progress, { role: 'status' });
  const stopSending = make('button', 'data-button', root, 'Stop sending');
  stopSending.hidden = true;
  const error = make('p', 'data-error', root);
  put(error, { role: 'alert' });

  const look = make('div', 'data-look', root);
  put(look, { role: 'group', 'aria-label': 'What would come in', id: 'data-import-preview' });
  look.hidden = true;
  const notes = make('ul', 'data-notes', look);
  const parts = make('div', 'data-fields', look);
  const columnFields = make('div', 'data-fields', look);
  put(columnFields, { role: 'group', 'aria-label': 'Columns' });
  const asks = make('ul', 'data-asks', look);
  const rows = make('ol', 'data-rows', look);
  const foot = make('div', 'data-buttons', look);
  const start = make('button', 'data-button is-primary', foot, 'Import');
  start.id = 'data-import-start';
  const cancel = make('button', 'data-button', foot, 'Not now');

  const jobs = followJobs(root, 'import', {
    title: (job) => `Import into “${job.config.data_set}”`,
    more: (node, job) => {
      const sentences = job.rows.map((row) => `row ${row.row}${row.id ? ` (${row.id})` : ''}: ${row.reason}`);
      const others = job.refused - sentences.length;
      if (others > 0) sentences.push(`… and ${count(others, 'more row')}`);
      const href = `data/import/refused/${job.id}.csv`;
      const link = job.refused ? { words: 'All of them as CSV', href } : null;
      drawList(node, `${count(job.refused, 'row')} could not come in`, sentences, link);
    },
    onEnd: setsChanged,
  });

  function picker(parent, words, attributes) {
    const label = make('label', 'data-button', parent);
    const input = make('input', 'visually-hidden', label);
    put(input, { type: 'file', ...attributes });
    make('span', '', label, words);
    input.addEventListener('change', async () => {
      await take(chosen(input.files));
      input.value = '';
    });
    return input;
  }

  // --- sending ---------------------------------------------------------------------------------------------------

  async function take(found) {
    if (!found.length || sending) return;
    close();
    say(progress, `Sending ${count(found.length, 'file')} …`);
    sending = send(found, (share, path) => {
      say(progress, `Sending ${count(found.length, 'file')} … ${Math.floor(100 * share)}%  ${path}`);
    });
    stopSending.hidden = false;
    try {
      const upload = await sending.done;
      name = nameOf(found);
      await open({ upload });
    } catch (problem) {
      if (problem.name !== 'AbortError') fail(problem);
    } finally {
      sending = null;
      stopSending.hidden = true;
      say(progress, '');
    }
  }
  stopSending.addEventListener('click', () => sending?.stop());

  // --- looking ---------------------------------------------------------------------------------------------------

  const base = () => (source.path ? 'data/host' : 'data');
  const fail = (problem) => say(error, problem.message);
  function close() {
    asking?.abort();
    source = columns = null;
    look.hidden = true;
    say(error, '');
  }
  async function open(named) {
    source = { table: '', split: '', config: '', ...named };
    columns = null;
    as = null;
    await ask();
  }
  async function ask() {
    asking?.abort();
    asking = new AbortController();
    const { signal } = asking;
    say(error, '');
    say(progress, 'Looking at the first rows …');
    look.classList.add('is-busy');
    try {
      // What it is is asked for once; after that the person has said it.
      const said = as === null ? {} : { as };
      draw(await post(`${base()}/preview`, { ...source, columns, ...said }, { signal }));
    } catch (problem) {
      if (problem.name === 'AbortError') return;
      fail(problem);
    }
    look.classList.remove('is-busy');
    say(progress, '');
  }

  function draw(preview) {
    name = name || preview.name;
    as = preview.as || '';
    if (as) {
      drawFormat();
      return;
    }
    columns = preview.read_as;
    notes.replaceChildren(...preview.notes.map((text) => make('li', '', null, text)));
    notes.hidden = !preview.notes.length;
    drawParts(preview);
    drawColumns(columnFields, { preview, about }, (said) => {
      columns = said;
      ask();
    });
    asks.replaceChildren(...preview.asks.map((text) => make('li', '', null, text)));
    asks.hidden = !preview.asks.length;
    drawRows(rows, preview.rows);
    start.disabled = preview.asks.length > 0;
    look.hidden = false;
  }
  // Traces of another program need no columns, and are not looked at before.
  function drawFormat() {
    drawParts({ tables: [] });
    notes.replaceChildren(
      make('li', '', null, 'Its rows are read as this format has them; what cannot come in is listed.'),
    );
    notes.hidden = false;
    asks.hidden = true;
    columnFields.replaceChildren();
    drawRows(rows, []);
    start.disabled = false;
    look.hidden = false;
  }

  function drawParts(preview) {
    parts.replaceChildren();
    const title = make('input', 'data-input');
    put(title, { type: 'text', maxlength: 100, id: 'data-import-name' });
    title.value = name;
    title.addEventListener('input', () => {
      name = title.value;
    });
    field(parts, 'Name of the data set', title);
    if (!source.hub) {
      const kinds = [
        ['', 'questions'],
        ...about.formats.map((format) => [format.name, `${format.title} (${format.name})`]),
      ];
      const select = choice(kinds, as, (format) => {
        as = format;
        if (as) drawFormat();
        else ask();
      });
      field(parts, 'What it is', select);
    }
    if (preview.tables.length) {
      const tables = [...preview.tables.map((table) => [table, table]), ['.', 'none: the pictures alone']];
      const select = choice(tables, preview.table || '.', (table) => again({ table }));
      field(parts, 'Table', select);
    }
    for (const part of source.hub ? ['config', 'split'] : []) {
      const input = make('input', 'data-input');
      put(input, { type: 'text' });
      input.value = source[part];
      input.addEventListener('change', () => again({ [part]: input.value.trim() }));
      field(parts, part === 'config' ? 'Configuration' : 'Split', input);
    }
  }
  function again(changed) {
    Object.assign(source, changed);
    columns = null;
    ask();
  }

  async function bring() {
    start.disabled = true;
    try {
      const begun = await post(`${base()}/import`, { ...source, columns, as, data_set: name });
      close();
      name = '';
      jobs.look(begun);
    } catch (problem) {
      fail(problem);
      start.disabled = false;
    }
  }
  start.addEventListener('click', bring);
  cancel.addEventListener('click', close);
  elsewhere.addEventListener('submit', (event) => {
    event.preventDefault();
    const said = place.value.trim();
    if (!said) return;
    close();
    name = '';
    open(where.value === 'hub' ? { hub: said } : { path: said });
  });

  let depth = 0;
  const over = (change) => {
    depth = Math.max(0, depth + change);
    drop.classList.toggle('is-over', depth > 0);
  };
  document.addEventListener('dragenter', () => over(1));
  document.addEventListener('dragleave', () => over(-1));
  document.addEventListener('dragover', (event) => event.preventDefault());
  document.addEventListener('drop', async (event) => {
    event.preventDefault();
    over(-depth);
    await take(await dropped(event.dataTransfer));
  });
}
