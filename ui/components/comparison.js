import { make, tell } from '../client/dom.js';

export function mount({ element, props, watch }) {
  const root = element.querySelector('.comparison');
  const part = (name) => root.querySelector(`.comparison-${name}`);

  function bar(entry) {
    const row = make('div', 'comparison-bar');
    make('span', 'comparison-label', row, entry.label);
    const track = make('span', 'comparison-track', row);
    make('i', '', track).style.width = `${entry.total ? (100 * entry.right) / entry.total : 0}%`;
    make('span', 'comparison-number', row, entry.total ? `${Math.round((100 * entry.right) / entry.total)} %` : '–');
    make('span', 'comparison-count', row, `${entry.right} of ${entry.total}`);
    return row;
  }

  function example(entry) {
    const item = make('li');
    const words = make('div', 'comparison-words', item);
    make('p', 'comparison-question', words, entry.question);
    const answers = make('p', 'comparison-answers', words);
    make('span', '', answers, `right: ${entry.gold}`);
    for (const answer of entry.answers) {
      const mark = answer.is_right === null ? '' : answer.is_right ? ' ✓' : ' ✗';
      const node = make('span', 'comparison-answer', answers, `${answer.label}: ${answer.text}${mark}`);
      node.dataset.isRight = String(answer.is_right);
    }
    return item;
  }

  let drawn = '';
  function render() {
    const value = props.value || { bars: [], examples: [], empty: '' };
    const text = JSON.stringify(value);
    if (text === drawn) return;
    drawn = text;
    root.dataset.tone = value.tone || 'plain';
    tell(part('empty'), value.bars.length ? '' : value.empty || '');
    part('bars').replaceChildren(...value.bars.map(bar));
    tell(part('verdict'), value.verdict || '');
    tell(part('note'), value.note || '');
    part('more').hidden = !value.examples.length;
    part('summary').textContent =
      value.examples.length === 1 ? 'Which example' : `Which ${value.examples.length} examples`;
    part('examples').replaceChildren(...value.examples.map(example));
  }
  watch('value', render);
  render();
}
