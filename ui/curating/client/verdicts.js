// Verdicts, sent one after another in the order they were given; the page has moved on long before an answer comes. A verdict that cannot be
// sent waits here, and a page that is closed with one waiting asks first.
import { bench, changed, item, move, settle, reopen, forget } from './bench.js';
import { post, Offline } from './server.js';
import { notice } from './notices.js';

const waiting = [];
let isSending = false;
const WORDS = { accepted: 'Approved', rejected: 'Rejected', skipped: 'Skipped', flagged: 'Flagged' };
const short = (text) => text.length > 60 ? text.slice(0, 58) + '…' : text;

export const pending = () => waiting.length;

function enqueue(task) { waiting.push(task); send(); }

async function send() {
  if (isSending) return;
  isSending = true;
  while (waiting.length) {
    const task = waiting[0];
    try {
      const answer = await post(task.path, task.body);
      waiting.shift();
      settle(answer);
      if (task.done) task.done(answer);
    } catch (error) {
      if (error instanceof Offline) {
        notice(waiting.length === 1 ? 'The server cannot be reached. Your verdict waits here and is sent when it can be.' : 'The server cannot be reached. ' + waiting.length + ' verdicts wait here and are sent when they can be.', { tone: 'bad', stays: true });
        await new Promise((done) => { setTimeout(done, 1500); window.addEventListener('online', done, { once: true }); });
        if (waiting.length) continue;
      } else {
        waiting.shift();
        forget(task.body.trace);
        const row = item(task.body.trace);
        if (row && task.before) row.status = task.before;
        notice(error.message, { tone: 'bad' });
        if (bench.current === task.body.trace) reopen();
        changed();
      }
    }
  }
  isSending = false;
}

export function decide(verdict, reason = '', { isMoving = true } = {}) {
  const id = bench.current, row = item(id), detail = bench.detail;
  const revision = detail ? detail.head.id : row && row.head_id;
  if (!id || !revision) return;
  if (verdict === 'accepted' && !detail) { notice('It is still being fetched; look at it, then approve.'); return; }
  const question = (detail || row).question, before = (row || detail).status;
  if (verdict !== 'skipped') { if (row) row.status = verdict; if (detail) detail.status = verdict; }
  forget(id);
  enqueue({ path: 'curate/review', body: { trace: id, revision, verdict, reason }, before, done: () => { if (bench.current === id) reopen(); } });
  notice(WORDS[verdict] + ': ' + short(question), { button: 'Undo (u)', press: () => takeBack(id) });
  last = id;
  if (isMoving) { bench.isAsking = false; move(1); }
  changed();
}
let last = null;
export function takeBack(id = last) {
  if (!id) return;
  last = null;
  forget(id);
  enqueue({ path: 'curate/review/undo', body: { trace: id }, done: () => { notice('Taken back.'); if (bench.current === id) reopen(); } });
}

export function reject() {
  if (bench.isAsking) { closeReason(); move(1); return; }
  decide('rejected', '', { isMoving: false });
  bench.isAsking = true;
  changed();
}
export function giveReason(reason) { decide('rejected', reason); }
export function closeReason() { bench.isAsking = false; changed(); }

window.addEventListener('beforeunload', (event) => { if (waiting.length) event.preventDefault(); });
