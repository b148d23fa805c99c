"""Shell completion: what each argument and option may become.

typer makes the scripts (``veml --show-completion``) and finds out which parameter is being typed;
here its metavar says what kind of thing that is. Nothing of this runs in an ordinary command. A
completion never fails: where there is no answer, there are no candidates, and the shell falls back
to file names.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from typer._click.core import Context, Parameter

    from veml_vcs.repository.repository import Repository

Complete = Callable[["Repository", str, "Context"], Iterable[str]]


def attach(params: Iterable[Parameter]) -> None:
    """Tell parameters how to complete themselves; called while a shell asks."""
    for param in params:
        kind = _KINDS.get((param.metavar or "", param.name or "")) or _KINDS.get(
            (param.metavar or "", "")
        )
        if kind is not None:
            param._custom_shell_complete = _completer(kind)


def _completer(kind: Complete) -> Any:
    def complete(context: Context, _param: Parameter, incomplete: str) -> list[Any]:
        from typer._click.shell_completion import CompletionItem

        found = [one for one in _asked(kind, context, incomplete) if one.startswith(incomplete)]
        if os.environ.get("_VEML_COMPLETE") == "complete_zsh":
            # typer's script evaluates what it is given, with $ and ` behind a backslash, and leaves
            # one that is there: it would make these run.
            found = [one for one in found if "\\" not in one]
        return [CompletionItem(_quoted(one)) for one in dict.fromkeys(found)]

    return complete


def _asked(kind: Complete, context: Context, incomplete: str) -> list[str]:
    from veml_vcs.errors import VemlError
    from veml_vcs.repository.repository import Repository

    try:
        for folder in context.find_root().params.get("folder") or ():
            os.chdir(folder)
        with Repository(".") as repo:
            return list(_entered(kind, repo, incomplete, context))
    except (VemlError, OSError):
        return []  # no repository, or a damaged one: nothing to offer


def _entered(kind: Complete, repo: Repository, typed: str, context: Context) -> Iterator[str]:
    """Yield candidates; where there is one folder only, what is in it.

    Shells put a blank after the only candidate, which is not wanted after a folder.
    """
    found = list(kind(repo, typed, context))
    while len(found) == 1 and found[0].endswith("/") and found[0].startswith(typed):
        inner = [one for one in kind(repo, found[0], context) if one != found[0]]
        if not inner:
            break
        found = inner
    yield from found


def _quoted(text: str) -> str:
    """Return a candidate as the shell takes it; only bash needs to be told of blanks."""
    if "COMP_WORDS" not in os.environ:
        return text
    return "".join("\\" + char if char in " \t\"'()&;<>|$`\\*?[]!" else char for char in text)


# -- kinds -----------------------------------------------------------------------------------------


def _paths(repo: Repository, typed: str, _context: Context) -> Iterable[str]:
    from veml_vcs.repository.complete import paths

    return paths(repo, typed)


def _datasets(repo: Repository, _typed: str, _context: Context) -> Iterable[str]:
    from veml_vcs.repository.complete import dataset_names

    return dataset_names(repo)


def _revisions(repo: Repository, typed: str, _context: Context) -> Iterable[str]:
    from veml_vcs.repository.complete import revision_names

    names = revision_names(repo)
    for dots in ("...", ".."):
        start, found, _ = typed.partition(dots)
        if found:
            return [start + dots + name for name in names]
    return names


def _branches(repo: Repository, _typed: str, _context: Context) -> Iterable[str]:
    return sorted(repo.git.branches())


def _tags(repo: Repository, typed: str, context: Context) -> Iterable[str]:
    return [*sorted(repo.git.tags()), *_revisions(repo, typed, context)]


def _revisions_and_paths(repo: Repository, typed: str, context: Context) -> Iterable[str]:
    return [*_revisions(repo, typed, context), *_paths(repo, typed, context)]


def _spec(repo: Repository, typed: str, context: Context) -> Iterable[str]:
    """PATH, or REV:PATH."""
    from veml_vcs.repository.complete import paths

    revision, colon, path = typed.partition(":")
    if colon:
        return [f"{revision}:{one}".rstrip("/") for one in paths(repo, path, revision)]
    return _datasets(repo, typed, context)


def _shown(repo: Repository, typed: str, context: Context) -> Iterable[str]:
    """REV, or REV:PATH, down to keys."""
    from veml_vcs.repository.complete import paths

    revision, colon, path = typed.partition(":")
    if colon:
        return [f"{revision}:{one}" for one in paths(repo, path, revision)]
    return _revisions(repo, typed, context)


def _spec_and_paths(repo: Repository, typed: str, context: Context) -> Iterable[str]:
    return [*_spec(repo, typed, context), *_paths(repo, typed, context)]


def _keys(repo: Repository, typed: str, context: Context) -> Iterable[str]:
    """Keys of the data set that was named, or of all."""
    from veml_vcs.repository.complete import keys_below

    datasets = repo.staged_datasets()
    named = context.params.get("spec") or context.params.get("data") or ()
    chosen = [named] if isinstance(named, str) else list(named)
    for name in chosen or datasets:
        if name in datasets:
            yield from keys_below(repo, datasets[name], typed)


def _conflicts(repo: Repository, _typed: str, _context: Context) -> Iterable[str]:
    from veml_vcs.repository.merging.state import load_merge_state

    state = load_merge_state(repo)
    for one in state.open_conflicts if state is not None else ():
        yield f"{one.dataset}/{one.key}" if one.key else one.dataset
    records = {f"{one.dataset}.veml" for one in state.conflicts} if state is not None else set()
    yield from (path for path in repo.git.conflicted_paths() if path not in records)


def _named(kind: str) -> Complete:
    """Return what completes NAME, or NAME@REV, of a kind of record."""

    def complete(repo: Repository, typed: str, _context: Context) -> Iterable[str]:
        from veml_vcs.repository.complete import record_names, revision_names
        from veml_vcs.versions.kinds import KINDS

        name, sign, _ = typed.partition("@")
        if sign:
            return [f"{name}@{one}" for one in revision_names(repo)]
        return record_names(repo, next(one for one in KINDS if one.name == kind))

    return complete


def _data_versions(repo: Repository, typed: str, _context: Context) -> Iterable[str]:
    """PATH, or PATH@REV."""
    from veml_vcs.repository.complete import dataset_names, revision_names

    name, sign, _ = typed.partition("@")
    if sign:
        return [f"{name}@{one}" for one in revision_names(repo)]
    return dataset_names(repo)


def _versions(repo: Repository, typed: str, context: Context) -> Iterable[str]:
    """NAME, KIND:NAME or either with @REV, of any kind."""
    from veml_vcs.repository.complete import dataset_names, record_names, revision_names
    from veml_vcs.versions.kinds import KINDS

    name, sign, _ = typed.partition("@")
    if sign:
        return [f"{name}@{one}" for one in revision_names(repo)]
    kinds = {"data": list(dataset_names(repo))}
    kinds |= {one.name: list(record_names(repo, one)) for one in KINDS}
    if ":" in typed:
        return [f"{kind}:{one}" for kind, names in kinds.items() for one in names]
    return sorted({one for names in kinds.values() for one in names})


def _templates(_repo: Repository, _typed: str, _context: Context) -> Iterable[str]:
    from veml_vcs.training.templates import templates

    return [one.name for one in templates()]


def _classes(repo: Repository, _typed: str, _context: Context) -> Iterable[str]:
    from veml_vcs.repository.complete import class_names

    return class_names(repo)


def _classes_to_rename(repo: Repository, typed: str, context: Context) -> Iterable[str]:
    return [f"{name}=" for name in _classes(repo, typed, context)]


def _splits(repo: Repository, _typed: str, _context: Context) -> Iterable[str]:
    from veml_vcs.repository.complete import split_names

    return split_names(repo)


def _formats(_repo: Repository, _typed: str, _context: Context) -> Iterable[str]:
    from veml_vcs.samples.formats import FORMATS

    return sorted(one.name for one in FORMATS)


def _checks(_repo: Repository, _typed: str, _context: Context) -> Iterable[str]:
    from veml_hooks.doctor import ALL_CHECKS

    return [one.name for one in ALL_CHECKS]


_KINDS: dict[tuple[str, str], Complete] = {
    ("PATH", "paths"): _paths,
    ("SOURCE... DESTINATION", ""): _paths,
    ("PATH", "data"): _datasets,
    ("NAME", "to"): _datasets,
    ("X", "what"): _spec_and_paths,
    ("TRAIN", ""): _spec_and_paths,
    ("TEST", ""): _spec_and_paths,
    ("SPEC", ""): _spec,
    ("SPEC SPEC...", ""): _spec,
    ("REV", ""): _revisions,
    ("[REV]", ""): _revisions,
    ("[REV]...", ""): _revisions,
    ("REV[:PATH]", ""): _shown,
    ("REV|PATH", ""): _revisions_and_paths,
    ("A|B|PATH", ""): _revisions_and_paths,
    ("TARGET", ""): _revisions_and_paths,
    ("DATASET/KEY [REV]", ""): _paths,
    ("NAME", "names"): _branches,
    ("NAME|REV", ""): _tags,
    ("KEY", "keys"): _conflicts,
    ("KEY", "key"): _keys,
    ("GLOB", ""): _keys,
    ("[PATTERN]...", ""): _keys,
    ("NAME", "classes"): _classes,
    ("OLD=NEW", "rename_class"): _classes_to_rename,
    ("NAME", "split"): _splits,
    ("NAME", "format"): _formats,
    ("CHECK", ""): _checks,
    ("NAME[@REV]", ""): _named("model"),
    ("MODEL", ""): _named("model"),
    ("DATA[@REV]", ""): _data_versions,
    ("TRAINING[@REV]", ""): _named("training"),
    ("VERSION", ""): _versions,
    ("TRAINING", ""): _named("training"),
    ("INFERENCE[@REV]", ""): _named("inference"),
    ("INFERENCE", ""): _named("inference"),
    ("TEMPLATE", ""): _templates,
    ("[TEMPLATE]", ""): _templates,
}
"""Metavar and name of a parameter ("" is any) -> how it is completed."""
