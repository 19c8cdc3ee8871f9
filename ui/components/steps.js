import { each, tell } from '../client/dom.js';
import { createCard, drawCard } from '../client/step_card.js';

export function mount({ element, props, watch }) {
  const list = element.querySelector('.steps');
  const empty = element.querySelector('.steps-empty');

  function render() {
    const { steps = [], views = [], empty: sentence = '' } = props.value || {};
    each(list, steps, createCard, (item, step, index) =>
      drawCard(
        item,
        step,
        index,
        step.views.map((number) => views[number - 1]),
      ),
    );
    list.hidden = !steps.length;
    tell(empty, steps.length ? '' : sentence);
  }

  const indexOf = (event) => {
    const item = event.target.closest('.card');
    return item ? [...list.children].indexOf(item) : null;
  };
  const point = (step) => document.dispatchEvent(new CustomEvent('studio:step', { detail: { step } }));
  list.addEventListener('pointerover', (event) => point(indexOf(event)));
  list.addEventListener('pointerleave', () => point(null));
  list.addEventListener('focusin', (event) => point(indexOf(event)));
  list.addEventListener('focusout', () => point(null));
  document.addEventListener('studio:step', (event) => {
    [...list.children].forEach((item, index) => item.classList.toggle('is-pointed', index === event.detail.step));
  });
  watch('value', render);
  render();
}
