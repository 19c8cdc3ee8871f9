// Zoom and pan on the stage, and the loupe: by wheel, two fingers, drag with space or the middle button, keys, buttons.
// What is in sight is the view box of the drawing, so boxes are drawn, dragged and labelled in it as they are.
import { changed, outerOf, viewsOf, watch, workbench } from './workbench.js';
import { stageUrl, STAGE_SIDE } from '../../client/media.js';
import { asBox, around, centre, isWholeInSight, panned, power, whole, zoomed } from '../../client/sight.js';
import { holds } from '../../client/geometry.js';
import { make, put, say, svg } from '../../client/dom.js';

const BY_KEY = 1.5,
  WIDE = '(min-width: 900px)',
  REST_MS = 160,
  MOST_SHARP_PX = 4e6,
  LOUPE_PX = 190,
  LOUPE_POWER = 3;
let seen = { of: '', step: null, sight: null },
  redraw = () => {};

const mediumNow = () => workbench.detail?.media[workbench.media] || null;
// What is in sight of the medium on the stage, whole where another one came.
export function sightOf(medium) {
  const of = `${workbench.current} ${workbench.media}`;
  if (seen.of !== of) seen = { of, step: workbench.step, sight: whole(medium) };
  return seen.sight;
}
function set(sight) {
  seen.sight = sight;
  redraw();
}
export function zoomBy(factor, at = null) {
  const medium = mediumNow();
  if (medium) set(zoomed(sightOf(medium), medium, factor, at || centre(sightOf(medium))));
}
export const zoomIn = () => zoomBy(BY_KEY);
export const zoomOut = () => zoomBy(1 / BY_KEY);
export function showWhole() {
  const medium = mediumNow();
  if (medium) set(whole(medium));
}
const boxNow = () => {
  const step = workbench.detail?.steps[workbench.step];
  return step?.box || (step && (outerOf(workbench.step) || viewsOf(workbench.step)[0])?.box) || null;
};
// What the chosen step looked at, as large as it goes; once more, the whole picture.
export function showLook() {
  const medium = mediumNow(),
    box = boxNow();
  if (!medium || !box) return;
  const near = around(box, medium);
  set(JSON.stringify(near) === JSON.stringify(seen.sight) ? whole(medium) : near);
}
let isLoupe = false;
export function toggleLoupe() {
  isLoupe = !isLoupe;
  changed();
}

// `draw()` draws the boxes anew.
export function mountSight(root, drawing, draw) {
  const frame = drawing.parentNode,
    group = drawing.querySelector('g.picture'),
    sharp = svg('image', { preserveAspectRatio: 'none', class: 'sharp' }, group),
    tools = root.querySelector('.editor-sight'),
    loupe = make('div', 'loupe', frame),
    glass = svg('svg', { 'aria-hidden': 'true' }, loupe),
    glassPicture = svg('image', { preserveAspectRatio: 'none' }, glass);
  const [out, fit, , look, lens] = tools.children;
  loupe.hidden = true;
  let isSpace = false,
    panning = null,
    pinch = null,
    timer = null;

  const pointAt = (x, y) => {
    const at = new DOMPoint(x, y).matrixTransform(drawing.getScreenCTM().inverse());
    return [at.x, at.y];
  };
  const scale = () => 1 / (drawing.getScreenCTM()?.a || 1);

  // From the original's own pixels, where the stage's picture has fewer.
  function sharpen() {
    const medium = mediumNow(),
      sight = medium && sightOf(medium);
    const isWanted =
      medium &&
      !medium.is_missing &&
      power(sight, medium) > 1.05 &&
      Math.max(medium.width, medium.height) > STAGE_SIDE &&
      sight.width * sight.height < MOST_SHARP_PX;
    if (!isWanted) return;
    const which = workbench.frame ? `frame=${workbench.frame}&` : '',
      box = asBox(sight, medium).map((edge) => edge.toFixed(5));
    put(sharp, { ...sight, href: `media/${medium.sha256}/crop?${which}box=${box.join()}` });
  }
  redraw = () => {
    const medium = mediumNow();
    if (!medium) return;
    const sight = sightOf(medium),
      isWhole = isWholeInSight(sight, medium);
    put(drawing, { viewBox: `${sight.x} ${sight.y} ${sight.width} ${sight.height}` });
    frame.classList.toggle('is-near', !isWhole);
    put(sharp, { href: null });
    say(fit, isWhole ? 'Fit' : `${Math.round(100 * power(sight, medium))}%`);
    out.disabled = fit.disabled = isWhole;
    draw();
    clearTimeout(timer);
    timer = setTimeout(sharpen, REST_MS);
  };

  tools.addEventListener('click', (event) => {
    const act = [zoomOut, showWhole, zoomIn, showLook, toggleLoupe][[...tools.children].indexOf(event.target)];
    if (act) act();
  });
  drawing.addEventListener(
    'wheel',
    (event) => {
      const medium = mediumNow(),
        isPinch = event.ctrlKey || event.metaKey;
      if (!medium || (!isPinch && !matchMedia(WIDE).matches)) return;
      const isOut = event.deltaY > 0,
        column = root.closest('.column');
      // What is whole, or scrolled away from, scrolls.
      if (!isPinch && (isOut ? isWholeInSight(sightOf(medium), medium) : column.scrollTop > 0)) return;
      event.preventDefault();
      const by = event.deltaMode ? event.deltaY * 20 : event.deltaY;
      zoomBy(Math.exp(-by * (isPinch ? 0.01 : 0.002)), pointAt(event.clientX, event.clientY));
    },
    { passive: false },
  );
  function pan(dx, dy) {
    const medium = mediumNow(),
      by = scale();
    if (medium) set(panned(sightOf(medium), medium, -dx * by, -dy * by));
  }
  // Before the boxes get the pointer.
  drawing.addEventListener(
    'pointerdown',
    (event) => {
      if (event.button !== 1 && !(isSpace && event.button === 0)) return;
      event.preventDefault();
      event.stopImmediatePropagation();
      panning = { id: event.pointerId, x: event.clientX, y: event.clientY };
      drawing.setPointerCapture(event.pointerId);
    },
    true,
  );
  drawing.addEventListener('pointermove', (event) => {
    if (panning?.id === event.pointerId) {
      pan(event.clientX - panning.x, event.clientY - panning.y);
      Object.assign(panning, { x: event.clientX, y: event.clientY });
    }
    if (isLoupe && event.pointerType === 'mouse') drawLoupe(event);
  });
  for (const name of ['pointerup', 'pointercancel'])
    drawing.addEventListener(name, () => {
      panning = null;
    });
  drawing.addEventListener('pointerleave', () => {
    loupe.hidden = true;
  });
  function drawLoupe(event) {
    const medium = mediumNow(),
      at = pointAt(event.clientX, event.clientY),
      bounds = frame.getBoundingClientRect(),
      side = (LOUPE_PX * scale()) / LOUPE_POWER;
    loupe.hidden = false;
    Object.assign(loupe.style, { left: `${event.clientX - bounds.x}px`, top: `${event.clientY - bounds.y}px` });
    put(glass, { viewBox: `${at[0] - side / 2} ${at[1] - side / 2} ${side} ${side}` });
    put(glassPicture, { width: medium.width, height: medium.height, href: stageUrl(medium, workbench.frame) });
  }

  // Two fingers zoom; one pans what is near, where it is not on a box.
  const between = ([a, b]) => ({
    x: (a.clientX + b.clientX) / 2,
    y: (a.clientY + b.clientY) / 2,
    apart: Math.hypot(a.clientX - b.clientX, a.clientY - b.clientY),
  });
  drawing.addEventListener(
    'touchstart',
    (event) => {
      const [one] = event.touches;
      if (event.touches.length === 2) pinch = between(event.touches);
      else if (frame.classList.contains('is-near') && !event.target.closest('g.box'))
        pinch = { x: one.clientX, y: one.clientY, apart: 0 };
      else return;
      event.preventDefault();
    },
    { passive: false },
  );
  drawing.addEventListener(
    'touchmove',
    (event) => {
      if (!pinch) return;
      event.preventDefault();
      const now =
        event.touches.length === 2
          ? between(event.touches)
          : { x: event.touches[0].clientX, y: event.touches[0].clientY, apart: 0 };
      if (now.apart && pinch.apart) zoomBy(now.apart / pinch.apart, pointAt(now.x, now.y));
      pan(now.x - pinch.x, now.y - pinch.y);
      pinch = now;
    },
    { passive: false },
  );
  for (const name of ['touchend', 'touchcancel'])
    drawing.addEventListener(name, () => {
      pinch = null;
    });
  document.addEventListener('keydown', (event) => {
    if (event.key !== ' ' || event.target.closest('button, input, textarea, select, summary, a')) return;
    isSpace = true;
    frame.classList.add('is-panning');
    event.preventDefault();
  });
  document.addEventListener('keyup', (event) => {
    if (event.key !== ' ') return;
    isSpace = false;
    frame.classList.remove('is-panning');
  });

  watch(
    () => {
      const medium = mediumNow();
      tools.hidden = !medium || medium.is_missing;
      put(lens, { 'aria-pressed': isLoupe });
      look.disabled = !boxNow();
      if (!isLoupe) loupe.hidden = true;
    },
    () => {
      const medium = mediumNow();
      if (!medium) return;
      const sight = sightOf(medium),
        box = boxNow();
      // Another step's look comes into sight.
      if (seen.step !== workbench.step && box && !isWholeInSight(sight, medium)) {
        const seenBox = asBox(sight, medium);
        if (!holds(seenBox, box)) {
          const [x, y] = centre(sight);
          const to = centre(around(box, medium));
          seen.sight = panned(sight, medium, to[0] - x, to[1] - y);
        }
      }
      seen.step = workbench.step;
      redraw();
    },
  );
}
