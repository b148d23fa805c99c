"""The files of a data set's folder: which there are, their contents, and how to read them again.

Files whose stamps prove them unchanged are not read. What an edit touched is told without looking
at the files that it left alone, one by one.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property

from veml_vcs.errors import DamagedError, NotFoundError
from veml_vcs.repository.progress import Progress
from veml_vcs.repository.repository import Repository
from veml_vcs.repository.sparse.left_out import LeftOut
from veml_vcs.repository.worktree.reading import ReadFile, read_files
from veml_vcs.repository.worktree.scan import Stamp
from veml_vcs.repository.worktree.statcache import StatCache
from veml_vcs.samples.tree import Entry, EntryKind

_PARSED_SUFFIXES = ("json", "xml", "txt", "csv", "yaml", "yml", "names", "data")
_PROGRESS_EVERY = 256


@dataclass(frozen=True)
class Touched:
    """How a folder differs from what the stat cache remembers.

    Attributes:
        added: Files that are new.
        changed: Files with other bytes, or another execute bit.
        removed: Files that are gone.
    """

    added: dict[str, Entry]
    changed: dict[str, Entry]
    removed: list[str]


class FolderFiles:
    """What is on disk, once ``read_all`` was called.

    Args:
        repo: The repository.
        path: The folder, from the repository's root.
        disk: Its files, outside annotation files included, as scanned.
        cache: What is remembered of them.
        base: The base version's entries; needed with ``only`` alone.
        only: Keys for which it is False are taken from the base, whatever is on disk.

    Attributes:
        stamps: Key -> stamp of the files whose content is known, for the stat cache.
        contents: Key -> content id, of these (and maybe more).
    """

    def __init__(
        self,
        repo: Repository,
        path: str,
        disk: dict[str, Stamp],
        cache: StatCache,
        base: Mapping[str, Entry] | None = None,
        only: Callable[[str], bool] | None = None,
    ) -> None:
        self._repo = repo
        self._path = path
        self._cache = cache
        self._texts: dict[str, bytes] = {}
        self._kept: dict[str, Entry] = {}
        self._whole = only is None
        self.stamps = disk
        self._disk = frozenset(disk) if only is not None else disk.keys()
        self.contents = cache.contents
        self._wanted = cache.changed(disk)
        if only is not None:
            self._keep(only, base or {})

    def _keep(self, only: Callable[[str], bool], base: Mapping[str, Entry]) -> None:
        """Take what is not asked for from the base."""
        for key, entry in base.items():
            if not only(key) and entry.content is not None:
                self._kept[key] = Entry(
                    EntryKind.FILE, entry.content, None, entry.size, entry.executable
                )
        disk, unknown = self.stamps, set(self._wanted)
        self._wanted = [key for key in self._wanted if only(key)]
        self._files = {key: stamp for key, stamp in disk.items() if only(key)}
        self.stamps = dict(self._files)
        for key, stamp in disk.items():
            loose = key not in self._files and key not in unknown and key in base
            if loose and base[key].content == self.contents[key]:
                self.stamps[key] = stamp

    def take_left_out(self, base: Mapping[str, Entry], out: LeftOut) -> None:
        """Take what a sparse work tree leaves out, and what is not on disk, from the base."""
        if not out:
            return
        for key, entry in base.items():
            if entry.content is not None and key in out and key not in self._disk:
                self._kept[key] = Entry(
                    EntryKind.FILE, entry.content, None, entry.size, entry.executable
                )

    def read_all(self, sink: Callable[[ReadFile], object] | None, progress: Progress) -> None:
        """Read what must be read, and give it to ``sink``."""
        total = len(self._wanted)
        wanted = [(key, self.stamps[key]) for key in self._wanted]
        reader = read_files(wanted, lambda key: self._repo.key_path(self._path, key))
        if total:
            self.contents = dict(self.contents)  # what the cache remembers stays as it is
        for done, file in enumerate(reader):
            if done % _PROGRESS_EVERY == 0:
                progress("reading files", done, total)
            self.stamps[file.key] = file.stamp
            self.contents[file.key] = file.content
            if file.key.rsplit(".", 1)[-1].lower() in _PARSED_SUFFIXES:
                self._texts[file.key] = file.data
            if sink is not None:
                sink(file)
        if total:
            progress("reading files", total, total)

    @cached_property
    def entries(self) -> dict[str, Entry]:
        """All files, each as if it were no sample: key -> entry."""
        make, kind = tuple.__new__, EntryKind.FILE  # an Entry's own constructor takes twice as long
        found, contents = self._kept, self.contents
        stamps = self.stamps if self._whole else {key: self.stamps[key] for key in self._files}
        for key, (size, _, _, executable) in stamps.items():
            found[key] = make(Entry, (kind, contents[key], None, size, executable))
        return found

    @property
    def hints(self) -> bytes:
        """What the stat cache holds of hints."""
        return self._cache.hints

    def touched(self) -> Touched | None:
        """Tell what differs from the cache; None where only some of the files were looked at."""
        if not self._whole:
            return None
        old, contents = self._cache.stamps, self._cache.contents
        added, changed = {}, {}
        for key in self._wanted:
            stamp, content = self.stamps[key], self.contents[key]
            before = old.get(key)
            entry = Entry(EntryKind.FILE, content, None, stamp.size, stamp.executable)
            if before is None:
                added[key] = entry
            elif contents[key] != content or before.executable != stamp.executable:
                changed[key] = entry
        return Touched(added, changed, sorted(old.keys() - self.stamps.keys()))

    def read(self, key: str) -> bytes:
        """Return the bytes of a file, as they were when ``read_all`` was called."""
        data = self._texts.get(key)
        if data is not None:
            return data
        content = self._kept[key].content if key in self._kept else self.contents.get(key)
        if content is None:
            raise NotFoundError(f"{key}: an annotation without a sample has no bytes")
        if self._repo.catalog.find(content, "content") is not None:
            return self._repo.contents.read(content)
        file = next(
            read_files([(key, Stamp(0, 0, 0, False))], lambda k: self._repo.key_path(self._path, k))
        )
        if file.content != content:
            raise DamagedError(f"{key}: changed while the data set was read")
        return file.data
