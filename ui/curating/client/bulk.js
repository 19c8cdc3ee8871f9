// One act on many traces: rows are chosen with v (or a click with Ctrl), the bar below the list says how many. A
// verdict can be taken back as a whole.
import { workbench, watch, changed, item } from './workbench.js';
import { choose, forget, list, reopen } from './walking.js';
import { get, post } from '../../client/server.js';
import { options, say } from '../../client/dom.js';
import { VERDICT_WORDS, count } from '../../client/words.js';
import { complain, notice } from './notices.js';

export const chosen = new Set();

export function toggle(id) {
  if (!id) return;
  if (chosen.has(id)) chosen.delete(id);
  else chosen.add(id);
  changed();
}
export function clear() {
  chosen.clear();
  changed();
}
export function chooseTo(id) {
  const at = workbench.items.findIndex((item) => item.id === workbench.current),
    to = workbench.items.findIndex((item) => item.id === id);
  if (at < 0 || to < 0) return;
  for (let k = Math.min(at, to); k <= Math.max(at, to); k++) chosen.add(workbench.items[k].id);
  changed();
}

const passedOver = (done) =>
  done.passed_over.map(({ id, why }) => ({
    text: `${item(id)?.question || id}: ${why}`,
    press: () => choose(id),
  }));
async function decideAll(verdict, reason = verdict === 'rejected' ? 'many at once' : '') {
  const traces = [...chosen];
  try {
    const done = await post('curate/bulk', { traces, verdict, reason });
    workbench.counts = done.counts;
    const passed = passedOver(done);
    clear();
    list();
    const rest = passed.length ? ` ${count(passed.length, 'trace')} passed over:` : '';
    notice(`${count(done.reviewed, 'trace')} ${VERDICT_WORDS[verdict]}.${rest}`, {
      button: 'Undo',
      stays: true,
      list: passed,
      press: () => takeBack(done.action),
    });
  } catch (error) {
    complain(error);
  }
}
async function takeBack(action) {
  try {
    const done = await post('curate/bulk/undo', { action });
    workbench.counts = done.counts;
    list();
    notice(`${count(done.undone, 'verdict')} taken back.`);
  } catch (error) {
    complain(error);
  }
}

// What else can be done with many: where its value is typed (text) or chosen ([value, words]), and how it is sent.
const ACTS = {
  tag: { send: (tag) => ['tag', { tag }], words: 'tagged' },
  untag: { send: (tag) => ['tag', { tag, is_on: false }], words: 'without the tag' },
  assign: { send: (person) => ['assign', { person }], words: 'assigned' },
  round: {
    send: (wanted) => ['round', { wanted: Number(wanted) }],
    choices: () => [1, 2, 3, 4, 5].map((n) => [String(n), String(n)]),
    words: 'put up for so many reviews',
  },
  export: { choices: () => formats, words: 'exported' },
  reason: { choices: () => workbench.reasons.map((one) => [one, one]), words: 'rejected' },
};
let formats = [];

async function arrange(act, value) {
  const traces = [...chosen];
  if (act === 'reason') {
    decideAll('rejected', value);
    return;
  }
  try {
    if (act === 'export') {
      await post('data/export', { format: value, traces });
      notice(`${count(traces.length, 'trace')} on the way out. The Data screen has the files.`, {
        button: 'Go there',
        press: () => location.assign('data'),
      });
      return;
    }
    const [path, body] = ACTS[act].send(value),
      done = await post(`curate/bulk/${path}`, { traces, ...body });
    for (const id of traces) forget(id);
    if (traces.includes(workbench.current)) reopen();
    list();
    notice(`${count(done.changed, 'trace')} ${ACTS[act].words}.`, { list: passedOver(done) });
  } catch (error) {
    complain(error);
  }
}
function mountForm(form) {
  const [what, text, value] = form.children;
  async function draw() {
    const { choices } = ACTS[what.value];
    if (what.value === 'export' && !formats.length) {
      try {
        formats = (await get('curate/choices')).formats;
      } catch (error) {
        complain(error);
      }
    }
    text.hidden = !!choices;
    value.hidden = !choices;
    if (choices) options(value, choices());
  }
  what.addEventListener('change', draw);
  form.addEventListener('submit', (event) => {
    event.preventDefault();
    const given = ACTS[what.value].choices ? value.value : text.value.trim();
    if (!given) notice('Say first which.');
    else {
      arrange(what.value, given);
      text.value = '';
    }
  });
}

export function mountBulk(root) {
  const bar = root.querySelector('.bulk');
  mountForm(bar.querySelector('.bulk-form'));
  bar.addEventListener('click', (event) => {
    const act = event.target.dataset.act;
    if (act === 'all') {
      for (const item of workbench.items) chosen.add(item.id);
      changed();
    } else if (act === 'none') clear();
    else if (act) decideAll(act);
  });
  watch(() => {
    // A verdict falls only on what is listed: what a filter has hidden is no longer chosen.
    if (chosen.size && !workbench.isLoading) {
      const listed = new Set(workbench.items.map((item) => item.id));
      for (const id of [...chosen]) if (!listed.has(id)) chosen.delete(id);
    }
    bar.hidden = !chosen.size;
    say(bar.querySelector('.bulk-count'), `${count(chosen.size, 'trace')} chosen`);
  });
}
