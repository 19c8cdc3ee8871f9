// Begins once, whichever of the three columns is there first.
import { workbench } from './workbench.js';
import { list, open } from './walking.js';
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
  if (workbench.current) open(workbench.current);
  listen();
  followAddress();
  beginHolding();
}
