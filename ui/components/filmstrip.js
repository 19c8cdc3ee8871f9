import { filmstrip } from '../client/filmstrip.js';

export function mount({ element, props, watch }) {
  let current = null;
  const { draw, centre } = filmstrip(element.querySelector('.filmstrip'), {
    look: (frame) => {
      current = frame;
      render();
      document.dispatchEvent(new CustomEvent('studio:frame', { detail: { media: props.value.media, frame } }));
    },
  });

  function render() {
    const { frames, lit } = props.value || { frames: [], lit: [] };
    if (current !== null && current > frames.length) current = null;
    return draw({ frames, lit, current });
  }
  document.addEventListener('studio:looked', (event) => {
    if (!props.value || event.detail.media !== props.value.media) return;
    current = event.detail.frame;
    if (render()) centre();
  });
  watch('value', render);
  render();
}
