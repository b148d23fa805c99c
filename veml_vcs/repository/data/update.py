"""``veml data update``: set, remove and rename what is said of many samples at once."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from veml_vcs.errors import InvalidInputError
from veml_vcs.repository.data.operate import Operated, draft_of, finish
from veml_vcs.repository.data.place import target_path
from veml_vcs.repository.data.version import DataVersion, derivation, open_version
from veml_vcs.repository.progress import Progress, silent
from veml_vcs.repository.repository import Repository
from veml_vcs.samples.facts import Annotation, ClassInfo, Facts
from veml_vcs.samples.formats.keys import suffix_of
from veml_vcs.samples.query import Conditions, SampleScope, Selector

_PROTECTED = frozenset(("objects", "sources", "entries", "source"))


@dataclass(frozen=True)
class Edit:
    """What to change, in the order: rename classes, remove fields, set fields.

    Attributes:
        rename_classes: Old class name -> new one; a new one that exists already takes the objects.
        set_fields: Field of a sample -> JSON value.
        unset_fields: Fields of samples to remove.
        set_object_fields: Field of the objects that meet the conditions -> JSON value.
        unset_object_fields: Fields of these objects to remove.
        drop_objects: Remove the objects that meet the conditions.
    """

    rename_classes: Mapping[str, str] = field(default_factory=dict)
    set_fields: Mapping[str, Any] = field(default_factory=dict)
    unset_fields: tuple[str, ...] = ()
    set_object_fields: Mapping[str, Any] = field(default_factory=dict)
    unset_object_fields: tuple[str, ...] = ()
    drop_objects: bool = False

    def __bool__(self) -> bool:
        return self != Edit()

    def arguments(self) -> dict[str, Any]:
        """Return what was said, for ``derived``."""
        said: dict[str, Any] = {
            "rename-class": dict(self.rename_classes),
            "set": dict(self.set_fields),
            "unset": sorted(set(self.unset_fields)),
            "set-object": dict(self.set_object_fields),
            "unset-object": sorted(set(self.unset_object_fields)),
            "drop-objects": self.drop_objects,
        }
        return {name: value for name, value in said.items() if value}

    def check(self) -> None:
        """Refuse fields that are the frame of an annotation, not content of it.

        Raises:
            InvalidInputError: Such a field is to be set or removed.
        """
        for name in (*self.set_fields, *self.unset_fields, *self.set_object_fields,
                     *self.unset_object_fields):  # fmt: skip
            if name in _PROTECTED or not name:
                raise InvalidInputError(f"the field {name!r} cannot be set or removed in bulk")
        for old, new in self.rename_classes.items():
            if not old.strip() or not new.strip():
                raise InvalidInputError(f"rename class {old!r} to {new!r}: a class needs a name")


def update_data(
    repo: Repository,
    spec: str,
    conditions: Conditions,
    edit: Edit,
    *,
    revision: str | None = None,
    to: str | None = None,
    force: bool = False,
    checkout: bool = True,
    dry_run: bool = False,
    progress: Progress = silent,
) -> Operated:
    """Make a version in which the chosen samples, or objects, say something else.

    Args:
        repo: The repository.
        spec: ``PATH`` (as staged), ``REV:PATH`` or ``PATH@REV``.
        conditions: Which samples; and which of their objects, for what concerns objects.
        edit: What to change.
        revision: A revision, instead of one in ``spec``.
        to: Stage the result as this data set; None replaces the source.
        force: Replace a data set ``to`` that is there already.
        checkout: Bring the folder on disk to the result.
        dry_run: Tell what would be made, and store nothing.
        progress: Is told how far it is.

    Raises:
        NotFoundError: There is no such data version.
        InvalidInputError: The edit makes no sense, changes nothing, or the format has no place for
            its result.
        ConflictError: Something of the user's would be lost.
    """
    if not edit:
        raise InvalidInputError(
            "update what? nothing to change was given",
            hint="for example --rename-class bike=bicycle",
        )
    edit.check()
    selector = Selector(conditions)
    with repo.lock("veml data update"):
        source = open_version(repo, spec, revision)
        target = target_path(repo, source.path, source.revision, to, force=force)
        _check_classes(source, edit)
        chosen = source.chosen(selector)
        said = dict(source.said)
        changed = 0
        for key, sample in chosen.items():
            new = _edited(sample, selector, edit)
            if new is not None and new != source.said.get(key):
                said[key] = new
                changed += 1
        if not changed:
            raise InvalidInputError(
                f"nothing of {source.name} would change; nothing was made", kind="empty-result"
            )
        draft = draft_of(source, said, set(), moved=target != source.path)
        if edit.rename_classes:
            everywhere = {name for one in said.values() for name in _classes_of(one)}
            draft.facts = _renamed_classes(draft.facts, edit.rename_classes, everywhere)
            draft.rewrite.update(_class_sources(source, draft.entries))
        _move_folders(source, draft)
        arguments = conditions.arguments() | edit.arguments()
        return finish(
            repo,
            source,
            target,
            draft,
            derivation("update", [source], arguments),
            checkout=checkout,
            dry_run=dry_run,
            progress=progress,
        )


def parse_assignment(text: str) -> tuple[str, Any]:
    """Split ``FIELD=VALUE``; a value that is not JSON is the text it is.

    Raises:
        InvalidInputError: There is no ``=``, or no field before it.
    """
    name, sign, value = text.partition("=")
    if not sign or not name.strip():
        raise InvalidInputError(
            f"{text!r}: expected FIELD=VALUE", hint="example: --set weather=night"
        )
    try:
        return name.strip(), json.loads(value, parse_constant=_refuse)
    except ValueError:
        return name.strip(), value
    except RecursionError:
        raise InvalidInputError(f"{name}: the value is nested too deeply") from None


def _refuse(word: str) -> None:
    raise ValueError(word)


def _check_classes(source: DataVersion, edit: Edit) -> None:
    if not edit.rename_classes:
        return
    Selector(Conditions(classes=tuple(edit.rename_classes))).check_names(
        source.said.values(), [one.name for one in source.facts.classes]
    )


def _classes_of(said: Annotation) -> set[str]:
    names = set(said.get("labels", ()))
    names.update(obj["class"] for obj in said.get("objects", ()) if "class" in obj)
    return names


def _edited(sample: SampleScope, selector: Selector, edit: Edit) -> Annotation | None:
    """Return what is said of a chosen sample afterwards; None if nothing was and is."""
    before = sample.said
    after = dict(before)
    names = edit.rename_classes
    if "labels" in after and names:
        after["labels"] = list(dict.fromkeys(names.get(one, one) for one in after["labels"]))
    for name in edit.unset_fields:
        after.pop(name, None)
    after.update(edit.set_fields)
    about_objects = names or edit.set_object_fields or edit.unset_object_fields or edit.drop_objects
    if "objects" in before and about_objects:
        after["objects"] = [
            new
            for one in sample.objects()
            if (new := _edited_object(one.obj, selector.means(one), edit)) is not None
        ]
    return after if after or before else None


def _edited_object(obj: Mapping[str, Any], meant: bool, edit: Edit) -> dict[str, Any] | None:
    if not meant:
        return dict(obj)
    if edit.drop_objects:
        return None
    after = dict(obj)
    if after.get("class") in edit.rename_classes:
        after["class"] = edit.rename_classes[after["class"]]
    for name in edit.unset_object_fields:
        after.pop(name, None)
    after.update(edit.set_object_fields)
    return after


def _renamed_classes(facts: Facts, names: Mapping[str, str], used: set[str]) -> Facts:
    """Rename in the class list; an old name that is still used keeps its place."""
    known = {one.name for one in facts.classes}
    classes: list[ClassInfo] = []
    for one in facts.classes:
        new = names.get(one.name)
        if new is None or one.name in used:
            classes.append(one)
        elif new not in known:
            known.add(new)
            extra = {key: value for key, value in one.extra.items() if key != "name"}
            classes.append(ClassInfo(new, one.id, extra))
    next_id = max((one.id for one in classes if one.id is not None), default=None)
    for new in dict.fromkeys(names.values()):
        if new not in {one.name for one in classes}:
            next_id = None if next_id is None else next_id + 1
            classes.append(ClassInfo(new, next_id))
    listed = facts.layout.get("classes")
    if facts.format == "yolo" and listed and suffix_of(listed) not in (".yaml", ".yml"):
        # A list of names numbers them by their place, so there can be no gaps.
        classes = [ClassInfo(one.name, place, one.extra) for place, one in enumerate(classes)]
    return replace(facts, classes=tuple(classes), extra=_renamed_lists(facts.extra, names, used))


def _renamed_lists(
    extra: Mapping[str, Any], names: Mapping[str, str], used: set[str]
) -> dict[str, Any]:
    """Rename in the class lists of COCO files that differ from the data set's."""
    result = dict(extra)
    for file, facts in extra.items():
        listed = facts.get("categories") if isinstance(facts, Mapping) else None
        if not isinstance(listed, list) or not all("class" in one for one in listed):
            continue
        known = {one["class"] for one in listed}
        renamed = []
        for one in listed:
            new = names.get(one["class"])
            if new is None or one["class"] in used:
                renamed.append(one)
            elif new not in known:
                known.add(new)
                rest = {key: value for key, value in one.items() if key != "name"}
                renamed.append({**rest, "class": new})
        result[file] = {**facts, "categories": renamed}
    return result


def _class_sources(source: DataVersion, entries: Mapping[str, Any]) -> set[str]:
    """Return the files that hold the class list."""
    listed = source.layout.options.get("classes")
    if listed is not None:
        return {listed}
    if source.facts.format == "coco":
        return {key for key in entries if key in source.layout.shared_sources or
                "/" + key in source.layout.shared_sources}  # fmt: skip
    return set()


def _move_folders(source: DataVersion, draft: Any) -> None:
    """With class folders, an image of another class is a file in another folder."""
    if source.facts.format != "folders":
        return
    root = source.layout.options.get("root", "")
    for key, one in list(draft.said.items()):
        old = source.said.get(key)
        if old is None or one == old or key not in draft.entries:
            continue
        head = "/".join([*([root] if root else []), *old.get("splits", []), *old["labels"]])
        rest = key.removeprefix(head + "/")
        labels = one.get("labels", [])
        if len(labels) != 1 or len(one.get("splits", [])) > 1 or "/" in labels[0]:
            raise InvalidInputError(
                f"{key}: with class folders a sample has one label and at most one split, "
                f"found {one!r:.120}"
            )
        parts = [*([root] if root else []), *one.get("splits", []), labels[0], rest]
        moved = "/".join(parts)
        if moved in draft.entries:
            raise InvalidInputError(f"{key} would become {moved}, which is there already")
        draft.entries[moved] = draft.entries.pop(key)
        draft.said[moved] = draft.said.pop(key)
