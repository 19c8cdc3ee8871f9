// The few words that every module needs to draw with. Text goes in by textContent alone, and runs the way of its own
// language (`dir=auto`), for it may be a person's or a model's.
const NS = 'http://www.w3.org/2000/svg';

export const make = (tag, name, parent, text) => {
  const node = document.createElement(tag);
  if (name) node.className = name;
  if (tag === 'button') node.type = 'button';
  if (text !== undefined) say(node, text);
  if (parent) parent.appendChild(node);
  return node;
};
export const svg = (tag, attributes, parent) => {
  const node = document.createElementNS(NS, tag);
  put(node, attributes);
  if (parent) parent.appendChild(node);
  return node;
};
export const say = (node, text) => {
  if (node.textContent === text) return;
  node.textContent = text;
  if (text && node instanceof HTMLElement) node.dir = 'auto';
};
// For a node that takes no room without text.
export const tell = (node, text) => {
  say(node, text || '');
  node.hidden = !text;
};
export const put = (node, attributes) => {
  for (const name in attributes) {
    const value = attributes[name];
    if (value === null || value === undefined || value === false) node.removeAttribute(name);
    else if (node.getAttribute(name) !== String(value)) node.setAttribute(name, value);
  }
};
// One child of `parent` for each item, made by `create` and updated by `update`; nodes stay where they are, so focus
// does too.
export const each = (parent, items, create, update) => {
  while (parent.children.length > items.length) parent.lastElementChild.remove();
  items.forEach((item, index) => {
    const node = parent.children[index] || parent.appendChild(create());
    update(node, item, index);
  });
};
// A select with these [value, words] to choose from.
export const options = (select, pairs) =>
  each(
    select,
    pairs,
    () => make('option'),
    (node, [value, words]) => {
      node.value = value;
      say(node, words);
    },
  );
// A row of a list of facts (dl).
export const fact = ({ name, value }) => {
  const group = make('div');
  make('dt', '', group, name);
  make('dd', '', group, value);
  return group;
};
const TONES = 6;
export const tone = (step) => `var(--tone-${(step % TONES) + 1})`;
