// The address and the title that belong to what the Ask page shows. Pure.
import { beginning } from '../../client/words.js';

const STUDIO = 'Pixel Reasoner Studio';
const NAMES = ['trace', 'media'];

// What an address shows: { trace, media }, null for what it does not name.
export function shownAt(href) {
  const { searchParams } = new URL(href);
  return Object.fromEntries(NAMES.map((name) => [name, searchParams.get(name)]));
}

// `value` is the answer's, `href` the page's address. `address` is null where the page is there already, or the value
// names no place; whatever else stands in the query stays. `title` is null where the value says nothing of one.
export function placeOf(value, href) {
  if (typeof value.address !== 'string') return { address: null, title: null };
  const there = new URL(href);
  const wanted = new URLSearchParams(value.address);
  for (const name of NAMES) {
    if (wanted.has(name)) there.searchParams.set(name, wanted.get(name));
    else there.searchParams.delete(name);
  }
  const isThere = NAMES.every((name) => shownAt(href)[name] === wanted.get(name));
  const title = value.question ? `${beginning(value.question)} · ${STUDIO}` : `Ask · ${STUDIO}`;
  return { address: isThere ? null : there.href, title };
}
