import { say, tell } from '../client/dom.js';
import { duration } from '../client/words.js';

// Where the key of the attempt under way stands, in case this page is thrown away while it sleeps.
const KEPT = 'studio-attempt';
// A stream that lives says something within this time, or is asked for again.
const SILENT_MS = 1500;

function kept() {
  try {
    return sessionStorage.getItem(KEPT);
  } catch {
    return null; // storage may be refused inside a frame
  }
}
function keep(attempt) {
  try {
    if (attempt) sessionStorage.setItem(KEPT, attempt);
    else sessionStorage.removeItem(KEPT);
  } catch {
    /* it lasts as long as this page then */
  }
}

export function mount({ element, props, trigger, watch }) {
  const root = element.querySelector('.answer');
  const part = (name) => root.querySelector(`.answer-${name}`);
  let started = null,
    clock = null,
    newsAt = 0;

  function tick() {
    tell(part('clock'), duration((performance.now() - started) / 1000));
  }

  function remember(trace) {
    const address = new URL(location.href);
    if (trace) address.searchParams.set('trace', trace);
    else address.searchParams.delete('trace');
    if (address.href !== location.href) history.replaceState(history.state, '', address);
  }

  function render() {
    const value = props.value || { state: 'empty' };
    const isRunning = value.state === 'running';
    root.dataset.state = value.state;
    root.dataset.tone = value.tone || 'plain';
    tell(part('question'), value.question || '');
    tell(part('text'), value.answer === null || value.answer === undefined ? '' : value.answer);
    tell(part('note'), value.note || '');
    tell(part('policy'), value.state === 'empty' ? '' : value.policy || '');
    tell(part('hint'), value.state === 'empty' ? value.hint || '' : '');
    part('spinner').hidden = !isRunning;
    say(part('status'), value.status || '');
    say(part('problem'), value.problem || '');
    if (value.state === 'running' || value.trace_id) remember(value.trace_id);
    const link = part('link');
    link.hidden = !value.link;
    if (value.link) {
      link.href = value.link.href;
      say(link, value.link.text);
    }
    if (isRunning && clock === null) {
      started = performance.now() - 1000 * (value.elapsed_s || 0);
      clock = setInterval(tick, 100);
      tick();
    }
    if (!isRunning && clock !== null) {
      clearInterval(clock);
      clock = null;
    }
    if (!isRunning) tell(part('clock'), typeof value.elapsed_s === 'number' ? duration(value.elapsed_s) : '');
  }
  function resume(attempt) {
    props.value = { ...props.value, attempt };
    trigger('resume');
  }
  // Back from sleep, another app or a dead network: what streamed may have stopped without a word.
  function comeBack() {
    const cameAt = performance.now();
    setTimeout(() => {
      if (props.value?.attempt && newsAt < cameAt) resume(props.value.attempt);
    }, SILENT_MS);
  }
  document.addEventListener('visibilitychange', () => {
    if (!document.hidden) comeBack();
  });
  window.addEventListener('online', comeBack);
  window.addEventListener('pageshow', (event) => {
    if (event.persisted) comeBack();
  });
  // A page that is kept (it may be gone back to) and one that sleeps leave nothing.
  window.addEventListener('pagehide', (event) => {
    if (!event.persisted && props.value?.attempt) navigator.sendBeacon('ask/leave', props.value.attempt);
  });
  const before = kept();
  keep(null);
  if (before && !new URLSearchParams(location.search).has('trace')) resume(before);
  watch('value', () => {
    newsAt = performance.now();
    if (props.value) keep(props.value.attempt);
    render();
  });
  render();
}
