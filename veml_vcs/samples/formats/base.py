"""What every format of image data sets can do: recognise itself, read, and write again.

Formats see a data set as a set of *keys* (POSIX paths relative to its folder; a key that begins
with ``/`` is a file outside the folder, relative to the repository's root) and a function that
reads one of them. They never touch the disk themselves.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol, TypeAlias

from veml_vcs.errors import InvalidInputError
from veml_vcs.samples.facts import Annotation, Facts

ReadFile: TypeAlias = Callable[[str], bytes]


@dataclass(frozen=True)
class Layout:
    """How the files of one data set play together, as found by ``Format.detect``.

    Attributes:
        format: The format's name.
        samples: Keys of the samples, sorted.
        own_source: Sample key -> key of the annotation file that speaks of this sample alone.
            Each own source belongs to exactly one sample.
        shared_sources: Keys of annotation files that speak of many samples, sorted (COCO files,
            ``ImageSets/Main/train.txt``, ``data.yaml``, ``classes.txt``).
        options: What ``read`` and ``write`` need besides, JSON values; becomes ``Facts.layout``.
        scratch: What ``detect`` had to parse anyway, for the first ``read`` to take over; never
            stored, never compared. A COCO file says which images are samples, so it is parsed
            for detection; doing so twice would cost as much as hashing the images.
        hints: What ``Format.regroup`` needs, JSON values; empty if it could not tell anything.
    """

    format: str
    samples: tuple[str, ...]
    own_source: Mapping[str, str] = field(default_factory=dict)
    shared_sources: tuple[str, ...] = ()
    options: Mapping[str, Any] = field(default_factory=dict)
    scratch: dict[str, Any] = field(default_factory=dict, compare=False, repr=False)
    hints: Mapping[str, Any] = field(default_factory=dict, compare=False, repr=False)


@dataclass(frozen=True)
class Refusal:
    """Why a format does not see itself in a data set.

    Attributes:
        reason: Half a sentence, for the list of what was tried.
    """

    reason: str


@dataclass(frozen=True)
class Regrouped:
    """What became of the files that an edit added and removed.

    Attributes:
        samples: Added files that are samples; what was said of them stays said.
        named: Removed samples that an annotation file still names.
        hints: The layout's hints after the edit.
        warnings: Sentences for the user.
    """

    samples: frozenset[str]
    named: frozenset[str]
    hints: Mapping[str, Any]
    warnings: tuple[str, ...] = ()


@dataclass(frozen=True)
class Parsed:
    """What the annotation files of a data set say.

    Attributes:
        annotations: Sample key -> annotation. A sample nothing is said of is not in it. May hold
            keys of samples that are named in a file but absent from the folder.
        facts: About the whole data set. When only some samples were read, ``facts.classes`` covers
            what those and the shared sources say (a format without a class list has only names
            seen).
        warnings: Sentences for the user, each naming the file and, where there is one, the line.
    """

    annotations: Mapping[str, Annotation]
    facts: Facts
    warnings: tuple[str, ...] = ()


class Format(Protocol):
    """One format of image data sets.

    Attributes:
        name: The word users type and records hold.
        needs: What a data set must have to be in this format, for messages.
        has_files: Whether there are annotation files; if not, all is in the keys.
        pairs: Whether each sample has an annotation file of its own.
    """

    name: str
    needs: str
    has_files: bool = True
    pairs: bool = False

    def recognise(
        self, keys: Sequence[str], read: ReadFile, *, forced: bool = False
    ) -> Layout | Refusal:
        """Recognise the format, or say why not.

        Args:
            keys: All files of the data set, sorted.
            read: Returns a file's bytes; call it on few and small files only.
            forced: The user named this format: accept what is possible, not only what is certain.

        Raises:
            FormatError: A file that has to be of this format cannot be understood.
        """

    def detect(self, keys: Sequence[str], read: ReadFile) -> Layout | None:
        """Recognise the format, or return None. As ``recognise``, without the reason."""
        found = self.recognise(keys, read)
        return found if isinstance(found, Layout) else None

    def read(self, layout: Layout, read: ReadFile, only: Collection[str] | None = None) -> Parsed:
        """Parse annotation files.

        Args:
            layout: From ``detect``.
            read: Returns a file's bytes.
            only: Read the annotations of these samples alone (shared sources are always read).

        Raises:
            FormatError: A file cannot be understood: names the file, the place, what was expected
                and what was found.
        """

    def narrow(self, layout: Layout, key: str, old: bytes, new: bytes) -> bool:
        """Find out which samples an edit of the one shared source touched.

        True if that can be told cheaply: then ``read(layout, ...)`` gives the annotations of these
        samples alone, and the facts of all. Nothing else of the layout may have changed.

        Args:
            layout: The data set's; takes what is found in ``scratch``.
            key: The shared source.
            old: Its bytes as they were read before.
            new: Its bytes now.
        """
        return False

    def splice(
        self,
        facts: Facts,
        key: str,
        data: bytes,
        others: Sequence[bytes],
        annotations: Mapping[str, Annotation],
    ) -> bytes | None:
        """Return the one shared source with other objects of some samples, the rest as it is.

        Where that cannot be done, or not for sure, None. The caller reads back what the outcome
        says: ``narrow`` tells that all other samples' words are untouched.

        Args:
            facts: About the data set.
            key: The shared source.
            data: Its bytes.
            others: Bytes it had elsewhere, whose words may be taken.
            annotations: Sample key -> what shall be said of it; differs from what ``data`` says in
                its objects alone.
        """
        return None

    def inert(self, key: str) -> bool:
        """Tell whether a file of this name says nothing and is no sample, whatever it holds."""
        return False

    def samples_in(self, hints: Mapping[str, Any], keys: Collection[str]) -> list[str] | None:
        """Return the samples among a data set's files, by the layout's hints; None if unknown."""
        return None

    def regroup(
        self,
        hints: Mapping[str, Any],
        keys: Collection[str],
        added: Collection[str],
        removed: Collection[str],
    ) -> Regrouped | None:
        """Find out what files are that were added, and what is left of those removed.

        Only where that can be told, for sure, without reading an annotation file again, and where
        nothing else changes its part: then layout, facts and all annotations stay as they are.

        Args:
            hints: Those of the layout before the edit.
            keys: The files before the edit.
            added: Files that are new since.
            removed: Files that are gone since. No annotation file changed.

        Returns:
            None if it cannot be told: the data set has to be read as a whole.
        """
        return None

    def write(
        self,
        annotations: Mapping[str, Annotation],
        facts: Facts,
        only: Collection[str] | None = None,
    ) -> dict[str, bytes]:
        """Write annotation files in canonical form.

        Args:
            annotations: Sample key -> annotation, *all* of the data set's samples that have one.
            facts: About the whole data set, with ``layout`` as ``detect`` found it.
            only: Keys of the annotation files wanted; None means all.

        Returns:
            File key -> bytes. Reading them again gives ``annotations`` and ``facts`` back. A key of
            ``only`` that is not in it has nothing to say any more: its file goes.

        Raises:
            InvalidInputError: The format cannot hold this (``convert`` says what, beforehand).
        """


class Unannotated(Format, Protocol):
    """A format with no place for annotations: its files are samples, or lie beside them.

    Attributes:
        kind: What has no place for them, and of what, for messages.
    """

    kind: tuple[str, str]
    has_files: bool = False

    def read(self, layout: Layout, read: ReadFile, only: Collection[str] | None = None) -> Parsed:
        """See ``Format.read``. Nothing is said of a sample."""
        return Parsed({}, Facts(self.name))

    def write(
        self,
        annotations: Mapping[str, Annotation],
        facts: Facts,
        only: Collection[str] | None = None,
    ) -> dict[str, bytes]:
        """See ``Format.write``."""
        for key, annotation in annotations.items():
            if annotation:
                whole, part = self.kind
                raise InvalidInputError(
                    f"{key}: {whole} has no place for what is said of {part}, "
                    f"found {annotation!r:.80}"
                )
        return {}
