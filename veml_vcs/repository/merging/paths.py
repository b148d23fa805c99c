"""Three-way merge of Git trees, path by path; data sets go to ``merge_data``, text to merge3."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from itertools import pairwise

from veml_vcs.errors import ConflictError
from veml_vcs.ids import CommitId
from veml_vcs.objects.protocol import ObjectWriter
from veml_vcs.repository.absent import require_here
from veml_vcs.repository.git.ignore import ignore_line, merge_lines, without_line
from veml_vcs.repository.git.repo import REGULAR_MODE, TreeFile
from veml_vcs.repository.merging.attributes import MergeAttributes
from veml_vcs.repository.merging.data import DataMerge, merge_data
from veml_vcs.repository.merging.renames import with_renames
from veml_vcs.repository.merging.rules import Settlement
from veml_vcs.repository.merging.text import BLOB_KINDS, merge_text, merged_mode
from veml_vcs.repository.progress import Progress
from veml_vcs.repository.repository import Repository
from veml_vcs.repository.revisions import merge_bases
from veml_vcs.versions.data import (
    RECORD_SUFFIX,
    DataRecord,
    dataset_path,
    is_data_record,
    parse_data_record,
)
from veml_vcs.versions.kinds import MODEL, measured_at

Three = tuple[TreeFile | None, TreeFile | None, TreeFile | None]
_MAX_VIRTUAL_DEPTH = 100


@dataclass
class TreeMerge:
    """The merge of two trees.

    Attributes:
        files: The merged tree; conflicted text files hold conflict marks, as Git writes them.
        conflicts: Ordinary files (and records) in conflict: base, ours, theirs.
        data: The data sets that both sides, or their side, changed.
    """

    files: dict[str, TreeFile] = field(default_factory=dict)
    conflicts: dict[str, Three] = field(default_factory=dict)
    data: list[DataMerge] = field(default_factory=list)


class TreeMerger:
    """Merges commits of one repository.

    Args:
        repo: The repository.
        writer: Takes what merges of data sets make.
        settlement: What settles conflicts.
        progress: Is told how far it is.
        names: What conflict marks in text files call our side and theirs.
    """

    def __init__(
        self,
        repo: Repository,
        writer: ObjectWriter,
        settlement: Settlement,
        progress: Progress,
        names: tuple[str, str] = ("HEAD", "theirs"),
    ) -> None:
        self._repo = repo
        self._writer = writer
        self._settlement = settlement
        self._progress = progress
        self._names = names

    def merge(self, ours: CommitId, theirs: CommitId) -> TreeMerge:
        """Merge two commits over their common ancestors (none: over the empty tree)."""
        bases = merge_bases(self._repo.git, ours, theirs)
        return self._merge_files(
            self._base_files(bases, 0), self._repo.git.files(ours), self._repo.git.files(theirs),
            self._settlement,
        )  # fmt: skip

    def merge_over(
        self, base: CommitId | None, ours: CommitId, theirs: CommitId | None
    ) -> TreeMerge:
        """Merge two commits as if they had begun as ``base`` (None: the empty tree)."""
        files = self._repo.git.files
        return self._merge_files(files(base), files(ours), files(theirs), self._settlement)

    def _base_files(self, bases: list[CommitId], depth: int) -> dict[str, TreeFile]:
        """Return one ancestor's files; several (criss-cross) are first merged with each other.

        As in Git's recursive strategy, a conflict between ancestors does not stop the merge; here
        the first one's side stands in for it.
        """
        if not bases:
            return {}
        files = self._repo.git.files(bases[0])
        for previous, other in pairwise(bases):
            below: dict[str, TreeFile] = {}
            if depth < _MAX_VIRTUAL_DEPTH:
                below = self._base_files(merge_bases(self._repo.git, previous, other), depth + 1)
            files = self._merge_files(
                below, files, self._repo.git.files(other), Settlement(default="ours")
            ).files
        return files

    def _merge_files(
        self,
        base: dict[str, TreeFile],
        ours: dict[str, TreeFile],
        theirs: dict[str, TreeFile],
        settlement: Settlement,
    ) -> TreeMerge:
        merge = TreeMerge()
        base, ours, theirs = with_renames(self._repo, base, ours, theirs)
        attributes = MergeAttributes(self._repo, ours)
        models: dict[str, Three] = {}
        for path in sorted(base.keys() | ours.keys() | theirs.keys()):
            three = (base.get(path), ours.get(path), theirs.get(path))
            old, left, right = three
            if left == right or right == old:
                chosen = left
            elif left == old:
                chosen = right
            elif path.endswith(RECORD_SUFFIX) and (records := self._records(path, three)):
                chosen = self._merge_data(path, records, three, merge, settlement)
            elif MODEL.may_be(path) and left is not None and right is not None:
                models[path], chosen = three, left  # after the files of its config
            elif measured_at(path) is not None and self._is_whole(path, three):
                chosen = self._merge_whole(path, three, merge, settlement)
            else:
                chosen = self._merge_text(path, three, merge, settlement, attributes)
            if chosen is not None:
                merge.files[path] = chosen
        for path, three in models.items():
            self._merge_model(path, three, merge, settlement, attributes)
        for one in merge.data:
            if one.record is None:
                self._forget_ignored(one.path, merge.files)
        _refuse_file_folder(merge.files)
        return merge

    def _is_whole(self, path: str, three: Three) -> bool:
        from veml_vcs.repository.records.merging import whole_kind

        return whole_kind(self._repo, path, three) is not None

    def _merge_whole(
        self, path: str, three: Three, merge: TreeMerge, settlement: Settlement
    ) -> TreeFile | None:
        """Take one side of a record that both changed: nothing of it is merged by line."""
        from veml_vcs.repository.records.merging import settled_alone

        base, ours, theirs = three
        favour = settlement.of_path(path)
        if favour is None and not settled_alone(self._repo, path, three):
            merge.conflicts[path] = three
        return {"base": base, "theirs": theirs}.get(favour or "ours", ours)

    def _merge_model(
        self,
        path: str,
        three: Three,
        merge: TreeMerge,
        settlement: Settlement,
        attributes: MergeAttributes,
    ) -> None:
        """Merge the record of a model, now that the files of its config are merged."""
        from veml_vcs.repository.models.merging import merge_model

        favour = settlement.of_path(path)
        found = merge_model(self._repo, path, three, merge.files, merge.conflicts, favour)
        if found is None:
            chosen = self._merge_text(path, three, merge, settlement, attributes)
            if chosen is not None:
                merge.files[path] = chosen
            return
        for text, file in found.texts.items():
            merge.files[text] = file
            del merge.conflicts[text]
        data = found.record.to_bytes()
        merge.files[path] = TreeFile(REGULAR_MODE, self._repo.git.write_blob(data))
        if found.conflicts:
            merge.conflicts[path] = three

    def _forget_ignored(self, dataset: str, files: dict[str, TreeFile]) -> None:
        """Drop the line that ignored a data set whose last sample went with this merge."""
        path, line = ignore_line(dataset + "/")
        if path not in files:
            return
        data = without_line(self._repo.git.read_blob(files[path].blob), line)
        if data:
            blob = self._repo.git.write_blob(data)
            files[path] = TreeFile(files[path].mode, blob)
        else:
            del files[path]

    def _records(
        self, path: str, three: Three
    ) -> tuple[DataRecord | None, DataRecord | None, DataRecord | None] | None:
        """Return the three records if all that are there describe data versions."""
        found: list[DataRecord | None] = []
        for file in three:
            data = self._repo.git.read_blob(file.blob) if file else None
            if data is not None and not is_data_record(data):
                return None
            found.append(parse_data_record(data, path) if data is not None else None)
        return found[0], found[1], found[2]

    def _merge_data(
        self,
        path: str,
        records: tuple[DataRecord | None, DataRecord | None, DataRecord | None],
        three: Three,
        merge: TreeMerge,
        settlement: Settlement,
    ) -> TreeFile | None:
        name = dataset_path(path)
        self._progress(f"merging {name}", 0, 0)
        for record in records:
            require_here(self._repo, name, record)
        one = merge_data(
            self._repo,
            name,
            *records,
            self._writer,
            settlement=settlement,
        )
        merge.data.append(one)
        if any(conflict.choice is None for conflict in one.conflicts):
            merge.conflicts[path] = three
        if one.record is None:
            return None
        return TreeFile(REGULAR_MODE, self._repo.git.write_blob(one.record.to_bytes()))

    def _merge_text(
        self,
        path: str,
        three: Three,
        merge: TreeMerge,
        settlement: Settlement,
        attributes: MergeAttributes,
    ) -> TreeFile | None:
        old, left, right = three
        favour = settlement.of_path(path)
        if left is None or right is None:
            # Removed here, changed there: the changed one stays; as in Git no option settles it.
            merge.conflicts[path] = three
            return left or right
        if left.mode not in BLOB_KINDS or right.mode not in BLOB_KINDS:
            if favour is not None:
                return {"ours": left, "theirs": right, "base": old}[favour]
            merge.conflicts[path] = three  # links and submodules are never merged by line
            return left
        texts = [self._repo.git.read_blob(file.blob) if file else b"" for file in three]
        if path == ".gitignore" or path.endswith("/.gitignore"):
            data, conflict = merge_lines(*texts), False
        else:
            conflict = True
            way = "text" if settlement.has_rule(path) else attributes.of(path)
            if way == "binary":
                data = texts[{"base": 0, "theirs": 2}.get(favour or "ours", 1)]
                conflict = favour is None
            elif way == "union" or settlement.keeps_both(path):
                data, conflict = merge_text(*texts, names=self._names, favour="both")
            if conflict and way != "binary":
                data, conflict = merge_text(*texts, names=self._names, favour=favour)
        if conflict:
            merge.conflicts[path] = three
        mode = merged_mode(old, left, right)
        return TreeFile(mode, self._repo.git.write_blob(data))


def _refuse_file_folder(files: Mapping[str, TreeFile]) -> None:
    folders = {path[:i] for path in files for i, char in enumerate(path) if char == "/"}
    clash = sorted(folders & files.keys())
    if clash:
        raise ConflictError(
            f"{clash[0]} is a file on one side and a folder on the other; nothing was merged",
            hint="rename it on one side, commit, and merge again",
        )
