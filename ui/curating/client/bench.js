// The one state of the Curate screen, and what can be done to it. The other modules draw it (`watch`) and call these
// functions; the cursor lives here, in the page, so keys never wait for the server. `bench` is plain data: read it
// anywhere, change it here alone.
import { get, address, Offline, Refused } from './server.js';
import { know } from './outbox.js';
import { fetchAhead } from './pictures.js';

export const bench = {
  query: { status: '', search: '', order: 'newest' },
  items: [],
  total: 0,
  isTotalExact: true,
  counts: {},
  isLoading: true,
  hasMore: false,
  problem: '',
  current: null, // id of the trace on the bench
  detail: null, // what the server said of it, null while it is fetched
  detailProblem: '',
  step: null, // index of the chosen step
  media: 0,
  frame: null,
  isAsking: false, // the reason of a rejection is asked for
};

// Drawing has two halves: `draw` writes, `fit` may read where things came to lie. All write first, for the first
// reading lays the page out, and a writing after it would have it laid out again: ten times a page of the queue, and
// half of what that took.
const watchers = new Set(),
  fitters = new Set();
let isDue = false;
export function watch(draw, fit) {
  watchers.add(draw);
  draw();
  if (fit) {
    fitters.add(fit);
    fit();
  }
}
export function changed() {
  if (isDue) return;
  isDue = true;
  queueMicrotask(() => {
    isDue = false;
    for (const draw of watchers) draw();
    for (const fit of fitters) fit();
  });
}

// --- the queue ---
const REST_MS = 45,
  AHEAD = 3,
  KEPT = 40,
  SLOW_MS = 100;
let listing = null;

export function itemAt() {
  return bench.items.findIndex((item) => item.id === bench.current);
}
export function item(id = bench.current) {
  return bench.items.find((one) => one.id === id) || null;
}

export async function list(change = {}) {
  Object.assign(bench.query, change);
  if (listing) listing.abort();
  const mine = new AbortController();
  listing = mine;
  bench.isLoading = true;
  // An answer mostly comes before anybody could read that it is awaited.
  const slow = setTimeout(changed, SLOW_MS);
  try {
    const page = await get(address('curate/queue', bench.query), mine.signal);
    if (mine !== listing) return;
    Object.assign(bench, {
      items: page.items,
      total: page.total,
      isTotalExact: page.is_total_exact,
      counts: page.counts,
      problem: '',
      hasMore: page.items.length < page.total || !page.is_total_exact,
    });
    bench.isLoading = false;
    if (bench.current === null && page.items.length)
      choose((page.items.find((one) => !one.holder) || page.items[0]).id);
    if (bench.current !== null && !page.items.length && !bench.detail && !bench.detailProblem) open(bench.current);
  } catch (error) {
    if (error.name === 'AbortError') return;
    bench.isLoading = false;
    bench.problem = error.message;
  } finally {
    clearTimeout(slow);
  }
  changed();
}

let isExtending = false;
export async function extend() {
  if (isExtending || !bench.hasMore || !bench.items.length || bench.isLoading) return false;
  isExtending = true;
  const items = bench.items;
  try {
    const page = await get(address('curate/queue', { ...bench.query, after: items[items.length - 1].id }));
    if (items !== bench.items) return false;
    const known = new Set(items.map((one) => one.id));
    bench.items = items.concat(page.items.filter((one) => !known.has(one.id)));
    bench.counts = page.counts;
    bench.hasMore = page.items.length > 0;
    bench.problem = '';
    changed();
    return page.items.length > 0;
  } catch (error) {
    bench.problem = error.message;
    changed();
    return false;
  } finally {
    isExtending = false;
  }
}

export function settle(answer) {
  if (answer.counts) bench.counts = answer.counts;
  const row = item(answer.id);
  if (row && answer.status) row.status = answer.status;
  if (row && answer.head_id) row.head_id = answer.head_id;
  if (bench.detail && bench.detail.id === answer.id && answer.status) bench.detail.status = answer.status;
  changed();
}

// --- the trace on the bench ---
const details = new Map();
const fetching = new Map();
let rest = null;

// What was fetched, or is on its way, may be old.
export function forget(id) {
  details.delete(id);
  fetching.delete(id);
}
export function keep(detail) {
  const row = item(detail.id);
  if (row) row.holder = detail.holder ? detail.holder.name : null;
  details.delete(detail.id);
  details.set(detail.id, detail);
  if (details.size > KEPT) details.delete(details.keys().next().value);
}

function fetchDetail(id) {
  if (details.has(id)) return Promise.resolve(details.get(id));
  if (!fetching.has(id)) {
    const mine = get(`curate/trace/${encodeURIComponent(id)}`)
      .then((detail) => {
        if (fetching.get(id) !== mine) return fetchDetail(id); // forgotten meanwhile
        keep(detail);
        return detail;
      })
      .finally(() => {
        if (fetching.get(id) === mine) fetching.delete(id);
      });
    fetching.set(id, mine);
  }
  return fetching.get(id);
}

export function choose(id) {
  if (id === bench.current && bench.detail) return;
  Object.assign(bench, {
    current: id,
    detail: null,
    detailProblem: '',
    step: null,
    media: 0,
    frame: null,
    isAsking: false,
  });
  clearTimeout(rest);
  if (details.has(id)) {
    show(details.get(id));
    ahead();
  } else rest = setTimeout(() => open(id), REST_MS);
  changed();
}

export async function open(id = bench.current) {
  try {
    const detail = await fetchDetail(id);
    if (bench.current === id) {
      show(detail);
      ahead();
    }
  } catch (error) {
    if (bench.current !== id) return;
    const isNotThere = error instanceof Refused && error.status === 404;
    bench.detailProblem = isNotThere
      ? `There is no trace “${id}” in this studio. Choose one from the list.`
      : error.message;
    changed();
    if (error instanceof Offline)
      setTimeout(() => {
        if (bench.current === id && !bench.detail) open(id);
      }, 2000);
  }
}
export function reopen(id = bench.current) {
  forget(id);
  return open(id);
}

export function show(detail) {
  const isNew = !bench.detail || bench.detail.id !== detail.id;
  Object.assign(bench, { detail, detailProblem: '' });
  if (detail.draft) know(detail.id, detail.draft.counter);
  const row = item(detail.id);
  if (row) Object.assign(row, { status: detail.status, head_id: detail.head.id, isRefused: false });
  if (isNew || bench.step === null || bench.step >= detail.steps.length) chooseStep(firstLook(detail));
  changed();
}

// The step that an annotator looks at first: the first look that worked, else the last step.
function firstLook(detail) {
  const look = detail.steps.findIndex((step) => step.views.length);
  return look >= 0 ? look : detail.steps.length ? detail.steps.length - 1 : null;
}

async function ahead() {
  const at = itemAt();
  if (at < 0) return;
  if (at > bench.items.length - 10) extend();
  const id = bench.current;
  for (const other of [...bench.items.slice(at + 1, at + 1 + AHEAD), ...bench.items.slice(Math.max(0, at - 1), at)]) {
    if (bench.current !== id) return;
    if (details.has(other.id)) continue;
    try {
      warm(await fetchDetail(other.id));
    } catch {
      return;
    }
  }
}
function warm(detail) {
  const medium = detail.media[0];
  if (medium && !medium.is_missing) fetchAhead(stageUrl(medium, medium.kind === 'video' ? 1 : null));
  detail.views
    .filter((view) => view.number > 1 && view.box.join() !== '0,0,1,1')
    .slice(0, 3)
    .forEach((view) => fetchAhead(view.url));
}
export const STAGE_SIDE = 1536;
export const stageUrl = (medium, frame, side = STAGE_SIDE) =>
  `media/${medium.sha256}/thumbnail?${frame === null ? '' : `frame=${frame}&`}side=${side}`;

export function move(by) {
  const at = itemAt();
  if (at < 0) {
    if (bench.items.length) choose(bench.items[0].id);
    return;
  }
  const to = at + by;
  if (to >= bench.items.length && bench.hasMore) {
    extend().then((grew) => {
      if (grew && itemAt() === at) move(by);
    });
    return;
  }
  const next = bench.items[Math.max(0, Math.min(bench.items.length - 1, to))];
  if (next && next.id !== bench.current) choose(next.id);
}

// After a verdict: on to the next trace that nobody else is working on, as far as this page knows.
export function moveOn() {
  const at = itemAt(),
    free = bench.items.findIndex((one, index) => index > at && !one.holder);
  move(at >= 0 && free > at ? free - at : 1);
}

// --- steps, media, frames ---
export function viewsOf(step) {
  return bench.detail.steps[step].views.map((number) => bench.detail.views[number - 1]);
}

export function chooseStep(step) {
  const detail = bench.detail;
  if (!detail || step === null || step < 0 || step >= detail.steps.length) return;
  bench.step = step;
  const [first] = viewsOf(step);
  const outer = detail.steps[step].view ? detail.views[detail.steps[step].view - 1] : null;
  const look = first || outer;
  if (look) Object.assign(bench, { media: look.media, frame: look.frame });
  else if (bench.frame === null && detail.media[bench.media] && detail.media[bench.media].kind === 'video')
    bench.frame = 1;
  changed();
}
export function moveStep(by) {
  if (bench.detail?.steps.length)
    chooseStep(Math.max(0, Math.min(bench.detail.steps.length - 1, (bench.step === null ? -1 : bench.step) + by)));
}
export function look(media, frame) {
  Object.assign(bench, { media, frame });
  changed();
}
