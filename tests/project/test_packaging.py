"""What is installed is what is on disk."""

from __future__ import annotations

import ast
import tomllib
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parents[2]
SOURCES = {"veml_vcs": ROOT / "veml_vcs", "veml_cli": ROOT / "cli", "veml_hooks": ROOT / "hooks"}
CONFIGS = SOURCES["veml_vcs"] / "training" / "configs"  # texts for users, which nobody imports
MODULES = sorted(
    path for folder in SOURCES.values() for path in folder.rglob("*.py") if path.parent != CONFIGS
)
SCRIPTS = sorted(
    path for part in ("demo", "docs", "benchmarks") for path in (ROOT / part).rglob("*.py")
)


def pyproject() -> dict[str, Any]:
    return tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))


def relative(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


def test_listed_packages_are_those_on_disk() -> None:
    on_disk = {
        ".".join((name, *init.parent.relative_to(folder).parts))
        for name, folder in SOURCES.items()
        for init in folder.rglob("__init__.py")
    }
    assert sorted(pyproject()["tool"]["setuptools"]["packages"]) == sorted(on_disk)


def test_every_folder_with_modules_is_a_package() -> None:
    folders = {path.parent for path in MODULES}
    assert [relative(folder) for folder in folders if not (folder / "__init__.py").exists()] == []


def test_files_named_by_pyproject_exist() -> None:
    project = pyproject()["project"]
    for name in (project["readme"], *project["license-files"]):
        assert (ROOT / name).is_file(), name


def test_core_install_stays_light() -> None:
    names = {
        requirement.split(">")[0].split("=")[0]
        for requirement in pyproject()["project"]["dependencies"]
    }
    assert not names & {"torch", "torchvision", "scipy", "pillow", "pandas", "mmengine", "mmdet"}


@pytest.mark.parametrize("path", [*MODULES, *SCRIPTS], ids=relative)
def test_module_opens_with_what_it_is_for(path: Path) -> None:
    tree = ast.parse(path.read_text(encoding="utf-8"))
    empty = not tree.body
    assert (empty and path.name == "__init__.py") or ast.get_docstring(tree)


@pytest.mark.parametrize("path", [p for p in MODULES if p.name == "__init__.py"], ids=relative)
def test_package_file_only_reexports(path: Path) -> None:
    tree = ast.parse(path.read_text(encoding="utf-8"))
    code = [node for node in tree.body if isinstance(node, ast.ClassDef | ast.FunctionDef)]
    # A lazy re-export is still one: a module __getattr__ keeps numpy out of `import veml_vcs`.
    assert [node.name for node in code if node.name not in ("__getattr__", "__dir__")] == []
    imports_names = any(
        isinstance(node, ast.ImportFrom) and node.module != "__future__" for node in tree.body
    )
    has_all = any(
        isinstance(target, ast.Name) and target.id == "__all__"
        for node in tree.body
        if isinstance(node, ast.Assign | ast.AnnAssign)
        for target in (node.targets if isinstance(node, ast.Assign) else [node.target])
    )
    assert has_all or not imports_names
