"""Whether the store is there and can be read and written; not whether its bytes are right."""

from __future__ import annotations

import os

from veml_vcs.repository.doctor.check import Check, Patient, Said


def _run(patient: Patient) -> Said:
    repo = patient.repo
    if not repo.has_data:
        yield "warning", f"no store in {repo.folder}: veml has not been set up here", "veml init"
        return
    packs = list(repo.store.packs())
    unreadable = [one for one in packs if one.damage is not None]
    for pack in unreadable:
        yield (
            "broken",
            f"pack {pack.name[:10]} cannot be read: {pack.damage}",
            "veml fsck --repair --from PATH, where PATH is another clone",
        )
    blocked = [
        folder
        for folder in (repo.git.common_folder, repo.folder, os.path.join(repo.folder, "packs"))
        if not os.access(folder, os.W_OK)
    ]
    for folder in blocked:
        yield "broken", f"{folder} cannot be written to", f"chmod u+w {folder}"
    if not unreadable and not blocked:
        yield "ok", f"{len(packs)} packs in {repo.folder} (veml fsck checks every byte)", None


CHECK = Check("store", "the object store", _run, in_repository=True)
