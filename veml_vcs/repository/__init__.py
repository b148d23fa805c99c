"""History: a Git repository with data sets in it; commands, a module each, and what they share."""

from veml_vcs.repository.dataset import Dataset, Sample, dataset
from veml_vcs.repository.init import InitResult, init
from veml_vcs.repository.progress import Progress, silent
from veml_vcs.repository.repository import Repository

__all__ = [
    "Dataset",
    "InitResult",
    "Progress",
    "Repository",
    "Sample",
    "dataset",
    "init",
    "silent",
]
