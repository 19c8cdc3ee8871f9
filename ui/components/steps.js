import { TONES, make, tell } from '../client/dom.js';

export function mount({ element, props, watch }) {
  const list = element.querySelector('.steps');
  const empty = element.querySelector('.steps-empty');

  function card() {
    const item = document.createElement('li');
    item.className = 'steps-card';
    const head = make('div', 'steps-head', item);
    make('span', 'steps-number', head);
    make('span', 'steps-name', head);
    make('span', 'steps-detail', head);
    make('p', 'steps-thought', item);
    make('p', 'steps-error', item);
    make('p', 'steps-answer', item);
    make('div', 'steps-views', item);
    return item;
  }

  function drawViews(box, views) {
    while (box.children.length > views.length) box.lastChild.remove();
    views.forEach((view, index) => {
      let figure = box.children[index];
      if (!figure) {
        figure = make('figure', 'steps-view', box);
        make('img', '', figure);
        make('figcaption', '', figure);
      }
      const image = figure.firstChild;
      if (image.getAttribute('src') !== view.url) {
        image.width = view.width;
        image.height = view.height;
        image.src = view.url;
        image.decoding = 'async';
        image.alt = view.frame === null ? `View ${view.view}` : `View ${view.view}, frame ${view.frame}`;
      }
      const where =
        view.frame !== null && view.box === null ? `frame ${view.frame}` : `${view.width} × ${view.height} px`;
      tell(figure.lastChild, `view ${view.view} · ${where}`);
    });
    box.hidden = !views.length;
  }

  function render() {
    const value = props.value || { steps: [] };
    const steps = value.steps || [];
    while (list.children.length > steps.length) list.lastChild.remove();
    steps.forEach((step, index) => {
      const item = list.children[index] || list.appendChild(card());
      const part = (name) => item.querySelector(`.steps-${name}`);
      item.dataset.name = step.name;
      item.dataset.tone = (index % TONES) + 1;
      item.classList.toggle('is-live', !!step.is_live);
      item.classList.toggle('is-erroneous', !!step.is_erroneous);
      tell(part('number'), String(index + 1));
      tell(part('name'), step.is_live ? 'thinking' : step.name);
      tell(part('detail'), step.detail || '');
      tell(part('thought'), step.thought || '');
      tell(part('error'), step.error ? `It did not work: ${step.error}` : '');
      tell(part('answer'), step.answer === null || step.answer === undefined ? '' : step.answer);
      drawViews(part('views'), step.views || []);
    });
    list.hidden = !steps.length;
    tell(empty, steps.length ? '' : value.empty || '');
  }

  const indexOf = (event) => {
    const item = event.target.closest('.steps-card');
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
