// Where versions stand: newest at the top. dagre for what it can route, rows for the rest.

const MOST_ROUTED = 600; // versions that dagre places
const MOST_POINTS = 3000; // points that it routes long edges through

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
function rows(drawn, height) {
  const layers = [];
  drawn.nodes().forEach((node) => {
    const row = height.get(node.id());
    (layers[row] = layers[row] || []).push(node);
  });
  const across = Math.max(6, Math.ceil(Math.sqrt(drawn.nodes().length)));
  const place = new Map();
  let y = 0;
  for (const layer of layers) {
    const order = layer.map((node) => {
      const under = node.outgoers('node').filter((one) => place.has(one.id()));
      const sum = under.reduce((total, one) => total + place.get(one.id()).x, 0);
      return [under.length ? sum / under.length : 0, node.data('place'), node];
    }).sort((one, other) => one[0] - other[0] || one[1] - other[1]).map((one) => one[2]);
    for (let from = 0; from < order.length; from += across) {
      const line = order.slice(from, from + across);
      line.forEach((node, i) => place.set(node.id(), { x: (i - (line.length - 1) / 2) * 200, y }));
      y -= 90;
    }
    y -= 40;
  }
  drawn.nodes().positions((node) => place.get(node.id()));
}

// Places what has no edge below the rest, in a block.
function loose(alone, box) {
  const across = Math.max(4, Math.round((box.w || 800) / 200), Math.ceil(Math.sqrt(alone.length)));
  alone.forEach((node, i) => {
    node.position({ x: box.x1 + 90 + (i % across) * 200, y: box.y2 + 110 + Math.floor(i / across) * 90 });
  });
}

function lay(cy) {
  const drawn = cy.elements(':visible');
  const alone = drawn.nodes().filter((node) => node.connectedEdges(':visible').empty());
  const tied = drawn.difference(alone);
  if (tied.nonempty()) {
    const below = new Map();
    tied.edges().forEach((edge) => {
      const [source, target] = [edge.data('source'), edge.data('target')];
      if (source !== target) below.set(source, [...(below.get(source) || []), target]);
    });
    const height = heights(tied.nodes().map((node) => node.id()), below);
    let points = 0;
    tied.edges().forEach((edge) => {
      points += Math.abs(height.get(edge.data('source')) - height.get(edge.data('target'))) - 1;
    });
    const routed = tied.nodes().length <= MOST_ROUTED && points <= MOST_POINTS;
    cy.scratch('routed', routed);
    if (routed) {
      tied.layout({ name: 'dagre', rankDir: 'TB', nodeSep: 48, edgeSep: 40, rankSep: 74, fit: false, animate: false,
        ranker: tied.nodes().length > 200 ? 'longest-path' : 'network-simplex',
        useDagreEdgeControlPoints: true }).run();
    } else {
      rows(tied, height);
    }
    cy.edges().toggleClass('routed', routed);
  }
  loose(alone, tied.nonempty() ? tied.nodes().boundingBox() : { x1: 0, y2: 0, w: 0 });
}
