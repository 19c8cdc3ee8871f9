import { say, tell } from '../client/dom.js';
import { mendPictures } from '../client/mending.js';
import { listenForPalette, offer, togglePalette } from '../client/palette.js';
import { get } from '../client/server.js';

const NEEDS = { curate: 'look_at_work', train: 'look_at_work', evaluate: 'look_at_work', data: 'look_at_work' };

const folded = (text) => text.toLowerCase();
// What this person asked, opened where they are asked, on Ask itself without another page.
async function mine(typed) {
  const { questions } = await get('ask/mine');
  const isMeant = ({ question, answer }) => folded(`${question} ${answer ?? ''}`).includes(folded(typed.trim()));
  return questions.filter(isMeant).map(({ id, question, answer }) => ({
    words: question,
    kind: 'Asked',
    note: answer ?? 'no answer',
    press: () => {
      const link = document.querySelector(`.questions-item[href="?trace=${id}"]`);
      if (link) link.click();
      else location.assign(`./?trace=${id}`);
    },
  }));
}

export function mount({ element, props, watch }) {
  const root = element.querySelector('.navigation');
  // The page has a base address, to which "#content" would lead.
  element.querySelector('.skip').addEventListener('click', (event) => {
    event.preventDefault();
    element.querySelector('#content').focus();
  });
  const part = (name) => root.querySelector(`.navigation-${name}`);
  const KEY = 'studio-theme';

  function render() {
    const value = props.value || {};
    say(part('note'), value.note || '');
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
  function turnTheme() {
    const isDark = !document.body.classList.contains('dark');
    document.body.classList.toggle('dark', isDark);
    try {
      localStorage.setItem(KEY, isDark ? 'dark' : 'light');
    } catch {
      /* it holds for this page then */
    }
  }
  part('theme').addEventListener('click', turnTheme);

  const rooms = () =>
    [...root.querySelectorAll('.navigation-rooms a:not([hidden]):not([aria-current])')].map((link) => ({
      words: `Go to ${link.textContent.trim()}`,
      kind: 'Go',
      press: () => link.click(),
    }));
  const others = [
    { words: 'Go to People: who you are, and what you asked', kind: 'Go', press: () => location.assign('people') },
    { words: 'Dark or light', kind: 'Do', press: turnTheme },
  ];
  // Curate finds every trace, those among them.
  const isCurate = root.querySelector('#nav-curate').hasAttribute('aria-current');
  offer({ commands: () => [...rooms(), ...others], look: isCurate ? null : mine });
  listenForPalette();
  mendPictures();
  part('find').addEventListener('click', togglePalette);

  fetch('me')
    .then((answer) => answer.json())
    .then((me) => {
      say(part('user'), me.user);
      tell(part('in'), me.is_guest ? (me.mode === 'open' ? 'Choose a name' : 'Sign in') : '');
      // What a role cannot use is not offered; the server refuses it anyway.
      for (const [room, action] of Object.entries(NEEDS))
        root.querySelector(`#nav-${room}`).hidden = !me.may.includes(action);
    })
    .catch(() => {});

  // Gradio's fields run from left to right, whatever is written in them.
  const runOwnWay = (field) => {
    field.dir = 'auto';
  };
  document.querySelectorAll('textarea, input').forEach(runOwnWay);
  document.addEventListener('focusin', (event) => {
    if (event.target.matches('textarea, input')) runOwnWay(event.target);
  });

  document.getElementById('first')?.remove();
  // Gradio names every page alike.
  document.title = document.querySelector('meta[property="og:title"]').content;
  if (!new URLSearchParams(location.search).has('__theme')) applyTheme();
  document.addEventListener('studio:progress', (event) => {
    props.value = event.detail;
    render();
  });
  watch('value', render);
  render();
}
