import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as sight from '../../ui/client/sight.js';

const PICTURE = { width: 1000, height: 500 };
const WHOLE = sight.whole(PICTURE);
const close = (a, b) => assert.ok(Math.abs(a - b) < 1e-6, `${a} is not ${b}`);

test('the point under the pointer stays under it, and the way back is the way there', () => {
  const near = sight.zoomed(WHOLE, PICTURE, 4, [250, 400]);
  assert.deepEqual(near, { x: 187.5, y: 300, width: 250, height: 125 });
  close((250 - near.x) / near.width, 0.25);
  close((400 - near.y) / near.height, 0.8);
  assert.deepEqual(sight.zoomed(near, PICTURE, 1 / 4, [250, 400]), WHOLE);
});

test('nothing but the picture is in sight, however far one zooms or pans', () => {
  for (const factor of [0.01, 0.5, 1, 3, 1000]) {
    for (const at of [
      [0, 0],
      [1000, 500],
      [420, 77],
    ]) {
      for (const [dx, dy] of [
        [0, 0],
        [5000, -5000],
        [-20, 30],
      ]) {
        const seen = sight.panned(sight.zoomed(WHOLE, PICTURE, factor, at), PICTURE, dx, dy);
        assert.ok(seen.x >= 0 && seen.y >= 0, JSON.stringify(seen));
        assert.ok(seen.x + seen.width <= 1000 + 1e-9 && seen.y + seen.height <= 500 + 1e-9, JSON.stringify(seen));
        close(seen.width / seen.height, 2);
      }
    }
  }
});

test('a box is seen with room around it, and one at the edge as near as the edge allows', () => {
  const seen = sight.around([0.4, 0.4, 0.5, 0.6], PICTURE, 2);
  close(seen.width, 400);
  close(seen.height, 200);
  assert.deepEqual(sight.centre(seen).map(Math.round), [450, 250]);
  assert.equal(sight.around([0, 0, 0.1, 0.1], PICTURE, 2).x, 0);
  assert.deepEqual(sight.around([0, 0, 1, 1], PICTURE), WHOLE);
});

test('how large it is, and as a box', () => {
  const near = sight.zoomed(WHOLE, PICTURE, 4, [0, 0]);
  assert.equal(sight.power(near, PICTURE), 4);
  assert.ok(sight.isWholeInSight(WHOLE, PICTURE) && !sight.isWholeInSight(near, PICTURE));
  assert.deepEqual(sight.asBox(near, PICTURE), [0, 0, 0.25, 0.25]);
});
