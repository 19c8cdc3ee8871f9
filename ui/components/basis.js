import { make, say, tell } from '../client/dom.js';

export function mount({ element, props, watch }) {
  const root = element.querySelector('.basis');
  const part = (name) => root.querySelector(`.basis-${name}`);

  function fact(entry) {
    const group = document.createElement('div');
    say(make('dt', '', group), entry.name);
    say(make('dd', '', group), entry.value);
    return group;
  }

  function objection(entry) {
    const item = document.createElement('li');
    say(make('span', 'basis-reason', item), entry.reason);
    const traces = make('span', 'basis-traces', item);
    for (const trace of entry.traces) {
      const link = make('a', '', traces);
      link.href = trace.href;
      say(link, trace.text);
    }
    if (entry.more) make('span', '', traces).textContent = `and ${entry.more} more`;
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
