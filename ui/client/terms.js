// What the studio's own words mean, said where they stand: a word marked with data-term can be pressed, and a note
// beside it tells. Texts only; the words themselves are those of docs/design.md.
import { make, put } from './dom.js';

export const TERMS = {
  gold: 'The answer that is known to be right: from the data set, or given by a person.',
  score: 'How right this answer is by the gold answer: 1 is right, 0 is wrong. Empty where no right answer is known.',
  steps:
    'What the model did, turn by turn: it thinks, looks closer at a region or at frames, and at last answers. Each ' +
    'look brings views, numbered in the order in which it saw them.',
  draft:
    'Your changes, kept at every keystroke and seen by nobody else. Approving saves them as the next version; the ' +
    'model’s own version stays.',
  agreement:
    'Alpha (Krippendorff) says how far all reviewers agree beyond chance, kappa (Cohen) how far two of them do: 1 is ' +
    'always, 0 is as often as by chance.',
  changes: 'What differs from the version that the model itself said.',
  rapr: 'The rate of pixel-space reasoning: how many of the attempts at one question looked closer at all.',
  evidence: 'Where the data set says that the answer is to be seen, and whether a look held it.',
  trajectory: 'How the looks followed one another: none, one, again elsewhere, further in.',
  outcome: 'The score of the answer by the gold answer.',
  is_pretending: 'It speaks of a crop or of frames that it never looked at.',
  ignores_error: 'A look failed, and it answered without looking again.',
  blanking: 'Whether the answer changed when the crop was replaced by a blank: if not, it did not need the crop.',
  round: 'Traces that several people review, apart from one another.',
};

let note = null;
function show(button) {
  if (!note) {
    note = make('div', 'term-note', document.body);
    note.popover = 'auto';
  }
  note.textContent = TERMS[button.dataset.term];
  note.showPopover();
  const at = button.getBoundingClientRect(),
    { width, height } = note.getBoundingClientRect();
  const below = at.bottom + 6;
  note.style.left = `${Math.max(8, Math.min(innerWidth - width - 8, at.left))}px`;
  note.style.top = `${below + height > innerHeight ? Math.max(8, at.top - height - 6) : below}px`;
}
// The words marked so in `root` can be asked.
export function explain(root) {
  for (const button of root.querySelectorAll('[data-term]'))
    put(button, { title: TERMS[button.dataset.term], 'aria-haspopup': 'dialog' });
  root.addEventListener('click', (event) => {
    const button = event.target.closest('[data-term]');
    if (button) show(button);
  });
}
