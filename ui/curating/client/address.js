// The page's address says what is on the bench and what the queue shows, so that a reload, a bookmark or a colleague
// sees the same.
import { bench, watch } from './bench.js';
import { NAMES as FILTERS } from './filters.js';

const NAMES = ['status', 'search', 'order', ...FILTERS];
const PLAIN = { order: 'newest' };

export function readAddress() {
  const words = new URLSearchParams(location.search);
  for (const name of NAMES) if (words.has(name)) bench.query[name] = words.get(name);
  if (words.get('trace')) bench.current = words.get('trace');
}
export function followAddress() {
  let written = '',
    timer = null;
  const write = () => {
    const there = new URL(location.href);
    for (const name of NAMES) {
      if (bench.query[name] && bench.query[name] !== PLAIN[name]) there.searchParams.set(name, bench.query[name]);
      else there.searchParams.delete(name);
    }
    if (bench.current) there.searchParams.set('trace', bench.current);
    if (there.href !== written && there.href !== location.href) history.replaceState(history.state, '', there);
    written = there.href;
  };
  // Browsers allow a page only so many changes of its address in half a minute.
  watch(() => {
    if (!timer)
      timer = setTimeout(() => {
        timer = null;
        write();
      }, 200);
  });
  window.addEventListener('pagehide', write);
}
