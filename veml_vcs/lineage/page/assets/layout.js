// Where versions stand: newest at the top. dagre for what it can route, rows for the rest.

const MOST_ROUTED = 600; // versions that dagre places
const MOST_POINTS = 3000; // points that it routes long edges through
const ACROSS = 210;
const DOWN = 96;

// Ids of edges are ours: a stranger's text is no selector.
page.edges.forEach((edge, place) => { edge.id = `e${place}`; });

// Rows from the bottom: the longest way down to an origin. A circle is cut where it closes.
function heights(ids, below) {
  const height = new Map();
  const open = new Set();
  for (const first of ids) {
    const pending = [[first, 0]];
    while (pending.length) {
      const top = pending[pending.length - 1];
      const [id, place] = top;
      const next = below.get(id) || [];
      if (height.has(id)) {
        pending.pop();
      } else if (place < next.length) {
        open.add(id);
        top[1] += 1;
        if (!height.has(next[place]) && !open.has(next[place])) pending.push([next[place], 0]);
      } else {
        open.delete(id);
        height.set(id, Math.max(-1, ...next.map((one) => height.get(one) ?? -1)) + 1);
        pending.pop();
      }
    }
  }
  return height;
}

// Places versions in rows, wrapped; those of a row near to what they stand on.
function rows(ids, below, height) {
  const layers = [];
  for (const id of ids) (layers[height.get(id)] = layers[height.get(id)] || []).push(id);
  const across = Math.max(6, Math.ceil(Math.sqrt(ids.length)));
  const places = new Map();
  let y = 0;
  for (const layer of layers) {
    const order = layer.map((id) => {
      const under = (below.get(id) || []).filter((one) => places.has(one));
      const middle = under.reduce((sum, one) => sum + places.get(one).x, 0) / (under.length || 1);
      return [middle, nodes.get(id).place, id];
    }).sort((one, other) => one[0] - other[0] || one[1] - other[1]).map((one) => one[2]);
    for (let from = 0; from < order.length; from += across) {
      const line = order.slice(from, from + across);
      line.forEach((id, i) => places.set(id, { x: (i - (line.length - 1) / 2) * ACROSS, y }));
      y -= DOWN;
    }
    y -= DOWN / 2;
  }
  return places;
}

function routed(ids, edges) {
  const part = cy.collection().merge(ids.map((id) => cy.getElementById(id))).merge(edges.map((one) => cy.getElementById(one.id)));
  part.layout({ name: 'dagre', rankDir: 'TB', nodeSep: 48, edgeSep: 64, rankSep: 74, fit: false, animate: false,
    ranker: ids.length > 200 ? 'longest-path' : 'network-simplex', useDagreEdgeControlPoints: true }).run();
  // Between neighbouring rows there is nothing to go around.
  part.edges().forEach((edge) => { edge.toggleClass('routed', (edge.scratch('controlPointWeights') || []).length > 1); });
}

// Where nodes are, from what they were given: cytoscape's own box draws every edge first.
function box(ids) {
  const found = { left: Infinity, right: -Infinity, top: Infinity, bottom: -Infinity };
  for (const id of ids) {
    const node = cy.getElementById(id);
    const { x, y } = node.position();
    const half = node.data('width') / 2;
    found.left = Math.min(found.left, x - half);
    found.right = Math.max(found.right, x + half);
    found.top = Math.min(found.top, y - 30);
    found.bottom = Math.max(found.bottom, y + 30);
  }
  return found;
}

// Places the versions that are drawn; what has no edge stands below the rest, in a block.
function lay(shown) {
  const edges = page.edges.filter((one) => shown.has(one.source) && shown.has(one.target));
  const below = new Map();
  const tied = new Set();
  for (const { source, target } of edges) {
    tied.add(source).add(target);
    if (!below.has(source)) below.set(source, []);
    if (source !== target) below.get(source).push(target);
  }
  const ids = [...shown];
  const ties = ids.filter((id) => tied.has(id));
  const alone = ids.filter((id) => !tied.has(id));
  const height = heights(ties, below);
  const points = edges.reduce((sum, one) => sum + Math.abs(height.get(one.source) - height.get(one.target)), -edges.length);
  const small = ties.length <= MOST_ROUTED && points <= MOST_POINTS;
  cy.batch(() => {
    if (!small) {
      const places = rows(ties, below, height);
      cy.nodes().positions((node) => places.get(node.id()) || node.position());
    }
    cy.edges().removeClass('routed');
  });
  if (small && ties.length) routed(ties, edges);
  const { left, right, bottom } = ties.length ? box(ties) : { left: 0, right: 800, bottom: -90 };
  const across = Math.max(4, Math.round((right - left) / ACROSS), Math.ceil(Math.sqrt(alone.length)));
  cy.batch(() => alone.forEach((id, i) => {
    cy.getElementById(id).position({ x: left + 90 + (i % across) * ACROSS, y: bottom + DOWN + Math.floor(i / across) * DOWN });
  }));
}
