// The panel: all that is known of one version. Text of the repository is only ever put in as text.

const ICONS = {
  data: [['path', { d: 'M2 4q11 -3.5 22 0v10q-11 3.5 -22 0z' }]],
  model: [['polygon', { points: '6,2 20,2 24,6 24,12 20,16 6,16 2,12 2,6' }]],
  training: [['rect', { x: 2, y: 2, width: 22, height: 14, rx: 5 }]],
  inference: [['polygon', { points: '2,2 18,2 24,9 18,16 2,16' }]],
  other: [['rect', { x: 2, y: 2, width: 22, height: 14 }]],
};
const UNITS = new Map([['bytes', size], ['median_ms', (value) => `${number(value)} ms`]]);
const NAMES = new Map([['learning_rate', 'learning rate'], ['batch_size', 'batch size'], ['median_ms', 'median latency'], ['bytes', 'size']]);

// make('p', {class: 'note'}, 'text', child ...)
function make(tag, attributes, ...children) {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes || {})) made.setAttribute(name, value);
  made.append(...children.filter((one) => one !== null && one !== undefined && one !== ''));
  return made;
}

function icon(kind) {
  const space = 'http://www.w3.org/2000/svg';
  const drawn = document.createElementNS(space, 'svg');
  for (const [name, value] of Object.entries({ class: 'kind', viewBox: '0 0 26 18', 'aria-hidden': 'true' })) drawn.setAttribute(name, value);
  for (const [tag, attributes] of ICONS[known(kind)]) {
    const shape = document.createElementNS(space, tag);
    for (const [name, value] of Object.entries({ class: `k-${known(kind)}`, ...attributes })) shape.setAttribute(name, value);
    drawn.append(shape);
  }
  return drawn;
}

function button(text, act, attributes) {
  const made = make('button', { type: 'button', ...attributes }, text);
  made.addEventListener('click', act);
  return made;
}

function copier(text, what) {
  const made = button('Copy', async () => {
    let done = false;
    try {
      await navigator.clipboard.writeText(text);
      done = true;
    } catch { // a page from a file may not be let to the clipboard: then as it was done before
      const field = make('textarea', { readonly: '' });
      field.value = text;
      document.body.append(field);
      field.select();
      done = document.execCommand('copy');
      field.remove();
    }
    made.textContent = done ? 'Copied' : 'Not allowed';
    say(done ? `${what} copied` : 'The browser does not let the page copy');
    setTimeout(() => { made.textContent = 'Copy'; }, 1600);
  }, { class: 'copy', 'aria-label': `Copy ${what}` });
  return made;
}

function rowsOf(values) {
  const rows = Object.entries(values).filter(([, value]) => value !== null && typeof value !== 'object');
  if (!rows.length) return null;
  return make('dl', {}, ...rows.flatMap(([name, value]) => [
    make('dt', {}, NAMES.get(name) || printable(name)),
    make('dd', {}, typeof value === 'number' && UNITS.has(name) ? UNITS.get(name)(value) : number(value)),
  ]));
}

function part(title, ...children) {
  const there = children.filter(Boolean);
  return there.length ? [make('h3', {}, title), ...there] : [];
}

// What one edge says, as a link to the node at its other end where that is drawn.
function tie([word, way, other, props]) {
  const node = nodes.get(other);
  const [otherKind, name] = node ? [node.kind, nameOf(node)] : (page.beyond[other] || ['', '']);
  const numbers = Object.entries(props).filter(([, one]) => typeof one === 'number' || typeof one === 'string')
    .map(([key, one]) => `${printable(key)} ${number(one)}`).slice(0, 6).join(', ');
  const text = make('span', {}, `${word} `, make('b', {}, printable(name) || other.slice(0, 10)),
    make('small', {}, `${printable(otherKind)} ${other.slice(0, 10)}${numbers ? `; ${numbers}` : ''}`));
  if (!node) return make('li', {}, make('div', {}, text, make('small', {}, 'not on this page')));
  const link = button(icon(node.kind), () => select(other, { panel: true }));
  link.append(text);
  return make('li', {}, link);
}

function facts(node) {
  const kinds = new Map();
  for (const [id, name, objects] of node.facts) {
    const kind = id.slice(0, id.indexOf(':'));
    if (!kinds.has(kind)) kinds.set(kind, []);
    const told = objects === undefined ? printable(name) : `${printable(name)} \u00d7 ${number(objects)}`;
    kinds.get(kind).push(button(told, () => ask(id), { title: 'Find all that have it' }));
  }
  return [...kinds].flatMap(([kind, chips]) => part(kind[0].toUpperCase() + kind.slice(1), make('div', { class: 'chips' }, ...chips)));
}

function commits(node) {
  const rows = node.commits.map(([id, paths]) => {
    const { subject, author, day } = page.commits[id];
    return make('li', {}, make('div', {}, printable(subject) || '(no subject)',
      make('small', {}, `${id.slice(0, 10)}, ${[printable(author), day].filter(Boolean).join(', ')}`),
      ...paths.map((one) => make('small', {}, `at ${printable(one)}`))));
  });
  if (node.more_commits) rows.push(make('li', { class: 'note' }, `and ${number(node.more_commits)} older`));
  return rows.length ? part('Brought by', make('ul', {}, ...rows)) : [];
}

function fill(panel, node) {
  const edges = (way) => {
    const found = node.edges.filter((one) => one[1] === way);
    return found.length ? part(way === 'out' ? 'Came from' : 'Went into', make('ul', {}, ...found.map(tie))) : [];
  };
  const { metrics, ...props } = node.props;
  panel.replaceChildren(
    make('div', { class: 'top' }, icon(node.kind), make('div', {}, make('h2', {}, nameOf(node)),
      make('p', { class: 'what' }, `${node.kind}${KINDS.includes(node.kind) ? ' version' : ''}${starts.has(node.id) ? ', asked about' : ''}`)),
    button('\u00d7', () => select(null), { 'aria-label': 'Close', title: 'Close (Esc)' })),
    make('div', { class: 'id' }, make('code', {}, node.id), copier(node.id, 'id')),
    node.known === false ? make('p', { class: 'warning' }, 'A record names this version, and no commit here has it.') : '',
    ...part('Metrics', metrics && rowsOf(metrics)),
    ...part('Record', rowsOf(props)),
    ...facts(node),
    ...edges('out'),
    ...edges('in'),
    node.more_edges ? make('p', { class: 'note' }, `and ${number(node.more_edges)} more that are not on this page`) : '',
    ...commits(node),
    ...part('In the terminal', ...node.commands.map((one) => make('div', { class: 'command' }, make('code', {}, one), copier(one, 'command')))),
  );
  panel.scrollTop = 0;
}
