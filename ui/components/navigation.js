export function mount({ element, props, watch }) {
  const root = element.querySelector('.navigation');
  const part = (name) => root.querySelector(`.navigation-${name}`);
  const KEY = 'studio-theme';

  function render() {
    const value = props.value || {};
    part('note').textContent = value.note || '';
    const hasShare = typeof value.share === 'number';
    part('track').hidden = !hasShare;
    if (hasShare) part('share').style.width = `${Math.round(100 * Math.min(1, Math.max(0, value.share)))}%`;
  }

  function applyTheme() {
    let chosen = null;
    try {
      chosen = localStorage.getItem(KEY);
    } catch {
      /* storage may be refused inside a frame */
    }
    if (chosen) document.body.classList.toggle('dark', chosen === 'dark');
  }
  part('theme').addEventListener('click', () => {
    const isDark = !document.body.classList.contains('dark');
    document.body.classList.toggle('dark', isDark);
    try {
      localStorage.setItem(KEY, isDark ? 'dark' : 'light');
    } catch {
      /* it holds for this page then */
    }
  });

  fetch('me')
    .then((answer) => answer.json())
    .then((me) => {
      part('user').textContent = me.user;
    })
    .catch(() => {});

  const here = root.querySelector('[aria-current=page]');
  if (here) document.title = `${here.textContent} · Pixel Reasoner Studio`;
  if (!new URLSearchParams(location.search).has('__theme')) applyTheme();
  document.addEventListener('studio:progress', (event) => {
    props.value = event.detail;
    render();
  });
  watch('value', render);
  render();
}
