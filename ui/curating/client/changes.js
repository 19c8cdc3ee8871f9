// What differs from another version, word by word and box by box: drawn from the server's diff (engine.editing.diff).
import { make } from '../../client/dom.js';
import { ends } from '../../client/words.js';

const numbers = (box) => box.map((edge) => edge.toFixed(2)).join(', ');
function runs(parent, words) {
  parent.dir = 'auto';
  for (const [kind, text] of words) {
    // Long stretches that did not change are not what anybody looks for here.
    const shown = kind === 'equal' ? ends(text) : text;
    // The way is the sentence's, not that of each piece.
    make(kind === 'insert' ? 'ins' : kind === 'delete' ? 'del' : 'span', '', parent).textContent = shown;
  }
}
const isChanged = (words) => words.some(([kind]) => kind !== 'equal');

function line(parent, name) {
  const row = make('li', 'change', parent);
  make('span', 'change-name', row, name);
  return make('span', 'change-what', row);
}
export function drawChanges(list, changes) {
  list.textContent = '';
  for (const one of changes) {
    const number = (one.new_index ?? one.old_index) + 1,
      step = `step ${number}`;
    if (one.kind === 'removed') {
      const what = line(list, `step ${one.old_index + 1} deleted`);
      runs(what, one.thought);
      runs(what, one.answer);
      if (one.box) make('del', '', what, numbers(one.box.old));
      continue;
    }
    if (one.kind === 'added') {
      line(list, `${step} is new`);
    }
    if (isChanged(one.thought)) runs(line(list, `${step} thought`), one.thought);
    if (one.box) {
      const what = line(list, `${step} box`);
      if (one.box.old) make('del', '', what, numbers(one.box.old));
      if (one.box.new) make('ins', '', what, numbers(one.box.new));
      if (one.box.iou !== null) make('span', 'change-note', what, `overlap ${Math.round(one.box.iou * 100)}%`);
    }
    if (one.frames) {
      const what = line(list, `${step} frames`);
      if (one.frames.old.length) make('del', '', what, one.frames.old.join(', '));
      if (one.frames.new.length) make('ins', '', what, one.frames.new.join(', '));
    }
    if (isChanged(one.answer)) runs(line(list, `${step} answer`), one.answer);
    if (one.is_mark_changed) line(list, `${step} is marked otherwise`);
  }
}
