// Walking through the queue: what is listed, which trace, step and frame are looked at. The cursor lives here, in the
// page, so keys never wait for the server; what comes next is fetched ahead.
import { get, address, Offline, Refused } from '../../client/server.js';
import { know } from './outbox.js';
import { isWhole } from '../../client/geometry.js';
import { stageUrl } from '../../client/media.js';
import { fetchAhead } from '../../client/pictures.js';
import { changed, item, itemAt, outerOf, viewsOf, workbench } from './workbench.js';

// --- the queue ---
const REST_MS = 45,
  AHEAD = 3,
  KEPT = 40,
  SLOW_MS = 100;
let listing = null;

export async function list(change = {}) {
  Object.assign(workbench.query, change);
  if (listing) listing.abort();
  const mine = new AbortController();
  listing = mine;
  workbench.isLoading = true;
  // An answer mostly comes before anybody could read that it is awaited.
  const slow = setTimeout(changed, SLOW_MS);
  try {
    const page = await get(address('curate/queue', workbench.query), mine.signal);
    if (mine !== listing) return;
    Object.assign(workbench, {
      items: page.items,
      total: page.total,
      isTotalExact: page.is_total_exact,
      counts: page.counts,
      problem: '',
      hasMore: page.has_more,
    });
    workbench.isLoading = false;
    // Who asks for other traces is not left with one that is none of them; an address names its trace itself.
    const isOther = Object.keys(change).length > 0 && itemAt() < 0;
    if (isOther || (workbench.current === null && page.items.length))
      choose((page.items.find((one) => !one.holder) || page.items[0])?.id ?? null);
    if (workbench.current !== null && !page.items.length && !workbench.detail && !workbench.detailProblem)
      open(workbench.current);
  } catch (error) {
    if (error.name === 'AbortError') return;
    workbench.isLoading = false;
    workbench.problem = error.message;
  } finally {
    clearTimeout(slow);
  }
  changed();
}

let isExtending = false;
export async function extend() {
  if (isExtending || !workbench.hasMore || !workbench.items.length || workbench.isLoading) return false;
  isExtending = true;
  const items = workbench.items;
  try {
    const last = items[items.length - 1];
    const page = await get(address('curate/queue', { ...workbench.query, after: last.place || last.id }));
    if (items !== workbench.items) return false;
    const known = new Set(items.map((one) => one.id));
    workbench.items = items.concat(page.items.filter((one) => !known.has(one.id)));
    workbench.counts = page.counts;
    workbench.hasMore = page.has_more;
    workbench.problem = '';
    changed();
    return page.items.length > 0;
  } catch (error) {
    workbench.problem = error.message;
    changed();
    return false;
  } finally {
    isExtending = false;
  }
}

export function settle(answer) {
  if (answer.counts) workbench.counts = answer.counts;
  const row = item(answer.id);
  if (row && answer.status) row.status = answer.status;
  if (row && answer.head_id) row.head_id = answer.head_id;
  if (workbench.detail && workbench.detail.id === answer.id && answer.status) workbench.detail.status = answer.status;
  for (const detail of [workbench.detail, ...details.values()])
    for (const attempt of detail?.attempts || [])
      if (attempt.id === answer.id && answer.status) attempt.status = answer.status;
  changed();
}

// --- the trace on the workbench ---
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
  if (id === workbench.current && workbench.detail) return;
  Object.assign(workbench, {
    current: id,
    detail: null,
    detailProblem: '',
    step: null,
    media: 0,
    frame: null,
    isAsking: false,
    isAtEnd: false,
  });
  clearTimeout(rest);
  if (id === null) {
    changed();
    return;
  }
  if (details.has(id)) {
    show(details.get(id));
    ahead();
  } else rest = setTimeout(() => open(id), REST_MS);
  changed();
}

export async function open(id = workbench.current) {
  try {
    const detail = await fetchDetail(id);
    if (workbench.current === id) {
      show(detail);
      ahead();
    }
  } catch (error) {
    if (workbench.current !== id) return;
    const isNotThere = error instanceof Refused && error.status === 404;
    workbench.detailProblem = isNotThere
      ? `${error.body?.error || `There is no trace “${id}” in this studio`}. Choose one from the list.`
      : error.message;
    changed();
    if (error instanceof Offline)
      setTimeout(() => {
        if (workbench.current === id && !workbench.detail) open(id);
      }, 2000);
  }
}
export function reopen(id = workbench.current) {
  forget(id);
  return open(id);
}

export function show(detail) {
  const isNew = !workbench.detail || workbench.detail.id !== detail.id;
  Object.assign(workbench, { detail, detailProblem: '' });
  if (detail.draft) know(detail.id, detail.draft.counter);
  const row = item(detail.id);
  if (row) Object.assign(row, { status: detail.status, head_id: detail.head.id, isRefused: false });
  if (isNew || workbench.step === null || workbench.step >= detail.steps.length) chooseStep(firstLook(detail));
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
  if (at > workbench.items.length - 10) extend();
  const id = workbench.current;
  for (const other of [
    ...workbench.items.slice(at + 1, at + 1 + AHEAD),
    ...workbench.items.slice(Math.max(0, at - 1), at),
  ]) {
    if (workbench.current !== id) return;
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
    .filter((view) => view.number > 1 && !isWhole(view.box))
    .slice(0, 3)
    .forEach((view) => fetchAhead(view.url));
}

export function move(by, { isOver = false } = {}) {
  const at = workbench.isAtEnd ? workbench.items.length : itemAt();
  if (at < 0 || (workbench.isAtEnd && by > 0)) {
    if (workbench.items.length && at < 0) choose(workbench.items[0].id);
    else if (isOver) end();
    return;
  }
  const to = at + by;
  if (to >= workbench.items.length && workbench.hasMore) {
    extend().then((grew) => {
      if (itemAt() !== at) return;
      if (grew) move(by, { isOver });
      else if (isOver) end();
    });
    return;
  }
  if (to >= workbench.items.length && isOver) {
    end();
    return;
  }
  const next = workbench.items[Math.max(0, Math.min(workbench.items.length - 1, to))];
  if (next && next.id !== workbench.current) choose(next.id);
}

// After a verdict: on to the next trace that nobody else is working on, as far as this page knows.
export function moveOn() {
  const at = itemAt(),
    free = workbench.items.find((one, index) => index > at && !one.holder);
  if (free) choose(free.id);
  else move(workbench.items.length - Math.max(at, 0), { isOver: true });
}
// Behind the last trace of the list, where nothing is on the workbench.
function end() {
  choose(null);
  workbench.isAtEnd = true;
}

// --- steps, media, frames ---

export function chooseStep(step) {
  const detail = workbench.detail;
  if (!detail || step === null || step < 0 || step >= detail.steps.length) return;
  workbench.step = step;
  const [first] = viewsOf(step);
  const outer = outerOf(step);
  const look = first || outer;
  if (look) Object.assign(workbench, { media: look.media, frame: look.frame });
  else if (workbench.frame === null && detail.media[workbench.media] && detail.media[workbench.media].kind === 'video')
    workbench.frame = 1;
  changed();
}
export function moveStep(by) {
  if (workbench.detail?.steps.length)
    chooseStep(
      Math.max(0, Math.min(workbench.detail.steps.length - 1, (workbench.step === null ? -1 : workbench.step) + by)),
    );
}
export function look(media, frame) {
  Object.assign(workbench, { media, frame });
  changed();
}
