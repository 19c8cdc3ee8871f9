// The step cards of a trace that can be changed: which is chosen, why one is stale and what can be done about that,
// quiet badges, what can be asked of the model about a look.
import { workbench, changed, viewsOf } from './workbench.js';
import { chooseStep } from './walking.js';
import { edit, mayEdit, adopt } from './editing.js';
import { post } from '../../client/server.js';
import { complain } from './notices.js';
import { make, say, put, each } from '../../client/dom.js';
import { createCard, drawCard } from '../../client/step_card.js';

let asking = null; // {what, trace, step, stop}: the question to the model that is under way
async function ask(what, step) {
  if (asking) {
    asking.stop.abort();
    return;
  }
  const trace = workbench.current;
  asking = { what, trace, step, stop: new AbortController() };
  changed();
  try {
    adopt(await post(`curate/${what}`, { trace, step }, { signal: asking.stop.signal }));
  } catch (error) {
    if (error.name !== 'AbortError') complain(error);
  }
  asking = null;
  changed();
}

// What can be asked of the model about a look: its words, why, what a step's badge says once it is known.
const QUESTIONS = {
  blank: {
    words: 'Would a blank crop change the answer?',
    title: 'Asks the model twice, with the crop and with a blank in its place',
    known: 'this crop',
    names: ['zoom_in'],
  },
  weigh: {
    words: 'What was this look worth?',
    title: 'Asks the model how likely the answer was before each look, and after it',
    known: 'this look',
    names: ['zoom_in', 'select_frames'],
  },
};

function create() {
  const item = createCard('button');
  make('div', 'card-badges', item);
  for (const [what, { words }] of Object.entries(QUESTIONS)) {
    make('button', 'card-ask', item, words).dataset.act = what;
  }
  const stale = make('div', 'card-stale', item);
  make('p', 'card-why', stale);
  const acts = make('div', 'card-acts', stale);
  make('button', 'card-act', acts, 'Still right').dataset.act = 'confirm';
  make('button', 'card-act', acts, 'Run again').dataset.act = 'rerun';
  make('button', 'card-act', acts, 'Remove').dataset.act = 'delete_step';
  return item;
}

function update(item, step, index) {
  const isChosen = workbench.step === index;
  const change = workbench.detail.changes.find((one) => one.new_index === index);
  drawCard(item, step, index, viewsOf(index).slice(0, 1), {
    marks: [step.stale ? 'stale' : '', change ? (change.kind === 'added' ? 'new' : 'edited') : ''],
    empty: isChosen ? 'No thought yet' : '',
  });
  item.classList.toggle('is-chosen', isChosen);
  item.classList.toggle('is-stale', !!step.stale);
  const [head, , badges, ...rest] = item.children,
    stale = rest.pop();
  for (const button of rest) {
    const what = button.dataset.act,
      { words, title, known, names } = QUESTIONS[what],
      isAsked = asking?.what === what && asking.trace === workbench.current && asking.step === index;
    button.hidden = !(
      isChosen &&
      names.includes(step.name) &&
      step.views.length &&
      !step.stale &&
      mayEdit() &&
      !(step.badges || []).some((badge) => badge.text.includes(known))
    );
    button.disabled = !isAsked && (!!asking || workbench.detail.draft?.is_changed);
    put(button, {
      title: workbench.detail.draft?.is_changed ? 'Save your changes as a version first' : title,
    });
    say(button, isAsked ? 'Asking the model… Stop' : words);
  }
  put(head, { 'aria-current': isChosen ? 'step' : 'false' });
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
    if (act in QUESTIONS) ask(act, step);
    else if (act) edit({ edit: act, step });
    else chooseStep(step);
  });
}
export function drawSteps(cards) {
  each(cards, workbench.detail ? workbench.detail.steps : [], create, update);
}
