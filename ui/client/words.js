// Values as the words that a person reads: counts, moments, durations, states. Pure: no document, no clock of its own
// but the `now` that is passed in.
export const STATUS_WORDS = {
  new: 'new',
  edited: 'edited',
  accepted: 'approved',
  rejected: 'rejected',
  flagged: 'flagged',
};
export const VERDICT_WORDS = { accepted: 'approved', rejected: 'rejected', skipped: 'skipped', flagged: 'flagged' };
// How a trace ended, for a stop_reason; nothing to say where it answered.
export const STOP_WORDS = {
  answered: '',
  max_steps: 'It ran out of steps.',
  max_tokens: 'It ran out of words.',
  repetition: 'It said the same over and over.',
  cancelled: 'It was stopped.',
  failed: 'Something broke while it ran.',
};

export const capital = (word) => word.slice(0, 1).toUpperCase() + word.slice(1);
export const count = (number, word) => `${number.toLocaleString('en')} ${word}${number === 1 ? '' : 's'}`;

// "3 min ago" for a moment in ISO 8601; '' for what is no moment.
export function ago(iso, now = Date.now()) {
  const then = new Date(iso);
  const minutes = Math.round((now - then) / 60000);
  if (Number.isNaN(minutes)) return '';
  if (minutes < 1) return 'just now';
  if (minutes < 60) return `${minutes} min ago`;
  if (minutes < 60 * 24) return `${Math.round(minutes / 60)} h ago`;
  return then.toISOString().slice(0, 10);
}

const HOUR = { hour: '2-digit', minute: '2-digit' };
// A moment in the reader's own time, as `options` of toLocaleString ask; '' for what is no moment.
function written(iso, options) {
  const then = new Date(iso || Number.NaN);
  return Number.isNaN(then.getTime()) ? '' : then.toLocaleString([], options(then));
}
export const dayAndHour = (iso) => written(iso, () => ({ month: 'short', day: 'numeric', ...HOUR }));
export const second = (iso) => written(iso, () => ({ ...HOUR, second: '2-digit' }));
// Today by the hour, earlier by the day too.
export const hourOrDay = (iso, now = new Date()) =>
  written(iso, (then) =>
    then.toDateString() === now.toDateString() ? HOUR : { month: 'short', day: 'numeric', ...HOUR },
  );

// A duration in seconds: tenths below ten.
export const duration = (seconds) => (seconds < 10 ? `${seconds.toFixed(1)} s` : `${Math.round(seconds)} s`);

// A long text by its two ends, for where the middle is not what anybody looks for.
export const ends = (text, most = 70, kept = 30) =>
  text.length > most ? `${text.slice(0, kept)} … ${text.slice(-kept)}` : text;
export const beginning = (text, most = 60) => (text.length > most ? `${text.slice(0, most - 2)}…` : text);

// A measured number: shares in percent, others with about four digits.
export function figureOf(value, unit) {
  if (value === null) return 'no number';
  if (unit === 'share') return `${(100 * value).toFixed(1)}%`;
  return value.toFixed(value >= 100 ? 0 : value >= 10 ? 1 : 3);
}

// What a step did, for a value of `ui.trace_values.step_value`; a box has its own words, as the model said it.
export function operationWords({ name, view, frames }) {
  if (name === 'zoom_in') return `looked closer at view ${view}`;
  if (name === 'select_frames') return `looked at frame${frames.length === 1 ? '' : 's'} ${frames.join(', ')}`;
  return { call: 'a call that cannot be read' }[name] ?? name;
}
export const boxWords = (box) => (box ? box.map((edge) => edge.toFixed(2)).join(' ') : '');
export const viewWords = ({ number, frame, box, width, height }) =>
  `view ${number} · ${frame !== null && box.join() === '0,0,1,1' ? `frame ${frame}` : `${width} × ${height} px`}`;
