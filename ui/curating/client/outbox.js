// What the page has to tell the server, in the order it was done: edits, undo and redo, verdicts. Each is written to
// this browser's storage before it is sent and taken out when the server has it, so a server that is away, a closed lid
// or a crash loses nothing. Everything has a key of its own: what is sent twice is done once. One storage item each, so
// two tabs never write over one another.
import { changed } from './workbench.js';
import { post, Offline, Refused } from '../../client/server.js';

const PREFIX = 'studio-task:',
  RETRY_MS = 1500;
const waiting = [];
// The counter of each trace's draft, as the server last said.
const counters = new Map();
let serial = 0,
  isSending = false,
  isAway = false,
  isLeaving = false,
  answers = null,
  wake = null;

const tab = crypto.getRandomValues(new Uint32Array(2)).join('-');
const random = () =>
  [...crypto.getRandomValues(new Uint8Array(9))].map((byte) => byte.toString(16).padStart(2, '0')).join('');
const remember = (task) => {
  try {
    localStorage.setItem(PREFIX + task.key, JSON.stringify(task));
  } catch {
    /* storage is full or refused: it is still sent from memory */
  }
};
const forgetTask = (task) => {
  try {
    localStorage.removeItem(PREFIX + task.key);
  } catch {
    /* it was never there */
  }
};

export const waitingFor = (trace) => waiting.filter((task) => task.body.trace === trace).length;
export const state = () => ({ waiting: waiting.length, isAway });
export function know(trace, counter) {
  counters.set(trace, counter);
}

// What was left waiting by a tab that is gone; a tab that lives sends its own.
async function orphans() {
  let living = null;
  try {
    living = new Set((await navigator.locks.query()).held.map((lock) => lock.name));
  } catch {
    /* no locks here: only what is old is surely left */
  }
  const left = Object.keys(localStorage)
    .filter((name) => name.startsWith(PREFIX))
    .sort()
    .map((name) => JSON.parse(localStorage.getItem(name)));
  return left.filter((task) =>
    living ? !living.has(PREFIX + task.tab) : Date.now() - Number(task.key.slice(0, 14)) > 30000,
  );
}

// `handlers` = { done(task, answer), refused(task, error) }
export async function begin(handlers) {
  answers = handlers;
  window.addEventListener('online', () => {
    if (wake) wake();
  });
  window.addEventListener('beforeunload', (event) => {
    if (waiting.length && isAway) event.preventDefault();
  });
  try {
    waiting.unshift(...(await orphans()));
    // Held as long as this tab lives.
    navigator.locks.request(PREFIX + tab, () => new Promise(() => {}));
  } catch {
    /* storage or locks are refused: everything is sent from memory */
  }
  if (waiting.length) send();
}

// The page may be gone in a moment: what is told from here on is sent so that it outlives the page. What was under way
// already, and what waits behind it, stands in storage for the next page.
export function outlive(isGoing) {
  isLeaving = isGoing;
}

export function tell(path, body, before = null) {
  const key = `${Date.now().toString().padStart(14, '0')}-${String(serial++).padStart(5, '0')}-${random()}`;
  const task = { key, tab, path, body: { ...body, key }, before };
  waiting.push(task);
  remember(task);
  changed();
  send();
  return task;
}

// A task that has not been sent yet may still say something newer.
export function amend(task, body) {
  if (!waiting.includes(task) || task === waiting[0]) return false;
  Object.assign(task.body, body);
  remember(task);
  return true;
}

async function send() {
  if (isSending) return;
  isSending = true;
  while (waiting.length) {
    const task = waiting[0];
    try {
      const body =
        'counter' in task.body ? { ...task.body, counter: counters.get(task.body.trace) ?? null } : task.body;
      const answer = await post(task.path, body, { isLasting: isLeaving });
      waiting.shift();
      forgetTask(task);
      isAway = false;
      if (answer.draft) know(task.body.trace, answer.draft.counter);
      answers.done(task, answer);
    } catch (error) {
      if (error instanceof Offline) {
        isAway = true;
        changed();
        await new Promise((done) => {
          wake = done;
          setTimeout(done, RETRY_MS);
        });
        continue;
      }
      waiting.shift();
      forgetTask(task);
      isAway = false;
      if (error instanceof Refused) answers.refused(task, error);
      else {
        console.error(error);
        answers.refused(task, new Refused(0, { error: 'Something broke on this page; reload it.' }));
      }
    }
    changed();
  }
  isSending = false;
}
