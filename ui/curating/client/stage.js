// The middle column: the question, the picture or frame with its numbered boxes, the filmstrip, the crops of the chosen
// step.
import { workbench, watch, itemAt, rows } from './workbench.js';
import { move, look } from './walking.js';
import { FRAME_SIDE, stageUrl } from '../../client/media.js';
import { make, say, tell, put, each } from '../../client/dom.js';
import { STATUS_WORDS } from '../../client/words.js';
import { drawBoxes } from './boxes.js';
import { drawCrops } from './crops.js';
import { hold } from './drag.js';
import { followers } from './held.js';
import { pickFrame } from './frames.js';
import { attemptsIn } from './attempts.js';
import { filmstrip } from '../../client/filmstrip.js';
import { isNarrowed, showAll } from './filters.js';

export function mount({ element: root }) {
  const part = (name) => root.querySelector(`.editor-${name}`);
  const drawing = part('svg'),
    picture = drawing.querySelector('image');
  const strip = part('strip'),
    tabs = part('tabs'),
    crops = part('crops');

  part('clear').addEventListener('click', () => showAll());
  root.querySelector('.editor-back').addEventListener('click', () => move(-1));
  root.querySelector('.editor-on').addEventListener('click', () => move(1));
  tabs.addEventListener('click', (event) => {
    const tab = event.target.closest('button');
    if (tab) {
      const index = [...tabs.children].indexOf(tab);
      look(index, workbench.detail.media[index].kind === 'video' ? 1 : null);
    }
  });
  const drawAttempts = attemptsIn(part('attempts'));
  const film = filmstrip(strip, { look: (frame) => look(workbench.media, frame), pick: pickFrame });
  new ResizeObserver(() => {
    if (workbench.detail) drawBoxes(drawing, workbench);
  }).observe(drawing);

  function drawHead() {
    const detail = workbench.detail,
      row = workbench.items[itemAt()];
    const known = detail || row;
    const isNothing = !workbench.current && !workbench.isLoading && !workbench.problem && !workbench.items.length;
    part('empty').hidden = !isNothing || isNarrowed();
    part('nomatch').hidden = !isNothing || !isNarrowed();
    part('full').hidden = !known;
    tell(part('problem'), workbench.detailProblem);
    if (!known) return;
    say(part('question'), known.question);
    say(
      part('facts'),
      [
        STATUS_WORDS[known.status],
        `#${known.number}`,
        known.policy,
        detail?.source,
        detail && `version ${detail.head.number}`,
      ]
        .filter(Boolean)
        .join(' · '),
    );
    const at = itemAt(),
      { count, isExact } = rows();
    const total = (isExact ? '' : '> ') + count.toLocaleString('en');
    say(part('place'), at < 0 ? '' : `${(at + 1).toLocaleString('en')} of ${total}`);
    put(part('options'), { hidden: detail?.options.length ? null : '' });
    each(
      part('options'),
      detail ? detail.options : [],
      () => make('li', ''),
      (node, option, index) => say(node, `${String.fromCharCode(65 + index)}  ${option}`),
    );
  }

  function drawStage() {
    const detail = workbench.detail;
    part('work').classList.toggle('is-waiting', !detail);
    if (!detail) {
      part('name').textContent = '';
      return;
    }
    const medium = detail.media[workbench.media];
    part('frame').hidden = !medium || medium.is_missing;
    tell(part('missing'), medium?.is_missing ? 'The picture is not in this studio’s media folder.' : '');
    if (!medium) return;
    part('frame').style.setProperty('--ratio', medium.width / medium.height);
    put(drawing, { viewBox: `0 0 ${medium.width} ${medium.height}` });
    put(picture, {
      width: medium.width,
      height: medium.height,
      href: medium.is_missing ? null : stageUrl(medium, workbench.frame),
    });
    say(
      part('name'),
      [
        medium.name,
        `${medium.width} × ${medium.height} px`,
        workbench.frame ? `frame ${workbench.frame} of ${medium.times_s.length}` : '',
      ]
        .filter(Boolean)
        .join(' · '),
    );
  }

  // Below 1024 px the strip scrolls sideways.
  let isToCentre = false;
  function fit() {
    if (workbench.detail?.media[workbench.media]) drawBoxes(drawing, workbench);
    if (isToCentre) film.centre();
    isToCentre = false;
  }

  function drawStrip() {
    const detail = workbench.detail,
      medium = detail?.media[workbench.media];
    const times = medium?.kind === 'video' ? medium.times_s : [];
    const lit = detail
      ? detail.steps.flatMap((step, index) => (step.error ? [] : step.frames.map((frame) => ({ frame, step: index }))))
      : [];
    const frames = times.map((time_s, index) => ({
      frame: index + 1,
      time_s,
      url: stageUrl(medium, index + 1, FRAME_SIDE),
    }));
    isToCentre = film.draw({ frames, lit, current: frames.length ? workbench.frame : null }) || isToCentre;
    const detailTabs = detail && detail.media.length > 1 ? detail.media : [];
    tabs.hidden = !detailTabs.length;
    each(
      tabs,
      detailTabs,
      () => make('button', 'editor-tab'),
      (button, one, index) => {
        say(button, one.name || `Picture ${index + 1}`);
        put(button, { 'aria-pressed': index === workbench.media });
      },
    );
  }

  hold(drawing);
  followers.add(() => drawCrops(crops));
  watch(() => {
    drawHead();
    drawAttempts();
    drawStage();
    drawStrip();
    drawCrops(crops);
  }, fit);
}
