// Start an evaluation, see all that ran, compare two: the first of the two is the one that was chosen earlier.
import { createDiffering, drawDiffering } from '../../client/differing.js';
import { each, make, options, put, say, tell } from '../../client/dom.js';
import { get, post } from '../../client/server.js';
import { ago, count } from '../../client/words.js';
import { choice, field } from '../../data/client/fields.js';
import { followJobs } from '../../data/client/jobs.js';
import { accuracy, minutes, percent, points, tokensEach, worth } from './figures.js';

const ASK_AGAIN_MS = 3000;
const HEADS = [
  ['', ''],
  ['Benchmark', 'Where the questions are from'],
  ['Policy', 'Who answered'],
  ['Right', 'Share of right answers, with the standard error of the mean', true],
  ['n', 'Examples that were scored; those without an answer count as wrong', true],
  ['Looked', 'RaPR: the share of attempts that used an operation', true],
  ['A look', 'How likely the answer was before a look and after it, on average, where that was weighed', true],
  ['Failed', 'Share of attempts with a failed operation', true],
  ['Chance', 'What guessing would score, where there are options', true],
  ['Tokens', 'Generated for one example, on average', true],
  ['Time', 'Wall clock', true],
  ['', ''],
];

export function mount({ element }) {
  const root = element.querySelector('.data-section');
  let known = [];
  const chosen = [];

  // --- the form ----------------------------------------------------------------------------------------------------

  make('h2', 'eyebrow', root, 'Score a policy');
  const form = make('form', 'data-collect', root);
  const fields = make('div', 'data-fields', form);
  const benchmark = choice([], '', () => {});
  put(benchmark, { id: 'evaluate-benchmark' });
  field(fields, 'Benchmark', benchmark, 'Where the questions and their right answers are from');
  const adapter = choice([], '', () => {});
  put(adapter, { id: 'evaluate-adapter' });
  field(fields, 'Who answers', adapter, 'The backbone alone, or with what was learned on top');
  const limit = make('input', 'data-input');
  put(limit, { type: 'number', min: 1, id: 'evaluate-limit' });
  limit.value = 100;
  field(fields, 'Only the first (empty: all)', limit, 'So many questions are asked, in their order');
  const looks = choice(
    [
      ['yes', 'allowed'],
      ['no', 'not allowed: first sight'],
    ],
    'yes',
    () => {},
  );
  put(looks, { id: 'evaluate-operations' });
  field(fields, 'Operations', looks, 'Whether it may zoom in and pick frames');
  const crops = choice(
    [
      ['real', 'what was asked for'],
      ['black', 'nothing (black)'],
      ['random', 'another region'],
    ],
    'real',
    () => {},
  );
  put(crops, { id: 'evaluate-crops' });
  field(fields, 'Crops show', crops, 'Something else in place of what it asked to see tells whether looking helps');
  const protocol = choice([['', 'this studio']], '', () => {});
  put(protocol, { id: 'evaluate-protocol' });
  field(
    fields,
    'Asked and scored as by',
    protocol,
    'Another project’s wording and scoring, for a comparison with its figures',
  );
  const weighing = choice(
    [
      ['no', 'not weighed'],
      ['yes', 'weighed: takes longer'],
    ],
    'no',
    () => {},
  );
  put(weighing, { id: 'evaluate-looks' });
  field(fields, 'What each look was worth', weighing, 'How likely the answer was before each look and after it');
  const start = make('button', 'data-button is-primary', make('div', 'data-buttons', form), 'Start');
  put(start, { type: 'submit', id: 'evaluate-start' });
  const error = make('p', 'data-error', root);
  put(error, { role: 'alert' });
  form.addEventListener('submit', async (event) => {
    event.preventDefault();
    try {
      const begun = await post('evaluations', {
        benchmark: benchmark.value,
        adapter: adapter.value,
        limit: limit.value ? Number(limit.value) : null,
        is_operating: looks.value === 'yes',
        crops: crops.value,
        protocol_of: protocol.value || null,
        is_weighing_looks: weighing.value === 'yes',
      });
      say(error, '');
      jobs.look(begun);
    } catch (problem) {
      say(error, problem.message);
    }
  });
  const jobs = followJobs(root, 'evaluate', {
    title: (job) => `Evaluation on ${job.config.data_set}`,
    onEnd: () => look(),
  });

  // --- the table ---------------------------------------------------------------------------------------------------

  make('h2', 'eyebrow', root, 'What ran');
  const empty = make('p', 'data-empty', root);
  const scroll = make('div', 'evaluations-scroll', root);
  put(scroll, { tabindex: 0, role: 'region', 'aria-label': 'Table of evaluations' });
  const table = make('table', 'evaluations-table', scroll);
  const head = make('tr', '', make('thead', '', table));
  for (const [name, title, isNumber] of HEADS) {
    const cell = make(name ? 'th' : 'td', isNumber ? 'is-number' : '', head, name);
    if (name) put(cell, { scope: 'col', title });
  }
  const body = make('tbody', '', table);
  const facts = make('dl', 'evaluations-facts', root);
  facts.hidden = true;

  function createRow() {
    const row = make('tr');
    const box = make('input', '', make('td', '', row));
    put(box, { type: 'checkbox' });
    make('small', 'evaluations-place', box.parentElement);
    for (const [, , isNumber] of HEADS.slice(1, -1)) make('td', isNumber ? 'is-number' : '', row);
    make('button', 'data-button', make('td', '', row), 'Details');
    return row;
  }
  function drawRow(row, one) {
    const operations =
      (one.is_operating === false ? ', at first sight' : '') +
      (one.protocol_of ? `, as ${one.protocol_of}` : '') +
      (one.crops && one.crops !== 'real' ? `, ${one.crops} crops` : '');
    const texts = [
      one.benchmark,
      `${one.policy}${operations}`,
      accuracy(one),
      one.scored ?? '–',
      percent(one.rapr),
      worth(one.looks),
      percent(one.error_rate),
      percent(one.chance),
      tokensEach(one),
      one.state === 'done' ? minutes(one.seconds) : one.state,
    ];
    texts.forEach((text, k) => {
      say(row.cells[k + 1], String(text ?? '–'));
    });
    const box = row.cells[0].firstElementChild;
    put(box, { 'aria-label': `Compare ${one.benchmark}, ${one.policy}${operations}, ${ago(one.created_at)}` });
    box.checked = chosen.includes(one.id);
    say(box.nextElementSibling, chosen.length === 2 ? (['first', 'second'][chosen.indexOf(one.id)] ?? '') : '');
    box.onchange = () => choose(one.id, box.checked);
    put(row, { 'aria-selected': box.checked, title: ago(one.created_at) });
    row.querySelector('button').onclick = () => showFacts(one, `${texts[0]}, ${texts[1]}, ${ago(one.created_at)}`);
  }
  function showFacts(one, title) {
    facts.hidden = !facts.hidden && facts.dataset.of === one.id;
    facts.dataset.of = one.id;
    facts.replaceChildren();
    for (const { name, value } of [{ name: 'Evaluation', value: title }, ...one.facts]) {
      make('dt', '', facts, name);
      make('dd', '', facts, value);
    }
    facts.scrollIntoView({ block: 'nearest' });
  }
  function choose(id, isChosen) {
    const at = chosen.indexOf(id);
    if (at >= 0) chosen.splice(at, 1);
    if (isChosen) chosen.push(id);
    if (chosen.length > 2) chosen.shift();
    each(body, known, createRow, drawRow);
    compare();
  }

  // --- two compared ------------------------------------------------------------------------------------------------

  const comparison = make('div', 'data-section evaluations-comparison', root);
  const hint = make('p', 'data-hint', comparison, 'Tick two evaluations to see how far apart they are.');
  const words = make('p', 'evaluations-words', comparison);
  put(words, { role: 'status', 'aria-live': 'polite' });
  const detail = make('p', 'data-hint', comparison);
  const changes = make('ol', 'evaluations-changes', comparison);
  comparison.hidden = true;

  async function compare() {
    comparison.hidden = known.length < 2;
    hint.hidden = chosen.length === 2;
    changes.hidden = chosen.length !== 2;
    if (chosen.length !== 2) {
      say(words, '');
      say(detail, '');
      return;
    }
    const [before, after] = chosen;
    try {
      const told = await get(`evaluations/compare?before=${before}&after=${after}`);
      if (chosen[0] !== before || chosen[1] !== after) return;
      say(words, `The second against the first: ${told.words}.`);
      const left = told.only_before + told.only_after;
      say(
        detail,
        `${percent(told.before)} and ${percent(told.after)} on the same ${count(told.n, 'example')}; ` +
          `${told.is_looking ? 'looking put right' : 'won'} ${points(told.gain)}, ` +
          `${told.is_looking ? 'and wrong' : 'lost'} ${points(told.harm)}; ` +
          `${told.changed_count} changed, p = ${told.p.toFixed(3)}` +
          `${left ? `; ${count(left, 'example')} in one of them only` : ''}. Worst first:`,
      );
      each(changes, told.changed, createDiffering, (item, one) => drawDiffering(item, one, ['first', 'second']));
    } catch (problem) {
      say(words, problem.message);
    }
  }

  async function look() {
    try {
      const told = await get('evaluations');
      known = told.evaluations;
      const pairs = (list) => list.map(({ id, name, words: said }) => [id ?? name, said ?? name]);
      const [at, by, as] = [benchmark.value, adapter.value, protocol.value];
      options(benchmark, pairs(told.benchmarks));
      options(adapter, pairs(told.adapters));
      options(protocol, [['', 'this studio'], ...pairs(told.projects)]);
      protocol.value = as;
      if (at) benchmark.value = at;
      if (by) adapter.value = by;
      start.disabled = !told.can_evaluate;
      if (!told.can_evaluate) setTimeout(look, ASK_AGAIN_MS); // the model is on its way
      each(body, known, createRow, drawRow);
      scroll.hidden = !known.length;
      comparison.hidden = known.length < 2;
      tell(
        empty,
        known.length ? '' : 'Nothing yet. Each evaluation stands here, with its error and what it depends on.',
      );
    } catch (problem) {
      say(error, problem.message);
    }
  }
  look();
}
