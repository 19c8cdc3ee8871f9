import { filmstrip } from '../client/filmstrip.js';

export function mount({ element, props, watch }) {
  let current = null,
    // The frame that was turned to before the frames of its clip were here.
    awaited = null;
  const { draw, centre } = filmstrip(element.querySelector('.filmstrip'), {
    look: (frame) => {
      current = frame;
      render();
      document.dispatchEvent(new CustomEvent('studio:frame', { detail: { media: props.value.media, frame } }));
    },
  });

  function render() {
    const { frames, lit, media } = props.value || { frames: [], lit: [] };
    if (awaited && awaited.media === media && awaited.frame <= frames.length) {
      current = awaited.frame;
      awaited = null;
    }
    if (current !== null && current > frames.length) current = null;
    return draw({ frames, lit, current });
  }
  document.addEventListener('studio:looked', (event) => {
    const { media, frame } = event.detail;
    awaited = frame ? { media, frame } : null;
    if (!props.value || media !== props.value.media) return;
    if (!frame) current = null;
    if (render()) centre();
  });
  watch('value', render);
  render();
  document.dispatchEvent(new CustomEvent('studio:where'));
}
