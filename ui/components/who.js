import { tell } from '../client/dom.js';
import { dayAndHour } from '../client/words.js';

export function mount({ element, props, watch }) {
  const root = element.querySelector('.who');

  function render() {
    const value = props.value || { name: '', detail: '', is_adapted: false };
    root.hidden = !value.name;
    root.classList.toggle('is-adapted', !!value.is_adapted);
    tell(root.querySelector('.who-name'), value.name);
    const since = dayAndHour(value.since);
    tell(root.querySelector('.who-detail'), (value.detail || '') + (since ? ` Since ${since}.` : ''));
  }
  watch('value', render);
  render();
}
