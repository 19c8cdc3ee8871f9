import { tell } from '../client/dom.js';
import { pointing } from '../client/pointing.js';
import { drawCards } from '../client/step_card.js';

export function mount({ element, props, watch }) {
  const list = element.querySelector('.steps');

  function render() {
    const { steps = [], views = [], empty = '' } = props.value || {};
    drawCards(list, steps, views);
    list.hidden = !steps.length;
    tell(element.querySelector('.steps-empty'), steps.length ? '' : empty);
  }
  const indexOf = (event) => {
    const item = event.target.closest('.card');
    return item ? [...list.children].indexOf(item) : null;
  };
  pointing(list, indexOf, (step) => {
    [...list.children].forEach((item, index) => item.classList.toggle('is-pointed', index === step));
  });
  watch('value', render);
  render();
}
