// Figures of evaluations in words; pure.
export const percent = (share) => (typeof share === 'number' ? `${(100 * share).toFixed(1)}%` : '–');
export const points = (share) => `${(100 * share).toFixed(1)} points`;
export const accuracy = ({ accuracy: share, stderr }) =>
  typeof share === 'number' && typeof stderr === 'number'
    ? `${percent(share)} ± ${(100 * stderr).toFixed(1)}`
    : percent(share);
export const worth = (looks) => (looks?.looks ? `${percent(looks.before)} → ${percent(looks.after)}` : '–');
export const minutes = (seconds) => {
  if (typeof seconds !== 'number') return '–';
  return seconds < 90 ? `${Math.round(seconds)} s` : `${Math.round(seconds / 60)} min`;
};
export const tokensEach = ({ tokens, n }) => (n ? Math.round(tokens / n).toLocaleString('en') : '–');
