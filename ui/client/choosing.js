// A list of buttons, one a row: a click (or Enter) picks, arrow keys move. `pick(index)`.
const STEPS = { ArrowDown: 1, ArrowRight: 1, ArrowUp: -1, ArrowLeft: -1 };

export function choosing(list, pick) {
  list.addEventListener('click', (event) => {
    const item = event.target.closest('li');
    if (item) pick([...list.children].indexOf(item));
  });
  list.addEventListener('keydown', (event) => {
    const item = event.target.closest('li');
    const next = item && list.children[[...list.children].indexOf(item) + STEPS[event.key]];
    if (!next) return;
    event.preventDefault();
    next.firstChild.focus();
  });
}
