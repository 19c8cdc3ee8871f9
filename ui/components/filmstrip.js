import { say, TONES } from '../client/dom.js';

export function mount({ element, props, trigger, watch }) {
  const strip = element.querySelector('.filmstrip');
  let current = null;

  function frameButton() {
    const button = document.createElement('button');
    button.type = 'button';
    button.className = 'filmstrip-frame';
    for (const [tag, name] of [
      ['img', ''],
      ['span', 'filmstrip-time'],
      ['span', 'filmstrip-steps'],
    ]) {
      const node = document.createElement(tag);
      if (name) node.className = name;
      button.appendChild(node);
    }
    button.firstChild.alt = '';
    button.firstChild.decoding = 'async';
    return button;
  }

  function render() {
    const value = props.value || { frames: [], lit: [] };
    strip.hidden = !value.frames.length;
    while (strip.children.length > value.frames.length) strip.lastChild.remove();
    if (current !== null && current > value.frames.length) current = null;
    value.frames.forEach((frame, index) => {
      const button = strip.children[index] || strip.appendChild(frameButton());
      const [image, time, steps] = button.children;
      if (image.getAttribute('src') !== frame.url) image.src = frame.url;
      const seconds = `${frame.time_s.toFixed(1)} s`;
      say(time, seconds);
      const lit = value.lit.filter((mark) => mark.frame === frame.frame).map((mark) => mark.step);
      say(steps, lit.map((step) => step + 1).join(' '));
      button.classList.toggle('is-lit', lit.length > 0);
      button.dataset.tone = lit.length ? (lit[lit.length - 1] % TONES) + 1 : '';
      button.dataset.frame = frame.frame;
      button.setAttribute('aria-pressed', frame.frame === current);
      button.setAttribute(
        'aria-label',
        'Frame ' +
          frame.frame +
          ' at ' +
          seconds +
          (lit.length ? `, chosen in step ${lit.map((step) => step + 1).join(' and ')}` : ''),
      );
      button.tabIndex = frame.frame === (current || 1) ? 0 : -1;
    });
  }

  function show(frame) {
    current = frame;
    render();
    document.dispatchEvent(new CustomEvent('studio:frame', { detail: { media: props.value.media, frame } }));
  }
  function choose(frame) {
    show(frame);
    props.value = { ...props.value, current: frame };
    trigger('pick');
  }
  strip.addEventListener('click', (event) => {
    const button = event.target.closest('.filmstrip-frame');
    if (button) choose(Number(button.dataset.frame));
  });
  strip.addEventListener('keydown', (event) => {
    const count = props.value.frames.length,
      at = current || 1;
    const next = { ArrowRight: at + 1, ArrowLeft: at - 1, Home: 1, End: count }[event.key];
    if (next === undefined) return;
    event.preventDefault();
    choose(Math.min(count, Math.max(1, next)));
    strip.querySelector(`[data-frame="${current}"]`).focus();
  });
  document.addEventListener('studio:looked', (event) => {
    if (!props.value || event.detail.media !== props.value.media || event.detail.frame === current) return;
    current = event.detail.frame;
    render();
    const button = strip.querySelector(`[data-frame="${current}"]`);
    if (button)
      strip.scrollTo({ left: button.offsetLeft - (strip.clientWidth - button.offsetWidth) / 2, behavior: 'smooth' });
  });
  watch('value', render);
  render();
}
