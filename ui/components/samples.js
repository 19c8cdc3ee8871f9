import { choosing } from '../client/choosing.js';
import { each, make, put, say } from '../client/dom.js';

function create() {
  const item = make('li');
  const button = make('button', 'samples-item', item);
  const frame = make('span', 'samples-picture', button);
  put(make('img', '', frame), { alt: '', decoding: 'async', loading: 'lazy' });
  make('span', 'samples-kind', frame);
  const words = make('span', 'samples-words', button);
  make('span', 'samples-title', words);
  make('span', 'samples-question', words);
  return item;
}

export function mount({ element, props, trigger, watch }) {
  const list = element.querySelector('.samples');

  function render() {
    const value = props.value || { items: [] };
    each(list, value.items, create, (item, entry, index) => {
      const part = (name) => item.querySelector(`.samples-${name}`);
      put(item.querySelector('img'), { src: entry.url });
      say(part('kind'), entry.kind === 'video' ? 'clip' : '');
      say(part('title'), entry.title);
      say(part('question'), entry.question);
      part('item').setAttribute('aria-pressed', value.current === index);
    });
    element.querySelector('.samples-empty').textContent = !props.value
      ? 'The samples are being drawn …'
      : value.items.length
        ? ''
        : 'There are no samples here; bring a picture of your own.';
  }
  choosing(list, (index) => {
    props.value = { ...props.value, current: index };
    render();
    trigger('pick');
  });
  watch('value', render);
  render();
}
