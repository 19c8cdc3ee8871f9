// Asking the studio's own routes. Offline: nothing arrived, the same may be sent again. Refused: it arrived, and a
// sentence came back.
export class Offline extends Error {}
export class Refused extends Error {
  constructor(status, body) {
    super(body?.error || `The server answered with an error (${status}).`);
    this.status = status;
    this.body = body;
  }
}

async function ask(path, options) {
  let reply;
  try {
    reply = await fetch(path, options);
  } catch (error) {
    if (error.name === 'AbortError') throw error;
    throw new Offline('The server cannot be reached.');
  }
  let body = null;
  try {
    body = await reply.json();
  } catch (error) {
    if (error.name === 'AbortError') throw error;
  }
  if (!reply.ok) {
    // A proxy answers for a server that is gone.
    if ([502, 503, 504].includes(reply.status)) throw new Offline('The server cannot be reached.');
    throw new Refused(reply.status, body);
  }
  return body;
}
export const get = (path, signal) => ask(path, { signal });

// Browsers keep at most 64 KiB under way for pages that are gone; a character takes up to three bytes.
const MOST_LASTING = 20000;
// With `isLasting` the request outlives the page, if its body is small enough for that.
export function post(path, body, { signal, isLasting = false } = {}) {
  const text = JSON.stringify(body);
  return ask(path, {
    method: 'POST',
    headers: { 'Content-Type': 'application/json', 'X-Studio': '1' },
    body: text,
    signal,
    keepalive: isLasting && text.length <= MOST_LASTING,
  });
}
export const address = (path, query) => {
  const words = new URLSearchParams();
  for (const name in query)
    if (query[name] !== '' && query[name] !== null && query[name] !== undefined) words.set(name, query[name]);
  const text = words.toString();
  return text ? `${path}?${text}` : path;
};
