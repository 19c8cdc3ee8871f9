import { say } from '../client/dom.js';

export function mount({ element, props, trigger, watch }) {
  const list = element.querySelector('.samples');
  const empty = element.querySelector('.samples-empty');

  function sample() {
    const item = document.createElement('li'),
      button = document.createElement('button');
    button.type = 'button';
    button.className = 'samples-item';
    const frame = document.createElement('span');
    frame.className = 'samples-picture';
    const image = document.createElement('img'),
      kind = document.createElement('span');
    image.alt = '';
    image.decoding = 'async';
    image.loading = 'lazy';
    kind.className = 'samples-kind';
    frame.append(image, kind);
    const words = document.createElement('span'),
      title = document.createElement('span'),
      question = document.createElement('span');
    words.className = 'samples-words';
    title.className = 'samples-title';
    question.className = 'samples-question';
    words.append(title, question);
    button.append(frame, words);
    item.appendChild(button);
    return item;
  }

  function render() {
    const value = props.value || { items: [] };
    while (list.children.length > value.items.length) list.lastChild.remove();
    value.items.forEach((entry, index) => {
      const item = list.children[index] || list.appendChild(sample());
      const part = (name) => item.querySelector(`.samples-${name}`);
      const image = item.querySelector('img');
      if (image.getAttribute('src') !== entry.url) image.src = entry.url;
      say(part('kind'), entry.kind === 'video' ? 'clip' : '');
      say(part('title'), entry.title);
      say(part('question'), entry.question);
      part('item').setAttribute('aria-pressed', value.current === index);
    });
    empty.textContent = !props.value
      ? 'The samples are being drawn …'
      : value.items.length
        ? ''
        : 'There are no samples here; bring a picture of your own.';
  }
  list.addEventListener('click', (event) => {
    const item = event.target.closest('li');
    if (!item) return;
    props.value = { ...props.value, current: [...list.children].indexOf(item) };
    render();
    trigger('pick');
  });
  list.addEventListener('keydown', (event) => {
    const step = { ArrowDown: 1, ArrowRight: 1, ArrowUp: -1, ArrowLeft: -1 }[event.key];
    const item = event.target.closest('li');
    if (!step || !item) return;
    const next = step > 0 ? item.nextElementSibling : item.previousElementSibling;
    if (next) {
      event.preventDefault();
      next.firstChild.focus();
    }
  });
  watch('value', render);
  render();
}
