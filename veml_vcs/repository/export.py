"""``veml export``: write a data version somewhere else, as it is or in another format."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from veml_vcs.errors import ConflictError, InvalidInputError
from veml_vcs.repository.dataset import Dataset
from veml_vcs.repository.progress import Progress, silent
from veml_vcs.repository.repository import Repository
from veml_vcs.repository.revisions import parse_data_spec
from veml_vcs.samples.annotations import image_size
from veml_vcs.samples.facts import Annotation
from veml_vcs.samples.formats import convert, detect, get_format
from veml_vcs.samples.formats.convert_any import refuse_numbers
from veml_vcs.samples.images import image_shape
from veml_vcs.samples.tree import Entry, EntryKind, Tree, check_key


@dataclass(frozen=True)
class ExportResult:
    """What was written.

    Attributes:
        path: The folder.
        format: The format it is in.
        samples: Number of samples.
        files: Number of other files.
        content_bytes: Bytes written.
        warnings: What the format could not hold.
    """

    path: str
    format: str
    samples: int
    files: int
    content_bytes: int
    warnings: tuple[str, ...] = ()


def export(
    repo: Repository,
    spec: str,
    destination: str,
    *,
    format: str | None = None,  # noqa: A002 - the word of the command line
    force: bool = False,
    progress: Progress = silent,
) -> ExportResult:
    """Write a data version into a folder.

    Args:
        repo: The repository.
        spec: ``PATH`` (as staged), ``REV:PATH`` or ``PATH@REV``.
        destination: The folder; it must be empty or not there.
        format: The format wanted; None or the version's own writes its files byte for byte.
        force: Write into a folder that is not empty (files of the same name are replaced).
        progress: Is told how far it is.

    Raises:
        NotFoundError: There is no such data version or format.
        ConflictError: The folder is not empty.
    """
    path, revision = parse_data_spec(spec)
    record = repo.record_at(path, revision)
    if os.path.lexists(destination) and not os.path.isdir(destination):
        raise InvalidInputError(f"{destination}: not a folder")
    if os.path.isdir(destination) and os.listdir(destination) and not force:
        raise ConflictError(
            f"{destination}: not empty", hint="choose another folder, or --force to write into it"
        )
    entries = dict(Tree(repo.store, record.tree).items())
    sources: Mapping[str, str]
    if format is None or format == record.facts.format:
        sources = {key: key for key, entry in entries.items() if entry.content is not None}
        return _write(repo, destination, record.facts.format, entries, sources, {}, (), progress)
    refuse_numbers(record.facts.format, format)
    dataset = Dataset(repo, path, record)
    annotations = dataset.annotations()
    sizes = _sizes(repo, dataset.entries, annotations, progress)
    converted = convert(annotations, record.facts, format, sizes)
    written = get_format(format).write(converted.annotations, converted.facts)
    layout = detect(
        [key for key, entry in entries.items() if entry.content is not None],
        lambda key: _read(repo, entries, key),
        wanted=record.facts.format,
    )
    annotation_files = {*layout.shared_sources, *layout.own_source.values()}
    names = {key: converted.renamed[key] for key in dataset.entries}
    taken = {*names.values(), *written}
    for key, entry in entries.items():
        loose = entry.kind is EntryKind.FILE and key not in annotation_files
        if loose and not key.startswith("/") and key not in taken:
            names[key] = key
    return _write(repo, destination, format, entries, names, written, converted.warnings, progress)


def _read(repo: Repository, entries: Mapping[str, Entry], key: str) -> bytes:
    content = entries[key].content
    assert content is not None
    return repo.contents.read(content)


def _sizes(
    repo: Repository,
    samples: Mapping[str, Entry],
    annotations: Mapping[str, Annotation],
    progress: Progress,
) -> dict[str, tuple[int, int]]:
    sizes = {}
    for done, (key, entry) in enumerate(samples.items()):
        if done % 256 == 0:
            progress("reading image sizes", done, len(samples))
        width, height = image_size(annotations.get(key))
        if width is not None and height is not None and float(width).is_integer():
            sizes[key] = (int(width), int(height))
        elif entry.content is not None:
            sizes[key] = image_shape(repo.contents.read(entry.content))
    return sizes


def _write(
    repo: Repository,
    destination: str,
    format_name: str,
    entries: Mapping[str, Entry],
    names: Mapping[str, str],
    made: Mapping[str, bytes],
    warnings: tuple[str, ...],
    progress: Progress,
) -> ExportResult:
    _refuse_same_place(destination, [*names.values(), *made])
    total = samples = 0
    for done, (key, name) in enumerate(names.items()):
        if done % 256 == 0:
            progress("writing files", done, len(names))
        data = _read(repo, entries, key)
        _put(repo, destination, name, data)
        if entries[key].executable:
            repo.files.set_mode(_target(destination, name), 0o755)
        total += len(data)
        samples += entries[key].kind is EntryKind.SAMPLE
    for name, data in made.items():
        _put(repo, destination, name, data)
        total += len(data)
    files = len(names) + len(made) - samples
    return ExportResult(destination, format_name, samples, files, total, warnings)


def _refuse_same_place(destination: str, names: Sequence[str]) -> None:
    """Refuse two files in one place, before anything is written."""
    places: dict[str, str] = {}
    for name in names:
        other = places.setdefault(_target(destination, name), name)
        if other is not name:
            raise ConflictError(
                f"{other} and {name} would both be written to {_target(destination, name)}",
                hint="veml checkout, which keeps files outside the data set's folder apart",
            )


def _target(destination: str, name: str) -> str:
    """Return where a key goes; a file from outside the data set's folder keeps its base name."""
    check_key(name)
    return os.path.join(destination, name.rsplit("/", 1)[-1] if name.startswith("/") else name)


def _put(repo: Repository, destination: str, name: str, data: bytes) -> None:
    target = _target(destination, name)
    repo.files.make_folder(os.path.dirname(os.path.abspath(target)))
    repo.files.write_atomic(target, data, durable=False)
