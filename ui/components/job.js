import { fact, make, say, tell } from '../client/dom.js';
import { second } from '../client/words.js';

export function mount({ element, props, watch }) {
  const root = element.querySelector('.job');
  const part = (name) => root.querySelector(`.job-${name}`);

  function rows(parent, entries, draw) {
    const text = JSON.stringify(entries);
    if (parent.dataset.drawn === text) return;
    parent.dataset.drawn = text;
    parent.replaceChildren(...entries.map(draw));
  }

  function line(entry) {
    const item = make('li');
    make('time', '', item, second(entry.time)).dateTime = entry.time;
    make('span', '', item, entry.text);
    return item;
  }

  function link(entry) {
    const node = make('a', '', null, entry.text);
    node.href = entry.href;
    node.download = '';
    return node;
  }

  function remember(value) {
    const address = new URL(location.href);
    if (value.is_chosen && value.id) address.searchParams.set('job', value.id);
    else address.searchParams.delete('job');
    if (address.href !== location.href) history.replaceState(history.state, '', address);
  }

  function render() {
    const value = props.value || { state: 'none', foot: [], facts: [], log: [] };
    const isThere = value.state !== 'none';
    root.dataset.state = value.state;
    tell(part('empty'), isThere ? '' : value.empty || '');
    part('body').hidden = !isThere;
    say(part('status'), value.status || '');
    if (!isThere) return;
    tell(part('title'), value.title);
    tell(part('state'), value.label);
    tell(part('message'), value.message || '');
    tell(part('alarm'), value.alarm || '');
    const hasProgress = typeof value.progress === 'number',
      percent = hasProgress ? Math.round(100 * value.progress) : 0;
    part('track').hidden = !hasProgress;
    part('track').setAttribute('aria-valuenow', percent);
    part('share').style.width = `${hasProgress ? 100 * value.progress : 0}%`;
    const foot = part('foot');
    rows(foot, value.foot, (text) => make('span', '', null, text));
    foot.hidden = !value.foot.length;
    rows(part('facts'), value.facts, fact);
    rows(part('log'), value.log, line);
    rows(part('links'), value.links || [], link);
    remember(value);
  }
  watch('value', render);
  render();
}
