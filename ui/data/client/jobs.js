// The jobs of one kind, newest first, each with where it stands and what can be done with it. Asks the server once a
// second while one is under way, and not at all otherwise.
import { each, make, put, say, tell } from '../../client/dom.js';
import { get, post } from '../../client/server.js';
import { ago } from '../../client/words.js';

const STATE_WORDS = {
  queued: 'waiting',
  running: 'running',
  stopping: 'stopping',
  stopped: 'stopped',
  done: 'done',
  failed: 'failed',
  interrupted: 'cut off',
};
const ASK_EVERY_MS = 1000;

// `title(job)` heads a card; `more(node, job)` fills what is of this kind alone; `onEnd()` is called when one has
// ended. Whoever begins a job hands it to `look`: it may have ended before it is looked at.
export function followJobs(root, kind, { title, more = () => {}, onEnd = () => {} }) {
  const list = make('ol', 'data-jobs', root);
  const status = make('p', 'visually-hidden', root);
  put(status, { role: 'status', 'aria-live': 'polite' });
  const problem = make('p', 'data-error', root);
  put(problem, { role: 'alert' });
  const awaited = new Set();
  let timer = null;

  function create() {
    const item = make('li', 'data-job');
    const head = make('div', 'data-job-head', item);
    make('h3', 'data-job-title', head);
    make('span', 'data-job-state', head);
    const track = make('div', 'data-job-track', item);
    put(track, { role: 'progressbar', 'aria-valuemin': 0, 'aria-valuemax': 100, 'aria-label': 'Progress' });
    make('i', 'data-job-share', track);
    make('p', 'data-job-message', item);
    make('div', 'data-job-more', item);
    const foot = make('div', 'data-job-foot', item);
    make('button', 'data-button data-job-stop', foot, 'Stop');
    make('button', 'data-button data-job-resume', foot, 'Go on');
    return item;
  }

  function draw(item, job) {
    const part = (name) => item.querySelector(`.data-job-${name}`);
    item.dataset.state = job.state;
    say(part('title'), title(job));
    const ended = job.is_active ? '' : ` ${ago(job.finished_at || job.created_at)}`;
    say(part('state'), STATE_WORDS[job.state] + ended);
    part('track').hidden = !job.is_active && job.state !== 'stopped' && job.state !== 'interrupted';
    put(part('track'), { 'aria-valuenow': Math.round(100 * job.progress) });
    part('share').style.width = `${100 * job.progress}%`;
    tell(part('message'), job.message);
    part('stop').hidden = !['queued', 'running'].includes(job.state);
    part('resume').hidden = !['stopped', 'failed', 'interrupted'].includes(job.state);
    part('stop').onclick = () => act('stop', job);
    part('resume').onclick = () => act('resume', job);
    more(part('more'), job);
  }

  async function act(verb, job) {
    try {
      await post(`data/${kind}/${verb}`, { job: job.id });
      say(problem, '');
    } catch (error) {
      say(problem, error.message);
    }
    look(job);
  }

  async function look(begun = null) {
    clearTimeout(timer);
    if (begun) awaited.add(begun.id);
    let jobs;
    try {
      ({ jobs } = await get(`data/${kind}/jobs`));
    } catch {
      timer = setTimeout(look, 5 * ASK_EVERY_MS); // the server is away; what is shown may still be true
      return;
    }
    each(list, jobs, create, draw);
    list.hidden = !jobs.length;
    const active = jobs.filter((job) => job.is_active);
    for (const job of active) awaited.add(job.id);
    const ended = jobs.filter((job) => !job.is_active && awaited.delete(job.id));
    if (ended.length) {
      say(status, ended.map((job) => `${title(job)}: ${job.message}`).join('. '));
      onEnd();
    }
    if (active.length) timer = setTimeout(look, ASK_EVERY_MS);
  }
  look();
  return { look };
}

// A list of sentences behind a line that says how many there are, and a link to a file, or to a page (`isPage`).
export function drawList(node, summary, sentences, link) {
  const text = JSON.stringify([summary, sentences, link]);
  if (node.dataset.drawn === text) return;
  node.dataset.drawn = text;
  node.replaceChildren();
  if (sentences.length) {
    const details = make('details', 'data-list', node);
    make('summary', '', details, summary);
    const list = make('ul', '', details);
    for (const sentence of sentences) make('li', '', list, sentence);
  }
  if (link) {
    const anchor = make('a', 'data-link', node, link.words);
    put(anchor, { href: link.href, download: link.isPage ? null : '' });
  }
}
