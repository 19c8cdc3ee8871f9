// Light or dark, as the studio's pages are.
let chosen = null;
try {
  chosen = localStorage.getItem('studio-theme');
} catch {
  /* storage may be refused inside a frame */
}
const isDark = chosen ? chosen === 'dark' : matchMedia('(prefers-color-scheme: dark)').matches;
document.body.classList.toggle('dark', isDark);

// Inside a frame the Hub cannot be shown, and a cookie of the tab that it is shown in is none of the frame's: that tab
// tells this page, and no page of another site, a word by which it comes in itself.
const word = document.querySelector('[data-word]');
if (word && window.opener) window.opener.postMessage({ studioWord: word.dataset.word }, location.origin);
const toHub = document.querySelector('a[href^="login/huggingface"]');
if (toHub && window.self !== window.top) {
  toHub.addEventListener('click', (event) => {
    event.preventDefault();
    window.open(`${toHub.href}&popup=1`, '_blank');
  });
  window.addEventListener('message', async (event) => {
    if (event.origin !== location.origin || typeof event.data?.studioWord !== 'string') return;
    const next = new URLSearchParams(location.search).get('next') || '';
    const body = new URLSearchParams({ word: event.data.studioWord, next });
    location.assign((await fetch('sign-in/word', { method: 'POST', body })).url);
  });
}
