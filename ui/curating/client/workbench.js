// The one state of the Curate screen, and how the screen hears that it changed. The other modules draw it (`watch`);
// `workbench` is plain data: read it anywhere, change it in ./walking.js and ./editing.js.
export const workbench = {
  page: '', // by which the server knows that this page is gone (`ui.curating.presence`)
  me: '', // the name under which this page's work is recorded
  reasons: [], // why a trace is rejected, as the host words it
  filters: [], // what the queue can be filtered by (`ui/curating/filters.py`)
  query: { status: '', search: '', order: 'newest' },
  items: [],
  total: 0,
  isTotalExact: true,
  counts: {},
  isLoading: true,
  hasMore: false,
  problem: '',
  current: null, // id of the trace on the workbench
  detail: null, // what the server said of it, null while it is fetched
  detailProblem: '',
  step: null, // index of the chosen step
  media: 0,
  frame: null,
  isAsking: false, // the reason of a rejection is asked for
  isAtEnd: false, // all of the list were gone through
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

export function itemAt() {
  return workbench.items.findIndex((item) => item.id === workbench.current);
}
export function item(id = workbench.current) {
  return workbench.items.find((one) => one.id === id) || null;
}

// How many rows the list has, and whether that is all: attempts that stand together are one row, `total` counts traces.
export function rows() {
  return workbench.items.some((one) => one.attempts > 1)
    ? { count: workbench.items.length, isExact: !workbench.hasMore }
    : { count: workbench.total, isExact: workbench.isTotalExact };
}

// The view that a step zoomed into; null where it does not zoom, or into what it had not been shown (it has no box
// then).
export function outerOf(step) {
  const { box, view } = workbench.detail.steps[step];
  return box && view ? workbench.detail.views[view - 1] : null;
}
export function viewsOf(step) {
  return workbench.detail.steps[step].views.map((number) => workbench.detail.views[number - 1]);
}
