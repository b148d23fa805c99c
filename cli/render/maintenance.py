"""Views of the commands that keep a store in order: gc, compact, fsck --repair."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from veml_cli.render.line import Line, line
from veml_cli.render.simple import fsck_lines
from veml_cli.render.words import plural, size

if TYPE_CHECKING:
    from veml_vcs.repository.upkeep.compact import CompactResult
    from veml_vcs.repository.upkeep.gc import GcResult
    from veml_vcs.repository.upkeep.repair import RepairResult

_VERSIONS_LISTED = 20


def gc_lines(result: GcResult) -> Iterator[Line]:
    """Yield what a collection removed, and which versions it was of."""
    if result.blocked:
        yield line(("nothing was removed", "warning"), ": something cannot be read")
        return
    packs = result.packs_removed + result.packs_rewritten
    if packs:
        yield line(
            "would free about " if result.dry_run else "freed ",
            (size(result.freed_bytes), "title"),
            f" of {size(result.store_bytes)}: ",
            plural(result.packs_removed, "pack"),
            " removed, ",
            plural(result.packs_rewritten, "pack"),
            " rewritten",
        )
    else:
        yield line("nothing to remove in ", size(result.store_bytes))
    for one in result.versions[:_VERSIONS_LISTED]:
        yield line(
            "  ", (one.name, "name"), "  ", plural(one.samples, "file"), ", ",
            size(one.content_bytes), "  ", (f"version {one.version[:10]}", "dim"),
        )  # fmt: skip
    if len(result.versions) > _VERSIONS_LISTED:
        yield line(f"  and {plural(len(result.versions) - _VERSIONS_LISTED, 'more version')}")
    if result.other_samples:
        yield line(
            "  of no version that Git still has  ", plural(result.other_samples, "file"), ", ",
            size(result.other_bytes),
        )  # fmt: skip
    if result.packs_young:
        yield line(
            (f"kept {plural(result.packs_young, 'pack')} whole that the grace period covers "
             "(--prune=now looks into them)", "dim"),
        )  # fmt: skip


def compact_lines(result: CompactResult) -> Iterator[Line]:
    """Yield what a compaction rewrote."""
    if not result.packs_rewritten:
        yield line(
            "nothing to compact in ", plural(result.packs_before, "pack"), ", ",
            size(result.bytes_before),
        )  # fmt: skip
        return
    packs, fragments = plural(result.packs_rewritten, "pack"), result.fragments_rewritten
    if result.dry_run:
        yield line("would rewrite ", packs, " and ", plural(fragments, "fragment"))
        return
    yield line("rewrote ", packs, " and ", plural(fragments, "fragment"))
    yield line(
        f"  packs      {result.packs_before} -> {result.packs_after}, "
        f"{size(result.bytes_before)} -> {size(result.bytes_after)}"
    )
    yield line(f"  fragments  {result.fragments_before} -> {result.fragments_after}")


def repair_lines(result: RepairResult) -> Iterator[Line]:
    """Yield what a repair did, and what is left."""
    found = len(result.before.problems)
    if found:
        yield line(plural(found, "problem"), " found")
    for where, count in result.recovered.items():
        yield line("  recovered ", (f"{count:,}", "added"), f" from {where}")
    for pack in result.quarantined:
        yield line(f"  pack {pack[:10]} moved to .git/veml/quarantine")
    yield from fsck_lines(result.after)
