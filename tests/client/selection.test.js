import assert from 'node:assert/strict';
import { test } from 'node:test';
import { MOST_FRAMES, picked } from '../../ui/client/selection.js';

test('a frame is taken in, and out again', () => {
  const { frames } = picked([5, 2], 3);
  assert.deepEqual(frames, [2, 3, 5]);
  assert.deepEqual(picked(frames, 3).frames, [2, 5]);
});

test('a range takes in all between, in either direction', () => {
  assert.deepEqual(picked([9], 6, { from: 3, isRange: true }).frames, [3, 4, 5, 6, 9]);
  assert.deepEqual(picked([9], 3, { from: 6, isRange: true }).frames, [3, 4, 5, 6, 9]);
});

test('no more than the operation takes', () => {
  const { frames, isCut } = picked([], 16, { from: 1, isRange: true });
  assert.ok(isCut);
  assert.deepEqual(frames, [1, 2, 3, 4, 5, 6, 7, 8]);
  assert.equal(frames.length, MOST_FRAMES);
});
