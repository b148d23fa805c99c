// What the page was given, and words for it. Nothing here touches the document but its data.

const page = JSON.parse(document.getElementById('data').textContent);
const KINDS = ['data', 'model', 'training', 'inference'];
const nodes = new Map(page.nodes.map((one, place) => [one.id, { ...one, place }]));
const starts = new Set(page.starts);

// Characters that are not seen, or that turn the direction of a line, are shown as such.
function printable(text) {
  return String(text).replace(/[\u0000-\u001f\u007f-\u009f\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff\ud800-\udfff]/gu, '\ufffd');
}

function nameOf(node) {
  return printable(node.name) || (node.known === false ? 'in no commit here' : '(no name)');
}

function known(kind) {
  return KINDS.includes(kind) ? kind : 'other';
}

function number(value) {
  if (typeof value !== 'number') return printable(value);
  if (Number.isInteger(value)) return value.toLocaleString('en');
  return String(Number(value.toPrecision(4)));
}

function size(bytes) {
  const units = ['bytes', 'KB', 'MB', 'GB', 'TB'];
  let place = 0;
  let left = bytes;
  while (left >= 1000 && place < units.length - 1) {
    left /= 1000;
    place += 1;
  }
  return `${place ? left.toPrecision(3) : left} ${units[place]}`;
}

// What is worth saying of a version beside its name.
function fact(node) {
  return node.known === false ? 'not in this history' : printable(node.says);
}

// Facts are told apart as veml does: case, blanks and hyphens do not count.
function normal(text) {
  return text.toLowerCase().replace(/[^\p{L}\p{N}]/gu, '') || text;
}

for (const node of nodes.values()) {
  node.lower = node.name.toLowerCase();
  node.factNames = node.facts.map(([id, name]) => [id, String(name).toLowerCase()]);
}

const factIds = new Set(page.nodes.flatMap((node) => node.facts.map(([id]) => id)));

function fits(node, word) {
  const colon = word.indexOf(':');
  if (colon > 0) {
    const [kind, name] = [word.slice(0, colon), word.slice(colon + 1)];
    if (kind === node.kind && node.lower.includes(name)) return true;
    const wanted = `${kind}:${normal(name)}`;
    return node.facts.some(([id]) => (factIds.has(wanted) ? id === wanted : id.startsWith(wanted)));
  }
  return node.lower.includes(word) || node.id.startsWith(word) || node.kind === word
    || node.factNames.some(([, name]) => name.includes(word));
}

function rank(node, text) {
  if (node.lower === text || node.id === text) return 0;
  if (node.id.startsWith(text) && text.length > 3) return 1;
  if (node.lower.startsWith(text)) return 2;
  if (node.lower.includes(text)) return 3;
  return 4;
}

// Versions that fit all words, best first; all of them, in the page's order, where nothing is asked.
function find(text) {
  const asked = text.trim().toLowerCase();
  const words = asked.split(/\s+/).filter(Boolean);
  return [...nodes.values()]
    .filter((one) => words.every((word) => fits(one, word)))
    .map((one) => [words.length ? rank(one, asked) : 0, one.place, one])
    .sort((one, other) => one[0] - other[0] || one[1] - other[1])
    .map((one) => one[2]);
}

// Ids of what is so many steps away at most, along edges in either direction.
function around(ids, steps) {
  const near = new Map();
  for (const { source, target } of page.edges) {
    for (const [one, other] of [[source, target], [target, source]]) {
      if (!near.has(one)) near.set(one, []);
      near.get(one).push(other);
    }
  }
  const found = new Set(ids);
  let layer = [...found];
  for (let step = 0; step < steps && layer.length; step += 1) {
    layer = layer.flatMap((one) => near.get(one) || []).filter((one) => !found.has(one) && found.add(one));
  }
  return found;
}
