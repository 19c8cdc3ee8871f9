// The boxes on the stage: an SVG over the picture whose viewBox is the original's pixels, so a box is drawn where it is.
import { svg, put, say, tone } from './dom.js';

// What is boxed on the picture or frame that stands on the stage: every zoom step whose region lies on it.
export function boxesOn(bench) {
  const detail = bench.detail, found = [];
  if (!detail) return found;
  detail.steps.forEach((step, index) => {
    if (step.name !== 'zoom_in' || !step.box) return;
    const outer = detail.views[step.view - 1];
    if (outer && outer.media === bench.media && outer.frame === bench.frame) found.push({ step: index, box: step.box, isFailed: !!step.error });
  });
  return found;
}

export function scaleOf(drawing) {
  const matrix = drawing.getScreenCTM();
  return matrix && matrix.a ? 1 / matrix.a : 1;
}

export function drawBoxes(drawing, bench) {
  const medium = bench.detail.media[bench.media];
  if (!medium) return;
  const boxes = boxesOn(bench), scale = scaleOf(drawing);
  const wanted = new Set(boxes.map((one) => String(one.step)));
  drawing.querySelectorAll('g.box').forEach((group) => { if (!wanted.has(group.dataset.step)) group.remove(); });
  // The chosen box lies on top.
  for (const one of boxes.sort((a, b) => (a.step === bench.step) - (b.step === bench.step))) {
    let group = drawing.querySelector('g.box[data-step="' + one.step + '"]');
    if (!group) {
      group = svg('g', { 'data-step': one.step }, drawing);
      svg('rect', { class: 'box-body' }, group);
      svg('rect', { class: 'box-tag' }, group);
      svg('text', { class: 'box-label', 'text-anchor': 'middle' }, group);
    } else if (drawing.lastElementChild !== group && one.step === bench.step && document.activeElement !== group) drawing.appendChild(group);
    const [x1, y1, x2, y2] = one.box, isChosen = one.step === bench.step;
    const x = x1 * medium.width, y = y1 * medium.height, width = (x2 - x1) * medium.width, height = (y2 - y1) * medium.height;
    put(group, { class: 'box' + (isChosen ? ' is-chosen' : '') + (one.isFailed ? ' is-failed' : '') });
    group.style.setProperty('--tone', tone(one.step));
    const [body, tag, label] = group.children;
    put(body, { x, y, width, height });
    const side = 20 * scale, text = String(one.step + 1), wide = side * (0.55 + 0.45 * text.length);
    const top = y > side ? y - side : Math.min(y + height, medium.height - side), left = Math.min(x, medium.width - wide);
    put(tag, { x: left, y: top, width: wide, height: side, rx: 4 * scale });
    put(label, { x: left + wide / 2, y: top + side * 0.72, 'font-size': 13 * scale });
    say(label, text);
  }
  put(drawing, { 'aria-label': 'The source' + (boxes.length ? ', with the boxes of step ' + boxes.map((one) => one.step + 1).sort((a, b) => a - b).join(' and ') : '') });
}
