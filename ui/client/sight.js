// What part of a picture is in sight, as a rectangle { x, y, width, height } in the picture's pixels that has the
// picture's own shape and never leaves it. Pure; following hands lies elsewhere.
import { clamp } from './geometry.js';

// The smallest part, as a share of the picture's side.
const LEAST = 1 / 24;

export const whole = ({ width, height }) => ({ x: 0, y: 0, width, height });
export const isWholeInSight = (sight, { width }) => sight.width >= width * 0.999;
// How many times larger than whole.
export const power = (sight, { width }) => width / sight.width;

function within(sight, { width, height }) {
  return {
    ...sight,
    x: clamp(sight.x, 0, width - sight.width),
    y: clamp(sight.y, 0, height - sight.height),
  };
}
// `factor` times larger (below 1: smaller), the point `at` ([x, y] in pixels) staying where it is on the screen.
export function zoomed(sight, medium, factor, at) {
  const share = clamp(sight.width / factor / medium.width, LEAST, 1),
    width = share * medium.width,
    height = share * medium.height;
  const x = at[0] - ((at[0] - sight.x) / sight.width) * width,
    y = at[1] - ((at[1] - sight.y) / sight.height) * height;
  return within({ x, y, width, height }, medium);
}
// Moved by so many of the picture's pixels.
export const panned = (sight, medium, dx, dy) => within({ ...sight, x: sight.x + dx, y: sight.y + dy }, medium);

// The part that shows `box` (shares of the picture) with room around it.
export function around(box, medium, room = 1.6) {
  const share = clamp(room * Math.max(box[2] - box[0], box[3] - box[1]), LEAST, 1),
    width = share * medium.width,
    height = share * medium.height;
  const x = ((box[0] + box[2]) / 2) * medium.width - width / 2,
    y = ((box[1] + box[3]) / 2) * medium.height - height / 2;
  return within({ x, y, width, height }, medium);
}
export const centre = ({ x, y, width, height }) => [x + width / 2, y + height / 2];
// As a box in shares of the picture.
export const asBox = ({ x, y, width, height }, medium) => [
  x / medium.width,
  y / medium.height,
  (x + width) / medium.width,
  (y + height) / medium.height,
];
