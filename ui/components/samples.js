import { choosing } from '../client/choosing.js';
import { each, make, put, say } from '../client/dom.js';
import { offer } from '../client/palette.js';

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
  let staged = '';

  // The sample whose picture stands on the stage; the one that was picked, where two share it.
  function current() {
    const { items, current: picked } = props.value;
    if (items[picked]?.sha256 === staged) return picked;
    return items.findIndex(({ sha256 }) => sha256 === staged);
  }

  function render() {
    const value = props.value || { items: [] };
    each(list, value.items, create, (item, entry, index) => {
      const part = (name) => item.querySelector(`.samples-${name}`);
      put(item.querySelector('img'), { src: entry.url });
      say(part('kind'), entry.kind === 'video' ? 'clip' : '');
      say(part('title'), entry.title);
      say(part('question'), entry.question);
      part('item').setAttribute('aria-pressed', String(index === current()));
    });
    element.querySelector('.samples-empty').textContent = !props.value
      ? 'The samples are being drawn …'
      : value.items.length
        ? ''
        : 'There are no samples here; bring a picture of your own.';
  }
  function pick(index) {
    props.value = { ...props.value, current: index };
    render();
    trigger('pick');
  }
  choosing(list, pick);
  offer({
    commands: () =>
      (props.value?.items ?? []).map(({ title, question }, index) => ({
        words: `${title}: ${question}`,
        kind: 'Sample',
        press: () => pick(index),
      })),
  });
  document.addEventListener('studio:staged', (event) => {
    staged = event.detail.media.join();
    if (props.value) render();
  });
  watch('value', render);
  render();
}
