// How fast a person decides, and how long what is left will take. Pure: moments in milliseconds come from outside.
const LEAST = 3,
  // A longer gap was a pause, no work.
  PAUSE_MS = 180_000,
  HEEDED = 20;

// The median time of a verdict in milliseconds, of the last ones; null while too few are known.
export function pace(moments) {
  const gaps = moments
    .slice(1)
    .map((at, index) => at - moments[index])
    .filter((gap) => gap > 0 && gap < PAUSE_MS)
    .slice(-HEEDED)
    .sort((a, b) => a - b);
  return gaps.length < LEAST ? null : gaps[Math.floor(gaps.length / 2)];
}

// "about 4 min" for so many milliseconds.
export function about(milliseconds) {
  const minutes = Math.round(milliseconds / 60_000);
  if (minutes < 1) return 'under a minute';
  if (minutes < 60) return `about ${minutes} min`;
  return `about ${Math.round(minutes / 6) / 10} h`;
}

// "12 left, about 4 min", and "12 left" where no pace is known yet.
export function left(count, moments, isExact = true) {
  const one = pace(moments),
    words = `${isExact ? '' : 'more than '}${count.toLocaleString('en')} left`;
  return one === null || !isExact ? words : `${words}, ${about(count * one)}`;
}
