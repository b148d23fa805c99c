// What the page does: selection, search, filters, keys. The last of its parts.

const LISTED = 100;
const at = (id) => document.getElementById(id);
const hiddenKinds = new Set();
let selected = null;
let listed = [];

function say(text) {
  at('said').textContent = text;
}

function select(id, { panel = false } = {}) {
  selected = id;
  highlight(id);
  if (at('panel').hidden === Boolean(id)) {
    at('panel').hidden = !id;
    cy.resize();
    if (fitted) fit(0.75);
  }
  for (const one of at('results').querySelectorAll('button')) one.setAttribute('aria-current', String(one.value === id));
  if (!id) {
    say('Nothing is selected');
    return;
  }
  const node = nodes.get(id);
  reveal(id);
  fill(at('panel'), node);
  look(cy.getElementById(id));
  const ends = (way) => node.edges.filter((one) => one[1] === way).length;
  say(`${node.kind} ${nameOf(node)}, ${fact(node)}; came from ${ends('out')}, went into ${ends('in')}`);
  if (panel) at('panel').focus();
}

// A version that is asked for by name is drawn, whatever was filtered before.
function reveal(id) {
  const kind = known(nodes.get(id).kind);
  if (hiddenKinds.delete(kind)) {
    at(`kind-${kind}`).checked = true;
    draw();
    highlight(id);
  }
  if (!shown.has(id)) {
    at('steps').value = '';
    draw();
    lay(shown);
    highlight(id);
  }
}

// Decides what is drawn: so many steps around what is selected or was asked about, of some kinds.
function draw() {
  const steps = at('steps').value;
  const centres = selected ? [selected] : page.starts.length ? page.starts : [page.nodes[0]?.id];
  const near = steps ? around(centres, Number(steps)) : null;
  shown.clear();
  for (const node of nodes.values()) {
    if ((!near || near.has(node.id)) && !hiddenKinds.has(known(node.kind))) shown.add(node.id);
  }
  cy.batch(() => cy.nodes().forEach((node) => { node.toggleClass('hidden', !shown.has(node.id())); }));
  // Cytoscape applies a style when it is first asked for. If that is while it finds the ways of edges,
  // it takes one to a hidden end first for drawn, then not, and fails: so all ends are asked before.
  cy.nodes().forEach((node) => { node.style('display'); });
  spaceLabels(cy.edges('.near'));
  say(`${shown.size} of ${nodes.size} versions drawn`);
}

function showFound(text) {
  listed = find(text);
  const items = listed.slice(0, LISTED).map((node) => {
    const item = button(icon(node.kind), () => select(node.id, { panel: matchMedia('(max-width: 760px)').matches }), { value: node.id, 'aria-current': String(node.id === selected) });
    item.append(make('span', { class: 'name' }, nameOf(node), make('small', {}, `${node.kind} ${node.id.slice(0, 10)}${fact(node) ? `, ${fact(node)}` : ''}`)));
    return make('li', {}, item);
  });
  if (listed.length > LISTED) items.push(make('li', { class: 'more' }, `and ${number(listed.length - LISTED)} more: type more of the name`));
  at('results').replaceChildren(...items);
  at('found').textContent = text.trim() ? `${number(listed.length)} found` : `${number(listed.length)} versions`;
  if (text.trim()) {
    at('list').open = true;
    highlightFound(listed);
  } else {
    highlight(selected);
  }
}

function ask(text) {
  at('search').value = text;
  showFound(text);
  at('search').focus();
}

function kinds() {
  const counts = new Map();
  for (const node of nodes.values()) counts.set(known(node.kind), (counts.get(known(node.kind)) || 0) + 1);
  at('kinds').replaceChildren(...[...KINDS, 'other'].filter((kind) => counts.has(kind)).map((kind) => {
    const box = make('input', { type: 'checkbox', id: `kind-${kind}` });
    box.checked = true;
    box.addEventListener('change', () => {
      hiddenKinds[box.checked ? 'delete' : 'add'](kind);
      draw();
    });
    return make('label', { for: `kind-${kind}` }, box, icon(kind), kind, make('span', { class: 'count' }, number(counts.get(kind))));
  }));
}

function leftOut() {
  const counts = Object.entries(page.left_out);
  if (!counts.length) return;
  at('left-out').hidden = false;
  at('left-out').replaceChildren(
    make('b', {}, `Not on this page: ${counts.map(([kind, count]) => `${number(count)} ${kind}`).join(', ')}. `), 'To see ',
    ...Object.entries(page.narrow).flatMap(([what, command], place) => [place ? '; ' : '', `${what}: `, make('code', {}, command)]),
  );
}

async function save() {
  const image = await cy.png({ full: true, scale: 2, maxWidth: 8000, maxHeight: 8000, bg: colour('page'), output: 'blob-promise' });
  const link = make('a', { download: 'lineage.png', href: URL.createObjectURL(image) });
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 10000);
}

function zoom(factor) {
  fitted = false;
  cy.zoom({ level: cy.zoom() * factor, renderedPosition: { x: cy.width() / 2, y: cy.height() / 2 } });
}

function onGraphKey(event) {
  if (event.ctrlKey || event.metaKey || event.altKey || !shown.size) return;
  if (event.key.startsWith('Arrow')) {
    const next = selected && shown.has(selected) ? towards(selected, event.key) : (page.starts[0] || highest().id());
    if (next) select(next);
    else say('Nothing further that way');
  } else if (event.key === 'Enter' && selected) {
    select(selected, { panel: true });
  } else if (event.key === '+' || event.key === '=') {
    zoom(1.3);
  } else if (event.key === '-') {
    zoom(1 / 1.3);
  } else if (event.key === '0') {
    fit();
  } else {
    return;
  }
  event.preventDefault();
}

function onKey(event) {
  const typing = event.target.matches('input[type=search]');
  if (event.key === '/' && !typing) {
    at('search').focus();
    event.preventDefault();
  } else if (event.key === 'Escape' && !typing && selected) {
    const inside = at('panel').contains(document.activeElement);
    select(null);
    if (inside) at('graph').focus();
  }
}

function onSearchKey(event) {
  if (event.key === 'Enter' && listed.length) {
    select(listed[0].id);
  } else if (event.key === 'ArrowDown') {
    at('results').querySelector('button')?.focus();
    event.preventDefault();
  } else if (event.key === 'Escape') {
    at('search').value = '';
    showFound('');
  }
}

function onListKey(event) {
  const way = { ArrowDown: 'nextElementSibling', ArrowUp: 'previousElementSibling' }[event.key];
  if (!way) return;
  const next = event.target.closest('li')?.[way];
  (next ? next.querySelector('button') : way === 'previousElementSibling' ? at('search') : null)?.focus();
  event.preventDefault();
}

cy.on('tap', 'node', (event) => select(event.target.id()));
cy.on('tap', (event) => event.target === cy && select(null));
cy.on('dragpan scrollzoom pinchzoom', () => { fitted = false; });
cy.on('mouseover', 'node', () => { at('graph').style.cursor = 'pointer'; });
cy.on('mouseover mouseout', 'edge', (event) => { event.target.toggleClass('looked', event.type === 'mouseover'); });
cy.on('mouseout', 'node', () => { at('graph').style.cursor = ''; });
at('graph').addEventListener('keydown', onGraphKey);
addEventListener('resize', () => {
  cy.resize();
  if (fitted) fit(0.75);
});
document.addEventListener('keydown', onKey);
at('search').addEventListener('input', () => showFound(at('search').value));
at('search').addEventListener('keydown', onSearchKey);
at('results').addEventListener('keydown', onListKey);
at('steps').addEventListener('change', () => {
  draw();
  lay(shown);
  spaceLabels(cy.edges('.near'));
  fit();
});
at('fit').addEventListener('click', () => fit());
at('in').addEventListener('click', () => zoom(1.3));
at('out').addEventListener('click', () => zoom(1 / 1.3));
at('save').addEventListener('click', save);

kinds();
leftOut();
if (matchMedia('(max-width: 760px)').matches) {
  at('list').open = false;
  at('legend').open = false;
}
showFound('');
lay(shown);
spaceLabels();
begin();
