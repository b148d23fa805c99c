// Labels of edges: one that would lie on a version, or on another label, stands elsewhere on its
// edge, or is left out until somebody looks at the edge.

const ALONG = [0.5, 0.38, 0.62, 0.27, 0.73]; // where on a straight edge, the middle first
const LABEL_HIGH = 17;
const CELL = 160;
const wide = new Map(); // a word -> its width

function wordWide(text) {
  if (!wide.has(text)) {
    measure.font = `11px ${FONT}`;
    wide.set(text, Math.ceil(measure.measureText(text).width) + 8);
  }
  return wide.get(text);
}

// What is taken, in cells of a grid, so that a box meets few others.
function space() {
  const cells = new Map();
  const cellsOf = ([left, right, top, bottom]) => {
    const found = [];
    for (let x = Math.floor(left / CELL); x <= Math.floor(right / CELL); x += 1) {
      for (let y = Math.floor(top / CELL); y <= Math.floor(bottom / CELL); y += 1) found.push(`${x},${y}`);
    }
    return found;
  };
  return {
    free: (one) => cellsOf(one).every((cell) => (cells.get(cell) || []).every(
      (other) => one[0] >= other[1] || one[1] <= other[0] || one[2] >= other[3] || one[3] <= other[2])),
    take: (one) => {
      for (const cell of cellsOf(one)) {
        if (!cells.has(cell)) cells.set(cell, []);
        cells.get(cell).push(one);
      }
    },
  };
}

// Where the label of an edge may stand: how far from the middle of the edge, and the box there.
function places(edge) {
  const middle = edge.midpoint();
  if (!middle || !Number.isFinite(middle.x)) return [];
  const [from, to] = [edge.source().position(), edge.target().position()];
  const half = wordWide(edge.data('label')) / 2;
  return (edge.hasClass('routed') ? [0.5] : ALONG).map((part) => {
    const [across, down] = [(to.x - from.x) * (part - 0.5), (to.y - from.y) * (part - 0.5)];
    const [x, y] = [middle.x + across, middle.y + down];
    return { across, down, box: [x - half, x + half, y - LABEL_HIGH / 2, y + LABEL_HIGH / 2] };
  });
}

// Places labels, those of some edges first; on a large page those alone, since it takes long.
function spaceLabels(first = cy.collection()) {
  const taken = space();
  for (const id of shown) {
    const node = cy.getElementById(id);
    const { x, y } = node.position();
    const half = node.data('width') / 2;
    taken.take([x - half, x + half, y - 26, y + 26]);
  }
  const rest = large && first.nonempty() ? cy.collection() : cy.edges().difference(first);
  cy.batch(() => {
    for (const edge of [...first, ...rest]) {
      if (!shown.has(edge.data('source')) || !shown.has(edge.data('target'))) continue;
      const place = places(edge).find((one) => taken.free(one.box));
      if (place) {
        taken.take(place.box);
        edge.data({ across: place.across, down: place.down });
      }
      edge.toggleClass('crowded', !place);
    }
  });
}
