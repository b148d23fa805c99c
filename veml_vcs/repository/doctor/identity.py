"""Whether Git knows who commits."""

from __future__ import annotations

from veml_vcs.repository.doctor.check import Check, Patient, Said


def _run(patient: Patient) -> Said:
    git = patient.repo.git
    name, email = git.setting(("user",), "name"), git.setting(("user",), "email")
    if name and email:
        yield "ok", f"{name} <{email}>", None
    for key, value, example in (("name", name, "Your Name"), ("email", email, "you@example.com")):
        if not value:
            yield (
                "warning",
                f"user.{key} is not set: veml commit needs it, or GIT_AUTHOR_{key.upper()}",
                f'git config --global user.{key} "{example}"',
            )


CHECK = Check("identity", "name and address for commits", _run, in_repository=True)
