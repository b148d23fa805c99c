"""veml: Git for the whole machine-learning lifecycle.

    import veml_vcs as veml

    repo = veml.open(".")
    ds = repo.dataset("images/train", "main")
    ds[0].data, ds[0].annotation, ds.classes

The commands of the command line are the functions of ``veml_vcs.repository``. Names are imported
when they are first used, so that ``veml --help`` does not pay for what it does not need.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from veml_vcs.errors import VemlError

if TYPE_CHECKING:
    from veml_vcs.repository import Dataset, Repository, Sample, dataset, init
    from veml_vcs.repository import Repository as open  # noqa: A004, N813 - veml.open(".") reads best

__version__ = "0.1.0"

__all__ = ["Dataset", "Repository", "Sample", "VemlError", "dataset", "init", "open"]


def __getattr__(name: str) -> Any:
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from veml_vcs import repository

    found = getattr(repository, "Repository" if name == "open" else name)
    globals()[name] = found
    return found
