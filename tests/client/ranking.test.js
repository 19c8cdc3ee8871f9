import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ranked } from '../../ui/client/ranking.js';

const ALL = ['flag for somebody else', 'approve, and on to the next', 'Café pictures', 'reject', 'next trace', 'redo'];
const say = (typed) => ranked(ALL, typed, (one) => one);

test('nothing typed leaves all in their order', () => {
  assert.deepEqual(say('  '), ALL);
});
test('a beginning comes before a word within, and that before letters in order', () => {
  assert.deepEqual(say('next'), ['next trace', 'approve, and on to the next']);
  assert.deepEqual(say('re').slice(0, 2), ['reject', 'redo']);
  assert.deepEqual(say('aontn'), ['approve, and on to the next']);
});
test('words in any order, accents and capitals do not matter', () => {
  assert.deepEqual(say('else flag'), ['flag for somebody else']);
  assert.deepEqual(say('CAFE'), ['Café pictures']);
  assert.deepEqual(say('zzz'), []);
});
