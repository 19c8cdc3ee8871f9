// One verdict on many traces: rows are chosen with v (or a click with Ctrl), the bar below the list says how many, and
// the whole action can be taken back.
import { workbench, watch, changed, item } from './workbench.js';
import { choose, list } from './walking.js';
import { post } from '../../client/server.js';
import { say } from '../../client/dom.js';
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

async function decideAll(verdict) {
  const traces = [...chosen];
  try {
    const done = await post('curate/bulk', { traces, verdict, reason: verdict === 'rejected' ? 'many at once' : '' });
    workbench.counts = done.counts;
    const passed = done.passed_over.map(({ id, why }) => ({
      text: `${item(id)?.question || id}: ${why}`,
      press: () => choose(id),
    }));
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

export function mountBulk(root) {
  const bar = root.querySelector('.bulk');
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
