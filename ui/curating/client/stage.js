// The middle column: the question, the picture or frame with its numbered boxes, the filmstrip, the crops of the chosen step.
import { bench, watch, move, itemAt, look, chooseStep, viewsOf, stageUrl } from './bench.js';
import { make, say, tell, put, each, tone, STATUS_WORDS } from './dom.js';
import { drawBoxes } from './boxes.js';

export function mount(root) {
  const part = (name) => root.querySelector('.editor-' + name);
  const drawing = part('svg'), picture = drawing.querySelector('image');
  const strip = part('strip'), tabs = part('tabs'), crops = part('crops');

  root.querySelector('.editor-back').addEventListener('click', () => move(-1));
  root.querySelector('.editor-on').addEventListener('click', () => move(1));
  tabs.addEventListener('click', (event) => { const tab = event.target.closest('button'); if (tab) { const index = [...tabs.children].indexOf(tab); look(index, bench.detail.media[index].kind === 'video' ? 1 : null); } });
  strip.addEventListener('click', (event) => { const frame = event.target.closest('button'); if (frame) look(bench.media, Number(frame.dataset.frame)); });
  strip.addEventListener('keydown', (event) => {
    const by = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
    if (!by) return;
    event.preventDefault();
    const frames = bench.detail.media[bench.media].times_s.length;
    look(bench.media, Math.max(1, Math.min(frames, (bench.frame || 1) + by)));
    strip.children[bench.frame - 1].focus();
  });
  drawing.addEventListener('click', (event) => { const group = event.target.closest('[data-step]'); if (group) chooseStep(Number(group.dataset.step)); });
  new ResizeObserver(() => { if (bench.detail) drawBoxes(drawing, bench); }).observe(drawing);

  function drawHead() {
    const detail = bench.detail, row = bench.items[itemAt()];
    const known = detail || row;
    part('empty').hidden = !!bench.current || bench.isLoading;
    part('full').hidden = !known;
    tell(part('problem'), bench.detailProblem);
    if (!known) return;
    say(part('question'), known.question);
    say(part('facts'), [STATUS_WORDS[known.status], '#' + known.number, known.policy, detail && detail.source, detail && 'version ' + detail.head.number].filter(Boolean).join(' · '));
    const at = itemAt();
    say(part('place'), at < 0 ? '' : (at + 1).toLocaleString('en') + ' of ' + (bench.isTotalExact ? '' : '> ') + bench.total.toLocaleString('en'));
    put(part('options'), { hidden: detail && detail.options.length ? null : '' });
    each(part('options'), detail ? detail.options : [], () => make('li', ''), (node, option, index) => say(node, String.fromCharCode(65 + index) + '  ' + option));
  }

  function drawStage() {
    const detail = bench.detail;
    part('work').classList.toggle('is-waiting', !detail);
    if (!detail) { part('name').textContent = ''; return; }
    const medium = detail.media[bench.media];
    part('frame').hidden = !medium || medium.is_missing;
    tell(part('missing'), medium && medium.is_missing ? 'The picture is not in this studio’s media folder.' : '');
    if (!medium) return;
    part('frame').style.setProperty('--ratio', medium.width / medium.height);
    put(drawing, { viewBox: '0 0 ' + medium.width + ' ' + medium.height });
    put(picture, { width: medium.width, height: medium.height, href: medium.is_missing ? null : stageUrl(medium, bench.frame) });
    say(part('name'), [medium.name, medium.width + ' × ' + medium.height + ' px', bench.frame ? 'frame ' + bench.frame + ' of ' + medium.times_s.length : ''].filter(Boolean).join(' · '));
    drawBoxes(drawing, bench);
  }

  function drawStrip() {
    const detail = bench.detail, medium = detail && detail.media[bench.media];
    const times = medium && medium.kind === 'video' ? medium.times_s : [];
    strip.hidden = !times.length;
    const lit = new Map();
    if (times.length) detail.steps.forEach((step, index) => { if (step.frames.length && !step.error) step.frames.forEach((frame) => lit.set(frame, index)); });
    each(strip, times, () => {
      const button = make('button', 'strip-frame');
      const image = make('img', '', button);
      image.alt = ''; image.decoding = 'async';
      make('span', 'strip-time', button);
      make('span', 'strip-step', button);
      return button;
    }, (button, time, index) => {
      const frame = index + 1, step = lit.get(frame);
      button.dataset.frame = frame;
      put(button.firstChild, { src: stageUrl(medium, frame, 192) });
      say(button.children[1], time.toFixed(1) + ' s');
      say(button.children[2], step === undefined ? '' : String(step + 1));
      button.style.setProperty('--tone', step === undefined ? 'transparent' : tone(step));
      button.classList.toggle('is-lit', step !== undefined);
      put(button, { 'aria-pressed': frame === bench.frame, tabindex: frame === (bench.frame || 1) ? 0 : -1, 'aria-label': 'Frame ' + frame + ' at ' + time.toFixed(1) + ' seconds' + (step === undefined ? '' : ', chosen in step ' + (step + 1)) });
    });
    const detailTabs = detail && detail.media.length > 1 ? detail.media : [];
    tabs.hidden = !detailTabs.length;
    each(tabs, detailTabs, () => make('button', 'editor-tab'), (button, one, index) => { say(button, one.name || 'Picture ' + (index + 1)); put(button, { 'aria-pressed': index === bench.media }); });
  }

  function drawCrops() {
    const views = bench.detail && bench.step !== null ? viewsOf(bench.step) : [];
    crops.hidden = !views.length;
    crops.style.setProperty('--tone', tone(bench.step || 0));
    crops.dataset.count = views.length;
    each(crops, views, () => {
      const figure = make('figure', 'crop');
      const caption = make('figcaption', 'crop-caption', figure);
      make('b', '', caption); make('span', '', caption);
      make('img', '', figure);
      return figure;
    }, (figure, view) => {
      const [caption, image] = figure.children;
      say(caption.firstChild, 'View ' + view.number);
      say(caption.lastChild, (view.frame ? 'frame ' + view.frame + ' · ' : '') + view.width + ' × ' + view.height + ' px');
      if (image.getAttribute('src') !== view.url) put(image, { src: view.url, alt: 'What view ' + view.number + ' shows', width: view.width, height: view.height });
    });
  }

  watch(() => { drawHead(); drawStage(); drawStrip(); drawCrops(); });
}
