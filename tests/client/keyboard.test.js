import assert from 'node:assert/strict';
import { test } from 'node:test';
import { keyReader } from '../../ui/client/keyboard.js';

const press = (
  key,
  code,
  { shiftKey = false, ctrlKey = false, altKey = false, metaKey = false, altGraph = false } = {},
) => ({
  key,
  code,
  shiftKey,
  ctrlKey,
  altKey,
  metaKey,
  getModifierState: (name) => name === 'AltGraph' && altGraph,
});
const read = (...presses) => {
  const keyOf = keyReader();
  return presses.map((one) => keyOf(press(...one))).at(-1);
};

test('a key is what it types', () => {
  assert.equal(read(['a', 'KeyA']), 'a');
  assert.equal(read(['Z', 'KeyZ', { shiftKey: true }]), 'Z');
  assert.equal(read(['?', 'Slash', { shiftKey: true }]), '?');
  assert.equal(read(['Escape', 'Escape']), 'Escape');
  assert.equal(read(['a', 'KeyQ']), 'a', 'AZERTY: the letter counts, not its place');
});

test('Caps Lock changes no key', () => {
  assert.equal(read(['Z', 'KeyZ']), 'z');
  assert.equal(read(['A', 'KeyA']), 'a');
  assert.equal(read(['z', 'KeyZ', { shiftKey: true }]), 'Z');
});

test('Cyrillic, Greek and Hebrew layouts go by the place', () => {
  assert.equal(read(['ф', 'KeyA']), 'a');
  assert.equal(read(['Я', 'KeyZ', { shiftKey: true }]), 'Z');
  assert.equal(read(['х', 'BracketLeft']), '[');
  assert.equal(read(['α', 'KeyA']), 'a');
  assert.equal(read(['ש', 'KeyA']), 'a');
  assert.equal(read(['ש', 'KeyA'], ["'", 'KeyW']), 'w');
  assert.equal(read(['ф', 'KeyA'], ['3', 'Digit3']), '3');
  assert.equal(read(['ф', 'KeyA'], ['?', 'Digit7', { shiftKey: true }]), '?');
});

test('a Latin layout never goes by the place', () => {
  assert.equal(read(['ü', 'BracketLeft']), 'ü');
  assert.equal(read([',', 'KeyW']), ',', 'Dvorak');
  assert.equal(read(['ф', 'KeyA'], ['a', 'KeyA'], ["'", 'KeyQ']), "'", 'after the layout was changed back');
});

test('brackets are typed with AltGr or Option', () => {
  assert.equal(read(['[', 'Digit8', { altGraph: true }]), '[', 'Linux');
  assert.equal(read([']', 'Digit9', { altGraph: true, ctrlKey: true, altKey: true }]), ']', 'Windows');
  assert.equal(read(['[', 'Digit5', { altKey: true }]), '[', 'Mac');
});

test('shortcuts of the browser are none of ours', () => {
  assert.equal(read(['a', 'KeyA', { ctrlKey: true }]), '');
  assert.equal(read(['z', 'KeyZ', { metaKey: true }]), '');
  assert.equal(read(['a', 'KeyA', { altKey: true }]), '');
  assert.equal(read(['ф', 'KeyA', { ctrlKey: true }]), '');
  assert.equal(read(['€', 'KeyE', { altGraph: true }]), '€');
});
