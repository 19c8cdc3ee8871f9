// What the chosen step looked at: the crop as the engine cut it, and beside it the model's own where a person changed
// the look. While a box is dragged, and until the server's crop is there, the same region of the stage's picture stands
// in.
import { workbench, viewsOf } from './workbench.js';
import { stageUrl } from '../../client/media.js';
import { inPixels } from '../../client/geometry.js';
import { heldBox } from './held.js';
import { make, svg, say, put, each, tone } from '../../client/dom.js';

function create() {
  const figure = make('figure', 'crop');
  const caption = make('figcaption', 'crop-caption', figure);
  make('b', '', caption);
  make('span', '', caption);
  const well = make('div', 'crop-well', figure);
  const drawing = svg(
    'svg',
    { class: 'crop-stand-in', 'aria-hidden': 'true', preserveAspectRatio: 'xMidYMid meet' },
    well,
  );
  // A nested svg clips to its own view box, where the outer one would show what lies around it.
  svg('image', { preserveAspectRatio: 'none' }, svg('svg', {}, drawing));
  const image = make('img', '', well);
  image.decoding = 'async';
  image.addEventListener('load', () => {
    image.classList.remove('is-coming');
    figure.classList.add('is-cut');
  });
  return figure;
}
function update(figure, one) {
  const [caption, well] = figure.children,
    [drawing, image] = well.children,
    medium = workbench.detail.media[one.media];
  put(figure, { 'data-side': one.side, 'data-view': one.number || null });
  say(caption.firstChild, one.title);
  const region = inPixels(one.box, medium);
  const width = one.width || Math.max(1, Math.round(region.width)),
    height = one.height || Math.max(1, Math.round(region.height));
  say(caption.lastChild, `${(one.frame ? `frame ${one.frame} · ` : '') + width} × ${height} px`);
  const seen = Object.values(region).join(' ');
  put(drawing, { viewBox: seen });
  put(drawing.firstChild, { ...region, viewBox: seen });
  if (!medium.is_missing)
    put(drawing.firstChild.firstChild, {
      href: stageUrl(medium, one.frame),
      width: medium.width,
      height: medium.height,
    });
  image.hidden = !one.url;
  figure.classList.toggle(
    'is-cut',
    !!one.url && image.getAttribute('src') === one.url && !image.classList.contains('is-coming'),
  );
  if (one.url && image.getAttribute('src') !== one.url) {
    image.classList.add('is-coming');
    put(image, { src: one.url, alt: `${one.title}, as it was cut`, width, height });
  }
}

function wanted() {
  const detail = workbench.detail;
  if (!detail || workbench.step === null) return [];
  const step = detail.steps[workbench.step],
    held = heldBox();
  const change = detail.changes.find((one) => one.new_index === workbench.step);
  const views = viewsOf(workbench.step);
  const mine =
    held && held.step === workbench.step && (held.isMoved ?? true)
      ? [{ media: workbench.media, frame: workbench.frame, box: held.box, url: null }]
      : step.isPending && step.box
        ? [{ media: workbench.media, frame: workbench.frame, box: step.box, url: null }]
        : step.isPending && step.frames.length
          ? step.frames.map((frame) => ({ media: workbench.media, frame, box: [0, 0, 1, 1], url: null }))
          : views;
  const isEdited = !!(change?.old_view && mine.length);
  const shown = mine.map((view) => ({
    ...view,
    side: isEdited ? 'mine' : 'only',
    title: isEdited ? 'Your crop' : view.number ? `View ${view.number}` : 'View',
  }));
  if (isEdited && change.box?.new)
    shown.unshift({ ...change.old_view, side: 'model', title: 'Model’s crop', number: null });
  return shown;
}

export function drawCrops(crops) {
  const shown = wanted();
  crops.hidden = !shown.length;
  crops.style.setProperty('--tone', tone(workbench.step || 0));
  crops.dataset.count = shown.length;
  each(crops, shown, create, update);
}
