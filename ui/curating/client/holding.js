// Reservations: the trace on the bench is held for whoever looks at it, renewed while the page is seen, and let go when the page moves on. It
// guards no data (a save that comes too late is kept beside the other); it keeps two people from doing the same work.
import { bench, watch, changed, reopen } from './bench.js';
import { post } from './server.js';

const REST_MS = 350, RENEW_MS = 60000, LOOK_AGAIN_MS = 4000;
let held = null, asked = null, timer = null;

async function hold() {
  const trace = bench.current;
  const release = held && held !== trace ? held : null;
  try {
    const answer = await post('curate/hold', { trace, release });
    if (release) held = null;
    if (!answer.holder) held = answer.trace;
    if (!bench.detail || bench.detail.id !== answer.trace || bench.current !== trace) return;
    const was = bench.detail.holder;
    bench.detail.holder = answer.holder;
    if (was && !answer.holder) reopen();   // whoever held it may have changed it
    else changed();
    if (answer.holder) { clearTimeout(timer); timer = setTimeout(hold, LOOK_AGAIN_MS); }
  } catch (error) { /* offline: nobody else can be told either */ }
}
export function insist() { bench.isInsisting = bench.current; changed(); }

export function beginHolding() {
  watch(() => {
    if (!bench.detail || asked === bench.current) return;
    asked = bench.current;
    clearTimeout(timer);
    timer = setTimeout(hold, REST_MS);
  });
  setInterval(() => { if (!document.hidden && held && held === bench.current) hold(); }, RENEW_MS);
  window.addEventListener('pagehide', () => {
    if (held) fetch('curate/hold', { method: 'POST', keepalive: true, headers: { 'Content-Type': 'application/json', 'X-Studio': '1' }, body: JSON.stringify({ trace: null, release: held }) });
    held = asked = null;
  });
}
