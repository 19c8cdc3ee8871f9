import { make, tell } from '../client/dom.js';

export function mount({ element, props, watch }) {
  const root = element.querySelector('.rollouts');
  const list = root.querySelector('.rollouts-list');
  const empty = root.querySelector('.rollouts-empty');
  const turned = new Map(); // step -> whether somebody opened (true) or closed (false) it

  function attempt(entry, parent) {
    const card = make('div', 'rollouts-attempt', parent);
    card.dataset.tone = entry.tone;
    const head = make('p', 'rollouts-reward', card);
    make('span', 'rollouts-total', head, `reward ${entry.total}`);
    make('span', 'rollouts-parts', head, entry.parts);
    for (const line of entry.lines) {
      make('p', 'rollouts-line', card, line.text).dataset.kind = line.kind;
    }
    make('p', 'rollouts-answer', card, entry.answer).dataset.hasAnswer = String(entry.has_answer);
  }

  function item(entry, isNewest) {
    const details = make('details', 'rollouts-item', list);
    details.open = turned.has(entry.step) ? turned.get(entry.step) : isNewest;
    const summary = make('summary', 'rollouts-summary', details);
    make('span', 'rollouts-step', summary, `step ${entry.step}`);
    make('span', 'rollouts-question', summary, entry.question);
    summary.addEventListener('click', () => turned.set(entry.step, !details.open));
    const body = make('div', 'rollouts-body', details);
    const picture = make('img', 'rollouts-picture', body);
    picture.loading = 'lazy';
    picture.alt = entry.is_clip ? 'The clip that was asked about' : 'The picture that was asked about';
    picture.src = `media/${encodeURIComponent(entry.sha256)}/thumbnail?side=192${entry.is_clip ? '&frame=1' : ''}`;
    const words = make('div', 'rollouts-words', body);
    make('p', 'rollouts-gold', words, `right: ${entry.gold}. ${entry.share}.`);
    const cards = make('div', 'rollouts-attempts', words);
    for (const one of entry.attempts) attempt(one, cards);
  }

  let drawn = '';
  function render() {
    const value = props.value || { items: [], empty: '' };
    const text = JSON.stringify(value);
    if (text === drawn) return;
    drawn = text;
    root.hidden = !value.items.length && !value.empty;
    tell(empty, value.items.length ? '' : value.empty);
    const focused = list.contains(document.activeElement)
      ? [...list.children].findIndex((one) => one.contains(document.activeElement))
      : -1;
    list.replaceChildren();
    value.items.forEach((entry, index) => item(entry, index === 0));
    if (focused >= 0 && list.children.length)
      list.children[Math.min(focused, list.children.length - 1)].firstChild.focus();
  }
  watch('value', render);
  render();
}
