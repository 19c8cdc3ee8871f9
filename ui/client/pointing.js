// The step that is pointed at lights up wherever it stands on the page: its card, its box, its crop. They tell one
// another by the document's event studio:step.

// `stepOf(event)` is the step (from 0) that an event in `root` points at, or null; `light(step)` is called whenever
// another one is pointed at, with null for none.
export function pointing(root, stepOf, light) {
  const point = (step) => document.dispatchEvent(new CustomEvent('studio:step', { detail: { step } }));
  root.addEventListener('pointerover', (event) => point(stepOf(event)));
  root.addEventListener('pointerleave', () => point(null));
  root.addEventListener('focusin', (event) => point(stepOf(event)));
  root.addEventListener('focusout', () => point(null));
  document.addEventListener('studio:step', (event) => light(event.detail.step));
}

// The step that the node under an event is of, where nodes carry it as data-step.
export function stepUnder(event) {
  const node = event.target.closest('[data-step]');
  return node ? Number(node.dataset.step) : null;
}
