// Begins once, whichever of the three columns is there first.
import { bench, list, open } from './bench.js';
import { readAddress, followAddress } from './address.js';
import { begin } from './outbox.js';
import { answers } from './verdicts.js';
import { beginHolding } from './holding.js';
import { listen } from './keys.js';

let isStarted = false;
export function start() {
  if (isStarted) return;
  isStarted = true;
  readAddress();
  begin(answers);
  list();
  if (bench.current) open(bench.current);
  listen();
  followAddress();
  beginHolding();
}
