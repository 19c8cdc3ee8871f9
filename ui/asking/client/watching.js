// Where a page is, and whether it still hears: an attempt's address from its first moment, back and forward, and what
// to do when a stream breaks.
import { get } from '../../client/server.js';
import { placeOf, shownAt } from './places.js';

// A stream that lives says something within this time, or is asked for again.
const SILENT_MS = 2500,
  LOOK_EVERY_MS = 2500;

// `current()` is the answer's value, `ask({ trace, media, number })` asks for what stands at a place; its answer says
// which wish it is to (`wanted`). Returns what to call whenever a new value has come.
export function watching(current, ask) {
  let newsAt = performance.now(),
    state = '',
    wishes = 0;

  function open(place) {
    ask({ ...place, number: ++wishes });
  }

  function told() {
    newsAt = performance.now();
    const value = current() || {};
    // An answer to an earlier wish comes late: the page is elsewhere by then.
    if (value.wanted && value.wanted.number !== wishes) return;
    const { address, title } = placeOf(value, location.href);
    if (title !== null) document.title = title;
    // An address that names nothing yet is no place to go back to.
    const { trace, media } = shownAt(location.href);
    if (address !== null) history[trace || media ? 'pushState' : 'replaceState'](history.state, '', address);
    if (address !== null || value.state !== state) document.dispatchEvent(new CustomEvent('studio:asked'));
    state = value.state;
  }

  // Back from sleep, another app or a dead network: what streamed may have stopped without a word.
  const watched = () => current()?.attempt;
  function comeBack() {
    const cameAt = performance.now();
    setTimeout(() => {
      if (watched() && newsAt < cameAt) open({ trace: watched() });
    }, SILENT_MS);
  }
  async function look() {
    const id = watched();
    if (!id || performance.now() - newsAt < SILENT_MS || document.hidden) return;
    try {
      const news = await get(`ask/news/${id}`);
      if (watched() === id && news.number !== current().number) open({ trace: id });
    } catch {
      /* the next look may find the server */
    }
  }
  setInterval(look, LOOK_EVERY_MS);
  document.addEventListener('visibilitychange', () => {
    if (!document.hidden) comeBack();
  });
  window.addEventListener('online', comeBack);
  window.addEventListener('pageshow', (event) => {
    if (event.persisted) comeBack();
  });
  window.addEventListener('popstate', () => open(shownAt(location.href)));
  // A page that is kept (it may be gone back to) and one that sleeps leave nothing.
  window.addEventListener('pagehide', (event) => {
    if (!event.persisted && watched()) navigator.sendBeacon('ask/leave', watched());
  });
  return told;
}
