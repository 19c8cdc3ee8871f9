// Attempts that stand together at one question: what each answered, side by side, and how to go between them.
import { workbench, item } from './workbench.js';
import { choose } from './walking.js';
import { make, say, put, each } from '../../client/dom.js';
import { STATUS_WORDS } from '../../client/words.js';

const together = () => workbench.detail?.attempts || [];

// The row of the list goes along; `place` is what was listed there, from which the list goes on.
function turnTo(attempt) {
  const row = item();
  if (row) {
    const { id, number, status, head_id, answer, score, confidence } = attempt;
    Object.assign(row, { place: row.place || row.id, id, number, status, head_id, answer, score, confidence });
  }
  choose(attempt.id);
}
export function moveAttempt(by) {
  const all = together(),
    at = all.findIndex((one) => one.id === workbench.current);
  if (all.length > 1 && at >= 0) turnTo(all[(at + by + all.length) % all.length]);
}

export function attemptsIn(parent) {
  parent.addEventListener('click', (event) => {
    const button = event.target.closest('button');
    if (button) turnTo(together()[[...parent.children].indexOf(button)]);
  });
  return () => {
    const all = together().length > 1 ? together() : [];
    parent.hidden = !all.length;
    each(
      parent,
      all,
      () => {
        const button = make('button', 'editor-attempt');
        button.type = 'button';
        for (const name of ['queue-dot', 'editor-attempt-answer', 'editor-attempt-score']) make('span', name, button);
        return button;
      },
      (button, one, index) => {
        const [, answer, score] = button.children;
        say(answer, one.answer === null ? 'no answer' : one.answer);
        say(score, one.score === null ? '' : one.score.toFixed(2));
        put(button, {
          'aria-pressed': one.id === workbench.current,
          'aria-label': `Attempt ${index + 1} of ${all.length}: ${answer.textContent}, ${STATUS_WORDS[one.status]}`,
          'data-status': one.status,
        });
      },
    );
  };
}
