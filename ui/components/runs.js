import { choosing } from '../client/choosing.js';
import { each, make, tell } from '../client/dom.js';
import { hourOrDay } from '../client/words.js';

function create() {
  const item = make('li');
  const button = make('button', 'runs-item', item);
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

export function mount({ element, props, trigger, watch }) {
  const list = element.querySelector('.runs');

  function render() {
    const value = props.value || { items: [] };
    each(list, value.items, create, (item, entry) => {
      const part = (name) => item.querySelector(`.runs-${name}`);
      item.dataset.state = entry.state;
      part('item').setAttribute('aria-pressed', String(value.current === entry.id));
      for (const name of ['title', 'badge', 'detail', 'label']) tell(part(name), entry[name]);
      tell(part('when'), hourOrDay(entry.when));
    });
    list.hidden = !value.items.length;
    tell(element.querySelector('.runs-empty'), value.items.length ? '' : value.empty);
  }
  choosing(list, (index) => {
    props.value = { ...props.value, current: props.value.items[index].id };
    render();
    trigger('pick');
  });
  watch('value', render);
  render();
}
