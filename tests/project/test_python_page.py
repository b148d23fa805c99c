"""The examples of docs/python.md, run one after the other."""

from __future__ import annotations

import re
import shutil
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parents[2]
BLOCK = re.compile(r"^```python( torch)?\n(.*?)^```$", re.MULTILINE | re.DOTALL)


def run_page(folder: Path, monkeypatch: pytest.MonkeyPatch, *, torch: bool) -> int:
    """Run the page's examples in a folder; return how many there were."""
    shutil.copytree(ROOT / "demo/data/bccd", folder / "cells")
    shutil.copytree(ROOT / "demo/data/carla_town01", folder / "drives")
    for name in ("AUTHOR", "COMMITTER"):
        monkeypatch.setenv(f"GIT_{name}_NAME", "Ada")
        monkeypatch.setenv(f"GIT_{name}_EMAIL", "ada@example.org")
    monkeypatch.chdir(folder)
    names: dict[str, Any] = {"__name__": "docs.python"}
    page = (ROOT / "docs/python.md").read_text(encoding="utf-8")
    count = 0
    for match in BLOCK.finditer(page):
        if match[1] and not torch:
            continue
        line = page.count("\n", 0, match.start(2))
        code = compile("\n" * line + match[2], str(ROOT / "docs/python.md"), "exec")
        exec(code, names)
        count += 1
    return count


def test_examples_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert run_page(tmp_path, monkeypatch, torch=False) == 10


@pytest.mark.ml
def test_examples_run_with_torch(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("torch", reason="needs PyTorch (extra [ml])")
    assert run_page(tmp_path, monkeypatch, torch=True) == 12
