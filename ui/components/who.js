const root = element.querySelector('.who');
const say = (node, text) => {
  if (node.textContent !== text) node.textContent = text;
  node.hidden = !text;
};

function render() {
  const value = props.value || { name: '', detail: '', is_adapted: false };
  root.hidden = !value.name;
  root.classList.toggle('is-adapted', !!value.is_adapted);
  say(root.querySelector('.who-name'), value.name);
  const since = new Date(value.since || NaN);
  say(
    root.querySelector('.who-detail'),
    (value.detail || '') +
      (Number.isNaN(since)
        ? ''
        : ' Since ' +
          since.toLocaleString([], { month: 'short', day: 'numeric', hour: '2-digit', minute: '2-digit' }) +
          '.'),
  );
}
watch('value', render);
render();
