// Which frames of a clip are selected after one more was pointed at. Pure.

// As many as the operation takes (`engine.operations`).
export const MOST_FRAMES = 8;

// `frame` taken in or out; with `isRange` all from `from` to `frame` taken in. In order, at most MOST_FRAMES; `isCut`
// where that left some out.
export function picked(frames, frame, { from = frame, isRange = false } = {}) {
  const chosen = new Set(frames);
  if (isRange) for (let k = Math.min(from, frame); k <= Math.max(from, frame); k++) chosen.add(k);
  else if (!chosen.delete(frame)) chosen.add(frame);
  const sorted = [...chosen].sort((a, b) => a - b);
  return { frames: sorted.slice(0, MOST_FRAMES), isCut: sorted.length > MOST_FRAMES };
}
