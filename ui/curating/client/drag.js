// Boxes by hand: drag, resize, draw, nudge with the arrow keys, delete. In the original's coordinates always, whatever
// picture the step zooms into; a box that leaves that picture makes the step zoom into the whole one. Nothing is sent
// before the hand lets go.
import { workbench, changed, outerOf } from './workbench.js';
import { chooseStep } from './walking.js';
import { setBox, edit, mayEdit, placeAfter } from './editing.js';
import { scaleOf, drawBoxes } from './boxes.js';
import { follow, hand } from './held.js';
import { between, clamp, grown, holds, isWhole, moved, resized } from '../../client/geometry.js';

const GRID = 0.01,
  FINE = 0.0025,
  LEAST_PX = 5,
  NUDGE_REST_MS = 260;
// The whole picture or frame on the stage, as a view that can be zoomed into.
export function rootView(detail = workbench.detail, media = workbench.media, frame = workbench.frame) {
  return detail.views.find((view) => view.media === media && view.frame === frame && isWhole(view.box)) || null;
}
function viewFor(step, box) {
  const outer = outerOf(step),
    root = rootView();
  const isInside = outer && outer.media === workbench.media && outer.frame === workbench.frame && holds(outer.box, box);
  return isInside ? null : root ? root.number : null;
}
// Draws `box` into the chosen step if it can hold one, else into a new step in the right place.
export function placeBox(box, step = workbench.step) {
  const one = step === null ? null : workbench.detail.steps[step];
  if (one && one.answer === null && one.name !== 'select_frames') {
    setBox(step, box, viewFor(step, box));
    return;
  }
  insertBox(box, step);
}
// A new look at `box` behind a step; before it where that is the answer.
export function insertBox(box, step = workbench.step) {
  const root = rootView();
  edit({ edit: 'insert_step', at: placeAfter(step), thought: '', box, view: root ? root.number : null });
}

export function hold(drawing) {
  const point = (event) => {
    const at = new DOMPoint(event.clientX, event.clientY).matrixTransform(drawing.getScreenCTM().inverse()),
      medium = workbench.detail.media[workbench.media];
    return [clamp(at.x / medium.width, 0, 1), clamp(at.y / medium.height, 0, 1)];
  };
  const redraw = () => drawBoxes(drawing, workbench);

  drawing.addEventListener('pointerdown', (event) => {
    if (!workbench.detail || event.button > 0 || hand.dragging) return;
    const group = event.target.closest('g.box[data-step]'),
      handle = event.target.dataset?.handle;
    const step = group ? Number(group.dataset.step) : null;
    if (step !== null && step !== workbench.step) chooseStep(step);
    if (!mayEdit() || (event.pointerType === 'touch' && !group)) return;
    const at = point(event);
    const box = step === null ? [...at, ...at] : workbench.detail.steps[step].box.slice();
    hand.dragging = {
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
    if (!hand.dragging || event.pointerId !== hand.dragging.pointer) return;
    const at = point(event),
      { mode } = hand.dragging;
    const dx = at[0] - hand.dragging.at[0],
      dy = at[1] - hand.dragging.at[1],
      medium = workbench.detail.media[workbench.media];
    if (!hand.dragging.isMoved && Math.hypot(dx * medium.width, dy * medium.height) / scaleOf(drawing) < LEAST_PX)
      return;
    hand.dragging.isMoved = true;
    if (mode === 'move') hand.dragging.box = moved(hand.dragging.from, dx, dy);
    else if (mode === 'draw') hand.dragging.box = between(hand.dragging.from, at);
    else hand.dragging.box = resized(hand.dragging.from, mode, dx, dy);
    redraw();
    follow();
  });
  const end = (event) => {
    if (!hand.dragging || event.pointerId !== hand.dragging.pointer) return;
    const { step, box, isMoved } = hand.dragging;
    hand.dragging = null;
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
    if (group && Number(group.dataset.step) !== workbench.step) chooseStep(Number(group.dataset.step));
  });
  drawing.addEventListener('keydown', (event) => {
    const group = event.target.closest('g.box[data-step]');
    if (!group || !mayEdit() || event.ctrlKey || event.metaKey) return;
    const step = Number(group.dataset.step),
      one = workbench.detail.steps[step];
    if (event.key === 'Delete' || event.key === 'Backspace') {
      event.preventDefault();
      event.stopPropagation();
      if (!event.repeat) edit({ edit: 'remove_operation', step });
      return;
    }
    const turn = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] }[event.key];
    if (!turn || !one.box) return;
    event.preventDefault();
    event.stopPropagation();
    const outer = outerOf(step)?.box || [0, 0, 1, 1],
      by = event.altKey ? FINE : GRID;
    const dx = turn[0] * by * (outer[2] - outer[0]),
      dy = turn[1] * by * (outer[3] - outer[1]);
    const from = hand.nudging && hand.nudging.step === step ? hand.nudging.box : one.box;
    clearTimeout(hand.nudging?.timer);
    hand.nudging = {
      step,
      box: event.shiftKey ? grown(from, dx, dy) : moved(from, dx, dy),
      timer: setTimeout(endNudge, NUDGE_REST_MS),
    };
    redraw();
    follow();
  });
}
export function endNudge() {
  if (!hand.nudging) return;
  const { step, box, timer } = hand.nudging;
  clearTimeout(timer);
  hand.nudging = null;
  if (workbench.detail?.steps[step]) setBox(step, box, viewFor(step, box));
}
