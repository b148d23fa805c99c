"""``veml data filter``: a version with the samples (and objects) that meet conditions."""

from __future__ import annotations

from veml_vcs.errors import InvalidInputError
from veml_vcs.repository.data.operate import Operated, draft_of, finish
from veml_vcs.repository.data.place import target_path
from veml_vcs.repository.data.version import derivation, open_version
from veml_vcs.repository.progress import Progress, silent
from veml_vcs.repository.repository import Repository
from veml_vcs.samples.query import Conditions, Selector


def filter_data(
    repo: Repository,
    spec: str,
    conditions: Conditions,
    *,
    drop_others: bool = False,
    revision: str | None = None,
    to: str | None = None,
    force: bool = False,
    checkout: bool = True,
    dry_run: bool = False,
    progress: Progress = silent,
) -> Operated:
    """Make a version of the samples that meet conditions.

    With a dropped sample go the files that are named like it (its annotation file, its mask); all
    other files stay. What annotation files say of images that are not there is dropped: it cannot
    meet a condition.

    Args:
        repo: The repository.
        spec: ``PATH`` (as staged), ``REV:PATH`` or ``PATH@REV``.
        conditions: What a sample must be like.
        drop_others: Drop the objects, too, that do not meet the conditions on objects.
        revision: A revision, instead of one in ``spec``.
        to: Stage the result as this data set; None replaces the source.
        force: Replace a data set ``to`` that is there already.
        checkout: Bring the folder on disk to the result.
        dry_run: Tell what would be made, and store nothing.
        progress: Is told how far it is.

    Raises:
        NotFoundError: There is no such data version.
        InvalidInputError: A condition makes no sense, or nothing meets it.
        ConflictError: Something of the user's would be lost.
    """
    if not conditions:
        raise InvalidInputError(
            "filter by what? no condition was given", hint="for example --class car, --split train"
        )
    selector = Selector(conditions)
    with repo.lock("veml data filter"):
        source = open_version(repo, spec, revision)
        target = target_path(repo, source.path, source.revision, to, force=force)
        chosen = source.chosen(selector)
        if not chosen:
            raise InvalidInputError(
                f"none of the {source.record.samples} samples of {source.name} meets the "
                "conditions; nothing was made",
                kind="empty-result",
            )
        said = {
            key: selector.without_others(one) if drop_others else source.said[key]
            for key, one in chosen.items()
            if key in source.said
        }
        dropped = {key for key in (*source.samples, *source.said) if key not in chosen}
        draft = draft_of(source, said, dropped, moved=target != source.path)
        arguments = conditions.arguments() | ({"drop-others": True} if drop_others else {})
        return finish(
            repo,
            source,
            target,
            draft,
            derivation("filter", [source], arguments),
            checkout=checkout,
            dry_run=dry_run,
            progress=progress,
        )
