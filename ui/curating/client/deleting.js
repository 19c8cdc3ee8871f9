// A trace, or the picture that is looked at with all traces about it, goes to the bin, and the page goes on to the
// next; a press brings it back.
import { workbench, itemAt } from './workbench.js';
import { choose, forget, list } from './walking.js';
import { notice } from './notices.js';
import { askAndDelete, restore } from '../../deleting/client/confirming.js';

export const deleteTrace = () => remove('trace', (detail) => detail.id, 'Delete this trace?');
export const deletePicture = () =>
  remove('picture', (detail) => detail.media[workbench.media]?.sha256, 'Delete this picture and all about it?');

async function remove(kind, nameOf, title) {
  const detail = workbench.detail,
    name = detail && nameOf(detail);
  if (!name) return;
  try {
    const gone = await askAndDelete(kind, [name], title);
    if (!gone) return;
    await left(detail.id);
    notice('Deleted. The bin on the Data screen keeps it.', {
      button: 'Undo',
      stays: true,
      press: () => back(gone.id, detail.id),
    });
  } catch (error) {
    notice(error.message, { tone: 'bad' });
  }
}
// What was fetched ahead may be about the same picture: the list is asked anew before the next is chosen.
async function left(id) {
  const at = itemAt();
  for (const one of workbench.items) forget(one.id);
  await list();
  if (workbench.current !== id) return;
  const next = workbench.items[Math.min(Math.max(at, 0), workbench.items.length - 1)];
  choose(next ? next.id : null);
}
async function back(deletion, id) {
  try {
    await restore(deletion);
    forget(id);
    await list();
    choose(id);
    notice('Restored.');
  } catch (error) {
    notice(error.message, { tone: 'bad' });
  }
}
