import assert from 'node:assert/strict';
import { test } from 'node:test';
import { isForUpload } from '../../ui/client/clipboard.js';

const CELL = { files: [{}], types: ['text/plain', 'text/html', 'Files'] };
const PHOTO = { files: [{}], types: ['text/html', 'Files'] };

test('the text of a cell goes into a field, its picture anywhere else', () => {
  assert.equal(isForUpload(CELL, true), false);
  assert.equal(isForUpload(CELL, false), true);
});

test('a copied picture is taken wherever it is pasted, text never', () => {
  assert.equal(isForUpload(PHOTO, true), true);
  assert.equal(isForUpload({ files: [], types: ['text/plain'] }, false), false);
});
