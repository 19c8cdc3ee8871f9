// The first rows as they would come in: picture with the evidence drawn on it, question, options, answer, or why not.
import { each, make, put, say, svg, tell } from '../../client/dom.js';

function drawPicture(parent, picture, boxes) {
  const figure = make('div', 'data-picture', parent);
  const image = make('img', '', figure);
  put(image, { src: picture.src, alt: '', width: picture.width, height: picture.height });
  figure.title = `${picture.name}, ${picture.width} × ${picture.height} px`;
  if (picture.kind === 'video') make('span', 'data-clip', figure, 'clip');
  if (!boxes.length) return;
  const layer = svg('svg', { viewBox: `0 0 ${picture.width} ${picture.height}`, preserveAspectRatio: 'none' }, figure);
  for (const [x1, y1, x2, y2] of boxes)
    svg(
      'rect',
      {
        x: x1 * picture.width,
        y: y1 * picture.height,
        width: (x2 - x1) * picture.width,
        height: (y2 - y1) * picture.height,
      },
      layer,
    );
}

function create() {
  const item = make('li', 'data-row');
  make('div', 'data-row-pictures', item);
  const body = make('div', 'data-row-body', item);
  for (const name of ['number', 'question', 'options', 'answer', 'problem']) make('p', `data-row-${name}`, body);
  return item;
}

function draw(item, row) {
  const part = (name) => item.querySelector(`.data-row-${name}`);
  const pictures = part('pictures');
  pictures.replaceChildren();
  row.pictures.forEach((picture, index) => {
    drawPicture(pictures, picture, index ? [] : row.evidence?.boxes || []);
  });
  item.classList.toggle('is-bad', !!row.problem);
  const more = [
    row.id && `id ${row.id}`,
    row.category,
    row.evidence?.frames && `frames ${row.evidence.frames.join(', ')}`,
  ];
  say(part('number'), [`row ${row.number}`, ...more.filter(Boolean)].join(' · '));
  tell(part('question'), row.question);
  tell(part('options'), (row.options || []).map((option, k) => `${String.fromCharCode(65 + k)} ${option}`).join('   '));
  const answers = row.answers || [];
  tell(part('answer'), row.problem ? '' : answers.length ? `→ ${answers.join(' | ')}` : '→ no answer known');
  tell(part('problem'), row.problem && `Would not come in: ${row.problem}`);
}

export const drawRows = (list, rows) => each(list, rows, create, draw);
