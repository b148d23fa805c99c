"""``veml status`` names what waits for the user, at a step and between two, as ``git status`` does.

With ``_between`` returning nothing the tests of commits by hand were seen to fail; without
``refuse_sequence`` in ``replay`` a second cherry-pick was seen to take the place of the first; with
``save_merge_state(repo, None)`` where a step is refused the sequence was seen to be lost.
"""

from __future__ import annotations

import subprocess
from typing import Any

import pytest

from tests.cli.conftest import PROGRAM, Place

FOLDER = "images/train"


def one_line(place: Place, name: str, text: str) -> None:
    place.write(name, text)
    place.veml("add", name)
    place.veml("commit", "-qm", text.strip())


@pytest.fixture
def lines(place: Place) -> Place:
    """``side`` has three commits that change the line that ``main`` changed too."""
    place.veml("init", "-q")
    one_line(place, "a.txt", "one\n")
    place.veml("checkout", "-qb", "side")
    for text in ("two\n", "three\n", "four\n"):
        one_line(place, "a.txt", text)
    place.veml("checkout", "-q", "main")
    one_line(place, "a.txt", "other\n")
    return place


def failing_git(place: Place, *arguments: str) -> None:
    done = subprocess.run(["git", *arguments], cwd=place.root, capture_output=True, check=False)
    assert done.returncode == 1, done


def hints(text: str) -> list[str]:
    """The lines before the groups, without the words that name the tool."""
    return [one for one in text.split("\n\n")[0].splitlines()[1:] if "nothing to commit" not in one]


def waiting(place: Place) -> Any:
    return place.veml("status", "--json").json()["waiting"]


@pytest.mark.parametrize("command", ["cherry-pick", "revert"])
@pytest.mark.parametrize("by_git", [False, True])
def test_a_sequence_waits_after_a_commit_by_hand(lines: Place, command: str, by_git: bool) -> None:
    tool = "git" if by_git else "veml"
    named, doing, which, left = {
        "cherry-pick": ("Cherry-pick", "cherry-picking", "main~1..side", 2),
        "revert": ("Revert", "reverting", "HEAD~3..HEAD~1", 1),
    }[command]
    if command == "revert":
        lines.veml("checkout", "-q", "side")
        one_line(lines, "a.txt", "other\n")
    if by_git:
        failing_git(lines, command, which)
    else:
        lines.veml(command, which, code=1)
    commit = lines.git("rev-parse", f"{command.replace('-', '_').upper()}_HEAD").strip()
    told = lines.veml("status").out
    assert f"You are currently {doing} commit {commit[:7]}." in told
    assert f'(fix conflicts and run "{tool} {command} --continue")' in told
    assert f'(use "{tool} {command} --skip" to skip this patch)' in told
    assert f'(use "{tool} {command} --abort" to cancel the {command} operation)' in told
    assert "both modified:  a.txt" in told
    (one,) = waiting(lines)
    assert (one["kind"], one["by_git"]) == (command, by_git)
    assert (one["commit"], one["todo"]) == (commit, left)

    lines.write("a.txt", "by hand\n")
    lines.veml("add", "a.txt")
    told = lines.veml("status").out
    assert f'(all conflicts fixed: run "{tool} {command} --continue")' in told
    lines.git("commit", "-qm", "by hand")
    expected = [
        f"{named} currently in progress.",
        f'  (run "{tool} {command} --continue" to continue)',
        f'  (use "{tool} {command} --abort" to cancel the {command} operation)',
    ]
    found = hints(lines.veml("status").out)
    assert found[:3] == expected
    assert waiting(lines) == [{**one, "commit": None}]
    if by_git:
        told = [line for line in hints(lines.git("status")) if "--skip" not in line]
        assert told == expected
        lines.git(command, "--quit")
    else:
        lines.veml(command, "--quit")
    assert waiting(lines) == []
    assert lines.veml("status").out.endswith("nothing to commit, working tree clean\n")


def stop_in_first(place: Place) -> str:
    head: str = place.git("rev-parse", "HEAD").strip()
    place.veml("cherry-pick", "main~1..side", code=1)
    place.veml("resolve", "--all", "--theirs", code=None)
    place.write("a.txt", "two\n")
    place.veml("add", "a.txt")
    return head


def test_more_commits_by_hand_than_one_and_it_still_goes_on(lines: Place) -> None:
    head = stop_in_first(lines)
    lines.veml("commit", "-qm", "by hand")
    one_line(lines, "b.txt", "more\n")
    (one,) = waiting(lines)
    assert (one["commit"], one["todo"]) == (None, 2)
    # To take HEAD back would drop a commit that no cherry-pick made; git refuses too.
    done = lines.veml("cherry-pick", "--abort", code=1)
    assert "HEAD has moved" in done.err
    assert f"veml reset --hard {head[:7]}" in done.err
    lines.veml("cherry-pick", "--continue")
    assert lines.git("log", "--format=%s", f"{head}..") == "four\nthree\nmore\nby hand\n"
    assert waiting(lines) == []


def test_nothing_takes_the_place_of_a_sequence(lines: Place) -> None:
    stop_in_first(lines)
    lines.veml("commit", "-qm", "by hand")
    lines.veml("branch", "beside", "main~2")
    for refused in (("cherry-pick", "side"), ("revert", "HEAD"), ("merge", "side")):
        done = lines.veml(*refused, code=1)
        assert "a cherry-pick is in progress: 2 commits to go" in done.err
        assert "--quit" in done.err
    lines.veml("cherry-pick", "--quit")
    assert "no cherry-pick is under way" in lines.veml("cherry-pick", "--quit", code=128).err
    lines.veml("revert", "-q", "HEAD")


def test_what_plain_git_began_is_gits_to_end(lines: Place) -> None:
    """At a step and between two. Before: "none is under way", and a second one began."""
    failing_git(lines, "cherry-pick", "main~1..side")
    assert "veml resolve" not in lines.veml("status").out  # no data is in conflict
    for by_hand in (False, True):
        for how in ("--continue", "--skip", "--abort", "--quit"):
            done = lines.veml("cherry-pick", how, code=128)
            assert "no cherry-pick of veml's is under way, but git's is" in done.err
            assert f"hint: git cherry-pick {how}" in done.err
        if not by_hand:
            lines.write("a.txt", "two\n")
            lines.veml("add", "a.txt")
            lines.git("commit", "-qm", "by hand")
    for refused in (("cherry-pick", "side"), ("revert", "HEAD")):
        assert "a cherry-pick of git's is in progress" in lines.veml(*refused, code=1).err
    lines.git("cherry-pick", "--quit")
    lines.veml("revert", "-q", "HEAD")


def test_a_refused_step_leaves_the_sequence_waiting(lines: Place) -> None:
    """What is in the way is moved, and ``--continue`` goes on."""
    lines.veml("checkout", "-q", "side")
    one_line(lines, "c.txt", "new\n")
    lines.veml("checkout", "-q", "main")
    lines.veml("cherry-pick", "main~1..side", code=1)
    lines.write("a.txt", "two\n")
    lines.veml("add", "a.txt")
    lines.veml("commit", "-qm", "by hand")
    lines.write("c.txt", "mine\n")
    assert "would overwrite" in lines.veml("cherry-pick", "--continue", code=1).err
    assert [one["todo"] for one in waiting(lines)] == [1]
    (lines.root / "c.txt").unlink()
    lines.veml("cherry-pick", "--continue")
    assert (lines.root / "c.txt").read_text() == "new\n"
    assert waiting(lines) == []


def test_a_rebase_of_gits_and_one_step_by_hand(lines: Place) -> None:
    lines.veml("checkout", "-q", "side")
    failing_git(lines, "rebase", "main")
    main = lines.git("rev-parse", "--short", "main").strip()
    told = lines.veml("status").out.splitlines()
    assert told[0] == f"rebase in progress; onto {main}"
    assert told[1] == f"You are currently rebasing branch 'side' on '{main}'."
    assert told[1] in lines.git("status")
    assert '  (use "git rebase --abort" to check out the original branch)' in told
    lines.write("a.txt", "two\n")
    lines.veml("add", "a.txt")
    assert '(all conflicts fixed: run "git rebase --continue")' in lines.veml("status").out
    lines.git("commit", "-qm", "by hand")
    told = lines.veml("status").out.splitlines()
    assert (
        told[1] == f"You are currently editing a commit while rebasing branch 'side' on '{main}'."
    )
    for line in (told[1], told[3]):
        assert line in lines.git("status")
    (one,) = waiting(lines)
    assert (one["kind"], one["branch"], one["todo"], one["editing"]) == ("rebase", "side", 2, True)
    lines.git("rebase", "--abort")
    assert waiting(lines) == []


def test_a_merge_a_bisect_and_a_patch(lines: Place) -> None:
    lines.git("bisect", "start", "side", "main~1")
    told = lines.veml("status").out.splitlines()
    assert told[1:3] == [
        "You are currently bisecting, started from branch 'main'.",
        '  (use "git bisect reset" to get back to the original branch)',
    ]
    assert all(one in lines.git("status") for one in told[1:3])
    lines.git("bisect", "reset")
    lines.veml("merge", "side", code=1)
    side = lines.git("rev-parse", "side").strip()
    assert [(one["kind"], one["commit"]) for one in waiting(lines)] == [("merge", side)]
    lines.veml("merge", "--abort")
    patch = lines.git("format-patch", "--stdout", "-1", "side")
    (lines.root.parent / "patch").write_text(patch)
    done = subprocess.run(
        ["git", "am", "../patch"], cwd=lines.root, capture_output=True, check=False
    )
    assert done.returncode == 128
    told = lines.veml("status").out
    assert "You are in the middle of an am session." in told
    assert '(use "git am --abort" to restore the original branch)' in told
    lines.git("am", "--abort")


def test_conflicts_in_data_and_a_work_tree_of_its_own(forked: Place) -> None:
    """What waits is each work tree's own."""
    forked.veml("checkout", "-q", "night")
    forked.voc(FOLDER, {"0000": [("car", 0, 0, 5, 5), ("bike", 2, 2, 6, 5)]})
    forked.veml("commit", "-qam", "night again")
    forked.git("worktree", "add", "-q", "../beside", "-b", "beside", "main")
    forked.veml("checkout", "-q", "main")
    forked.voc(FOLDER, {"0000": [("car", 1, 1, 3, 3), ("bus", 2, 2, 6, 5)]})
    forked.veml("commit", "-qam", "day again")
    forked.veml("cherry-pick", "night~1", "night", code=1)
    told = forked.veml("status").out
    assert "You are currently cherry-picking commit" in told
    assert '(settle them with "veml resolve KEY --ours|--theirs|--base")' in told
    assert "0000.png  both moved the box" in told
    assert "cherry-picking" not in forked.veml("-C", "../beside", "status").out
    forked.veml("-C", str(forked.root), "resolve", "--all", "--ours")
    forked.veml("commit", "-qm", "by hand")
    assert "Cherry-pick currently in progress." in forked.veml("status").out
    forked.veml("cherry-pick", "--abort")
    assert forked.git("log", "-1", "--format=%s") == "day again\n"
    assert forked.veml("status", "--porcelain", "--verify").out == ""


@pytest.mark.parametrize("text", [b"", b"\xff\x00 \x1b[31m", b"pick", b"# only\n", b"exec rm\n"])
def test_odd_files_of_gits(lines: Place, text: bytes) -> None:
    (lines.root / ".git/sequencer").mkdir()
    (lines.root / ".git/sequencer/todo").write_bytes(text)
    (lines.root / ".git/BISECT_LOG").write_bytes(text)
    (lines.root / ".git/BISECT_START").write_bytes(text)
    (lines.root / ".git/rebase-merge").mkdir()
    (lines.root / ".git/rebase-merge/onto").write_bytes(text)
    assert "\x1b" not in lines.veml("status").out
    lines.veml("status", "--json")


def test_a_switch_in_the_middle_is_refused_as_git_refuses_it(lines: Place) -> None:
    """Before, ``veml switch`` went, and the sequence was forgotten."""
    lines.git("branch", "beside", "main~1")
    for begin, doing, end in (
        (("merge", "side"), "merging", ("merge", "--abort")),
        (("cherry-pick", "main~1..side"), "cherry-picking", ("cherry-pick", "--abort")),
        (("revert", "--no-edit", "HEAD~1"), "reverting", ("revert", "--abort")),
        (("rebase", "side"), "rebasing", ("rebase", "--abort")),
    ):
        for tool in ["git"] if doing == "rebasing" else ["git", "veml"]:
            if tool == "git":
                failing_git(lines, *begin)
            else:
                lines.veml(*(one for one in begin if one != "--no-edit"), code=1)
            for settled in (False, True):
                if settled:
                    lines.write("a.txt", "two\n")
                    lines.git("add", "a.txt")
                for how in (("beside",), ("-f", "-c", "new")):
                    theirs = subprocess.run(
                        ["git", "switch", *how], cwd=lines.root, capture_output=True, check=False
                    )
                    ours = lines.veml("switch", *how, code=128)
                    assert theirs.returncode == 128
                    assert ours.err.splitlines()[0] == theirs.stderr.decode().splitlines()[0]
                    assert f"cannot switch branch while {doing}" in ours.err
            getattr(lines, tool)(*end)
            assert waiting(lines) == []
    assert lines.git("branch", "--format=%(refname:short)") == "beside\nmain\nside\n"


@pytest.mark.parametrize("tool", ["git", "veml"])
@pytest.mark.parametrize("how", [("beside",), ("-b", "new"), ("-f", "beside"), ("--detach",)])
def test_a_sequence_goes_on_where_a_checkout_went(
    lines: Place, tool: str, how: tuple[str, ...]
) -> None:
    """With both tools the same commits are made, on the branch that was checked out meanwhile.

    Before, ``veml cherry-pick --continue`` knew of nothing.
    """
    lines.git("branch", "beside", "side~2")
    if tool == "git":
        failing_git(lines, "cherry-pick", "main~1..side")
        lines.write("a.txt", "two\n")
        lines.git("add", "a.txt")
    else:
        stop_in_first(lines)
    run = lines.git if tool == "git" else lines.veml
    run("commit", "-qm", "by hand")
    program = tool if tool == "git" else str(PROGRAM)
    refused = subprocess.run(
        [program, "switch", "beside"], cwd=lines.root, capture_output=True, check=False
    )
    assert refused.returncode == 128
    assert b"cannot switch branch while cherry-picking" in refused.stderr
    run("checkout", "-q", *how)
    (one,) = waiting(lines)
    assert (one["kind"], one["by_git"], one["todo"]) == ("cherry-pick", tool == "git", 2)
    run("cherry-pick", "--continue")
    by_hand = "" if "beside" in how else "by hand\n"
    assert lines.git("log", "-3", "--format=%s").startswith(f"four\nthree\n{by_hand}")
    assert waiting(lines) == []


def test_what_waits_is_not_taken_back_on_another_branch(lines: Place) -> None:
    stop_in_first(lines)
    lines.veml("commit", "-qm", "by hand")
    lines.git("branch", "beside", "side~2")
    lines.veml("checkout", "-q", "beside")
    at = lines.git("rev-parse", "HEAD")
    done = lines.veml("cherry-pick", "--abort", code=1)
    assert "HEAD has moved" in done.err
    assert "reset --hard" not in done.err  # it would move this branch to where the other was
    lines.veml("cherry-pick", "--quit")
    assert lines.git("rev-parse", "HEAD") == at
    assert waiting(lines) == []
