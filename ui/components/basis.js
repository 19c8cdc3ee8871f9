import { fact, make, say, tell } from '../client/dom.js';

export function mount({ element, props, watch }) {
  const root = element.querySelector('.basis');
  const part = (name) => root.querySelector(`.basis-${name}`);

  function objection(entry) {
    const item = make('li');
    make('span', 'basis-reason', item, entry.reason);
    const traces = make('span', 'basis-traces', item);
    for (const trace of entry.traces) {
      make('a', '', traces, trace.text).href = trace.href;
    }
    if (entry.more) make('span', '', traces, `and ${entry.more} more`);
    return item;
  }

  let drawn = '';
  function render() {
    const value = props.value;
    const text = JSON.stringify(value);
    root.hidden = !value;
    if (!value || text === drawn) return;
    drawn = text;
    tell(part('count'), String(value.count));
    tell(part('unit'), value.unit);
    tell(part('note'), value.note || '');
    part('link').hidden = !value.link;
    if (value.link) {
      part('link').href = value.link.href;
      say(part('link'), value.link.text);
    }
    part('facts').replaceChildren(...value.facts.map(fact));
    part('facts').hidden = !value.facts.length;
    const left = value.objections.reduce((sum, entry) => sum + entry.traces.length + entry.more, 0);
    part('out').hidden = !left;
    say(part('summary'), `${left} cannot be learned from`);
    part('objections').replaceChildren(...value.objections.map(objection));
  }
  watch('value', render);
  render();
}
