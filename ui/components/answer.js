import { tell } from '../client/dom.js';
import { duration } from '../client/words.js';

export function mount({ element, props, watch }) {
  const root = element.querySelector('.answer');
  const part = (name) => root.querySelector(`.answer-${name}`);
  let started = null,
    clock = null;

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
    if (part('status').textContent !== (value.status || '')) part('status').textContent = value.status || '';
    if (part('problem').textContent !== (value.problem || '')) part('problem').textContent = value.problem || '';
    if (value.state === 'running' || value.trace_id) remember(value.trace_id);
    const link = part('link');
    link.hidden = !value.link;
    if (value.link) {
      link.href = value.link.href;
      link.textContent = value.link.text;
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
  watch('value', render);
  render();
}
