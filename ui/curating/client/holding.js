// Reservations: the trace on the workbench is held for whoever looks at it, renewed while the page is there, and let go
// when the page moves on or away. It guards no data (a save that comes too late is kept beside the other); it keeps two
// people from doing the same work. One question at a time is on its way, so that an answer that comes late never leaves
// a trace held that nobody looks at any more.
import { workbench, watch, changed, item } from './workbench.js';
import { reopen } from './walking.js';
import { post } from '../../client/server.js';

const REST_MS = 350,
  RENEW_MS = 40000,
  LOOK_AGAIN_MS = 4000,
  STAYS_MS = 5000,
  UNSEEN_MS = 300000;
const held = new Set(); // what this page holds, or has asked for without an answer yet
let asked = null,
  timer = null,
  asking = null,
  isDue = false,
  seenAt = Date.now();

async function hold() {
  clearTimeout(timer);
  isDue = true;
  if (asking) return;
  while (isDue) {
    isDue = false;
    asking = new AbortController();
    try {
      await ask(workbench.current, asking.signal);
    } catch {
      /* offline, or the page goes: nobody else can be told either */
    }
  }
  asking = null;
}
async function ask(trace, signal) {
  const release = [...held].filter((id) => id !== trace);
  if (trace) held.add(trace);
  const answer = await post('curate/hold', { trace, release, page: workbench.page }, { signal });
  for (const id of release) held.delete(id);
  if (!trace) return;
  if (answer.holder) held.delete(trace);
  const row = item(trace);
  if (row) row.holder = answer.holder ? answer.holder.name : null;
  if (!workbench.detail || workbench.detail.id !== trace || workbench.current !== trace) return;
  const was = workbench.detail.holder;
  workbench.detail.holder = answer.holder;
  // Whoever held it may have changed it; and so may anybody while this page slept.
  if (answer.head_id !== workbench.detail.head.id || (was && !answer.holder)) reopen();
  else changed();
  if (answer.holder) timer = setTimeout(hold, LOOK_AGAIN_MS);
}
export function insist() {
  workbench.isInsisting = workbench.current;
  changed();
}

function letGo() {
  clearTimeout(timer);
  isDue = false;
  if (asking) asking.abort();
  // Nobody is left to be told that it failed.
  if (held.size) post('curate/hold', { trace: null, release: [...held] }, { isLasting: true }).catch(() => {});
  held.clear();
}

export function beginHolding() {
  watch(() => {
    // Asked again once the page has its name, by which the server knows when it is gone.
    const wanted = workbench.current && `${workbench.current} ${workbench.page}`;
    if (asked === wanted || (workbench.current && !workbench.detail)) return;
    asked = wanted;
    clearTimeout(timer);
    timer = setTimeout(hold, REST_MS);
  });
  // A page that is behind another window keeps its trace for a while, one that is gone for good keeps it until the
  // reservation runs out.
  setInterval(() => {
    if (!document.hidden) seenAt = Date.now();
    if (held.has(workbench.current) && Date.now() - seenAt < UNSEEN_MS) hold();
  }, RENEW_MS);
  document.addEventListener('visibilitychange', () => {
    seenAt = Date.now();
    if (!document.hidden && asked) hold();
  });
  // A browser that goes to another site may end the page before its pagehide has sent anything, so it is sent before; a
  // page that stays after all (unsaved work, a download) takes its trace again.
  window.addEventListener('beforeunload', () => {
    letGo();
    timer = setTimeout(hold, STAYS_MS);
  });
  window.addEventListener('pagehide', () => {
    letGo();
    asked = null;
  });
  window.addEventListener('pageshow', (event) => {
    if (event.persisted) changed();
  });
}
