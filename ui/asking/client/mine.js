// The questions of this person: links, which a plain click opens on the page itself.
import { each, make, put, say } from '../../client/dom.js';
import { get } from '../../client/server.js';
import { ago } from '../../client/words.js';

// How often it looks while a question is being answered, which may be on another page.
const LOOK_EVERY_MS = 2000;

function create() {
  const item = make('li');
  const link = make('a', 'questions-item', item);
  put(make('img', '', link), { alt: '', decoding: 'async', loading: 'lazy' });
  const words = make('span', 'questions-words', link);
  make('span', 'questions-question', words);
  make('span', 'questions-answer', words);
  return item;
}
function update(item, { id, question, answer, url, asked_at, is_over }) {
  const link = item.firstChild;
  const isHere = new URLSearchParams(location.search).get('trace') === id;
  put(link, { href: `?trace=${id}`, title: question, 'aria-current': isHere && 'page' });
  put(item.querySelector('img'), { src: url });
  say(item.querySelector('.questions-question'), question);
  const ended = [answer ?? 'no answer', ago(asked_at)].filter(Boolean).join(' · ');
  say(item.querySelector('.questions-answer'), is_over ? ended : 'being answered …');
}

export function mount({ element }) {
  const root = element.querySelector('.questions');
  const list = root.querySelector('.questions-list');
  let questions = [],
    again = null;

  function render() {
    root.hidden = !questions.length;
    say(root.querySelector('.questions-count'), String(questions.length || ''));
    each(list, questions, create, update);
  }
  async function look() {
    try {
      ({ questions } = await get('ask/mine'));
    } catch {
      return; // what stands there stays
    }
    render();
    clearTimeout(again);
    if (questions.some(({ is_over }) => !is_over)) again = setTimeout(look, LOOK_EVERY_MS);
  }
  list.addEventListener('click', (event) => {
    const link = event.target.closest('a');
    if (!link || event.button || event.ctrlKey || event.metaKey || event.shiftKey || event.altKey) return;
    event.preventDefault();
    history.pushState(history.state, '', link.getAttribute('href'));
    window.dispatchEvent(new PopStateEvent('popstate'));
    render();
  });
  document.addEventListener('studio:asked', look);
  window.addEventListener('popstate', render);
  look();
}
