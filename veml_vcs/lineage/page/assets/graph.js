// The drawing: shapes and colours, what is highlighted, keys.

const SHAPES = { data: 'barrel', model: 'cut-rectangle', training: 'round-rectangle', inference: 'polygon', other: 'rectangle' };
const POINTED = '-1 -1 0.84 -1 1 0 0.84 1 -1 1'; // a tag that leaves room for its text
const FONT = 'system-ui, -apple-system, "Segoe UI", Roboto, "Noto Sans", "DejaVu Sans", sans-serif';
const measure = document.createElement('canvas').getContext('2d');

const MOST_ZOOM = 1.15;
const LEAST_ZOOM = 0.35; // below, letters are too small to read
const large = page.nodes.length > 400;
const shown = new Set(nodes.keys()); // ids of what is drawn

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
  const room = { inference: 44, model: 34 }[node.kind] || 28;
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
    { selector: 'node[shape = "inference"]', style: { 'shape-polygon-points': POINTED, 'text-margin-x': -6 } },
    { selector: 'node[?unknown]', style: { 'border-style': 'dashed' } },
    { selector: 'node[?start]', style: { 'border-width': 6, 'border-style': 'double' } },
    { selector: 'edge', style: {
      label: 'data(label)', 'text-margin-x': 'data(across)', 'text-margin-y': 'data(down)', width: 1.6, 'line-color': colour('edge'), 'target-arrow-color': colour('edge'),
      'target-arrow-shape': 'triangle', 'arrow-scale': 1.1, 'curve-style': large ? 'straight' : 'bezier', color: colour('soft'),
      'font-family': FONT, 'font-size': 11, 'min-zoomed-font-size': 7, 'text-background-color': colour('page'),
      'text-background-opacity': 1, 'text-background-padding': 2, 'overlay-opacity': 0,
    } },
    { selector: 'edge.routed', style: {
      'curve-style': 'unbundled-bezier', 'edge-distances': 'intersection',
      'control-point-weights': (edge) => edge.scratch('controlPointWeights') || [0.5],
      'control-point-distances': (edge) => edge.scratch('controlPointDistances') || [0],
    } },
    { selector: 'edge[kind = "revision_of"]', style: { 'line-style': 'dashed' } },
    { selector: 'edge[kind = "measured_on"], edge[kind = "drifted_from"], edge[kind = "similar_to"]', style: { 'line-style': 'dotted' } },
    { selector: 'edge.crowded', style: { label: '' } },
    { selector: 'edge.looked', style: { label: 'data(label)', width: 2.6, color: colour('text'), 'z-index': 10 } },
    { selector: '.hidden', style: { display: 'none' } },
    { selector: 'node.faded', style: { opacity: 0.28 } },
    { selector: 'edge.faded', style: { opacity: 0.14 } },
    { selector: 'node.found', style: { 'underlay-color': colour('mark'), 'underlay-opacity': 0.3, 'underlay-padding': 6 } },
    { selector: 'edge.near', style: { width: 2.6, 'line-color': colour('mark'), 'target-arrow-color': colour('mark'), color: colour('text'), 'z-index': 9 } },
    { selector: 'node.selected', style: { 'border-width': 4, 'border-color': colour('mark'), 'underlay-color': colour('mark'), 'underlay-opacity': 0.25, 'underlay-padding': 7 } },
  ];
}

function elements() {
  const drawn = [...nodes.values()].map((node) => ({
    data: { id: node.id, place: node.place, shape: known(node.kind), unknown: node.known === false, start: starts.has(node.id), ...labelled(node) },
  }));
  const tied = page.edges.map((edge) => ({
    data: { id: edge.id, source: edge.source, target: edge.target, kind: edge.kind, label: edge.word, across: 0, down: 0 },
  }));
  return [...drawn, ...tied];
}

const cy = cytoscape({
  container: document.getElementById('graph'), elements: elements(), style: styles(), layout: { name: 'null' },
  minZoom: 0.02, maxZoom: 3, boxSelectionEnabled: false, autounselectify: true,
  hideEdgesOnViewport: large, textureOnViewport: large,
});
matchMedia('(prefers-color-scheme: dark)').addEventListener('change', () => cy.style(styles()));

let fitted = false; // until somebody moves it

// What of the drawing can be seen: on a narrow screen the panel lies over its lower part.
function seen() {
  const { top } = document.getElementById('graph').getBoundingClientRect();
  const panel = document.getElementById('panel');
  const over = !panel.hidden && getComputedStyle(panel).position === 'fixed';
  const high = over ? panel.getBoundingClientRect().top - top : cy.height();
  return { wide: cy.width(), high: Math.max(100, Math.min(high, cy.height())) };
}

// Shows all that is drawn, no larger than can be read at ease; not at all if it gets too small.
function fit(least = 0) {
  let { left, right, top, bottom } = box(shown);
  if (left > right) return;
  if (!large) { // edges go around
    const all = cy.elements().not('.hidden').boundingBox({ includeOverlays: false });
    [left, right, top, bottom] = [Math.min(left, all.x1), Math.max(right, all.x2), Math.min(top, all.y1), Math.max(bottom, all.y2)];
  }
  const { wide, high } = seen();
  // Below its bound cytoscape would change nothing, and show an empty corner.
  const zoom = Math.max(cy.minZoom(), Math.min(MOST_ZOOM, (wide - 72) / (right - left), (high - 72) / (bottom - top)));
  if (zoom < least) return;
  fitted = true;
  cy.viewport({ zoom, pan: { x: wide / 2 - (zoom * (left + right)) / 2, y: high / 2 - (zoom * (top + bottom)) / 2 } });
}

function centre(node, zoom, down = 0.5) {
  const { x, y } = node.position();
  const { wide, high } = seen();
  fitted = false;
  cy.viewport({ zoom, pan: { x: wide / 2 - zoom * x, y: high * down - zoom * y } });
}

// Begins where something can be read: at what was asked about, else at the newest.
function begin() {
  fit();
  if (cy.zoom() >= LEAST_ZOOM) return;
  if (page.starts.length) centre(cy.getElementById(page.starts[0]), 0.7);
  else centre(highest(), 0.7, 0.15);
}

function highest() {
  return cy.nodes().filter((node) => shown.has(node.id())).min((node) => node.position('y')).ele;
}

// Moves a node into view, if it is not.
function look(node) {
  const { x, y } = node.renderedPosition();
  const { wide, high } = seen();
  const [across, down] = [(node.data('width') / 2) * cy.zoom() + 16, 24 * cy.zoom() + 16];
  const inside = x > across && y > down && x < wide - across && y < high - down;
  if (!inside || cy.zoom() < LEAST_ZOOM) centre(node, Math.max(cy.zoom(), LEAST_ZOOM * 2));
}

// On a large page the rest is not faded: drawing thousands of elements anew takes a second.
function highlight(id) {
  cy.batch(() => {
    cy.elements('.faded, .near, .selected, .found').removeClass('faded near selected found');
    if (!id) return;
    const node = cy.getElementById(id);
    const near = node.closedNeighborhood();
    if (!large) cy.elements().difference(near).addClass('faded');
    near.edges().addClass('near');
    node.addClass('selected');
  });
  spaceLabels(cy.edges('.near'));
}

function highlightFound(found) {
  highlight(null);
  cy.batch(() => {
    for (const one of found) cy.getElementById(one.id).addClass('found');
    if (!large) cy.elements().not('.found').addClass('faded');
  });
}

// The neighbour that an arrow key leads to: along an edge, or along the row; the nearest across.
function towards(id, key) {
  const node = cy.getElementById(id);
  const here = node.position();
  const way = { ArrowUp: [0, -1], ArrowDown: [0, 1], ArrowLeft: [-1, 0], ArrowRight: [1, 0] }[key];
  const ahead = (one) => (one.position('x') - here.x) * way[0] + (one.position('y') - here.y) * way[1];
  const aside = (one) => Math.abs((one.position('x') - here.x) * way[1]) + Math.abs((one.position('y') - here.y) * way[0]);
  const drawn = (one) => shown.has(one.id()) && ahead(one) > 1;
  const near = node.openNeighborhood('node').filter(drawn);
  const others = way[1] ? near : cy.nodes().filter((one) => drawn(one) && aside(one) < 40);
  const choice = others.nonempty() ? others : near;
  return choice.nonempty() ? choice.min((one) => ahead(one) + 2 * aside(one)).ele.id() : null;
}
