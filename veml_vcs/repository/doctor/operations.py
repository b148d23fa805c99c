"""Operations that wait for the user, and commands that died halfway."""

from __future__ import annotations

import os

from veml_vcs.repository.doctor.check import Check, Patient, Said
from veml_vcs.repository.merging.state import load_merge_state
from veml_vcs.repository.merging.waiting import waiting
from veml_vcs.repository.worktree.unfinished import REPLAYS


def _run(patient: Patient) -> Said:
    repo = patient.repo
    quiet = True
    state = load_merge_state(repo)
    conflicts = len(state.open_conflicts) if state is not None else 0
    if conflicts:
        quiet = False
        yield "warning", f"{conflicts} conflicts in data sets wait", "veml resolve"
    for one in waiting(repo):
        quiet = False
        left = f"{one.todo} commit{'s' * (one.todo != 1)} to go"
        if one.kind == "bisect":
            yield "warning", "a bisect is under way", one.how_to_end[1]
            continue
        what = "an am session" if one.kind == "am" else f"a {one.kind}"
        between = one.kind in REPLAYS and one.commit is None
        said = f"{what} has {left}" if between else f"{what} is under way"
        more = f"; {left}" if one.todo and not between else ""
        yield "warning", said + more, ", or ".join(one.how_to_end)
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
