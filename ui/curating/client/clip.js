// A clip on the stage: its frames as a strip, what plays it, and which frames the chosen step takes. Looking (the mouse
// over a frame, arrow keys, a finger) changes nothing; a click, space or the button takes a frame in or out.
import { workbench } from './workbench.js';
import { look } from './walking.js';
import { mayEdit } from './editing.js';
import { pickFrame } from './frames.js';
import { FRAME_SIDE, stageUrl } from '../../client/media.js';
import { filmstrip } from '../../client/filmstrip.js';
import { player } from '../../client/clip.js';
import { say } from '../../client/dom.js';

// Takes over the strip and the two buttons below the stage. Returns what draws them; its `fit` may read the page.
export function mountClip(root) {
  const part = (name) => root.querySelector(`.editor-${name}`),
    take = part('take');
  let isToCentre = false,
    shown = '';
  const film = filmstrip(part('strip'), {
    look: (frame) => look(workbench.media, frame),
    pick: pickFrame,
    isPeeking: true,
  });
  const play = player(part('frame'), part('play'));
  take.addEventListener('click', () => pickFrame(workbench.frame));

  function draw() {
    const detail = workbench.detail,
      medium = detail?.media[workbench.media],
      isClip = medium?.kind === 'video';
    const lit = detail
      ? detail.steps.flatMap((step, index) => (step.error ? [] : step.frames.map((frame) => ({ frame, step: index }))))
      : [];
    const frames = (isClip ? medium.times_s : []).map((time_s, index) => ({
      frame: index + 1,
      time_s,
      url: stageUrl(medium, index + 1, FRAME_SIDE),
    }));
    isToCentre = film.draw({ frames, lit, current: frames.length ? workbench.frame : null }) || isToCentre;
    const step = detail?.steps[workbench.step],
      isChoice = isClip && step?.name === 'select_frames' && mayEdit();
    take.hidden = !isChoice;
    if (isChoice) say(take, `${step.frames.includes(workbench.frame) ? 'Leave out' : 'Take'} frame ${workbench.frame}`);
    const now = `${detail?.id} ${workbench.media} ${workbench.frame}`;
    if (now !== shown) play.show(isClip && !medium.is_missing ? medium : null, medium?.times_s?.[workbench.frame - 1]);
    shown = now;
  }
  // Below 1024 px the strip scrolls sideways.
  draw.fit = () => {
    if (isToCentre) film.centre();
    isToCentre = false;
  };
  return draw;
}
