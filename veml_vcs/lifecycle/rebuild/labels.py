"""What is to be labelled, as a list for a labelling tool; and the labels that come back.

Of boxes the list is a COCO file without annotations (``images`` with sizes, ``categories``: what
CVAT, Label Studio and others import) and a CSV file with one line a sample; what comes back is a
COCO file. Of classes it is the CSV file alone, with a column ``label`` to fill in; what comes back
is that, or any CSV file with the columns ``sample`` and ``label``.
"""

from __future__ import annotations

import csv
import io
import json
import os
from collections.abc import Mapping, Sequence

from veml_vcs.errors import FormatError, InvalidInputError, NotFoundError
from veml_vcs.ids import digest
from veml_vcs.lifecycle.rebuild.state import Rebuild
from veml_vcs.repository.data.combine import Incoming, incoming_from
from veml_vcs.repository.data.parts import some_of
from veml_vcs.repository.data.version import DataVersion
from veml_vcs.repository.repository import Repository
from veml_vcs.samples.facts import Annotation, ClassInfo, Facts
from veml_vcs.samples.formats import detect, get_format
from veml_vcs.samples.images import image_shape
from veml_vcs.training.plan import Part
from veml_vcs.versions.data import parse_data_record

_LABELS = "veml-labels.json"
_SAMPLE = "sample"
_LABEL = "label"
_LISTED = 5


def data_version_of(repo: Repository, part: Part) -> DataVersion:
    """Return the data version of samples, as data operations take it."""
    record = parse_data_record(part.record.encode(), part.path)
    return DataVersion(repo, part.path, None, record)


def listed_name(rebuild: Rebuild) -> str:
    """Return the name of the file that lists what is to be labelled."""
    return f"{rebuild.name}.{'csv' if rebuild.task == 'classification' else 'json'}"


def write_list(repo: Repository, rebuild: Rebuild, classes: Sequence[str]) -> None:
    """Write what is to be labelled: ``rebuild.listed``; a COCO file has a CSV file beside it.

    Args:
        repo: The repository.
        rebuild: Says what, and where.
        classes: What there may be.
    """
    data = rebuild.new.dataset(repo)
    images, rows = [], []
    purposes = [(key, "train") for key in rebuild.chosen]
    purposes += [(key, "measure") for key in rebuild.measured]
    for number, (key, purpose) in enumerate(purposes, 1):
        width, height = image_shape(data[key].data)
        images.append({"id": number, "file_name": key, "width": width, "height": height})
        rows.append([number, key, data[key].id.hex(), purpose, width, height])
    document = {
        "info": {
            "description": f"to be labelled for {rebuild.name}: images of {rebuild.new.path}, the "
            "most wanted first",
        },
        "licenses": [],
        "categories": [{"id": number, "name": one} for number, one in enumerate(classes, 1)],
        "images": images,
        "annotations": [],
    }
    listed = repo.absolute(rebuild.listed)
    repo.files.make_folder(os.path.dirname(listed))
    columns = ["rank", "sample", "sample_id", "purpose", "width", "height"]
    if rebuild.task == "classification":
        columns.append(_LABEL)
        rows = [[*row, ""] for row in rows]
    else:
        repo.files.write_atomic(listed, json.dumps(document, indent=1).encode() + b"\n")
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(columns)
    writer.writerows(rows)
    repo.files.write_atomic(csv_path(listed), text.getvalue().encode("utf-8", "surrogateescape"))


def csv_path(listed: str) -> str:
    """Return the CSV file of a list: beside a COCO file, or the list itself."""
    return listed.removesuffix(".json").removesuffix(".csv") + ".csv"


def read_labels(
    repo: Repository,
    rebuild: Rebuild,
    path: str,
    classes: Sequence[str],
    *,
    partial: bool = False,
) -> tuple[Incoming, str]:
    """Read labels that came back.

    Args:
        repo: The repository.
        rebuild: Says of which samples.
        path: A COCO file, on disk; of a classifier a CSV file.
        classes: What there may be.
        partial: Go on without those samples of which nothing is said.

    Returns:
        The labelled samples, and SHA-256 of the file in hex.

    Raises:
        NotFoundError: There is no such file.
        FormatError: It is no COCO file, or no table with the columns that are needed.
        InvalidInputError: Labels are missing, are of other samples, or of no class.
    """
    try:
        with open(path, "rb") as file:
            data = file.read()
    except OSError as error:
        raise NotFoundError(f"{path}: {error.strerror or error}", kind="no-such-path") from error
    source = data_version_of(repo, rebuild.new)
    asked = (*rebuild.chosen, *rebuild.measured)
    if rebuild.task == "classification":
        named = _read_table(data, path, asked, classes)
        _refuse_incomplete(path, asked, named, partial=partial, what="class")
        facts = Facts("folders", "classification", tuple(ClassInfo(one) for one in classes))
        return _incoming(path, source, facts, named), digest(data).hex()

    def read(key: str) -> bytes:
        return data if key == _LABELS else source.read(key)

    try:
        layout = detect([_LABELS, *asked], read, wanted="coco")
        parsed = get_format("coco").read(layout, read)
    except FormatError as error:
        raise FormatError(f"{path}: {error.message}", hint=error.hint) from error
    said = {key: one for key, one in parsed.annotations.items() if key in set(asked)}
    _refuse_incomplete(path, asked, said, partial=partial, what="box")
    return _incoming(path, source, parsed.facts, said), digest(data).hex()


def _incoming(
    path: str, source: DataVersion, facts: Facts, said: Mapping[str, Annotation]
) -> Incoming:
    """Return samples of a data version with what a file says of them."""
    whole = incoming_from(source)
    known = {key: whole.contents[key] for key in said}
    sizes = {key: whole.sizes[key] for key in said}
    return Incoming(path, facts, known, sizes, said, source.read, whole.executable)


def _read_table(
    data: bytes, path: str, asked: Sequence[str], classes: Sequence[str]
) -> dict[str, Annotation]:
    """Return what a CSV file says of samples: sample -> its class. Empty labels say nothing."""
    text = data.decode("utf-8-sig", "surrogateescape")
    rows = csv.DictReader(io.StringIO(text, newline=""))
    columns = rows.fieldnames or ()
    if not {_SAMPLE, _LABEL} <= {*columns}:
        raise FormatError(
            f"{path}: expected a CSV file with the columns {_SAMPLE} and {_LABEL}, found "
            f"{', '.join(map(str, columns))[:80] or 'nothing'}",
            hint=f"the list has both: fill in its column {_LABEL}",
            kind="no-table",
        )
    wanted = set(asked)
    said: dict[str, Annotation] = {}
    for row in rows:
        key, name = row[_SAMPLE], (row[_LABEL] or "").strip()
        if key not in wanted or not name:
            continue
        if name not in classes:
            raise InvalidInputError(
                f"{path}: line {rows.line_num}: {key} is labelled {name!r:.80}; expected one of "
                f"{', '.join(classes)}",
                kind="unknown-class",
            )
        if said.get(key, {"labels": [name]}) != {"labels": [name]}:
            raise InvalidInputError(
                f"{path}: line {rows.line_num}: {key} is labelled twice, and differently",
                kind="several-classes",
            )
        said[key] = {"labels": [name]}
    return said


def _refuse_incomplete(
    path: str,
    asked: Sequence[str],
    said: Mapping[str, Annotation],
    *,
    partial: bool,
    what: str,
) -> None:
    missing = [key for key in asked if key not in said]
    if len(missing) == len(asked):
        raise InvalidInputError(
            f"{path}: it speaks of none of the {len(asked)} samples that wait for labels, the "
            f"first of which is {asked[0]}",
            hint="file_name is what the list has"
            if what == "box"
            else f"fill in the column {_LABEL} of the list; {_SAMPLE} is what the list has",
            kind="no-labels",
        )
    if what == "box" and not any(one.get("objects") for one in said.values()):
        raise InvalidInputError(
            f"{path}: not one of {len(said)} samples has a box; this is the list, not the labels?",
            hint="fill in its annotations, or let a labelling tool do it",
            kind="no-labels",
        )
    if missing and not partial:
        raise InvalidInputError(
            f"{path}: labels of {len(said)} of {len(asked)} samples; missing: "
            + ", ".join(missing[:_LISTED]) + (", ..." if len(missing) > _LISTED else ""),
            hint=("an image without a box is listed without annotations; " if what == "box" else "")
            + "--partial goes on without those that are missing",
            kind="labels-missing",
        )  # fmt: skip


def known_labels(repo: Repository, rebuild: Rebuild) -> Incoming:
    """Return the chosen samples with labels that are known: of the new data, or held back.

    Raises:
        InvalidInputError: There are none of a sample.
    """
    source = data_version_of(repo, rebuild.labels or rebuild.new)
    whole = incoming_from(source)
    if rebuild.labels is None:
        return some_of(whole, set(rebuild.chosen))
    entries = rebuild.new.dataset(repo).entries
    by_content = {whole.contents[key]: key for key in rebuild.labels.keys}
    wanted = {entries[key].content: key for key in rebuild.chosen}
    missing = [key for content, key in wanted.items() if content not in by_content]
    if missing:
        raise InvalidInputError(
            f"{rebuild.labels.path}: no labels of {missing[0]}, nor of {len(missing) - 1} others",
            kind="labels-missing",
        )
    return some_of(whole, {by_content[content] for content in wanted if content is not None})
