import { player } from '../client/clip.js';
import { make, put, say, svg, tone } from '../client/dom.js';
import { inPixels, tagAt } from '../client/geometry.js';
import { stageUrl } from '../client/media.js';
import { pointing, stepUnder } from '../client/pointing.js';

export function mount({ element, props, watch }) {
  const root = element.querySelector('.source');
  const mediaBox = element.querySelector('.source-media');
  const frames = [],
    players = [];
  let seen = '',
    of = '',
    lookSeen = '';

  function stage(medium, index) {
    const figure = make('figure', 'source-figure', mediaBox);
    figure.dataset.kind = medium.kind;
    const frame = make('div', 'source-frame', figure);
    const drawing = svg('svg', {}, frame);
    put(drawing, {
      class: 'source-svg',
      viewBox: `0 0 ${medium.width} ${medium.height}`,
      role: 'img',
      preserveAspectRatio: 'xMidYMid meet',
    });
    put(svg('image', {}, drawing), { width: medium.width, height: medium.height, preserveAspectRatio: 'none' });
    const caption = make('figcaption', 'source-caption', figure);
    make('span', 'source-name', caption);
    make('span', 'source-size', caption);
    if (medium.kind === 'video') {
      players[index] = player(frame, make('button', 'source-play', caption));
      players[index].show(medium);
    }
    frames[index] = medium.kind === 'video' ? 1 : null;
  }

  function drawMarks(drawing, marks, medium) {
    const bounds = drawing.getBoundingClientRect();
    const scale = bounds.width ? Math.max(medium.width / bounds.width, medium.height / bounds.height) : 1;
    const wanted = new Set(marks.map((mark) => String(mark.number)));
    drawing.querySelectorAll('g').forEach((group) => {
      if (!wanted.has(group.dataset.view)) group.remove();
    });
    for (const mark of marks) {
      let group = drawing.querySelector(`g[data-view="${mark.number}"]`);
      if (!group) {
        group = svg('g', {}, drawing);
        group.dataset.view = mark.number;
        group.dataset.step = mark.step;
        put(group, { class: 'source-mark' });
        put(svg('rect', {}, group), { class: 'source-box' });
        put(svg('rect', {}, group), { class: 'source-tag' });
        svg('text', {}, group);
      }
      group.style.setProperty('--tone', tone(mark.step));
      const [box, tag, text] = group.children;
      const at = inPixels(mark.box, medium);
      const label = String(mark.step + 1);
      const place = tagAt(at, medium, label, scale);
      put(box, at);
      put(tag, place.tag);
      put(text, place.words);
      say(text, label);
    }
  }

  function render() {
    const value = props.value || { media: [], marks: [] };
    const media = value.media || [],
      marks = value.marks || [];
    const key = media.map((medium) => medium.sha256).join();
    root.hidden = !media.length;
    if (key !== seen) {
      seen = key;
      lookSeen = '';
      say(mediaBox, '');
      frames.length = players.length = 0;
      media.forEach(stage);
      document.dispatchEvent(
        new CustomEvent('studio:staged', { detail: { media: media.map(({ sha256 }) => sha256) } }),
      );
    }
    // Another attempt at the same clip begins at its beginning, not where the last one looked.
    if ((value.of || '') !== of) {
      of = value.of || '';
      lookSeen = '';
      media.forEach((medium, index) => {
        frames[index] = medium.kind === 'video' ? 1 : null;
        announce(index);
      });
    }
    const look = JSON.stringify(value.look || null);
    if (value.look && look !== lookSeen) {
      frames[value.look.media] = value.look.frame;
      announce(value.look.media);
    }
    lookSeen = look;
    media.forEach((medium, index) => {
      const figure = mediaBox.children[index],
        drawing = figure.querySelector('svg');
      const frame = frames[index],
        url = stageUrl(medium, frame);
      put(drawing.querySelector('image'), { href: url });
      const shown = marks.filter((mark) => mark.media === index && mark.frame === frame && mark.box);
      put(drawing, {
        'aria-label':
          (medium.name || 'The source') +
          (frame === null ? '' : `, frame ${frame}`) +
          (shown.length ? `, with ${shown.length} numbered boxes` : ''),
      });
      figure.style.setProperty('--ratio', medium.width / medium.height);
      say(figure.querySelector('.source-name'), medium.name || '');
      figure.querySelector('.source-size').textContent =
        medium.width +
        ' × ' +
        medium.height +
        ' px' +
        (frame === null ? '' : ` · frame ${frame} of ${medium.times_s.length}`);
      drawMarks(drawing, shown, medium);
    });
  }
  const announce = (index) =>
    document.dispatchEvent(new CustomEvent('studio:looked', { detail: { media: index, frame: frames[index] } }));

  // Whoever comes to the page after this asks what it shows.
  document.addEventListener('studio:where', () => {
    for (let index = 0; index < (props.value?.media.length ?? 0); index++) announce(index);
  });

  document.addEventListener('studio:frame', (event) => {
    if (!props.value?.media[event.detail.media]) return;
    frames[event.detail.media] = event.detail.frame;
    players[event.detail.media]?.stop();
    render();
  });
  pointing(root, stepUnder, (step) => {
    for (const node of root.querySelectorAll('[data-step]'))
      node.classList.toggle('is-pointed', Number(node.dataset.step) === step);
    root.classList.toggle('is-pointing', step !== null && !!root.querySelector('.source-mark.is-pointed'));
  });
  new ResizeObserver(() => render()).observe(mediaBox);
  watch('value', render);
  render();
}
