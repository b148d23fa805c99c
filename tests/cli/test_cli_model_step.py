"""Records of models keep in step with their configs: status, add, commit, hooks, diff, log."""

from __future__ import annotations

import json
import os
import subprocess

import pytest

from tests.cli.conftest import Place
from tests.cli.test_cli_model import TOP, change, detector, models  # noqa: F401

RECORD = "models/detector.veml"
SAYS = "configs/detector.py says something else: model.roi_head.bbox_head.num_classes 3 -> 5"


def git_commit(place: Place, *arguments: str) -> subprocess.CompletedProcess[str]:
    command = ["git", "commit", "-m", "x", *arguments]
    return subprocess.run(command, cwd=place.root, capture_output=True, text=True, check=False)


def test_status_names_the_keys_and_the_command(detector: Place) -> None:  # noqa: F811
    assert "working tree clean" in detector.veml("status").out
    change(detector, "num_classes=3", "num_classes=5")
    said = detector.veml("status").out
    assert f"config changed: {RECORD}\n          {SAYS}" in said
    assert "(use: veml model add configs/detector.py --name detector)" in said
    found = json.loads(detector.veml("status", "--json").out)["stale_models"]
    assert [(one["path"], one["kind"]) for one in found] == [(RECORD, "changed")]
    assert found[0]["changes"][0]["new"] == 5


def test_a_comment_is_no_change(detector: Place) -> None:  # noqa: F811
    detector.write("configs/detector.py", TOP + "# for the night\n")
    assert json.loads(detector.veml("status", "--json").out)["stale_models"] == []
    detector.veml("commit", "-am", "a comment")
    assert RECORD not in detector.git("show", "--stat")


@pytest.mark.parametrize("how", ["file", "base", "folder", "everything", "tracked", "commit"])
def test_add_brings_the_record_along(detector: Place, how: str) -> None:  # noqa: F811
    """Without ``any_refreshed`` in add and in commit -a, the commit is refused."""
    change(detector, "depth=50", "depth=101", "configs/_base_/rcnn.py")
    arguments = {
        "file": ["configs/detector.py"], "base": ["configs/_base_/rcnn.py"],
        "folder": ["configs"], "everything": ["."], "tracked": ["-u"],
    }  # fmt: skip
    if how == "commit":
        done = detector.veml("commit", "-am", "deeper")
        assert "model detector  backbone; 1 key of its config" in done.out
    else:
        dry = detector.veml("add", "-n", *arguments[how]).out
        assert "would add model detector  backbone" in dry
        done = detector.veml("add", *arguments[how])
        assert "model detector  backbone; 1 key of its config" in done.out
        detector.veml("add", ".")  # the base, where the config alone was named
        detector.veml("commit", "-m", "deeper")
    assert json.loads(detector.veml("model", "show", "detector@HEAD", "--json").out)["facts"][
        "backbone"]["sizes"] == {"depth": 101}  # fmt: skip
    assert "working tree clean" in detector.veml("status").out


def test_a_commit_of_the_config_alone_is_refused(detector: Place) -> None:  # noqa: F811
    """By ``veml commit`` itself, and by the hook."""
    change(detector, "num_classes=3", "num_classes=5")
    detector.git("add", "configs")
    done = detector.veml("commit", "-m", "five", code=None)
    assert done.code
    assert f"{RECORD}: {SAYS}" in done.err
    assert "--no-verify commits all the same" in done.err
    by_git = git_commit(detector)
    assert by_git.returncode == 1
    assert f"veml: {RECORD}: {SAYS}" in by_git.stderr
    detector.veml("commit", "-m", "five", "--no-verify")
    # What is committed already stands in nobody's way, and is told.
    detector.write("notes.txt", "one\n")
    detector.veml("add", "notes.txt")
    assert git_commit(detector).returncode == 0
    assert "records of models are not what their configs say" in detector.veml("status").out
    detector.veml("add", "configs/detector.py")
    detector.veml("commit", "-m", "in step")


def test_veml_commit_refuses_it_without_hooks(detector: Place) -> None:  # noqa: F811
    """Seen to fail with the look at ``any_stale_staged`` taken out of ``commit``."""
    detector.veml("hook", "uninstall")
    change(detector, "num_classes=3", "num_classes=5")
    detector.git("add", "configs")
    assert f"{RECORD}: {SAYS}" in detector.veml("commit", "-m", "five", code=None).err
    assert detector.git("log", "--format=%s", "-1") != "five\n"


def test_git_commit_a_is_refused_too(detector: Place) -> None:  # noqa: F811
    """Its index is a temporary one: with the hook looking at the usual one, it goes through."""
    change(detector, "num_classes=3", "num_classes=5")
    assert git_commit(detector, "-a").returncode == 1


def test_a_config_that_is_gone(detector: Place) -> None:  # noqa: F811
    detector.git("rm", "-q", "configs/detector.py")
    assert "config missing: models/detector.veml" in detector.veml("status").out
    for done in (detector.veml("commit", "-m", "x", code=None).err, git_commit(detector).stderr):
        assert f"{RECORD}: configs/detector.py: not in the index" in done
        assert "veml model rm detector" in done
    detector.veml("model", "rm", "detector")
    detector.veml("commit", "-m", "gone")


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ('"classes": [3]', '"classes": [4]', "edited by hand"),
        ("bbox_head.num_classes\": 3", "bbox_head.num_classes\": 4", "edited by hand"),
        (' "kind": "model",\n', ' "kind": "model",\n "more": 1,\n', "no model record has"),
        ("3", "4", "says something else: model.roi_head.bbox_head.num_classes 4 -> 3"),
    ],
)  # fmt: skip
def test_a_record_edited_by_hand_is_refused(
    detector: Place,  # noqa: F811
    old: str,
    new: str,
    said: str,
) -> None:
    change(detector, old, new, RECORD)
    assert said in detector.veml("status").out
    detector.git("add", RECORD)
    assert said in git_commit(detector).stderr
    assert said in detector.veml("commit", "-m", "x", code=None).err
    assert said in detector.veml("model", "ls").out or "no model record" in said
    detector.veml("model", "add", "configs/detector.py", "--force")
    assert "working tree clean" in detector.veml("status").out


def test_a_record_in_another_place_is_refused(detector: Place) -> None:  # noqa: F811
    detector.git("mv", RECORD, "detector.veml")
    assert "a model record cannot stand here" in git_commit(detector).stderr


def test_diff_log_and_show_speak_of_models(detector: Place) -> None:  # noqa: F811
    change(detector, "num_classes=3", "num_classes=5")
    detector.veml("add", "configs/detector.py")
    said = detector.veml("diff", "--staged").out
    assert "model detector  classes; 1 key of its config\n  classes  3 -> 5\n" in said
    assert "~  model.roi_head.bbox_head.num_classes  3 -> 5" in said
    assert '"classes"' not in said
    stat = detector.veml("diff", "--staged", "--stat").out
    assert " model detector       |  classes; 1 key of its config" in stat
    assert "1 model changed, 1 ordinary file changed" in stat
    names = detector.veml("diff", "--staged", "--name-status").out
    assert names == f"M\tconfigs/detector.py\nM\t{RECORD}\n"
    document = json.loads(detector.veml("diff", "--staged", "--json").out)
    assert [one["name"] for one in document["models"]] == ["detector"]
    assert [one["path"] for one in document["files"]] == ["configs/detector.py"]
    detector.veml("commit", "-m", "five")
    assert "model detector" in detector.veml("log", "--stat", "-n1").out
    assert "classes  3 -> 5" in detector.veml("show").out
    assert "new model detector  FasterRCNN" in detector.veml("show", "v1").out
    by_git = detector.git("show", "HEAD", "--", RECORD)
    assert "-classes          3\n+classes          5\n" in by_git


def test_a_record_that_cannot_be_read_is_shown_as_a_file(detector: Place) -> None:  # noqa: F811
    change(detector, ' "kind": "model",\n', ' "kind": "model",\n "more": 1,\n', RECORD)
    assert f"file {RECORD}" in detector.veml("diff").out


def test_models_do_not_make_hooks_slow(detector: Place) -> None:  # noqa: F811
    """A model has no folder that could be behind it; counted as a data set, each hook looks."""
    from veml_hooks.quick import nothing_to_follow

    here = os.fspath(detector.root)
    detector.veml("checkout")  # writes held.json
    if not os.path.exists(detector.root / ".git/veml/held.json"):
        (detector.root / ".git/veml/held.json").write_text('{"veml": 1, "folders": {}}')
    assert nothing_to_follow(here)
    detector.write("images.veml", b'{\n "kind": "data",\n "veml": 1\n}\n')
    detector.git("add", "-f", "images.veml")
    assert not nothing_to_follow(here)


def test_fsck_reads_the_records_of_all_commits(detector: Place) -> None:  # noqa: F811
    change(detector, ' "kind": "model",\n', ' "kind": "model",\n "more": 1,\n', RECORD)
    detector.git("add", RECORD)
    detector.git("commit", "-qm", "broken", "--no-verify")
    change(detector, ' "more": 1,\n', "", RECORD)
    detector.git("commit", "-qam", "mended", "--no-verify")
    said = detector.veml("fsck", code=1).out
    assert "unreadable" in said
    assert "no model record has: 'more'" in said
    # No data hangs on it: what nothing needs is removed all the same.
    assert "more" not in detector.veml("gc", "--dry-run").out


def test_completion_of_models(detector: Place) -> None:  # noqa: F811
    from veml_vcs.repository.complete import dataset_names, record_names
    from veml_vcs.repository.repository import Repository
    from veml_vcs.versions.kinds import MODEL

    with Repository(str(detector.root)) as repo:
        assert record_names(repo, MODEL) == ["detector"]
        assert dataset_names(repo) == []
