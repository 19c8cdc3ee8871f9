export function mount({ element, props, watch }) {
  const root = element.querySelector('.plan');
  const text = root.querySelector('.plan-text'),
    problem = root.querySelector('.plan-problem');
  const say = (node, words) => {
    if (node.textContent !== words) node.textContent = words;
    node.classList.toggle('is-empty', !words);
  };
  const described = element.closest('[id$="-plan"]');

  function render() {
    const value = props.value || { text: '', tone: 'plain' };
    root.dataset.tone = value.tone;
    say(text, value.tone === 'bad' ? '' : value.text);
    say(problem, value.tone === 'bad' ? value.text : '');
    const holder = described && document.getElementById(described.id.replace(/-plan$/, ''));
    const button = holder && (holder.matches('button') ? holder : holder.querySelector('button'));
    if (button) button.setAttribute('aria-describedby', described.id);
  }
  watch('value', render);
  render();
}
