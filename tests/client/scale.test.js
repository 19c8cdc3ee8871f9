import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as scale from '../../ui/client/scale.js';

test('a grid has round steps', () => {
  assert.equal(scale.niceStep(10, 4), 2.5);
  assert.equal(scale.niceStep(0.9, 4), 0.25);
  assert.equal(scale.niceStep(640, 6, [1, 2, 5, 10]), 200);
});

test('an axis holds every value and zero', () => {
  assert.deepEqual(scale.extent([1, 2, 9], false), { bottom: 0, top: 10, gap: 2.5 });
  assert.equal(scale.extent([-0.5, 2], false).bottom, -0.5);
  assert.deepEqual(scale.extent([0.1], true), { bottom: 0, top: 1, gap: 0.25 });
});

test('a running mean begins at the first value, and a gap does not move it', () => {
  const points = [
    [0, 4],
    [1, null],
    [2, 0],
  ];
  assert.deepEqual(scale.smoothed(points), [
    [0, 4],
    [1, null],
    [2, 2],
  ]);
});

test('a line is broken where a value is missing', () => {
  const same = (value) => value;
  assert.equal(
    scale.linePath(
      [
        [0, 1],
        [1, 2],
        [2, null],
        [3, 4],
      ],
      same,
      same,
    ),
    'M0.0 1.0L1.0 2.0M3.0 4.0',
  );
});

test('the nearest point', () => {
  assert.deepEqual(
    scale.nearest(
      [
        [0, 1],
        [5, 2],
        [10, 3],
      ],
      7,
    ),
    [5, 2],
  );
});
