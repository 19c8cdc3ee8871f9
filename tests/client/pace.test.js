import assert from 'node:assert/strict';
import { test } from 'node:test';
import { about, left, pace } from '../../ui/client/pace.js';

const S = 1000;

test('the pace is the median of what lies between verdicts, pauses left out', () => {
  assert.equal(pace([]), null);
  assert.equal(pace([0, 10 * S, 20 * S]), null);
  assert.equal(pace([0, 10 * S, 30 * S, 60 * S]), 20 * S);
  // A lunch of an hour is no work.
  assert.equal(pace([0, 10 * S, 3600 * S, 3620 * S, 3650 * S]), 20 * S);
});

test('only the last ones count: who got faster is told so', () => {
  const slow = Array.from({ length: 30 }, (_, k) => k * 100 * S),
    quick = Array.from({ length: 30 }, (_, k) => slow.at(-1) + (k + 1) * 5 * S);
  assert.equal(pace([...slow, ...quick]), 5 * S);
});

test('what is left, in words', () => {
  const twenty = [0, 20 * S, 40 * S, 60 * S];
  assert.equal(left(12, twenty), '12 left, about 4 min');
  assert.equal(left(12, []), '12 left');
  assert.equal(left(1, twenty), '1 left, under a minute');
  assert.equal(left(1200, twenty, false), 'more than 1,200 left');
  assert.deepEqual(
    [59, 61, 150].map((m) => about(m * 60 * S)),
    ['about 59 min', 'about 1 h', 'about 2.5 h'],
  );
});
