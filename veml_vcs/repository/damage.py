"""What cannot be read of data versions: said in words, so that the rest can be given, and mended.

A command that only looks (``status``, ``diff``, ``log``) gives what it can read, each result names
what it could not, and ``unread_error`` ends the command. A command that would write from what it
reads refuses; ``explained`` adds to its error which versions are hit and what to type.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass

from veml_vcs.errors import DamagedError, NotFoundError, VemlError
from veml_vcs.ids import ObjectId, TreeId
from veml_vcs.repository.git.repo import TreeFile
from veml_vcs.repository.merging.operation import HEAD_FILES
from veml_vcs.repository.records.place import stored_parts
from veml_vcs.repository.repository import Repository
from veml_vcs.samples.tree import Gap, Tree, decode_key
from veml_vcs.versions.data import DataRecord

MEND = (
    "veml fsck --repair mends it from the work tree or a remote on this machine; with another "
    "clone: veml fsck --repair --from PATH"
)
_LISTED = 10
_MOST_VERSIONS = 16


@dataclass(frozen=True)
class Unreadable:
    """A part of a data version that cannot be read.

    Attributes:
        path: The data set.
        tree: The version's tree, in hex.
        what: The files or samples, in words: ``24 files after 0005.png to 0029.png``.
        error: Why, with the damaged object's name.
    """

    path: str
    tree: str
    what: str
    error: str

    def __str__(self) -> str:
        return f"{self.path} (version {self.tree[:10]}): {self.what}: {self.error}"


def gap_words(gap: Gap) -> str:
    """Say which files a gap is about."""
    first = "from the first" if not gap.after else f"after {decode_key(gap.after)}"
    last = "the last" if gap.last_key is None else decode_key(gap.last_key)
    count = "all" if gap.entries is None else f"{gap.entries:,}"
    return f"{count} files {first} to {last}"


def unreadable(path: str, tree: TreeId, gaps: Iterable[Gap]) -> tuple[Unreadable, ...]:
    """Return what cannot be read of one tree, each gap once."""
    told = {gap: Unreadable(path, tree.hex(), gap_words(gap), gap.error) for gap in gaps}
    return tuple(told.values())


def unread_error(found: Sequence[Unreadable]) -> DamagedError:
    """Return the error that ends a command which has told everything else."""
    listed = [*dict.fromkeys(map(str, found))]
    rest = f"\n  and {len(listed) - _LISTED} more" if len(listed) > _LISTED else ""
    parts = "1 part" if len(listed) == 1 else f"{len(listed)} parts"
    return DamagedError(
        f"{parts} of data versions cannot be read, everything else is told above:\n  "
        + "\n  ".join(listed[:_LISTED])
        + rest,
        hint=MEND,
        kind="unread",
    )


def explained(repo: Repository, error: VemlError) -> VemlError:
    """Return an error about a stored object with the versions that it hits, and what to type.

    Looks at the trees of HEAD, the index, what is being merged, and the branches; not at all of
    history, which ``veml fsck`` does.

    Args:
        repo: The repository.
        error: What ended the command.
    """
    if error.object_id is None or error.kind == "newer-format":
        return error
    hit = _versions_hit(repo, error.object_id)
    message = error.message
    if hit:
        message += f"\n  it is needed for the data of {', '.join(hit)}"
    told = type(error)(message, hint=f"{MEND}; veml fsck names all versions hit", kind=error.kind)
    told.object_id = error.object_id
    return told


def _versions_hit(repo: Repository, damaged: bytes) -> list[str]:
    hit: list[str] = []
    known: dict[TreeId, bool] = {}
    for name, trees in _versions(repo):
        for path, tree in trees.items():
            if tree not in known:
                if len(known) == _MOST_VERSIONS:
                    return [*hit, "..."]
                known[tree] = _is_hit(repo, tree, damaged)
            if known[tree]:
                hit.append(f"{name}:{path}")
    return hit


def _versions(repo: Repository) -> Iterable[tuple[str, dict[str, TreeId]]]:
    """List the versions that a user is likely to be at, by a revision that names each.

    The trees of each, by the data set's folder, or ``trainings/NAME (checkpoint)``.
    """
    seen = set()
    head = repo.git.head()
    names = [head.branch or "HEAD", *HEAD_FILES.values()]
    with suppress(VemlError):
        names += [*repo.git.branches(), *repo.git.remote_branches()]
    for name in dict.fromkeys(names):
        with suppress(VemlError):
            commit = repo.resolve(name)
            if commit not in seen:
                seen.add(commit)
                yield name, _trees(repo, repo.datasets_at(commit), repo.git.files(commit))
    with suppress(VemlError):
        here = _trees(repo, repo.datasets_at(head.commit), repo.git.files(head.commit))
        staged = _trees(repo, repo.staged_datasets(), repo.git.staged_files())
        # As Git writes what is in the index: ":PATH".
        yield "", {path: one for path, one in staged.items() if here.get(path) != one}


def _trees(
    repo: Repository, datasets: Mapping[str, DataRecord], files: Mapping[str, TreeFile]
) -> dict[str, TreeId]:
    found = {path: one.tree for path, one in datasets.items()}
    found |= stored_parts(repo, files)
    return found


def _is_hit(repo: Repository, tree: TreeId, damaged: bytes) -> bool:
    """Tell whether a tree cannot be read because of an object: its node, or a base of one."""
    try:
        for node in Tree(repo.store, tree).nodes():
            repo.store.get(ObjectId(node))
    except (DamagedError, NotFoundError) as error:
        return error.object_id == damaged
    return False
