// How sure an answer is: a line in words, what it was measured to be worth, and the way to a model that knows more.
import { say, tell } from '../../client/dom.js';

export function sureness(root) {
  const part = (name) => root.querySelector(`.answer-sure${name}`);
  return (sure) => {
    part('').hidden = !sure;
    if (!sure) return;
    say(part('-line'), sure.line);
    say(part('-more'), sure.more);
    tell(part('-knows'), sure.knows);
    part('-way').hidden = !sure.knows;
  };
}
