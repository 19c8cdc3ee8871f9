// A control under its words (`why` is read on hover), and a select of [value, words] pairs.
import { make } from '../../client/dom.js';

export function field(parent, words, control, why = '') {
  const label = make('label', 'data-field', parent);
  if (why) label.title = why;
  make('span', 'data-field-name', label, words);
  label.append(control);
  return label;
}
export function choice(options, chosen, onChange) {
  const select = make('select', 'data-select');
  for (const [value, words] of options) make('option', '', select, words).value = value;
  select.value = chosen ?? '';
  select.addEventListener('change', () => onChange(select.value));
  return select;
}
