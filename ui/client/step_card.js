// A step as a card, for Ask, Curate and two attempts side by side: what it did, its thought, its answer, what it saw,
// what went wrong. Values as `ui.trace_values` gives them. Nodes stay where they are while a step is written, and so do
// focus and a thought that somebody scrolled.
import { each, make, put, say, tell, tone } from './dom.js';
import { boxWords, operationWords, viewWords } from './words.js';

// `head` is 'button' where a card can be chosen. A screen appends what is its own below.
export function createCard(head = 'div') {
  const item = make('li', 'card');
  const top = make(head, 'card-head', item);
  make('span', 'card-number', top);
  const words = make('span', 'card-words', top);
  const line = make('span', 'card-top', words);
  for (const part of ['name', 'box', 'mark']) make('span', `card-${part}`, line);
  make('span', 'card-thought', words);
  make('span', 'card-answer', words);
  make('span', 'card-views', top);
  make('p', 'card-error', item);
  return item;
}

function createView() {
  const node = make('span', 'card-view');
  make('img', '', node).decoding = 'async';
  make('span', 'card-caption', node);
  return node;
}
function updateView(node, view) {
  const alt = view.frame === null ? `View ${view.number}` : `View ${view.number}, frame ${view.frame}`;
  put(node.firstChild, { width: view.width, height: view.height, src: view.url, alt });
  say(node.lastChild, viewWords(view));
}

// `views` are those to be shown of the step; `marks` are words about it beside what it did; `empty` stands where there
// is neither thought nor answer.
export function drawCard(item, step, index, views, { marks = [], empty = '' } = {}) {
  const part = (name) => item.querySelector(`.card-${name}`);
  item.style.setProperty('--tone', tone(index));
  put(item, { 'data-name': step.name });
  item.classList.toggle('is-live', !!step.is_live);
  item.classList.toggle('is-erroneous', !!step.is_erroneous);
  say(part('number'), String(index + 1));
  say(part('name'), step.is_live ? 'thinking' : operationWords(step));
  // As the model calls it.
  put(part('name'), { title: ['zoom_in', 'select_frames'].includes(step.name) ? step.name : null });
  tell(part('box'), boxWords(step.box_in_view));
  tell(part('mark'), [...marks, step.is_erroneous ? 'erroneous' : ''].filter(Boolean).join(' · '));
  tell(part('thought'), step.thought || (step.answer === null ? empty : ''));
  part('thought').classList.toggle('is-empty', !step.thought);
  tell(part('answer'), step.answer);
  part('views').hidden = !views.length;
  each(part('views'), views, createView, updateView);
  tell(part('error'), step.error ? `It did not work: ${step.error}` : '');
}

// The steps of a list, from number `first` (from 0), each with all the views that it brought.
export function drawCards(list, steps, views, first = 0) {
  each(list, steps, createCard, (item, step, index) => {
    const brought = step.views.map((number) => views[number - 1]);
    drawCard(item, step, first + index, brought);
  });
}
// A step that is being said, of which only the thought is known.
export const liveStep = (thought) => ({ thought, name: 'thought', views: [], answer: null, is_live: true });
