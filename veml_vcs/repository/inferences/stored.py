"""The deployed file in the store: one content in a tree of one entry, out and in."""

from __future__ import annotations

from veml_vcs.errors import DamagedError
from veml_vcs.ids import SampleId, digest, short
from veml_vcs.repository.repository import Repository
from veml_vcs.samples.fragments.content import ContentWriter
from veml_vcs.samples.tree import Entry, EntryKind, Tree, build_tree
from veml_vcs.versions.inferences import ExportFormat, FileFacts

KEYS: dict[ExportFormat, str] = {"onnx": "model.onnx", "torchscript": "model.pt"}
"""What the file is called in its tree: its name on somebody's disk is no part of what it is."""


def write_file(repo: Repository, data: bytes, form: ExportFormat) -> tuple[FileFacts, int]:
    """Store a deployed file, as one batch; one that is stored already is not stored again.

    Args:
        repo: The repository, whose lock the caller holds.
        data: The file.
        form: Its format.

    Returns:
        What a record says of it, and how many bytes the store did not have.
    """
    content = SampleId(digest(data))
    with repo.store.write() as writer:
        contents = ContentWriter(repo.catalog, writer)
        contents.add(content, data, KEYS[form])
        contents.finish()
        entry = Entry(EntryKind.SAMPLE, content, None, len(data))
        tree = build_tree([(KEYS[form], entry)], writer)
    repo.catalog.refresh()
    return FileFacts(tree, content, len(data)), contents.new_bytes


def read_file(repo: Repository, facts: FileFacts) -> bytes:
    """Return a deployed file.

    Raises:
        DamagedError: What is stored is not what the record says.
        NotFoundError: This clone does not have it.
    """
    entries = [entry for _, entry in Tree(repo.store, facts.tree).items()]
    if len(entries) != 1 or entries[0].content != facts.sha256:
        raise DamagedError(f"file {short(facts.tree)}: not the one file that its record says")
    data = repo.contents.read(facts.sha256)
    if len(data) != facts.size_bytes:
        raise DamagedError(
            f"file {short(facts.sha256)}: expected {facts.size_bytes:,} bytes, found {len(data):,}"
        )
    return data
