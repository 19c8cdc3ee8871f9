// Pictures that nobody waits for: the list's thumbnails, the frames of a strip, what is fetched ahead. A browser speaks
// to a server over six connections at a time (HTTP/1.1), and fifty thumbnails of large photographs would take them all
// while a verdict or the next trace waits behind them. So few are under way at once: those in sight first, what is
// fetched ahead last, and one that has left sight is given up.
const MOST = 3,
  MOST_AHEAD = 12,
  NEAR = '120px';
const wanted = new Map(); // image -> address
const loading = new Map(); // image -> what ends its turn
const ahead = [];
const inSight = new WeakSet();

function begin(image, url) {
  const end = () => {
    if (!loading.delete(image)) return;
    image.removeEventListener('load', end);
    image.removeEventListener('error', end);
    next();
  };
  loading.set(image, end);
  image.addEventListener('load', end);
  image.addEventListener('error', end);
  image.src = url;
}
function next() {
  while (loading.size < MOST && wanted.size) {
    const [image, url] = wanted.entries().next().value;
    wanted.delete(image);
    begin(image, url);
  }
  if (!loading.size && ahead.length) begin(new Image(), ahead.shift());
}
function giveUp(image) {
  wanted.delete(image);
  const end = loading.get(image);
  if (end) {
    image.removeAttribute('src');
    end();
  }
}

// Shows `url` in an image when its turn comes; null takes the picture away.
export function showSoon(image, url) {
  if ((image.dataset.picture || null) === url) return;
  giveUp(image);
  image.removeAttribute('src');
  if (!url) {
    delete image.dataset.picture;
    return;
  }
  image.dataset.picture = url;
  wanted.set(image, url);
  next();
}
// The same for the rows of a list that scrolls: only what is in sight, or nearly, is asked for. Returns (image, url) =>
// …
export function inList(list) {
  const observer = new IntersectionObserver(
    (entries) => {
      for (const { target, isIntersecting } of entries) {
        if (isIntersecting) inSight.add(target);
        else inSight.delete(target);
        if (!target.dataset.picture) continue;
        if (!isIntersecting) giveUp(target);
        else if (!target.hasAttribute('src')) wanted.set(target, target.dataset.picture);
      }
      next();
    },
    { root: list, rootMargin: NEAR },
  );
  return (image, url) => {
    if (!('picture' in image.dataset)) observer.observe(image);
    if (image.dataset.picture === (url || '')) return;
    giveUp(image);
    image.removeAttribute('src');
    image.dataset.picture = url || '';
    if (url && inSight.has(image)) {
      wanted.set(image, url);
      next();
    }
  };
}
// Into the browser's cache, one at a time, when nothing else is under way; the latest wishes count.
export function fetchAhead(url) {
  if (ahead.includes(url)) return;
  ahead.push(url);
  while (ahead.length > MOST_AHEAD) ahead.shift();
  next();
}
