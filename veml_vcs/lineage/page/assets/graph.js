// The drawing: shapes and colours, what is highlighted, keys.

const SHAPES = { data: 'barrel', model: 'cut-rectangle', training: 'round-rectangle', inference: 'tag', other: 'rectangle' };
const FONT = 'system-ui, -apple-system, "Segoe UI", Roboto, "Noto Sans", "DejaVu Sans", sans-serif';
const measure = document.createElement('canvas').getContext('2d');

function colour(name) {
  return getComputedStyle(document.documentElement).getPropertyValue(`--${name}`).trim();
}

function short(text, most) {
  const signs = [...text];
  // The end of a path tells more than its middle.
  return signs.length <= most ? text : `${signs.slice(0, most / 3).join('')}\u2026${signs.slice(1 - (most * 2) / 3).join('')}`;
}

function labelled(node) {
  const lines = [(starts.has(node.id) ? '\u2605 ' : '') + short(nameOf(node), 27), short([node.kind, fact(node)].filter(Boolean).join(' \u00b7 '), 33)];
  measure.font = `600 13px ${FONT}`;
  const wide = Math.max(...lines.map((one) => measure.measureText(one).width));
  const room = { inference: 56, model: 34 }[node.kind] || 28;
  return { label: lines.join('\n'), width: Math.max(96, Math.ceil(wide) + room) };
}

function styles() {
  const base = {
    label: 'data(label)', 'text-wrap': 'wrap', 'text-valign': 'center', 'text-halign': 'center',
    'font-family': FONT, 'font-size': 13, 'font-weight': 600, 'line-height': 1.25, 'min-zoomed-font-size': 5,
    color: colour('text'), width: 'data(width)', height: 48, 'border-width': 2, 'overlay-opacity': 0,
  };
  const kinds = [...KINDS, 'other'].map((kind) => ({
    selector: `node[shape = "${kind}"]`,
    style: { shape: SHAPES[kind], 'background-color': colour(`${kind}-fill`), 'border-color': colour(`${kind}-line`) },
  }));
  return [
    { selector: 'node', style: base },
    ...kinds,
    { selector: 'node[?unknown]', style: { 'border-style': 'dashed' } },
    { selector: 'node[?start]', style: { 'border-width': 6, 'border-style': 'double' } },
    { selector: 'edge', style: {
      label: 'data(label)', width: 1.6, 'line-color': colour('edge'), 'target-arrow-color': colour('edge'),
      'target-arrow-shape': 'triangle', 'arrow-scale': 1.1, 'curve-style': 'straight', color: colour('soft'),
      'font-family': FONT, 'font-size': 11, 'min-zoomed-font-size': 7, 'text-background-color': colour('page'),
      'text-background-opacity': 1, 'text-background-padding': 2, 'overlay-opacity': 0,
    } },
    { selector: 'edge.routed', style: {
      'curve-style': 'unbundled-bezier', 'edge-distances': 'intersection',
      'control-point-weights': (edge) => edge.scratch('controlPointWeights') || [0.5],
      'control-point-distances': (edge) => edge.scratch('controlPointDistances') || [0],
    } },
    { selector: 'edge[kind = "revision_of"]', style: { 'line-style': 'dashed' } },
    { selector: 'edge[kind = "measured_on"], edge[kind = "drifted_from"]', style: { 'line-style': 'dotted' } },
    { selector: '.hidden', style: { display: 'none' } },
    { selector: 'node.faded', style: { opacity: 0.28 } },
    { selector: 'edge.faded', style: { opacity: 0.14 } },
    { selector: 'edge.near', style: { width: 2.6, 'line-color': colour('mark'), 'target-arrow-color': colour('mark'), color: colour('text'), 'z-index': 9 } },
    { selector: 'node.selected', style: { 'border-width': 4, 'border-color': colour('mark'), 'underlay-color': colour('mark'), 'underlay-opacity': 0.25, 'underlay-padding': 7 } },
  ];
}

function elements() {
  const drawn = [...nodes.values()].map((node) => ({
    data: { id: node.id, place: node.place, shape: known(node.kind), unknown: node.known === false, start: starts.has(node.id), ...labelled(node) },
  }));
  // Ids of edges are ours: a stranger's text is no selector.
  const tied = page.edges.map((edge, place) => ({
    data: { id: `e${place}`, source: edge.source, target: edge.target, kind: edge.kind, label: edgeWord(edge.kind, true, edge.props) },
  }));
  return [...drawn, ...tied];
}

const large = page.nodes.length > 400;
const cy = cytoscape({
  container: document.getElementById('graph'), elements: elements(), style: styles(), layout: { name: 'preset' },
  minZoom: 0.02, maxZoom: 3, boxSelectionEnabled: false, autounselectify: true,
  hideEdgesOnViewport: large, textureOnViewport: large,
});
matchMedia('(prefers-color-scheme: dark)').addEventListener('change', () => cy.style(styles()));

function fit() {
  const shown = cy.elements(':visible');
  cy.fit(shown, 36);
  if (cy.zoom() > 1.15) {
    cy.zoom(1.15);
    cy.center(shown);
  }
}

// Begins where something can be read: at what was asked about, else at the newest.
function begin() {
  fit();
  if (cy.zoom() >= 0.35) return;
  const first = page.starts.length ? cy.getElementById(page.starts[0]) : highest();
  cy.zoom(0.7);
  cy.center(first);
}

function highest() {
  return cy.nodes(':visible').min((node) => node.position('y')).ele;
}

function look(node) {
  const box = node.renderedBoundingBox({ includeLabels: false });
  if (cy.zoom() < 0.35) cy.zoom({ level: 0.8, position: node.position() });
  if (box.x1 < 20 || box.y1 < 20 || box.x2 > cy.width() - 20 || box.y2 > cy.height() - 20 || cy.zoom() < 0.35) cy.center(node);
}

function highlight(id) {
  cy.batch(() => {
    cy.elements().removeClass('faded near selected');
    if (!id) return;
    const node = cy.getElementById(id);
    const near = node.closedNeighborhood();
    cy.elements().difference(near).addClass('faded');
    near.edges().addClass('near');
    node.addClass('selected');
  });
}

function highlightFound(found) {
  const ids = new Set(found.map((one) => one.id));
  cy.batch(() => {
    cy.elements().removeClass('faded near');
    cy.nodes().forEach((node) => node.toggleClass('faded', !ids.has(node.id())));
    cy.edges().addClass('faded');
  });
}

// The neighbour that an arrow key leads to: along an edge, or along the row; the nearest across.
function towards(id, key) {
  const node = cy.getElementById(id);
  const here = node.position();
  const way = { ArrowUp: [0, -1], ArrowDown: [0, 1], ArrowLeft: [-1, 0], ArrowRight: [1, 0] }[key];
  const ahead = (one) => (one.position('x') - here.x) * way[0] + (one.position('y') - here.y) * way[1];
  const aside = (one) => Math.abs((one.position('x') - here.x) * way[1]) + Math.abs((one.position('y') - here.y) * way[0]);
  const near = node.openNeighborhood('node:visible').filter((one) => ahead(one) > 1);
  const others = way[1] ? near : cy.nodes(':visible').filter((one) => ahead(one) > 1 && aside(one) < 40);
  const choice = others.nonempty() ? others : near;
  return choice.nonempty() ? choice.min((one) => ahead(one) + 2 * aside(one)).ele.id() : null;
}
