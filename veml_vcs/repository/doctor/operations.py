"""Operations that wait for the user, and commands that died halfway."""

from __future__ import annotations

import os

from veml_vcs.repository.doctor.check import Check, Patient, Said
from veml_vcs.repository.merging.operation import Operation, how_to_end
from veml_vcs.repository.merging.sequence import load_sequence
from veml_vcs.repository.merging.state import load_merge_state

_WAITING: tuple[tuple[str, Operation], ...] = (
    ("MERGE_HEAD", "merge"),
    ("rebase-merge", "rebase"),
    ("rebase-apply", "rebase"),
    ("CHERRY_PICK_HEAD", "cherry-pick"),
    ("REVERT_HEAD", "revert"),
)


def _run(patient: Patient) -> Said:
    repo = patient.repo
    quiet = True
    state = load_merge_state(repo)
    by_git = state is None or state.by_git
    conflicts = len(state.open_conflicts) if state is not None else 0
    if conflicts:
        quiet = False
        yield "warning", f"{conflicts} conflicts in data sets wait", "veml resolve"
    for name, kind in _WAITING:
        if os.path.exists(os.path.join(repo.git.control_folder, name)):
            quiet = False
            ends = how_to_end(kind, by_git=by_git or kind == "rebase")
            yield "warning", f"a {kind} is under way", ", or ".join(ends)
    if os.path.exists(os.path.join(repo.git.control_folder, "BISECT_LOG")):
        quiet = False
        yield "warning", "a bisect is under way", "git bisect reset"
    left = load_sequence(repo) if state is None else None
    if left is not None and left.todo:
        quiet = False
        count = f"{len(left.todo)} commit{'s' * (len(left.todo) != 1)}"
        yield (
            "warning",
            f"a {left.kind} has {count} to go",
            ", or ".join(how_to_end(left.kind)),
        )
    died = repo.files.listdir(os.path.join(repo.private_folder, "writing"))
    if died:
        quiet = False
        yield (
            "note",
            "a veml command runs, or one was killed; the next one sweeps up after it",
            "run the same command again",
        )
    if quiet:
        yield "ok", "nothing is under way", None


CHECK = Check("operations", "operations that wait", _run, in_repository=True)
