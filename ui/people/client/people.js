// The People screen: one's own account; for an admin everybody's roles, sessions, tokens and invitations.
import { each, make, options, say, tell } from '../../client/dom.js';
import { get, post } from '../../client/server.js';
import { STATUS_WORDS, ago } from '../../client/words.js';
import { confirm } from '../../deleting/client/confirming.js';

const KINDS = { session: 'Session', token: 'Token', invitation: 'Invitation' };

export function mount({ element: root }) {
  const part = (name) => root.querySelector(`.people-${name}`);
  const status = part('status');
  let me = null;

  async function attempt(act) {
    try {
      tell(status, (await act()) || '');
      status.dataset.tone = 'plain';
      await draw();
    } catch (error) {
      tell(status, error.message);
      status.dataset.tone = 'bad';
    }
  }

  // A row: what it is, a line about it, and what can be done.
  const row = () => {
    const node = make('li', 'people-row');
    make('span', 'people-what', node);
    make('span', 'people-when', node);
    make('span', 'people-do', node);
    return node;
  };
  const button = (parent, words, label, act) => {
    const node = make('button', '', parent, words);
    node.setAttribute('aria-label', label);
    node.addEventListener('click', act);
  };
  const rows = (section, items, fill) =>
    each(part(section).querySelector('.people-list'), items, row, (node, item) => {
      const [what, when, acts] = node.children;
      acts.replaceChildren();
      fill(item, what, when, acts);
    });

  const tellSecret = (section, text) => {
    const box = part(section).querySelector('.people-secret');
    say(box.querySelector(':scope > code'), text);
    box.querySelector('button').onclick = () => navigator.clipboard?.writeText(text);
    box.hidden = false;
  };

  const drawKeys = (section, keys) =>
    rows(section, keys, (key, what, when, acts) => {
      const of = section === 'keys' ? '' : key.person ? ` of ${key.person}` : '';
      const detail = key.kind === 'invitation' ? `for ${key.person || `one ${key.role}`}` : key.title;
      const name = `${KINDS[key.kind]}${of}: ${detail}`;
      say(what, key.is_this ? `${name} (this one)` : name);
      say(when, `since ${ago(key.created_at)}`);
      button(acts, 'End', `End ${name}`, () => attempt(() => post('accounts/end-key', { id: key.id })).then(() => {}));
    });

  function drawMe() {
    say(part('name'), me.user);
    say(
      part('role'),
      `${me.is_guest ? 'A guest: only this browser knows you by this name. ' : ''}` +
        `You are ${me.role}: one who ${me.meaning}.`,
    );
    say(part('in'), me.mode === 'open' ? 'Choose a name' : 'Sign in');
    part('in').hidden = !me.is_guest;
    part('out').hidden = me.is_guest || me.mode === 'proxy';
    part('claim').hidden = !me.claimable;
    say(part('claim'), `What ${me.claimable} did in this browser was me`);
    part('keys').hidden = me.is_guest;
    drawKeys('keys', me.keys);
    const own = me.traces;
    tell(part('traces').querySelector('.people-none'), own.length ? '' : 'Nothing yet.');
    rows('traces', own, (trace, what, when, acts) => {
      say(what, trace.answer ? `${trace.question} → ${trace.answer}` : trace.question);
      say(when, `${ago(trace.created_at)}, ${trace.is_private ? 'seen by you alone' : STATUS_WORDS[trace.status]}`);
      const open = make('a', 'people-button', acts, 'Open');
      open.href = `./?trace=${trace.id}`;
      open.setAttribute('aria-label', `Open ${trace.question}`);
      button(acts, 'Delete', `Delete ${trace.question}`, async () => {
        const lines = ['The question, its answer and all its steps; the picture too, where nothing else is about it.'];
        if (await confirm('Delete what you asked?', lines, { note: trace.question, go: 'Delete' }))
          attempt(async () => {
            await post('accounts/delete', { traces: [trace.id] });
            return 'Deleted.';
          });
      });
    });
  }

  function drawAll(all) {
    const pairs = all.roles.map((role) => [role.name, role.name]);
    tell(part('all').querySelector('.people-none'), all.people.length ? '' : 'Nobody has a name here yet.');
    rows('all', all.people, (person, what, when, acts) => {
      say(what, person.name);
      say(
        when,
        `${person.known_by ? `by ${person.known_by}, ` : ''}since ${ago(person.created_at)}` +
          (person.is_closed ? ', closed' : ''),
      );
      const select = make('select', '', acts);
      select.setAttribute('aria-label', `Role of ${person.name}`);
      options(select, pairs);
      select.value = person.role;
      select.addEventListener('change', () =>
        attempt(() => post('accounts/role', { name: person.name, role: select.value }).then(() => '')),
      );
      if (person.is_closed)
        button(acts, 'Let in again', `Let ${person.name} in again`, () =>
          attempt(() => post('accounts/open', { name: person.name }).then(() => '')),
        );
      else
        button(acts, 'Close', `Close the account of ${person.name}`, async () => {
          const lines = ['Sessions and tokens end at once, and nobody comes in by this name.', 'What they did stays.'];
          if (await confirm(`Close the account of ${person.name}?`, lines, { note: '', go: 'Close' }))
            attempt(() => post('accounts/close', { name: person.name }).then(() => ''));
        });
    });
    part('invitations').hidden = all.mode !== 'accounts';
    options(
      part('invite').querySelector('select'),
      all.roles.map((role) => [role.name, `${role.name}: ${role.meaning}`]),
    );
    drawKeys(
      'invitations',
      all.keys.filter((key) => key.kind === 'invitation' || key.person !== me.user),
    );
  }

  async function draw() {
    me = await get('accounts/me');
    drawMe();
    const isAdmin = me.may.includes('look_after_people');
    part('all').hidden = part('invitations').hidden = !isAdmin;
    if (isAdmin) drawAll(await get('accounts'));
  }

  part('claim').addEventListener('click', () => attempt(() => post('accounts/claim', {}).then(() => 'It is yours.')));
  part('token').addEventListener('submit', (event) => {
    event.preventDefault();
    const input = event.target.querySelector('input');
    attempt(async () => {
      tellSecret('keys', (await post('accounts/token', { title: input.value })).secret);
      input.value = '';
    });
  });
  part('invite').addEventListener('submit', (event) => {
    event.preventDefault();
    attempt(async () => {
      const made = await post('accounts/invite', { role: event.target.querySelector('select').value });
      tellSecret('invitations', new URL(made.path, document.baseURI).href);
    });
  });
  attempt(async () => '');
}
