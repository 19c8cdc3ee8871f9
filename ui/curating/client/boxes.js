// The boxes on the stage: an SVG over the picture whose viewBox is the original's pixels, so a box is drawn where it
// is. The chosen one has handles, and the model's own box stays as a dashed ghost where a person moved it.
import { svg, put, say, tone } from './dom.js';
import { heldBox } from './drag.js';
import { mayEdit } from './editing.js';

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
export function boxesOn(bench) {
  const detail = bench.detail,
    found = [],
    held = heldBox();
  if (!detail) return found;
  detail.steps.forEach((step, index) => {
    if (step.name !== 'zoom_in' || !step.box) return;
    const outer = detail.views[step.view - 1];
    if (outer && (outer.media !== bench.media || outer.frame !== bench.frame)) return;
    found.push({
      step: index,
      box: held && held.step === index ? held.box : step.box,
      isFailed: !!step.error,
      isStale: !!step.stale,
    });
  });
  return found;
}
export function ghostOn(bench) {
  const change = bench.detail?.changes.find(
    (one) => one.new_index === bench.step && one.box && one.box.old && one.box.new,
  );
  if (!change) return null;
  const step = bench.detail.steps[bench.step],
    outer = step?.view ? bench.detail.views[step.view - 1] : null;
  return !outer || (outer.media === bench.media && outer.frame === bench.frame) ? change.box.old : null;
}

export function scaleOf(drawing) {
  const matrix = drawing.getScreenCTM();
  return matrix?.a ? 1 / matrix.a : 1;
}

function place(group, medium, box) {
  const [x1, y1, x2, y2] = box;
  const at = {
    x: x1 * medium.width,
    y: y1 * medium.height,
    width: (x2 - x1) * medium.width,
    height: (y2 - y1) * medium.height,
  };
  put(group.children[0], at);
  return at;
}
function label(group, medium, at, text, scale) {
  const [, tag, words] = group.children,
    side = 20 * scale,
    wide = side * (0.55 + 0.45 * text.length);
  const top = at.y > side ? at.y - side : Math.min(at.y + at.height, medium.height - side),
    left = Math.max(0, Math.min(at.x, medium.width - wide));
  put(tag, { x: left, y: top, width: wide, height: side, rx: 4 * scale });
  put(words, { x: left + wide / 2, y: top + side * 0.72, 'font-size': 13 * scale });
  say(words, text);
}
function makeGroup(drawing, attributes) {
  const group = svg('g', attributes, drawing);
  svg('rect', { class: 'box-body' }, group);
  svg('rect', { class: 'box-tag' }, group);
  svg('text', { class: 'box-label', 'text-anchor': 'middle' }, group);
  svg('g', { class: 'box-handles' }, group);
  return group;
}

export function drawBoxes(drawing, bench) {
  const medium = bench.detail.media[bench.media];
  if (!medium) return;
  const boxes = boxesOn(bench),
    scale = scaleOf(drawing),
    isEditable = mayEdit();
  drawGhost(drawing, bench, medium, scale);
  const wanted = new Set(boxes.map((one) => String(one.step)));
  drawing.querySelectorAll('g.box[data-step]').forEach((group) => {
    if (!wanted.has(group.dataset.step)) group.remove();
  });
  for (const one of boxes) {
    const isChosen = one.step === bench.step;
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
  drawNew(drawing, bench, medium);
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
function drawGhost(drawing, bench, medium, scale) {
  const box = ghostOn(bench);
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
function drawNew(drawing, bench, medium) {
  const held = heldBox();
  let rect = drawing.querySelector('rect.box-new');
  if (!held || held.step !== null || !held.isMoved) {
    if (rect) rect.remove();
    return;
  }
  if (!rect) rect = svg('rect', { class: 'box-new' }, drawing);
  rect.style.setProperty('--tone', tone(bench.step || 0));
  const [x1, y1, x2, y2] = held.box;
  put(rect, {
    x: x1 * medium.width,
    y: y1 * medium.height,
    width: (x2 - x1) * medium.width,
    height: (y2 - y1) * medium.height,
  });
}
