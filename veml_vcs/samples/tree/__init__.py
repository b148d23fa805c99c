"""The Merkle tree of a data version: key -> (content id, annotation id)."""

from veml_vcs.samples.tree.build import build_tree, update_tree
from veml_vcs.samples.tree.diff import Change, diff_trees
from veml_vcs.samples.tree.entry import Entry, EntryKind, check_key, decode_key, encode_key
from veml_vcs.samples.tree.read import Gap, Tree, TreeSums, walk_new

__all__ = [
    "Change",
    "Entry",
    "EntryKind",
    "Gap",
    "Tree",
    "TreeSums",
    "build_tree",
    "check_key",
    "decode_key",
    "diff_trees",
    "encode_key",
    "update_tree",
    "walk_new",
]
