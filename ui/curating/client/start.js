// Begins once the column of the queue is there, which knows the filters that the address may name.
import { workbench } from './workbench.js';
import { list, open } from './walking.js';
import { readAddress, followAddress } from './address.js';
import { begin, outlive } from './outbox.js';
import { rest } from './editing.js';
import { endNudge } from './drag.js';
import { answers } from './verdicts.js';
import { beginHolding } from './holding.js';
import { listen } from './keys.js';
import { mountLayout } from './layout.js';

// What was typed or nudged a moment ago has not been told yet; it is told before the page goes, or sleeps and may never
// wake. A browser that goes to another site may end the page before its pagehide has sent anything.
function tellAll() {
  endNudge();
  rest();
}
function keepWork() {
  for (const name of ['beforeunload', 'pagehide'])
    window.addEventListener(name, () => {
      outlive(true);
      tellAll();
    });
  window.addEventListener('pageshow', () => outlive(false));
  document.addEventListener('visibilitychange', () => {
    if (document.hidden) tellAll();
  });
}

export function start() {
  mountLayout();
  readAddress();
  begin(answers);
  keepWork();
  list();
  if (workbench.current) open(workbench.current);
  listen();
  followAddress();
  beginHolding();
}
