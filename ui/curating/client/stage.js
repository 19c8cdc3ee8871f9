// The middle column: the question, the picture or frame with its numbered boxes, the filmstrip, the crops of the chosen
// step.
import { workbench, watch, itemAt, rows } from './workbench.js';
import { move, look } from './walking.js';
import { stageUrl } from '../../client/media.js';
import { make, say, tell, put, each } from '../../client/dom.js';
import { STATUS_WORDS } from '../../client/words.js';
import { drawBoxes } from './boxes.js';
import { drawCrops } from './crops.js';
import { hold } from './drag.js';
import { toggleQueue } from './layout.js';
import { mountSight } from './sighting.js';
import { followers } from './held.js';
import { mountClip } from './clip.js';
import { attemptsIn } from './attempts.js';
import { isNarrowed, showAll } from './filters.js';
import { endIn } from './ending.js';

export function mount({ element: root }) {
  const part = (name) => root.querySelector(`.editor-${name}`);
  const drawing = part('svg'),
    picture = drawing.querySelector('image');
  const tabs = part('tabs'),
    crops = part('crops');

  part('clear').addEventListener('click', () => showAll());
  for (const button of root.querySelectorAll('.editor-queue')) button.addEventListener('click', () => toggleQueue());
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
  const drawEnd = endIn(part('end'));
  const drawClip = mountClip(root);
  const redraw = () => {
    if (workbench.detail?.media[workbench.media]) drawBoxes(drawing, workbench);
  };
  new ResizeObserver(redraw).observe(drawing);

  let stood = null;
  function drawHead() {
    const detail = workbench.detail,
      row = workbench.items[itemAt()];
    const known = detail || row;
    const isNothing = !workbench.current && !workbench.isLoading && !workbench.problem && !workbench.items.length;
    drawEnd();
    part('empty').hidden = !isNothing || isNarrowed();
    part('nomatch').hidden = !isNothing || !isNarrowed();
    part('full').hidden = !known;
    tell(part('problem'), workbench.detailProblem);
    if (!known) return;
    say(part('question'), known.question);
    put(part('facts'), { 'data-status': known.status });
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
    const total = `${isExact ? '' : 'more than '}${count.toLocaleString('en')}`;
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

  function drawTabs() {
    const detail = workbench.detail,
      detailTabs = detail && detail.media.length > 1 ? detail.media : [];
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
  watch(
    () => {
      drawHead();
      drawAttempts();
      drawStage();
      drawClip();
      drawTabs();
      drawCrops(crops);
    },
    () => {
      drawClip.fit();
      // Where the page scrolls as a whole, another trace begins at its picture, not where the last one's button was.
      if (stood && workbench.current && stood !== workbench.current && scrollY) scrollTo(0, 0);
      stood = workbench.current || stood;
    },
  );
  mountSight(root, drawing, redraw);
}
