import { say } from '../client/dom.js';

export function mount({ element, props, watch }) {
  const list = element.querySelector('.commands');
  const status = element.querySelector('.commands-status');

  function row() {
    const group = document.createElement('div'),
      does = document.createElement('dt'),
      line = document.createElement('dd');
    const code = document.createElement('code'),
      button = document.createElement('button');
    group.className = 'commands-row';
    button.type = 'button';
    button.className = 'commands-copy';
    line.append(code, button);
    group.append(does, line);
    return group;
  }

  function render() {
    const items = (props.value || { items: [] }).items;
    while (list.children.length > items.length) list.lastChild.remove();
    items.forEach((item, index) => {
      const group = list.children[index] || list.appendChild(row());
      say(group.querySelector('dt'), item.does);
      say(group.querySelector('code'), item.command);
      const button = group.querySelector('button');
      say(button, 'Copy');
      button.setAttribute('aria-label', `Copy ${item.command}`);
    });
  }

  async function copy(button) {
    const command = button.parentElement.querySelector('code').textContent;
    try {
      await navigator.clipboard.writeText(command);
      say(button, 'Copied');
      say(status, 'Copied.');
    } catch {
      // Refused (an unencrypted address, a frame): select it instead, so that the keyboard can copy.
      getSelection().selectAllChildren(button.parentElement.querySelector('code'));
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
