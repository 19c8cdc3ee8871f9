// What would go, in a dialog, and whether to go on. Escape, Keep and a press beside it are all "no".
import { post } from '../../client/server.js';
import { make, each, say } from '../../client/dom.js';

let dialog = null;
function place() {
  if (dialog) return dialog;
  dialog = make('dialog', 'confirming', document.body);
  dialog.setAttribute('aria-labelledby', 'confirming-title');
  make('h2', '', dialog).id = 'confirming-title';
  make('ul', 'confirming-plan', dialog);
  make('p', 'confirming-note', dialog);
  const acts = make('div', 'confirming-acts', dialog);
  make('button', 'confirming-keep', acts);
  make('button', 'confirming-go', acts);
  return dialog;
}

// Resolves to whether the person wants to go on.
export function confirm(title, sentences, { note = '', go = 'Delete', keep = 'Keep', isRefused = false } = {}) {
  const box = place();
  say(box.querySelector('h2'), title);
  each(
    box.querySelector('ul'),
    sentences,
    () => make('li'),
    (row, sentence) => say(row, sentence),
  );
  say(box.querySelector('.confirming-note'), note);
  const [no, yes] = box.querySelectorAll('button');
  say(no, keep);
  say(yes, go);
  yes.disabled = isRefused;
  return new Promise((resolve) => {
    no.onclick = () => box.close('');
    yes.onclick = () => box.close('go');
    box.onclick = (event) => {
      if (event.target === box) box.close('');
    };
    box.onclose = () => resolve(box.returnValue === 'go');
    box.returnValue = '';
    box.showModal();
    no.focus();
  });
}

// Says what would go and asks; resolves to the deletion, or to null where it was not wanted. Throws what the server
// refuses.
export async function askAndDelete(kind, names, title) {
  const plan = await post('bin/plan', { kind, names });
  const note = plan.is_refused ? '' : 'It goes to the bin, and can be restored until the bin is emptied.';
  if (!(await confirm(title, plan.sentences, { note, isRefused: plan.is_refused }))) return null;
  return post('bin/put', { kind, names });
}
export const restore = (deletion) => post('bin/restore', { deletion });
