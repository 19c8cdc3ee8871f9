// Frames by hand: where the chosen step selects frames, a click (or space) takes a frame in or out, with shift the
// whole range from the frame before. Anywhere else a click only looks. At most eight, as the operation allows.
import { workbench } from './workbench.js';
import { look } from './walking.js';
import { setFrames, mayEdit } from './editing.js';
import { notice } from './notices.js';
import { MOST_FRAMES, picked } from '../../client/selection.js';

// `from` is where a range begins: the frame that was looked at before the mouse came.
export function pickFrame(frame, isRange = false, from = workbench.frame) {
  const step = workbench.step === null ? null : workbench.detail.steps[workbench.step];
  if (step?.name !== 'select_frames' || !mayEdit()) {
    look(workbench.media, frame);
    return;
  }
  const { frames, isCut } = picked(step.frames, frame, { from: from || frame, isRange });
  look(workbench.media, frame);
  if (!frames.length) notice('A selection has at least one frame; delete the step instead.');
  else {
    if (isCut) notice(`At most ${MOST_FRAMES} frames can be selected at once.`);
    if (frames.join() !== step.frames.join()) setFrames(workbench.step, frames);
  }
}
