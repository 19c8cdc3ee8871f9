// The step cards: one line of what it did, its thought, its crop; why it is stale and what can be done about that;
// quiet badges.
import { workbench, changed, viewsOf } from './workbench.js';
import { chooseStep } from './walking.js';
import { edit, mayEdit, adopt } from './editing.js';
import { post } from '../../client/server.js';
import { notice } from './notices.js';
import { make, say, tell, put, each, tone } from '../../client/dom.js';

let blanking = null; // stops the check that is under way
async function blankOut(step) {
  if (blanking) {
    blanking.abort();
    return;
  }
  blanking = new AbortController();
  changed();
  try {
    adopt(await post('curate/blank', { trace: workbench.current, step }, blanking.signal));
  } catch (error) {
    if (error.name !== 'AbortError') notice(error.message, { tone: 'bad' });
  }
  blanking = null;
  changed();
}

function create() {
  const item = make('li', 'card');
  const head = make('button', 'card-head', item);
  make('span', 'card-number', head);
  const words = make('span', 'card-words', head);
  const top = make('span', 'card-top', words);
  make('span', 'card-name', top);
  make('span', 'card-mark', top);
  make('span', 'card-thought', words);
  const picture = make('img', 'card-picture', head);
  picture.alt = '';
  picture.decoding = 'async';
  make('p', 'card-error', item);
  make('div', 'card-badges', item);
  const blank = make('button', 'card-blank', item, 'Would a blank crop change the answer?');
  blank.dataset.act = 'blank';
  const stale = make('div', 'card-stale', item);
  make('p', 'card-why', stale);
  const acts = make('div', 'card-acts', stale);
  make('button', 'card-act', acts, 'Still right').dataset.act = 'confirm';
  make('button', 'card-act', acts, 'Run again').dataset.act = 'rerun';
  make('button', 'card-act', acts, 'Remove').dataset.act = 'delete_step';
  return item;
}

function marks(index, step) {
  const change = workbench.detail.changes.find((one) => one.new_index === index);
  return [
    step.stale ? 'stale' : '',
    change ? (change.kind === 'added' ? 'new' : 'edited') : '',
    step.is_erroneous ? 'erroneous' : '',
  ]
    .filter(Boolean)
    .join(' · ');
}

function update(item, step, index) {
  const isChosen = workbench.step === index;
  item.style.setProperty('--tone', tone(index));
  put(item, {
    'data-name': step.name,
    class:
      'card' +
      (isChosen ? ' is-chosen' : '') +
      (step.is_erroneous ? ' is-erroneous' : '') +
      (step.stale ? ' is-stale' : ''),
  });
  const [head, error, badges, blank, stale] = item.children;
  blank.hidden = !(
    isChosen &&
    step.name === 'zoom_in' &&
    step.views.length &&
    !step.stale &&
    mayEdit() &&
    !(step.badges || []).some((badge) => badge.text.includes('this crop'))
  );
  blank.disabled = !blanking && workbench.detail.draft?.is_changed;
  put(blank, {
    title: blank.disabled
      ? 'Save your changes as a version first'
      : 'Asks the model twice, with the crop and with a blank in its place',
  });
  say(blank, blanking ? 'Asking the model… Stop' : 'Would a blank crop change the answer?');
  put(head, { 'aria-current': isChosen ? 'step' : 'false' });
  say(head.children[0], String(index + 1));
  const [top, thought] = head.children[1].children;
  say(
    top.children[0],
    step.name + (step.frames.length ? ` ${step.frames.join(', ')}` : step.view ? ` in view ${step.view}` : ''),
  );
  tell(top.children[1], marks(index, step));
  say(
    thought,
    step.answer !== null && !step.thought ? step.answer : step.thought || (isChosen ? 'No thought yet' : ''),
  );
  thought.classList.toggle('is-empty', !step.thought && step.answer === null);
  const [view] = viewsOf(index),
    picture = head.children[2];
  picture.hidden = !view;
  if (view && picture.getAttribute('src') !== view.url) picture.src = view.url;
  tell(error, step.error ? `It did not work: ${step.error}` : '');
  const shown = step.badges || [];
  badges.hidden = !shown.length;
  each(
    badges,
    shown,
    () => make('span', 'badge'),
    (node, badge) => {
      say(node, badge.text);
      put(node, { 'data-kind': badge.kind, title: badge.title });
    },
  );
  stale.hidden = !step.stale;
  say(stale.firstChild, step.stale ? `Look at it again: ${step.stale}.` : '');
  const [confirm, rerun] = stale.lastChild.children;
  rerun.hidden = !(step.name === 'zoom_in' || step.name === 'select_frames');
  for (const button of stale.lastChild.children) button.disabled = !mayEdit();
  put(confirm, { 'aria-label': `Step ${index + 1} is still right` });
}

export function mountSteps(cards) {
  cards.addEventListener('click', (event) => {
    const card = event.target.closest('.card'),
      act = event.target.dataset?.act;
    if (!card) return;
    const step = [...cards.children].indexOf(card);
    if (act === 'blank') blankOut(step);
    else if (act) edit({ edit: act, step });
    else chooseStep(step);
  });
}
export function drawSteps(cards) {
  each(cards, workbench.detail ? workbench.detail.steps : [], create, update);
}
