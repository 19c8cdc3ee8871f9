// Begins once, whichever of the three columns is there first.
import { bench, list, choose, open } from './bench.js';
import { readAddress, followAddress } from './address.js';
import { listen } from './keys.js';

let isStarted = false;
export function start() {
  if (isStarted) return;
  isStarted = true;
  readAddress();
  list();
  if (bench.current) open(bench.current);
  listen();
  followAddress();
}
