import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as words from '../../ui/client/words.js';

const NOON = Date.parse('2026-11-23T12:00:00Z');

test('how long ago a moment was', () => {
  assert.equal(words.ago('2026-11-23T11:59:40Z', NOON), 'just now');
  assert.equal(words.ago('2026-11-23T11:18:00Z', NOON), '42 min ago');
  assert.equal(words.ago('2026-11-23T02:00:00Z', NOON), '10 h ago');
  assert.equal(words.ago('2026-11-20T12:00:00Z', NOON), '2026-11-20');
});

test('what is no moment says nothing', () => {
  for (const text of [null, undefined, '', 'soon']) {
    for (const said of [words.dayAndHour, words.second, words.hourOrDay]) assert.equal(said(text), '');
  }
  assert.equal(words.ago('soon', NOON), '');
});

test('today is written by the hour, an earlier day with its day', () => {
  const now = new Date(NOON);
  assert.doesNotMatch(words.hourOrDay('2026-11-23T12:00:00Z', now), /23/);
  assert.match(words.hourOrDay('2026-11-20T12:00:00Z', now), /20/);
});

test('counts, durations and figures', () => {
  assert.equal(words.count(1, 'trace'), '1 trace');
  assert.equal(words.count(12000, 'trace'), '12,000 traces');
  assert.deepEqual([9.94, 10].map(words.duration), ['9.9 s', '10 s']);
  assert.deepEqual(
    [
      [0.5, 'share'],
      [null, 'number'],
      [0.12345, 'number'],
      [12.34, 'number'],
      [123.4, 'number'],
    ].map(([value, unit]) => words.figureOf(value, unit)),
    ['50.0%', 'no number', '0.123', '12.3', '123'],
  );
});

test('a long text keeps its ends, a short one stays', () => {
  assert.equal(words.ends('a'.repeat(70)), 'a'.repeat(70));
  assert.equal(words.ends(`${'a'.repeat(40)}${'b'.repeat(40)}`), `${'a'.repeat(30)} … ${'b'.repeat(30)}`);
  assert.equal(words.beginning('x'.repeat(61)).length, 59);
});

test('what a step did, and what it saw', () => {
  const said = (step) => words.operationWords({ view: null, frames: [], ...step });
  assert.equal(said({ name: 'zoom_in', view: 2 }), 'looked closer at view 2');
  assert.equal(said({ name: 'select_frames', frames: [6, 7] }), 'looked at frames 6, 7');
  assert.deepEqual(
    ['call', 'thought', 'answer'].map((name) => said({ name })),
    ['a call that cannot be read', 'thought', 'answer'],
  );
  assert.equal(words.boxWords([0, 0.1, 0.125, 1]), '0.00 0.10 0.13 1.00');
  assert.equal(words.boxWords(null), '');
  const view = { number: 3, frame: 6, box: [0, 0, 1, 1], width: 320, height: 240 };
  assert.equal(words.viewWords(view), 'view 3 · frame 6');
  assert.equal(words.viewWords({ ...view, box: [0, 0, 0.5, 1], width: 160 }), 'view 3 · 160 × 240 px');
  assert.equal(words.viewWords({ ...view, frame: null }), 'view 3 · 320 × 240 px');
});
