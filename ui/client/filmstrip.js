// The frames of a clip with their times, as buttons in rows of eight; those that were selected light up in the colour
// of their step. Arrow keys walk along them.
import { each, make, put, say, tone } from './dom.js';
import { showSoon } from './pictures.js';

const ROW = 8;

function create() {
  const button = make('button', 'filmstrip-frame');
  const image = make('img', '', button);
  image.alt = '';
  image.decoding = 'async';
  make('span', 'filmstrip-time', button);
  make('span', 'filmstrip-steps', button);
  return button;
}

// Takes over the element `strip`. `look(frame)` is called where a person turns to a frame, `pick(frame, isRange, from)`
// where they click on one or walk with shift. With `isPeeking` the mouse over a frame looks at it, and leaving the
// strip looks back; a finger looks first, and picks what it looks at. Returns `draw({ frames: [{ frame, time_s, url }],
// lit: [{ frame, step }], current })`, which says whether another frame than before is the current one, and `centre()`,
// which scrolls to it.
export function filmstrip(strip, { look, pick = look, isPeeking = false }) {
  let current = null,
    before = null; // the frame that the mouse looks back to
  strip.addEventListener('click', (event) => {
    const button = event.target.closest('button');
    if (!button) return;
    const frame = Number(button.dataset.frame),
      from = before ?? current;
    before = null;
    if (isPeeking && event.pointerType === 'touch' && frame !== current) look(frame);
    else pick(frame, event.shiftKey, from);
  });
  if (isPeeking) {
    strip.addEventListener('pointerover', (event) => {
      const button = event.target.closest('button');
      if (!button || event.pointerType !== 'mouse' || Number(button.dataset.frame) === current) return;
      before ??= current;
      look(Number(button.dataset.frame));
    });
    strip.addEventListener('pointerleave', () => {
      if (before !== null) look(before);
      before = null;
    });
  }
  strip.addEventListener('keydown', (event) => {
    const count = strip.children.length,
      at = current || 1;
    const to = {
      ArrowRight: at + 1,
      ArrowLeft: at - 1,
      ArrowDown: at + ROW,
      ArrowUp: at - ROW,
      Home: 1,
      End: count,
    }[event.key];
    if (to === undefined) return;
    event.preventDefault();
    event.stopPropagation();
    before = null;
    const frame = Math.max(1, Math.min(count, to));
    if (event.shiftKey) pick(frame, true);
    else look(frame);
    strip.children[frame - 1].focus();
  });

  function draw({ frames, lit, current: wanted }) {
    const isOther = wanted !== current;
    current = wanted;
    strip.hidden = !frames.length;
    each(strip, frames, create, (button, { frame, time_s, url }) => {
      const steps = lit.filter((mark) => mark.frame === frame).map((mark) => mark.step);
      const numbers = steps.map((step) => step + 1);
      const time = `${time_s.toFixed(1)} s`;
      button.dataset.frame = frame;
      showSoon(button.children[0], url);
      say(button.children[1], time);
      say(button.children[2], numbers.join(' '));
      button.classList.toggle('is-lit', steps.length > 0);
      button.style.setProperty('--tone', steps.length ? tone(steps.at(-1)) : 'transparent');
      put(button, {
        'aria-pressed': String(frame === current),
        tabindex: frame === (current || 1) ? 0 : -1,
        'aria-label': `Frame ${frame} at ${time}${steps.length ? `, chosen in step ${numbers.join(' and ')}` : ''}`,
      });
    });
    return isOther;
  }

  function centre() {
    const button = current === null ? null : strip.children[current - 1];
    if (button && strip.scrollWidth > strip.clientWidth)
      strip.scrollLeft = button.offsetLeft - strip.offsetLeft - (strip.clientWidth - button.offsetWidth) / 2;
  }
  return { draw, centre };
}
