// The page's address says what is on the workbench and what the queue shows, so that a reload, a bookmark or a
// colleague sees the same.
import { workbench, watch } from './workbench.js';

const names = () => ['status', 'search', 'order', ...workbench.filters.map((filter) => filter.name)];
const PLAIN = { order: 'newest' };

export function readAddress() {
  const words = new URLSearchParams(location.search);
  for (const name of names()) if (words.has(name)) workbench.query[name] = words.get(name);
  if (words.get('trace')) workbench.current = words.get('trace');
}
export function followAddress() {
  let written = '',
    timer = null;
  const write = () => {
    const there = new URL(location.href);
    for (const name of names()) {
      if (workbench.query[name] && workbench.query[name] !== PLAIN[name])
        there.searchParams.set(name, workbench.query[name]);
      else there.searchParams.delete(name);
    }
    if (workbench.current) there.searchParams.set('trace', workbench.current);
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
