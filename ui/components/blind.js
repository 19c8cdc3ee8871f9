import { make, say } from '../client/dom.js';
import { post } from '../client/server.js';
import { drawCards } from '../client/step_card.js';

const NAMES = ['A', 'B'];

export function mount({ element, props, watch }) {
  const root = element.querySelector('.blind');
  const part = (name) => root.querySelector(`.blind-${name}`);
  const acts = ['A is better', 'Both alike', 'B is better'].map((text) =>
    make('button', 'blind-act', part('acts'), text),
  );
  acts.forEach((button, index) => {
    button.type = 'button';
    button.addEventListener('click', () => choose(index));
  });
  const undo = make('button', 'blind-act blind-undo', root, 'Take it back');
  undo.type = 'button';
  let shown = '',
    preference = null;

  async function choose(index) {
    const ids = props.value.sides.map(({ id }) => id);
    const [chosen, rejected] = index === 2 ? [ids[1], ids[0]] : ids;
    acts.forEach((button) => {
      button.disabled = true;
    });
    try {
      const told = await post('curate/prefer', { chosen, rejected, is_tie: index === 1 });
      const makers = index === 2 ? [...told.policies].reverse() : told.policies;
      preference = told.preference;
      say(part('said'), index === 1 ? 'Kept: both alike.' : 'Your preference is kept; DPO can learn from it.');
      root.querySelectorAll('.blind-maker').forEach((node, which) => {
        say(node, makers[which]);
      });
    } catch (error) {
      say(part('said'), error.message);
    }
    buttons();
  }
  undo.addEventListener('click', async () => {
    try {
      await post('curate/prefer/undo', { preference });
      preference = null;
      say(part('said'), 'Taken back.');
    } catch (error) {
      say(part('said'), error.message);
    }
    buttons();
  });
  function buttons() {
    part('acts').hidden = !props.value.can_choose || preference !== null;
    undo.hidden = preference === null;
    acts.forEach((button) => {
      button.disabled = false;
    });
  }

  function render() {
    const { state = 'none', note = '', sides = [] } = props.value || {};
    root.hidden = state === 'none';
    root.dataset.state = state;
    say(part('note'), note || (sides.length ? 'Which answer is better? Who made which is told afterwards.' : ''));
    const key = sides.map(({ id }) => id).join();
    if (key !== shown) {
      shown = key;
      preference = null;
      say(part('said'), '');
      part('sides').replaceChildren();
      sides.forEach(draw);
      if (sides.length) root.scrollIntoView({ block: 'nearest' });
    }
    buttons();
  }
  function draw(one, index) {
    const side = make('section', 'blind-side', part('sides'));
    const head = make('h3', 'blind-name', side, NAMES[index]);
    make('span', 'blind-maker', head);
    make('p', 'blind-answer', side, one.answer ?? 'no answer');
    drawCards(make('ol', 'blind-steps', side), one.steps, one.views);
  }
  watch('value', render);
  render();
}
