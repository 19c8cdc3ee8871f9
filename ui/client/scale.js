// The arithmetic of a line chart: round steps for its grid, a running mean, the path of a line. Points are
// [step, value | null]; a null (a loss that was no number) breaks the line. Pure.

// The smallest of `factors` times a power of ten that divides `range` into at most `count` parts.
export function niceStep(range, count, factors = [1, 2, 2.5, 5, 10]) {
  const raw = range / count;
  const power = 10 ** Math.floor(Math.log10(raw));
  return power * factors.find((factor) => factor * power >= raw * 0.999);
}

// Where the axis of `values` begins and ends, zero included, and the gap of its grid; shares go from 0 to 1.
export function extent(values, isShare) {
  const highest = isShare ? 1 : Math.max(1e-6, ...values);
  const gap = isShare ? 0.25 : niceStep(highest, 4);
  return {
    bottom: Math.floor(Math.min(0, ...values) / gap + 1e-9) * gap,
    top: Math.ceil(highest / gap - 1e-9) * gap,
    gap,
  };
}

// An exponential running mean; its weight is 20 points' worth, at most 0.5 and at least 0.06.
export function smoothed(points) {
  const weight = Math.max(0.06, Math.min(0.5, 20 / points.length));
  let level = null;
  return points.map(([step, value]) => {
    if (value === null) return [step, null];
    level = level === null ? value : level + weight * (value - level);
    return [step, level];
  });
}

// The `d` of an SVG path through the points, `x` and `y` giving pixels.
export function linePath(points, x, y) {
  let line = '';
  let isBroken = true;
  for (const [step, value] of points) {
    if (value !== null) line += `${(isBroken ? 'M' : 'L') + x(step).toFixed(1)} ${y(value).toFixed(1)}`;
    isBroken = value === null;
  }
  return line;
}

export const nearest = (points, step) =>
  points.reduce((best, one) => (Math.abs(one[0] - step) < Math.abs(best[0] - step) ? one : best));
