// The boxes on the stage: an SVG over the picture whose viewBox is the original's pixels, so a box is drawn where it
// is. The chosen one has handles, and the model's own box stays as a dashed ghost where a person moved it.
import { svg, put, say, tone } from '../../client/dom.js';
import { heldBox } from './held.js';
import { inPixels, tagAt } from '../../client/geometry.js';
import { mayEdit } from './editing.js';
import { outerOf } from './workbench.js';

const HANDLES = [
  ['nw', 0, 0],
  ['n', 0.5, 0],
  ['ne', 1, 0],
  ['e', 1, 0.5],
  ['se', 1, 1],
  ['s', 0.5, 1],
  ['sw', 0, 1],
  ['w', 0, 0.5],
];

// What is boxed on the picture or frame that stands on the stage: every zoom step whose region lies on it.
export function boxesOn(workbench) {
  const detail = workbench.detail,
    found = [],
    held = heldBox();
  if (!detail) return found;
  detail.steps.forEach((step, index) => {
    if (step.name !== 'zoom_in' || !step.box) return;
    const outer = outerOf(index);
    if (outer && (outer.media !== workbench.media || outer.frame !== workbench.frame)) return;
    found.push({
      step: index,
      box: held && held.step === index ? held.box : step.box,
      isFailed: !!step.error,
      isStale: !!step.stale,
    });
  });
  return found;
}
export function ghostOn(workbench) {
  const change = workbench.detail?.changes.find(
    (one) => one.new_index === workbench.step && one.box && one.box.old && one.box.new,
  );
  if (!change) return null;
  const outer = outerOf(workbench.step);
  return !outer || (outer.media === workbench.media && outer.frame === workbench.frame) ? change.box.old : null;
}

export function scaleOf(drawing) {
  const matrix = drawing.getScreenCTM();
  return matrix?.a ? 1 / matrix.a : 1;
}

function place(group, medium, box) {
  const at = inPixels(box, medium);
  put(group.children[0], at);
  return at;
}
function label(group, medium, at, text, scale) {
  const { tag, words } = tagAt(at, medium, text, scale);
  put(group.children[1], tag);
  put(group.children[2], words);
  say(group.children[2], text);
}
function makeGroup(drawing, attributes) {
  const group = svg('g', attributes, drawing);
  svg('rect', { class: 'box-body' }, group);
  svg('rect', { class: 'box-tag' }, group);
  svg('text', { class: 'box-label' }, group);
  svg('g', { class: 'box-handles' }, group);
  return group;
}

export function drawBoxes(drawing, workbench) {
  const medium = workbench.detail.media[workbench.media];
  if (!medium) return;
  const boxes = boxesOn(workbench),
    scale = scaleOf(drawing),
    isEditable = mayEdit();
  drawGhost(drawing, workbench, medium, scale);
  const wanted = new Set(boxes.map((one) => String(one.step)));
  drawing.querySelectorAll('g.box[data-step]').forEach((group) => {
    if (!wanted.has(group.dataset.step)) group.remove();
  });
  for (const one of boxes) {
    const isChosen = one.step === workbench.step;
    const group =
      drawing.querySelector(`g.box[data-step="${one.step}"]`) || makeGroup(drawing, { 'data-step': one.step });
    put(group, {
      class:
        'box' +
        (isChosen ? ' is-chosen' : '') +
        (one.isFailed ? ' is-failed' : '') +
        (isEditable ? ' is-editable' : ''),
      tabindex: isEditable ? 0 : null,
      role: isEditable ? 'button' : null,
      'aria-label': isEditable
        ? 'Box of step ' +
          (one.step + 1) +
          ', from ' +
          Math.round(one.box[0] * 100) +
          ' and ' +
          Math.round(one.box[1] * 100) +
          ' to ' +
          Math.round(one.box[2] * 100) +
          ' and ' +
          Math.round(one.box[3] * 100) +
          ' percent'
        : null,
    });
    group.style.setProperty('--tone', tone(one.step));
    const at = place(group, medium, one.box);
    label(group, medium, at, String(one.step + 1), scale);
    drawHandles(group.children[3], at, scale, isChosen && isEditable);
  }
  // The chosen box lies on top; a node that has the focus is not moved, for it would lose it.
  const top = drawing.querySelector('g.box.is-chosen');
  if (top && top !== drawing.lastElementChild && !top.contains(document.activeElement) && !heldBox())
    drawing.appendChild(top);
  drawNew(drawing, workbench, medium);
  put(drawing, {
    'aria-label':
      'The source' +
      (boxes.length
        ? ', with the boxes of step ' +
          boxes
            .map((one) => one.step + 1)
            .sort((a, b) => a - b)
            .join(' and ')
        : ''),
  });
}

function drawHandles(group, at, scale, isShown) {
  if (!isShown) {
    while (group.firstChild) group.firstChild.remove();
    return;
  }
  const side = 10 * scale,
    reach = 22 * scale;
  if (!group.childElementCount) {
    for (const [name] of HANDLES) {
      svg('rect', { class: `box-reach is-${name}`, 'data-handle': name }, group);
      svg('rect', { class: 'box-handle', 'pointer-events': 'none' }, group);
    }
  }
  HANDLES.forEach(([, fx, fy], index) => {
    const x = at.x + fx * at.width,
      y = at.y + fy * at.height,
      [area, knob] = [group.children[2 * index], group.children[2 * index + 1]];
    put(area, { x: x - reach / 2, y: y - reach / 2, width: reach, height: reach });
    put(knob, { x: x - side / 2, y: y - side / 2, width: side, height: side, rx: 2 * scale });
  });
}
function drawGhost(drawing, workbench, medium, scale) {
  const box = ghostOn(workbench);
  let group = drawing.querySelector('g.ghost');
  if (!box) {
    if (group) group.remove();
    return;
  }
  if (!group) {
    group = makeGroup(drawing, { class: 'ghost' });
    drawing.insertBefore(group, drawing.children[1] || null);
  }
  label(group, medium, place(group, medium, box), 'model', scale * 0.85);
}
function drawNew(drawing, workbench, medium) {
  const held = heldBox();
  let rect = drawing.querySelector('rect.box-new');
  if (!held || held.step !== null || !held.isMoved) {
    if (rect) rect.remove();
    return;
  }
  if (!rect) rect = svg('rect', { class: 'box-new' }, drawing);
  rect.style.setProperty('--tone', tone(workbench.step || 0));
  put(rect, inPixels(held.box, medium));
}
