"""Mark what trees hold: the nodes, and the rows that their leaves name.

Each node is looked at once, whatever the number of trees that share it, so marking all of history
costs what is distinct in it. Whether nodes fit together is not checked here: what a node names is
kept even where the tree as a whole would be refused.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from veml_vcs.errors import DamagedError, NotFoundError
from veml_vcs.ids import ObjectId
from veml_vcs.objects.protocol import ObjectStore
from veml_vcs.samples.tree.node import decode_inner, is_leaf, leaf_rows


@dataclass
class Marks:
    """What was reached so far.

    Attributes:
        nodes: Tree nodes.
        contents: Ids of samples and files.
        annotations: Ids of annotations.
        missing: Nodes that a tree needs and the store lacks.
        damaged: Nodes that cannot be read: node -> why.
    """

    nodes: set[ObjectId] = field(default_factory=set)
    contents: set[bytes] = field(default_factory=set)
    annotations: set[bytes] = field(default_factory=set)
    missing: set[ObjectId] = field(default_factory=set)
    damaged: dict[ObjectId, str] = field(default_factory=dict)

    def tree(self, store: ObjectStore, roots: Iterable[ObjectId]) -> bool:
        """Mark everything below some nodes; tell whether all of it could be read.

        Args:
            store: Holds the nodes.
            roots: Where to begin; a leaf is fine.
        """
        pending = list(roots)
        sound = True
        while pending:
            node = pending.pop()
            if node in self.nodes:
                continue
            self.nodes.add(node)
            try:
                data = store.get(node)
                if is_leaf(data):
                    contents, annotations = leaf_rows(data, node)
                    self.contents.update(contents)
                    self.annotations.update(annotations)
                else:
                    pending += (child.node for child in decode_inner(data, node)[1])
            except NotFoundError:
                self.missing.add(node)
            except DamagedError as error:
                self.damaged[node] = error.message
            else:
                continue
            sound = False
        return sound
