"""Operations that wait for the user, and commands that died halfway."""

from __future__ import annotations

import os

from veml_vcs.repository.doctor.check import Check, Patient, Said
from veml_vcs.repository.merging.state import load_merge_state

_WAITING = (
    ("MERGE_HEAD", "a merge", "veml commit, or veml merge --abort"),
    ("rebase-merge", "a rebase", "git rebase --continue, or git rebase --abort"),
    ("rebase-apply", "a rebase", "git rebase --continue, or git rebase --abort"),
    ("CHERRY_PICK_HEAD", "a cherry-pick", "git cherry-pick --continue, or --abort"),
    ("REVERT_HEAD", "a revert", "git revert --continue, or --abort"),
    ("BISECT_LOG", "a bisect", "git bisect reset"),
)


def _run(patient: Patient) -> Said:
    repo = patient.repo
    quiet = True
    state = load_merge_state(repo)
    conflicts = len(state.open_conflicts) if state is not None else 0
    if conflicts:
        quiet = False
        yield "warning", f"{conflicts} conflicts in data sets wait", "veml resolve"
    for name, word, mend in _WAITING:
        if os.path.exists(os.path.join(repo.git.control_folder, name)):
            quiet = False
            yield "warning", f"{word} is under way", mend
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
