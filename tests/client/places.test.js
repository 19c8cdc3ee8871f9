import assert from 'node:assert/strict';
import { test } from 'node:test';
import { placeOf, shownAt } from '../../ui/asking/client/places.js';

const HERE = 'https://studio.example/app/?__theme=dark';

test('an attempt is named in the address, and what else stands there stays', () => {
  const { address, title } = placeOf({ address: '?trace=a1', question: 'What is it?' }, `${HERE}&media=m`);
  assert.equal(address, 'https://studio.example/app/?__theme=dark&trace=a1');
  assert.equal(title, 'What is it? · Pixel Reasoner Studio');
  assert.deepEqual(shownAt(address), { trace: 'a1', media: null });
});

test('who is there already goes nowhere', () => {
  assert.equal(placeOf({ address: '?trace=a1' }, `${HERE}&trace=a1`).address, null);
  assert.equal(placeOf({ address: '?media=m,n' }, `${HERE}&media=m%2Cn`).address, null);
  assert.equal(placeOf({ address: '' }, HERE).address, null);
});

test('a value that names no place leaves the page and its title alone', () => {
  assert.deepEqual(placeOf({}, `${HERE}&trace=a1`), { address: null, title: null });
  assert.equal(placeOf({ address: '' }, `${HERE}&trace=a1`).address, HERE);
});
