"""What the documents say can be followed: links, commands, the reference; no machine is named."""

from __future__ import annotations

import importlib.util
import os
import re
import subprocess
import sys
from pathlib import Path
from types import ModuleType
from typing import Annotated

import pytest
import typer

ROOT = Path(__file__).resolve().parents[2]
PAGES = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md"), *(ROOT / "demo").rglob("*.md")])
LINK = re.compile(r"(?<!!)\[[^\]\n]*\]\(([^)\s]+)\)|!\[[^\]\n]*\]\(([^)\s]+)\)")
CODE = re.compile(r"^(?:```.*?^```|(?: {4}|\t).*?$)|`[^`\n]+`", re.MULTILINE | re.DOTALL)


def relative(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


def anchors(page: Path) -> set[str]:
    """The anchors that Git hosts make of a page's headings."""
    headings = re.findall(r"^#+\s+(.*)$", page.read_text(encoding="utf-8"), re.MULTILINE)
    return {
        re.sub(r"[^\w\- ]", "", heading.lower()).strip().replace(" ", "-") for heading in headings
    }


@pytest.mark.parametrize("page", PAGES, ids=relative)
def test_links_resolve(page: Path) -> None:
    text = CODE.sub("", page.read_text(encoding="utf-8"))
    targets = [first or second for first, second in LINK.findall(text)]
    broken = []
    for target in targets:
        if target.startswith(("http://", "https://", "mailto:")):
            continue
        name, _, anchor = target.partition("#")
        other = (page.parent / name) if name else page
        if not other.exists() or (
            anchor and other.suffix == ".md" and anchor not in anchors(other)
        ):
            broken.append(target)
    assert broken == []


def test_readme_begins_with_the_two_commands() -> None:
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    first_page = "\n".join(text.splitlines()[:40])
    assert "./demo.sh" in first_page
    assert "./test.sh" in first_page


def test_programs_named_in_the_readme_can_be_run() -> None:
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    programs = {*re.findall(r"(?<![\w.])\./([\w./-]*\w)", text), "demo.sh", "test.sh", ".ci/run"}
    for program in programs:
        assert os.access(ROOT / program, os.X_OK), program


def tracked_text_files() -> list[Path]:
    """Files that Git would take, without other people's data."""
    listing = ["git", "ls-files", "--cached", "--others", "--exclude-standard", "-z"]
    names = subprocess.run(listing, cwd=ROOT, check=True, capture_output=True).stdout.decode()
    paths = [
        ROOT / name for name in names.split("\0") if name and not name.startswith("demo/data/")
    ]
    return [path for path in paths if path.is_file() and b"\0" not in path.read_bytes()[:4096]]


@pytest.mark.skipif(not (ROOT / ".git").exists(), reason="not a Git checkout")
def test_no_file_names_a_machine() -> None:
    # Put together here, so that this file does not name what it looks for.
    slash = "/"
    # Made-up homes of users are fair in tests of odd paths, so they are not looked for.
    folders = "|".join(("work", "tmp", "root", "opt"))
    hosts = "|".join(("pypi" + r"\.org", "python" + "hosted", "index" + "-url", "find" + "-links"))
    pattern = re.compile(rf"(?<![\w.$}}~]){slash}(?:{folders}){slash}\w|(?:{hosts})")
    found = {
        f"{relative(path)}: {match.group()}"
        for path in tracked_text_files()
        if (match := pattern.search(path.read_text(encoding="utf-8", errors="replace")))
    }
    assert found == set()


def load_reference_writer() -> ModuleType:
    path = ROOT / "docs" / "make_cli_reference.py"
    spec = importlib.util.spec_from_file_location("make_cli_reference", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def run_reference_writer(*arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, str(ROOT / "docs" / "make_cli_reference.py"), *arguments]
    return subprocess.run(command, capture_output=True, text=True, check=False)


def test_cli_reference_is_up_to_date() -> None:
    done = run_reference_writer("--check")
    assert done.returncode == 0, done.stderr


def test_stale_cli_reference_is_noticed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    writer = load_reference_writer()
    monkeypatch.setattr(writer, "PAGE", tmp_path / "cli.md")
    assert writer.main(["--check"]) == 1
    assert writer.main([]) == 0
    assert writer.main(["--check"]) == 0
    with writer.PAGE.open("a", encoding="utf-8") as page:
        page.write("stale\n")
    assert writer.main(["--check"]) == 1
    assert "make_cli_reference.py" in capsys.readouterr().err


def test_cli_reference_shows_groups_options_and_hides_the_hidden() -> None:
    app = typer.Typer(help="Git for data.", add_completion=False)
    lineage = typer.Typer(help="Where versions come from.")
    app.add_typer(lineage, name="lineage")

    @app.command()
    def add(
        paths: Annotated[list[str], typer.Argument(help="Folders to track.")],
        form: Annotated[str, typer.Option("--format", "-f", help="coco|voc")] = "auto",
    ) -> None:
        """Track a data set."""

    @lineage.command("show")
    def show(name: str) -> None:
        """Show where a version comes from."""

    @app.command(hidden=True)
    def secret() -> None:
        """Nobody shall see this."""

    text = load_reference_writer().render(app)
    assert "## veml add\n\nTrack a data set.\n" in text
    assert r"coco\|voc [default: auto]" in text
    assert "## veml lineage show\n" in text
    assert "| `add` | Track a data set. |" in text
    assert "secret" not in text
