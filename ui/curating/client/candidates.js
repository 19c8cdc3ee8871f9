// "Continue from here": the policy goes on from the chosen step while the page watches. What it came to is a candidate:
// nothing changes until one is taken, as an edit that can be undone; others may be drawn beside it.
import { workbench, watch, changed } from './workbench.js';
import { edit, rest, mayEdit } from './editing.js';
import { endNudge } from './drag.js';
import { waitingFor, state } from './outbox.js';
import { make, say, tell, each } from '../../client/dom.js';
import { drawCards, liveStep } from '../../client/step_card.js';
import { STOP_WORDS } from '../../client/words.js';
import { notice } from './notices.js';

let drawn = []; // { trace, step, seed, steps, views, thought, edit, stop_reason, problem, abort }
const mine = () => drawn.filter((one) => one.trace === workbench.current);

// The step that a policy can go on from: the chosen one if it looked at something, else the last before it that did; -1
// is the question.
export function startOf() {
  const steps = workbench.detail.steps;
  for (let k = Math.min(workbench.step ?? steps.length - 1, steps.length - 1); k >= 0; k--)
    if (steps[k].answer === null && (steps[k].views.length || steps[k].error)) return k;
  return -1;
}

async function settled(trace) {
  for (let k = 0; k < 100 && waitingFor(trace) && !state().isAway; k++)
    await new Promise((done) => setTimeout(done, 50));
  return !waitingFor(trace);
}

export async function goOn(step = startOf()) {
  if (!mayEdit()) return;
  endNudge();
  rest();
  const trace = workbench.current;
  if (!(await settled(trace))) {
    notice('The server cannot be reached, so the model cannot go on.', { tone: 'bad' });
    return;
  }
  drawn = drawn.filter((one) => one.trace === trace && one.step === step);
  const one = {
    trace,
    step,
    seed: drawn.length ? drawn.length : null,
    steps: [],
    views: [],
    thought: '',
    edit: null,
    stop_reason: null,
    problem: '',
    abort: new AbortController(),
  };
  drawn.push(one);
  changed();
  try {
    const reply = await fetch('curate/continue', {
      method: 'POST',
      headers: { 'Content-Type': 'application/json', 'X-Studio': '1' },
      body: JSON.stringify({ trace, step, seed: one.seed }),
      signal: one.abort.signal,
    });
    if (!reply.ok) throw new Error((await reply.json()).error);
    const reader = reply.body.pipeThrough(new TextDecoderStream()).getReader();
    let text = '';
    for (;;) {
      const { value, done } = await reader.read();
      if (done) break;
      text += value;
      const lines = text.split('\n');
      text = lines.pop();
      for (const line of lines) takeIn(one, JSON.parse(line));
      changed();
    }
    if (one.stop_reason === null) one.problem = one.problem || 'The connection was lost.';
  } catch (error) {
    if (error.name === 'AbortError') one.stop_reason = 'cancelled';
    else one.problem = error.message;
  }
  one.abort = null;
  changed();
}
function takeIn(one, news) {
  if (news.error) one.problem = news.error;
  else Object.assign(one, { thought: '' }, news);
}
export const stop = (one) => one.abort?.abort();
export function stopAll() {
  mine().forEach(stop);
}
export function drop(one) {
  stop(one);
  drawn = drawn.filter((other) => other !== one);
  changed();
}
function take(one) {
  if (!one.edit) return;
  edit(one.edit);
  drawn = drawn.filter((other) => other.trace !== one.trace);
  notice('Taken. Undo (z) brings back what was there.');
  changed();
}

export function mountCandidates(root) {
  const box = root.querySelector('.candidates'),
    list = box.querySelector('.candidates-list');
  box.querySelector('.candidates-more').addEventListener('click', () => {
    const [first] = mine();
    if (first) goOn(first.step);
  });
  root.querySelector('#curate-continue').addEventListener('click', () => goOn());
  list.addEventListener('click', (event) => {
    const act = event.target.dataset.act,
      item = event.target.closest('.candidate');
    if (!act || !item) return;
    const one = mine()[[...list.children].indexOf(item)];
    ({ take, drop, stop })[act](one);
  });
  function create() {
    const item = make('li', 'candidate');
    make('ol', 'candidate-steps', item);
    make('p', 'candidate-note', item);
    const acts = make('div', 'candidate-acts', item);
    for (const [act, text] of [
      ['take', 'Take it'],
      ['stop', 'Stop'],
      ['drop', 'Throw away'],
    ])
      make('button', 'candidate-act', acts, text).dataset.act = act;
    return item;
  }
  function update(item, one) {
    const [steps, note, acts] = item.children,
      isRunning = !!one.abort;
    drawCards(steps, isRunning ? [...one.steps, liveStep(one.thought)] : one.steps, one.views, one.step + 1);
    tell(note, one.problem || STOP_WORDS[one.stop_reason] || '');
    acts.children[0].hidden = isRunning || !one.edit;
    acts.children[1].hidden = !isRunning;
    acts.children[2].hidden = isRunning;
  }
  watch(() => {
    const shown = workbench.detail ? mine() : [];
    box.hidden = !shown.length;
    if (shown.length)
      say(
        box.querySelector('.candidates-from'),
        shown[0].step < 0 ? 'From the question' : `After step ${shown[0].step + 1}`,
      );
    each(list, shown, create, update);
    box.querySelector('.candidates-more').disabled = shown.some((one) => one.abort) || !mayEdit();
    root.querySelector('#curate-continue').disabled = !mayEdit() || shown.some((one) => one.abort);
  });
}
