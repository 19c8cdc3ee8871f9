import { each, make, say } from '../client/dom.js';

function create() {
  const group = make('div', 'commands-row');
  make('dt', '', group);
  const line = make('dd', '', group);
  make('code', '', line);
  make('button', 'commands-copy', line);
  return group;
}

export function mount({ element, props, watch }) {
  const list = element.querySelector('.commands');
  const status = element.querySelector('.commands-status');

  function render() {
    each(list, (props.value || { items: [] }).items, create, (group, { does, command }) => {
      const button = group.querySelector('button');
      say(group.querySelector('dt'), does);
      say(group.querySelector('code'), command);
      say(button, 'Copy');
      button.setAttribute('aria-label', `Copy ${command}`);
    });
  }

  async function copy(button) {
    const command = button.previousElementSibling;
    try {
      await navigator.clipboard.writeText(command.textContent);
      say(button, 'Copied');
      say(status, 'Copied.');
    } catch {
      // Refused (an unencrypted address, a frame): select it instead, so that the keyboard can copy.
      getSelection().selectAllChildren(command);
      say(button, 'Selected');
      say(status, 'Selected: copy it with the keyboard.');
    }
    setTimeout(() => {
      say(button, 'Copy');
      say(status, '');
    }, 2500);
  }
  list.addEventListener('click', (event) => {
    const button = event.target.closest('button');
    if (button) copy(button);
  });
  watch('value', render);
  render();
}
