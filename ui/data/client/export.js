// Export: a format, which traces, and the files as a zip, with what could not come along.
import { make, put, say, tell } from '../../client/dom.js';
import { post } from '../../client/server.js';
import { choice, field } from './fields.js';
import { drawList, followJobs } from './jobs.js';

const STATUSES = [
  ['accepted', 'approved'],
  ['', 'all'],
  ['new', 'new'],
  ['edited', 'edited'],
  ['flagged', 'flagged'],
  ['rejected', 'rejected'],
];

export function mount({ element, props }) {
  const root = element.querySelector('.data-section');
  const { formats, protocols } = props.value;
  const written = formats.filter((format) => format.is_written);
  make('h2', 'eyebrow', root, 'Export');
  const form = make('form', 'data-export', root);
  const fields = make('div', 'data-fields', form);
  const format = choice(
    written.map(({ name, title }) => [name, title === name ? name : `${name}: ${title}`]),
    written[0].name,
    () => describe(),
  );
  put(format, { id: 'data-export-format' });
  field(fields, 'Format', format);
  const status = choice(STATUSES, 'accepted', () => {});
  put(status, { id: 'data-export-status' });
  field(fields, 'Traces', status);
  const protocol = choice([['', 'the format’s own'], ...protocols.map((name) => [name, name])], '', () => {});
  field(
    fields,
    'Wire format of conversations',
    protocol,
    'How turns and calls are worded; a format without one of its own takes that of the trace',
  );
  const versions = make('label', 'data-tick', fields);
  const tick = make('input', '', versions);
  put(tick, { type: 'checkbox' });
  make('span', '', versions, 'every version of a trace, where the format has a place');
  const description = make('p', 'data-hint', form);
  const losses = make('div', 'data-losses', form);
  const buttons = make('div', 'data-buttons', form);
  put(make('button', 'data-button is-primary', buttons, 'Export'), { type: 'submit', id: 'data-export-start' });
  const error = make('p', 'data-error', root);
  put(error, { role: 'alert' });

  const jobs = followJobs(root, 'export', {
    title: (job) => `${job.config.format}, ${STATUSES.find(([name]) => name === (job.config.status || ''))[1]} traces`,
    more: (node, job) => {
      const link = job.state === 'done' ? { words: 'Download as zip', href: `data/export/${job.id}.zip` } : null;
      drawList(node, 'What could not come along', job.lost, link);
    },
  });

  function describe() {
    const one = written.find(({ name }) => name === format.value);
    tell(description, one.description);
    drawList(losses, 'What it cannot hold', one.losses);
  }
  form.addEventListener('submit', async (event) => {
    event.preventDefault();
    try {
      const begun = await post('data/export', {
        format: format.value,
        status: status.value || null,
        protocol: protocol.value || null,
        has_versions: tick.checked,
      });
      say(error, '');
      jobs.look(begun);
    } catch (problem) {
      say(error, problem.message);
    }
  });
  describe();
}
