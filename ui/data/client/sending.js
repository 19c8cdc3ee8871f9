// Files from the person's machine: what was dropped or chosen, as (path, file) pairs, and their way to the server. Each
// goes by itself and is streamed to disk there; a few are under way at once, since a folder may hold thousands of small
// ones.
import { post, Refused } from '../../client/server.js';

const AT_ONCE = 4;
// Left beside people's files by their systems, as `engine/importing/places.py` has it.
const isHidden = (path) =>
  path.split('/').some((part) => part.startsWith('.') || part === '__MACOSX') ||
  /(^|\/)(Thumbs\.db|desktop\.ini)$/.test(path);

const entriesOf = (reader) => new Promise((resolve, reject) => reader.readEntries(resolve, reject));
const fileOf = (entry) => new Promise((resolve, reject) => entry.file(resolve, reject));

async function walk(entry, found) {
  const path = entry.fullPath.replace(/^\//, '');
  if (entry.isFile) {
    found.push({ path, file: await fileOf(entry) });
    return;
  }
  const reader = entry.createReader();
  // A reader gives a hundred entries at a time, and none at the end.
  for (let some = await entriesOf(reader); some.length; some = await entriesOf(reader))
    for (const one of some) await walk(one, found);
}

// What was dropped, folders opened.
export async function dropped(transfer) {
  const entries = [...transfer.items].map((item) => item.webkitGetAsEntry?.()).filter(Boolean);
  const found = [];
  for (const entry of entries) await walk(entry, found);
  return entries.length ? usable(found) : chosen(transfer.files);
}
// What an input holds, with the paths that it knows of a folder.
export const chosen = (files) =>
  usable([...files].map((file) => ({ path: file.webkitRelativePath || file.name, file })));
const usable = (found) => found.filter(({ path }) => !isHidden(path));

// The name that a data set of these files would have: their folder's, or the one table's or archive's.
export function nameOf(found) {
  const tops = [...new Set(found.map(({ path }) => path.split('/')[0]))];
  if (tops.length === 1) return tops[0].replace(/\.(zip|csv|tsv|tab|jsonl|ndjson|json|parquet)$/i, '');
  const tables = tops.filter((top) => /\.(csv|tsv|tab|jsonl|ndjson|json|parquet)$/i.test(top));
  return tables.length === 1 ? tables[0].replace(/\.\w+$/, '') : '';
}

function sendOne(upload, { path, file }, onBytes, requests) {
  return new Promise((resolve, reject) => {
    const request = new XMLHttpRequest();
    requests.add(request);
    request.open('POST', `data/uploads/${upload}`);
    request.setRequestHeader('X-File-Name', encodeURIComponent(path));
    request.setRequestHeader('Content-Type', 'application/octet-stream');
    let told = 0;
    request.upload.addEventListener('progress', (event) => {
      onBytes(event.loaded - told);
      told = event.loaded;
    });
    request.addEventListener('loadend', () => requests.delete(request));
    request.addEventListener('load', () => {
      if (request.status === 200) return resolve();
      let body = null;
      try {
        body = JSON.parse(request.responseText);
      } catch {
        /* a proxy's own page */
      }
      return reject(new Refused(request.status, body));
    });
    request.addEventListener('error', () =>
      reject(new Error('The connection was lost while sending; please try again.')),
    );
    request.addEventListener('abort', () => reject(new DOMException('Stopped.', 'AbortError')));
    request.send(file);
  });
}

// Sends all of them; `onShare(share, path)` while they go. Returns {done, stop}: `done` is the upload's id.
export function send(found, onShare) {
  const total = found.reduce((sum, { file }) => sum + file.size, 0) || 1;
  const waiting = [...found],
    requests = new Set();
  let sent = 0,
    isStopped = false;
  async function work(upload) {
    for (let one = waiting.shift(); one && !isStopped; one = waiting.shift()) {
      const { path } = one;
      await sendOne(
        upload,
        one,
        (bytes) => {
          sent += bytes;
          onShare(Math.min(1, sent / total), path);
        },
        requests,
      );
    }
  }
  function stop() {
    isStopped = true;
    for (const request of [...requests]) request.abort();
  }
  async function all() {
    const { upload } = await post('data/uploads', {});
    try {
      await Promise.all(Array.from({ length: AT_ONCE }, () => work(upload)));
    } catch (error) {
      stop();
      throw error;
    }
    if (isStopped) throw new DOMException('Stopped.', 'AbortError');
    return upload;
  }
  return { done: all(), stop };
}
