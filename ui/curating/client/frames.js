// Frames by hand: where the chosen step selects frames, a click (or space) takes a frame in or out, with shift the
// whole range from the frame before. Anywhere else a click only looks. At most eight, as the operation allows.
import { bench, look } from './bench.js';
import { setFrames, mayEdit } from './editing.js';
import { notice } from './notices.js';

const MOST = 8;

export function pickFrame(frame, isRange) {
  const step = bench.step === null ? null : bench.detail.steps[bench.step],
    from = bench.frame || frame;
  if (step?.name !== 'select_frames' || !mayEdit()) {
    look(bench.media, frame);
    return;
  }
  let frames = step.frames.slice();
  if (isRange) {
    for (let k = Math.min(from, frame); k <= Math.max(from, frame); k++) if (!frames.includes(k)) frames.push(k);
  } else frames = frames.includes(frame) ? frames.filter((one) => one !== frame) : frames.concat(frame);
  frames.sort((a, b) => a - b);
  look(bench.media, frame);
  if (!frames.length) {
    notice('A selection has at least one frame; delete the step instead.');
    return;
  }
  if (frames.length > MOST) {
    notice(`At most ${MOST} frames can be selected at once.`);
    frames = frames.slice(0, MOST);
  }
  if (frames.join() !== step.frames.join()) setFrames(bench.step, frames);
}
