import { each, make, put, say, tone } from '../client/dom.js';
import { pointing, stepUnder } from '../client/pointing.js';

function create() {
  const link = make('a', 'crops-crop');
  put(link, { target: '_blank', rel: 'noopener' });
  const caption = make('span', 'crops-caption', link);
  make('b', '', caption);
  make('span', '', caption);
  make('img', '', link);
  return link;
}
function update(link, mark) {
  const [caption, image] = link.children;
  const where = mark.frame !== null ? `frame ${mark.frame}` : '';
  put(link, { 'data-step': mark.step, href: mark.url });
  link.style.setProperty('--tone', tone(mark.step));
  put(image, { src: mark.url, alt: `What step ${mark.step + 1} looked at${where ? `, ${where}` : ''}` });
  say(caption.firstChild, String(mark.step + 1));
  say(caption.lastChild, [where, `${mark.width} × ${mark.height} px`].filter(Boolean).join(' · '));
}

export function mount({ element, props, watch }) {
  const box = element.querySelector('.crops');

  function render() {
    const marks = (props.value?.marks || []).filter((mark) => mark.box);
    each(box, marks, create, update);
    box.hidden = !marks.length;
  }
  pointing(box, stepUnder, (step) => {
    for (const link of box.children) link.classList.toggle('is-pointed', Number(link.dataset.step) === step);
  });
  watch('value', render);
  render();
}
