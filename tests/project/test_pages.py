"""The quick start is followed command by command; what other pages type are commands that exist."""

from __future__ import annotations

import re
import shlex
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import typer

from tests.project.pages import Command, commands_of, differences, run
from veml_cli.main import app

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = Path(__file__).resolve().parents[2]
QUICKSTART = (ROOT / "docs/quickstart.md").read_text(encoding="utf-8")
PYTHON = re.compile(r"^```python(?P<marks>[^\n]*)\n(?P<text>.*?)^```$", re.MULTILINE | re.DOTALL)


def follow(folder: Path, *, without: str) -> None:
    """Do what the quick start says, in an empty folder beside veml's source."""
    home = folder / "home"
    home.mkdir()
    (home / ".gitconfig").write_text(
        "[user]\n\tname = Ada\n\temail = ada@example.org\n[init]\n\tdefaultBranch = main\n"
    )
    (folder / "veml").mkdir()
    (folder / "veml/demo").symlink_to(ROOT / "demo")
    found = commands_of(QUICKSTART, without=without)
    assert len(found) > 25
    programs = f"{Path(sys.executable).parent}:/usr/local/bin:/usr/bin:/bin"
    # One moment for all commits: then their ids are the page's, on every machine.
    moment = "1800000000 +0000"
    environment = {
        "HOME": str(home), "PATH": programs, "GIT_CONFIG_NOSYSTEM": "1", "COLUMNS": "200",
        "GIT_AUTHOR_DATE": moment, "GIT_COMMITTER_DATE": moment,
    }  # fmt: skip
    run(found, folder, environment)
    assert list(differences(found)) == []
    code = "".join(
        block["text"]
        for block in PYTHON.finditer(QUICKSTART)
        if not without or "torch" not in block["marks"]
    )
    last = "" if without else "assert len(next(iter(loader))) == 2\n"
    run_python = [sys.executable, "-W", "error", "-c", code + "assert sample.boxes()\n" + last]
    done = subprocess.run(
        run_python, cwd=folder / "drives", capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr


@pytest.mark.slow
def test_quickstart(tmp_path: Path) -> None:
    follow(tmp_path, without="ml")


@pytest.mark.ml
def test_quickstart_with_similar_and_drift(tmp_path: Path) -> None:
    pytest.importorskip("torch", reason="needs PyTorch (extra [ml])")
    follow(tmp_path, without="")


def test_a_page_that_is_wrong_is_noticed(tmp_path: Path) -> None:
    page = (
        "text\n```console\n$ echo one; echo two\none\n...\n$ false\n$ echo $?\n1\n```\n"
        "```console ml\n$ exit 3\n```\n"
        "```console\n$ echo 7706f5b at 12\n1234567 at ...\n$ printf 'a\\nb\\nc\\n'\n...\nc\n```\n"
    )
    good = commands_of(page, without="ml")
    run(good, tmp_path, {})
    assert list(differences(good)) == []
    for old, new, line in (
        ("one\n...", "two\n...", 3),
        ("one\n...", "one", 3),
        ("$ echo $?\n1\n", "", 6),
        ("\n1\n", "\n0\n", 7),
        ("at ...", "at 13", 14),
        ("...\nc", "...\nd", 16),
    ):
        wrong = commands_of(page.replace(old, new), without="ml")
        run(wrong, tmp_path, {})
        told = list(differences(wrong))
        assert [one.partition(":")[0] for one in told] == [f"line {line}"], (old, new)
    with pytest.raises(AssertionError, match="stopped early"):
        run(commands_of(page), tmp_path, {})


def typed_commands(page: str) -> Iterator[Command]:
    """Yield the lines of code blocks that run veml, without their comments."""
    fenced = False
    for number, line in enumerate(page.splitlines(), 1):
        if line.startswith("```"):
            fenced = not fenced
            continue
        text = line.strip().removeprefix("$ ")
        if (fenced or line.startswith("    ")) and text.startswith("veml "):
            yield from (
                Command(one.strip(), number) for one in re.split(r"&&|;", text.split("   #")[0])
            )


@pytest.mark.parametrize(
    "page",
    [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))],
    ids=lambda path: path.name,
)
def test_commands_on_pages_exist(
    page: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Seen to fail with an option of the README renamed: nobody would have noticed."""
    # Options like --install-completion act as soon as they are parsed.
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.chdir(tmp_path)
    group: Any = typer.main.get_command(app)
    for one in typed_commands(page.read_text(encoding="utf-8")):
        words = shlex.split(one.text, comments=True)
        if words[:1] != ["veml"] or (page.name == "cli.md" and "[" in one.text):
            continue
        command, context, rest = group, None, words[1:]
        try:
            while True:
                context = command.make_context(command.name, list(rest), parent=context)
                if not hasattr(command, "resolve_command"):
                    break
                _, command, rest = command.resolve_command(
                    context, [*context._protected_args, *context.args]
                )
        except typer.TyperException as error:
            pytest.fail(f"{page.name}, line {one.line}: {one.text}: {error.format_message()}")
