"""veml: Git for the whole machine-learning lifecycle.

    import veml_vcs as veml

    repo = veml.open(".")
    ds = veml.dataset(repo, "images/train", "main")
    ds[0].data, ds[0].annotation, ds.classes

The commands of the command line are the functions of ``veml_vcs.repository``.
"""

from veml_vcs.errors import VemlError
from veml_vcs.repository import Dataset, Repository, Sample, dataset, init
from veml_vcs.repository import Repository as open  # noqa: A004, N813 - veml.open(".") reads best

__version__ = "0.1.0"

__all__ = ["Dataset", "Repository", "Sample", "VemlError", "dataset", "init", "open"]
