// A trace goes to the bin, and the page goes on to the next; a press brings it back.
import { workbench, itemAt } from './workbench.js';
import { choose, forget, list } from './walking.js';
import { notice } from './notices.js';
import { askAndDelete, restore } from '../../deleting/client/confirming.js';

export async function deleteTrace() {
  const id = workbench.current;
  if (!id || !workbench.detail) return;
  try {
    const gone = await askAndDelete('trace', [id], 'Delete this trace?');
    if (!gone) return;
    await left(id);
    notice('Deleted. The bin on the Data screen keeps it.', {
      button: 'Undo',
      stays: true,
      press: () => back(gone.id, id),
    });
  } catch (error) {
    notice(error.message, { tone: 'bad' });
  }
}
async function left(id) {
  const at = itemAt(),
    next = workbench.items[at + 1] || workbench.items[at - 1] || null;
  forget(id);
  if (workbench.current === id) choose(next && next.id !== id ? next.id : null);
  await list();
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
