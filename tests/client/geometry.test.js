import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as geometry from '../../ui/client/geometry.js';

const BOX = [0.2, 0.3, 0.4, 0.6];
const close = (found, expected) => {
  assert.equal(found.length, expected.length);
  found.forEach((edge, k) => assert.ok(Math.abs(edge - expected[k]) < 1e-9, `${found} is not ${expected}`));
};

test('a moved box keeps its size and stays in the picture', () => {
  close(geometry.moved(BOX, 0.1, -0.1), [0.3, 0.2, 0.5, 0.5]);
  close(geometry.moved(BOX, 9, -9), [0.8, 0, 1, 0.3]);
});

test('a handle moves its own sides only, and past the other side the box turns over', () => {
  close(geometry.resized(BOX, 'se', 0.1, 0.1), [0.2, 0.3, 0.5, 0.7]);
  close(geometry.resized(BOX, 'n', 5, -0.1), [0.2, 0.2, 0.4, 0.6]);
  close(geometry.resized(BOX, 'w', 0.5, 0), [0.4, 0.3, 0.7, 0.6]);
});

test('a grown box never turns over and never leaves the picture', () => {
  close(geometry.grown(BOX, 0.1, 0), [0.2, 0.3, 0.5, 0.6]);
  close(geometry.grown(BOX, -0.5, 9), [0.2, 0.3, 0.7, 1]);
});

test('every drag leaves a box that is one', () => {
  for (const handle of ['n', 'ne', 'e', 'se', 's', 'sw', 'w', 'nw']) {
    for (const dx of [-2, -0.25, 0, 0.25, 2]) {
      for (const dy of [-2, -0.25, 0, 0.25, 2]) {
        const [x1, y1, x2, y2] = geometry.resized(BOX, handle, dx, dy);
        assert.ok(0 <= x1 && x1 <= x2 && x2 <= 1 && 0 <= y1 && y1 <= y2 && y2 <= 1, `${handle} by ${dx}, ${dy}`);
      }
    }
  }
});

test('a box lies inside another but for rounding', () => {
  assert.ok(
    geometry.holds(
      BOX,
      BOX.map((edge) => edge + 1e-9),
    ),
  );
  assert.ok(!geometry.holds(BOX, [0.19, 0.3, 0.4, 0.6]));
});

test('pixels, and a tag that stays in the picture', () => {
  const picture = { width: 1000, height: 500 };
  assert.deepEqual(geometry.inPixels([0.25, 0.25, 0.5, 0.75], picture), { x: 250, y: 125, width: 250, height: 250 });
  const { tag } = geometry.tagAt({ x: 995, y: 5, width: 5, height: 490 }, picture, '12', 1);
  assert.ok(tag.x >= 0 && tag.x + tag.width <= 1000 && tag.y >= 0 && tag.y + tag.height <= 500);
});
