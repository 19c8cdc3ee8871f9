import { createDiffering, drawDiffering } from '../client/differing.js';
import { each, fact, make, tell } from '../client/dom.js';
import { count } from '../client/words.js';

const SIDES = ['before', 'after'];

export function mount({ element, props, watch }) {
  const root = element.querySelector('.comparison');
  const part = (name) => root.querySelector(`.comparison-${name}`);

  function bar(entry) {
    const row = make('div', 'comparison-bar');
    make('span', 'comparison-label', row, entry.label);
    const track = make('span', 'comparison-track', row);
    const share = entry.share ?? 0;
    make('i', '', track).style.width = `${100 * share}%`;
    make('span', 'comparison-number', row, entry.share === null ? '–' : `${(100 * share).toFixed(1)}%`);
    make('span', 'comparison-error', row, entry.error);
    make('span', 'comparison-detail', row, entry.detail);
    return row;
  }

  let drawn = '';
  function render() {
    const value = props.value || { bars: [], facts: [], examples: [], changed_count: 0, empty: '' };
    const text = JSON.stringify(value);
    if (text === drawn) return;
    drawn = text;
    root.dataset.tone = value.tone || 'plain';
    tell(part('empty'), value.bars.length ? '' : value.empty || '');
    part('bars').replaceChildren(...value.bars.map(bar));
    tell(part('verdict'), value.verdict || '');
    tell(part('note'), value.note || '');
    part('facts').replaceChildren(...value.facts.map(fact));
    part('facts').hidden = !value.facts.length;
    const changed = value.examples.filter((one) => one.before !== one.after),
      same = value.examples.filter((one) => one.before === one.after);
    const draw = (item, one) => drawDiffering(item, one, SIDES);
    const more = value.changed_count > changed.length ? `, of which ${changed.length} are shown` : '';
    tell(
      part('changed'),
      changed.length ? `${count(value.changed_count, 'example')} changed, the worst first${more}` : '',
    );
    each(part('examples'), changed, createDiffering, draw);
    part('more').hidden = !same.length;
    part('summary').textContent = same.length === 1 ? 'The one that did not' : `${same.length} that did not change`;
    each(part('same'), same, createDiffering, draw);
  }
  watch('value', render);
  render();
}
