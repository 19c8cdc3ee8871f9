import { make, say, TONES } from '../client/dom.js';

export function mount({ element, props, watch }) {
  const box = element.querySelector('.crops');

  function render() {
    const marks = (props.value?.marks || []).filter((mark) => mark.box);
    while (box.children.length > marks.length) box.lastChild.remove();
    marks.forEach((mark, index) => {
      let link = box.children[index];
      if (!link) {
        link = make('a', 'crops-crop', box);
        link.target = '_blank';
        link.rel = 'noopener';
        const caption = make('span', 'crops-caption', link);
        make('b', '', caption);
        make('span', '', caption);
        make('img', '', link);
      }
      const [caption, image] = link.children;
      const where = mark.frame !== null ? `frame ${mark.frame}` : '';
      link.dataset.step = mark.step;
      link.dataset.tone = (mark.step % TONES) + 1;
      if (image.getAttribute('src') !== mark.url) {
        image.src = mark.url;
        link.href = mark.url;
      }
      image.alt = `What step ${mark.step + 1} looked at${where ? `, ${where}` : ''}`;
      say(caption.firstChild, String(mark.step + 1));
      say(caption.lastChild, [where, `${mark.width} × ${mark.height} px`].filter(Boolean).join(' · '));
    });
    box.hidden = !marks.length;
  }

  const point = (step) => document.dispatchEvent(new CustomEvent('studio:step', { detail: { step } }));
  const stepOf = (event) => {
    const link = event.target.closest('.crops-crop');
    return link ? Number(link.dataset.step) : null;
  };
  box.addEventListener('pointerover', (event) => point(stepOf(event)));
  box.addEventListener('pointerleave', () => point(null));
  box.addEventListener('focusin', (event) => point(stepOf(event)));
  box.addEventListener('focusout', () => point(null));
  document.addEventListener('studio:step', (event) => {
    [...box.children].forEach((link) =>
      link.classList.toggle('is-pointed', Number(link.dataset.step) === event.detail.step),
    );
  });
  watch('value', render);
  render();
}
