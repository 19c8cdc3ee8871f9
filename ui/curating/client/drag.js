// Boxes by hand: drag, resize, draw, nudge with the arrow keys, delete. In the original's coordinates always, whatever
// picture the step zooms into; a box that leaves that picture makes the step zoom into the whole one. Nothing is sent
// before the hand lets go.
import { bench, changed, chooseStep } from './bench.js';
import { setBox, edit, mayEdit } from './editing.js';
import { scaleOf, drawBoxes } from './boxes.js';

const GRID = 0.01,
  FINE = 0.0025,
  LEAST_PX = 5,
  NUDGE_REST_MS = 260;
const clamp = (value, low, high) => Math.min(high, Math.max(low, value));
let dragging = null,
  nudging = null;

// Called while a hand moves a box: only what follows the hand is drawn then.
export const followers = new Set();
const follow = () => {
  for (const draw of followers) draw();
};

export const heldBox = () => dragging || nudging; // { step, box } while a hand moves it

// The whole picture or frame on the stage, as a view that can be zoomed into.
export function rootView(detail = bench.detail, media = bench.media, frame = bench.frame) {
  return (
    detail.views.find((view) => view.media === media && view.frame === frame && view.box.join() === '0,0,1,1') || null
  );
}
function viewFor(step, box) {
  const one = bench.detail.steps[step],
    outer = one.view ? bench.detail.views[one.view - 1] : null,
    root = rootView();
  const holds =
    outer &&
    outer.media === bench.media &&
    outer.frame === bench.frame &&
    box[0] >= outer.box[0] - 1e-6 &&
    box[1] >= outer.box[1] - 1e-6 &&
    box[2] <= outer.box[2] + 1e-6 &&
    box[3] <= outer.box[3] + 1e-6;
  return holds ? null : root ? root.number : null;
}
// Draws `box` into the chosen step if it can hold one, else into a new step in the right place.
export function placeBox(box, step = bench.step) {
  const one = step === null ? null : bench.detail.steps[step];
  if (one && one.answer === null && one.name !== 'select_frames') {
    setBox(step, box, viewFor(step, box));
    return;
  }
  const at = !one ? bench.detail.steps.length : one.answer !== null ? step : step + 1;
  const root = rootView();
  edit({ edit: 'insert_step', at, thought: '', box, view: root ? root.number : null });
}
export function drawHere() {
  if (mayEdit()) placeBox([0.35, 0.35, 0.65, 0.65]);
}

export function hold(drawing) {
  const point = (event) => {
    const at = new DOMPoint(event.clientX, event.clientY).matrixTransform(drawing.getScreenCTM().inverse()),
      medium = bench.detail.media[bench.media];
    return [clamp(at.x / medium.width, 0, 1), clamp(at.y / medium.height, 0, 1)];
  };
  const redraw = () => drawBoxes(drawing, bench);

  drawing.addEventListener('pointerdown', (event) => {
    if (!bench.detail || event.button > 0 || dragging) return;
    const group = event.target.closest('g.box[data-step]'),
      handle = event.target.dataset?.handle;
    const step = group ? Number(group.dataset.step) : null;
    if (step !== null && step !== bench.step) chooseStep(step);
    if (!mayEdit() || (event.pointerType === 'touch' && !group)) return;
    const at = point(event);
    const box = step === null ? [...at, ...at] : bench.detail.steps[step].box.slice();
    dragging = {
      step,
      box,
      from: box.slice(),
      at,
      mode: step === null ? 'draw' : handle || 'move',
      isMoved: false,
      pointer: event.pointerId,
    };
    if (group) group.focus({ preventScroll: true });
    drawing.setPointerCapture(event.pointerId);
    event.preventDefault();
  });
  // A finger on a box moves the box; anywhere else it scrolls the page. Browsers heed touch-action only on whole
  // drawings.
  drawing.addEventListener(
    'touchstart',
    (event) => {
      if (mayEdit() && event.touches.length === 1 && event.target.closest('g.box[data-step]')) event.preventDefault();
    },
    { passive: false },
  );
  drawing.addEventListener('pointermove', (event) => {
    if (!dragging || event.pointerId !== dragging.pointer) return;
    const at = point(event),
      [fx1, fy1, fx2, fy2] = dragging.from,
      { mode } = dragging;
    const dx = at[0] - dragging.at[0],
      dy = at[1] - dragging.at[1],
      medium = bench.detail.media[bench.media];
    if (!dragging.isMoved && Math.hypot(dx * medium.width, dy * medium.height) / scaleOf(drawing) < LEAST_PX) return;
    dragging.isMoved = true;
    let [x1, y1, x2, y2] = dragging.from;
    if (mode === 'move') {
      const by = [clamp(dx, -fx1, 1 - fx2), clamp(dy, -fy1, 1 - fy2)];
      x1 += by[0];
      x2 += by[0];
      y1 += by[1];
      y2 += by[1];
    } else if (mode === 'draw') {
      [x2, y2] = at;
    } else {
      if (mode.includes('w')) x1 = clamp(fx1 + dx, 0, 1);
      if (mode.includes('e')) x2 = clamp(fx2 + dx, 0, 1);
      if (mode.includes('n')) y1 = clamp(fy1 + dy, 0, 1);
      if (mode.includes('s')) y2 = clamp(fy2 + dy, 0, 1);
    }
    dragging.box = [Math.min(x1, x2), Math.min(y1, y2), Math.max(x1, x2), Math.max(y1, y2)];
    redraw();
    follow();
  });
  const end = (event) => {
    if (!dragging || event.pointerId !== dragging.pointer) return;
    const { step, box, isMoved } = dragging;
    dragging = null;
    if (event.type === 'pointerup' && isMoved && box[2] - box[0] > 0.002 && box[3] - box[1] > 0.002) {
      if (step === null) placeBox(box);
      else setBox(step, box, viewFor(step, box));
    }
    redraw();
    changed();
  };
  drawing.addEventListener('pointerup', end);
  drawing.addEventListener('pointercancel', end);
  drawing.addEventListener('focusin', (event) => {
    const group = event.target.closest('g.box[data-step]');
    if (group && Number(group.dataset.step) !== bench.step) chooseStep(Number(group.dataset.step));
  });
  drawing.addEventListener('keydown', (event) => {
    const group = event.target.closest('g.box[data-step]');
    if (!group || !mayEdit() || event.ctrlKey || event.metaKey) return;
    const step = Number(group.dataset.step),
      one = bench.detail.steps[step];
    if (event.key === 'Delete' || event.key === 'Backspace') {
      event.preventDefault();
      event.stopPropagation();
      edit({ edit: 'remove_operation', step });
      return;
    }
    const turn = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] }[event.key];
    if (!turn || !one.box) return;
    event.preventDefault();
    event.stopPropagation();
    const outer = one.view ? bench.detail.views[one.view - 1].box : [0, 0, 1, 1],
      by = event.altKey ? FINE : GRID;
    const dx = turn[0] * by * (outer[2] - outer[0]),
      dy = turn[1] * by * (outer[3] - outer[1]);
    let [x1, y1, x2, y2] = nudging && nudging.step === step ? nudging.box : one.box;
    if (event.shiftKey) {
      x2 = clamp(x2 + dx, x1 + Math.abs(dx || 0.005), 1);
      y2 = clamp(y2 + dy, y1 + Math.abs(dy || 0.005), 1);
    } else {
      const move = [clamp(dx, -x1, 1 - x2), clamp(dy, -y1, 1 - y2)];
      x1 += move[0];
      x2 += move[0];
      y1 += move[1];
      y2 += move[1];
    }
    clearTimeout(nudging?.timer);
    nudging = { step, box: [x1, y1, x2, y2], timer: setTimeout(endNudge, NUDGE_REST_MS) };
    redraw();
    follow();
  });
}
export function endNudge() {
  if (!nudging) return;
  const { step, box, timer } = nudging;
  clearTimeout(timer);
  nudging = null;
  if (bench.detail?.steps[step]) setBox(step, box, viewFor(step, box));
}
