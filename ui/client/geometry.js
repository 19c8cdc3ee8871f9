// Boxes as numbers: [x1, y1, x2, y2] in shares of the original picture, 0 to 1. Pure; drawing them lies elsewhere.
export const WHOLE = [0, 0, 1, 1];
export const isWhole = (box) => box.join() === WHOLE.join();
export const clamp = (value, low, high) => Math.min(high, Math.max(low, value));

// A box as the attributes of an SVG rect in the pixels of a picture of `width` by `height`.
export const inPixels = ([x1, y1, x2, y2], { width, height }) => ({
  x: x1 * width,
  y: y1 * height,
  width: (x2 - x1) * width,
  height: (y2 - y1) * height,
});

// Two corners in any order, as a box.
export const between = ([ax, ay], [bx, by]) => [Math.min(ax, bx), Math.min(ay, by), Math.max(ax, bx), Math.max(ay, by)];

// The box moved, no side of it leaving the picture.
export function moved([x1, y1, x2, y2], dx, dy) {
  const byX = clamp(dx, -x1, 1 - x2);
  const byY = clamp(dy, -y1, 1 - y2);
  return [x1 + byX, y1 + byY, x2 + byX, y2 + byY];
}
// The box with the sides that `handle` names ("n", "se", ...) moved; dragged past the other side it turns over.
export function resized([x1, y1, x2, y2], handle, dx, dy) {
  const left = handle.includes('w') ? clamp(x1 + dx, 0, 1) : x1;
  const right = handle.includes('e') ? clamp(x2 + dx, 0, 1) : x2;
  const top = handle.includes('n') ? clamp(y1 + dy, 0, 1) : y1;
  const bottom = handle.includes('s') ? clamp(y2 + dy, 0, 1) : y2;
  return between([left, top], [right, bottom]);
}
// The box with its right and lower sides moved, never smaller than `least` that way.
export function grown([x1, y1, x2, y2], dx, dy, least = 0.005) {
  return [x1, y1, clamp(x2 + dx, x1 + Math.abs(dx || least), 1), clamp(y2 + dy, y1 + Math.abs(dy || least), 1)];
}
// Whether `outer` holds all of `inner`, but for rounding.
export const holds = (outer, inner, slack = 1e-6) =>
  inner[0] >= outer[0] - slack &&
  inner[1] >= outer[1] - slack &&
  inner[2] <= outer[2] + slack &&
  inner[3] <= outer[3] + slack;

// Where the tag of a box goes: above it, or below where there is no room above, within a picture of `width` by
// `height`. `at` is in pixels; `scale` is the number of the picture's pixels to one of the screen.
export function tagAt(at, { width, height }, text, scale) {
  const side = 20 * scale;
  const wide = side * (0.55 + 0.45 * text.length);
  const top = at.y > side ? at.y - side : Math.min(at.y + at.height, height - side);
  const left = clamp(at.x, 0, Math.max(0, width - wide));
  return {
    tag: { x: left, y: top, width: wide, height: side, rx: 4 * scale },
    words: { x: left + wide / 2, y: top + side * 0.72, 'font-size': 13 * scale, 'text-anchor': 'middle' },
  };
}
