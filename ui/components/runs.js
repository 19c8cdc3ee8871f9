import { make, tell } from '../client/dom.js';
import { hourOrDay } from '../client/words.js';

export function mount({ element, props, trigger, watch }) {
  const list = element.querySelector('.runs');
  const empty = element.querySelector('.runs-empty');

  function run() {
    const item = document.createElement('li');
    const button = make('button', 'runs-item', item);
    button.type = 'button';
    const head = make('span', 'runs-head', button);
    make('span', 'runs-dot', head);
    make('span', 'runs-title', head);
    make('span', 'runs-badge', head);
    make('span', 'runs-detail', button);
    const foot = make('span', 'runs-foot', button);
    make('span', 'runs-label', foot);
    make('span', 'runs-when', foot);
    return item;
  }

  function render() {
    const value = props.value || { items: [] };
    while (list.children.length > value.items.length) list.lastChild.remove();
    value.items.forEach((entry, index) => {
      const item = list.children[index] || list.appendChild(run());
      const part = (name) => item.querySelector(`.runs-${name}`);
      item.dataset.state = entry.state;
      part('item').setAttribute('aria-pressed', String(value.current === entry.id));
      for (const name of ['title', 'badge', 'detail', 'label']) tell(part(name), entry[name] || '');
      tell(part('when'), hourOrDay(entry.when));
    });
    list.hidden = !value.items.length;
    tell(empty, value.items.length ? '' : value.empty || '');
  }
  list.addEventListener('click', (event) => {
    const item = event.target.closest('li');
    if (!item) return;
    props.value = { ...props.value, current: props.value.items[[...list.children].indexOf(item)].id };
    render();
    trigger('pick');
  });
  list.addEventListener('keydown', (event) => {
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
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
