"""Send the notes about data versions along with a push; join what others wrote meanwhile.

Notes are facts that can be computed again, so nothing here stops a push: what fails is said.
"""

from __future__ import annotations

from veml_hooks.say import say
from veml_vcs.repository.git.notes import NOTES_PREFIX, TRACKING_PREFIX, join_notes, local_kinds
from veml_vcs.repository.git.program import git, has_git
from veml_vcs.repository.repository import Repository


def send_notes(repo: Repository, remote: str) -> None:
    """Push the local notes that the remote does not have, as far as is known here."""
    kinds = [kind for kind in local_kinds(repo) if not _same(repo, remote, kind)]
    if not kinds or _push(repo, remote, kinds):
        return
    # Somebody else wrote notes: get them, join them, and try once more.
    git(repo.root, "fetch", "-q", remote, f"+{NOTES_PREFIX}*:{TRACKING_PREFIX}{remote}/*")
    for kind in kinds:
        join_notes(repo, remote, kind)
    if not _push(repo, remote, kinds):
        say(
            "the notes about data versions were not pushed; the push itself goes on",
            f"hint: git push {remote} '{NOTES_PREFIX}*'",
        )


def fetch_notes(repo: Repository, remote: str) -> None:
    """Get the notes of a remote, beside ours; a remote without any is no failure."""
    if has_git():
        git(repo.root, "fetch", "-q", remote, f"+{NOTES_PREFIX}*:{TRACKING_PREFIX}{remote}/*")


def _same(repo: Repository, remote: str, kind: str) -> bool:
    ours = git(repo.root, "rev-parse", "-q", "--verify", NOTES_PREFIX + kind).text
    theirs = git(repo.root, "rev-parse", "-q", "--verify", f"{TRACKING_PREFIX}{remote}/{kind}").text
    return ours == theirs


def _push(repo: Repository, remote: str, kinds: list[str]) -> bool:
    refs = [NOTES_PREFIX + kind for kind in kinds]
    done = git(repo.root, "push", "-q", "--no-verify", remote, *refs)
    if done.code:
        return False
    for kind in kinds:  # git does this itself where the refspec is set up
        git(repo.root, "update-ref", f"{TRACKING_PREFIX}{remote}/{kind}", NOTES_PREFIX + kind)
    return True
