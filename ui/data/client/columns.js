// Which column says what: a select for each role, with what the server guessed chosen already, and one for what it
// would not guess. Changing one asks for the preview again.
import { make, put, say } from '../../client/dom.js';
import { choice, field } from './fields.js';

const WORDS = {
  media: 'Picture or clip',
  question: 'Question',
  options: 'Options',
  answer: 'Answer',
  other_answers: 'Other right answers',
  evidence: 'Evidence (boxes)',
  frames: 'Evidence (frames)',
  category: 'Category',
  difficulty: 'Difficulty',
  id: 'Id',
  rule: 'Rule, by column',
};
const SEVERAL = ['media', 'options'];
const UNIT_WORDS = { share: '0 to 1', pixels: 'pixels of the original', thousandths: '0 to 1000' };
const FORM_WORDS = { corners: 'x1 y1 x2 y2', size: 'x y width height' };
const NONE = '',
  MANY = 'several columns …';

// Fills `root`; `onChange(columns)` gets all that is said, the guess included.
export function drawColumns(root, { preview, about }, onChange) {
  const columns = { ...preview.read_as };
  const change = (name, value) => {
    columns[name] = value;
    onChange(columns);
  };
  root.replaceChildren();
  for (const role of about.roles) drawRole(root, role, preview.names, columns, change);
  const ask = make('input', 'data-input');
  put(ask, { type: 'text', maxlength: 2000, placeholder: 'for rows without a question' });
  ask.value = columns.question_for_all || '';
  ask.addEventListener('change', () => change('question_for_all', ask.value));
  field(root, 'One question for all', ask);
  const rules = [
    [NONE, 'by letter with options, else as text'],
    ...about.rules.map(({ name, words }) => [name, words]),
  ];
  field(
    root,
    'Answers are scored',
    choice(rules, columns.rule_for_all, (value) => change('rule_for_all', value || null)),
  );
  const isCounting = preview.asks.some((ask) => ask.includes('from 0')) || columns.answer_counts_from !== null;
  if (isCounting) {
    const counts = [
      [NONE, 'choose'],
      ['0', '0, 1, 2 … (the first option is 0)'],
      ['1', '1, 2, 3 … (the first option is 1)'],
    ];
    const chosen = columns.answer_counts_from === null ? NONE : String(columns.answer_counts_from);
    const select = choice(counts, chosen, (value) =>
      change('answer_counts_from', value === NONE ? null : Number(value)),
    );
    field(root, 'Numbered answers count', select).classList.toggle('is-asked', chosen === NONE);
  }
  if (columns.evidence) {
    const units = [[NONE, 'choose'], ...about.box_units.map((name) => [name, UNIT_WORDS[name]])];
    const select = choice(units, columns.box_unit, (value) => change('box_unit', value || null));
    field(root, 'Boxes are in', select).classList.toggle('is-asked', !columns.box_unit);
    const forms = about.box_forms.map((name) => [name, FORM_WORDS[name]]);
    field(
      root,
      'Boxes are written',
      choice(forms, columns.box_form, (value) => change('box_form', value)),
    );
  }
}

function drawRole(root, role, names, columns, change) {
  const isSeveral = SEVERAL.includes(role);
  const chosen = isSeveral ? columns[role] || [] : [columns[role]].filter(Boolean);
  const options = [[NONE, '—'], ...names.map((name) => [`=${name}`, name])];
  if (chosen.length > 1) options.push([JSON.stringify(chosen), chosen.join(', ')]);
  if (isSeveral && names.length > 1) options.push([MANY, MANY]);
  const value = chosen.length > 1 ? JSON.stringify(chosen) : chosen.length ? `=${chosen[0]}` : NONE;
  const box = field(
    root,
    WORDS[role],
    choice(options, value, (said) => {
      if (said === MANY) return drawMany(box, role, names, chosen, change);
      const one = said.startsWith('=') ? [said.slice(1)] : said === NONE ? [] : JSON.parse(said);
      return change(role, isSeveral ? one : one[0] || null);
    }),
  );
}

function drawMany(box, role, names, chosen, change) {
  const group = make('fieldset', 'data-many');
  make('legend', 'data-field-name', group, WORDS[role]);
  const ticked = new Set(chosen);
  for (const name of names) {
    const label = make('label', 'data-tick', group);
    const tick = make('input', '', label);
    put(tick, { type: 'checkbox' });
    tick.checked = ticked.has(name);
    make('span', '', label, name);
    tick.addEventListener('change', () => {
      if (tick.checked) ticked.add(name);
      else ticked.delete(name);
    });
  }
  const done = make('button', 'data-button', group);
  say(done, 'Take these');
  done.addEventListener('click', () =>
    change(
      role,
      names.filter((name) => ticked.has(name)),
    ),
  );
  box.replaceWith(group);
  group.querySelector('input').focus();
}
