// Which of our keys a keydown means, whatever the layout, Caps Lock and the way to a bracket. Pure.
//
// A key is named by the character that it types ("a", "[", "?"), since that is what the sheet of keys shows. Where a
// layout has no Latin letters the key's place on a US keyboard stands in (`event.code`).

const PLACES = { BracketLeft: '[', BracketRight: ']', Slash: '/', Period: '.', Equal: '=' };
const isLetter = (key) => /^\p{L}$/u.test(key);
const isLatin = (key) => /^\p{Script=Latin}$/u.test(key);

function placeOf(code) {
  const [, letter, digit] = /^(?:Key([A-Z])|Digit([0-9]))$/.exec(code || '') || [];
  return letter ? letter.toLowerCase() : digit || PLACES[code] || '';
}

// A reader of keydown events. It remembers whether the last letter was a Latin one: Hebrew has an apostrophe on the key
// of "w", and only what was typed before tells it from the apostrophe of a Latin layout.
export function keyReader() {
  let isForeign = false;
  return (event) => {
    const { key } = event;
    if (key.length > 1 && key.codePointAt(0) < 0x10000) return key;
    // AltGr comes as Ctrl and Alt on Windows; Option types characters on a Mac. Letters with Alt are shortcuts.
    const isTyped =
      event.getModifierState('AltGraph') || (event.altKey && !event.ctrlKey && !/^[\p{L}\p{N}]$/u.test(key));
    if (isTyped) return key;
    if (event.ctrlKey || event.metaKey || event.altKey) return '';
    if (isLetter(key)) isForeign = !isLatin(key);
    const name = isForeign && !/^[0-9?/]$/.test(key) ? placeOf(event.code) || key : key;
    // By shift and not by the letter that came: Caps Lock changes letters too.
    return isLetter(name) ? (event.shiftKey ? name.toUpperCase() : name.toLowerCase()) : name;
  };
}
