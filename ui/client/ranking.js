// Which of many things somebody means by a few letters: what begins with them before what has a word that does, before
// what merely holds them in their order. Pure.
const fold = (text) =>
  text
    .normalize('NFD')
    .replace(/\p{Diacritic}/gu, '')
    .toLowerCase();

// From 0 (as it stands) upwards; null where `text` does not hold the letters of `typed` in their order.
function distance(text, typed) {
  if (text.startsWith(typed)) return 0;
  const words = text.split(/[^\p{L}\p{N}]+/u),
    asked = typed.split(/\s+/).filter(Boolean);
  if (asked.every((one) => words.some((word) => word.startsWith(one)))) return 1;
  if (text.includes(typed)) return 2;
  let at = 0;
  for (const letter of typed.replace(/\s+/g, '')) {
    at = text.indexOf(letter, at) + 1;
    if (!at) return null;
  }
  return 3;
}

// `things` that `typed` may mean, the likeliest first; equals keep their order. All of them where nothing is typed.
export function ranked(things, typed, wordsOf) {
  const letters = fold(typed.trim());
  if (!letters) return [...things];
  return things
    .map((thing) => ({ thing, far: distance(fold(wordsOf(thing)), letters) }))
    .filter(({ far }) => far !== null)
    .sort((a, b) => a.far - b.far)
    .map(({ thing }) => thing);
}
