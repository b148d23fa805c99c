"""Tables and arrays: a folder of CSV, Parquet, NPY or NPZ files, each of which is a sample.

Rows are not samples: a file is kept byte for byte, and compared and merged by rows where it is text
(``samples.tables``). So a series that grows by a row a day is one sample that changes, and a folder
of one file a station has a sample a station. There are no annotation files, and nothing is said of
a sample; what a table holds is told from its bytes when somebody asks (``veml data show``).
Where one of the files is a graph of sensors, the task is ``series`` and the layout names it.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence

from veml_vcs.errors import FormatError
from veml_vcs.samples.facts import Facts
from veml_vcs.samples.formats.base import Layout, Parsed, ReadFile, Refusal, Unannotated
from veml_vcs.samples.formats.keys import images_in
from veml_vcs.samples.formats.series import find_series
from veml_vcs.samples.tables.text import is_table

ARRAY_SUFFIXES = (".npy", ".npz", ".parquet", ".pq", ".feather", ".arrow")
_BESIDE = (".md", ".txt", ".rst", ".json", ".yaml", ".yml", ".toml", ".pdf", ".html")
_BESIDE_NAMES = frozenset(
    ("license", "licence", "readme", "copying", "notice", "authors", "citation")
)


def holds_numbers(key: str) -> bool:
    """Tell whether a file is a table or an array, by its extension."""
    return is_table(key) or key.lower().endswith(ARRAY_SUFFIXES)


def is_beside(key: str) -> bool:
    """Tell whether a file is what lies beside data: a README, a licence, a list of sensors."""
    base = key.rsplit("/", 1)[-1].lower()
    return base.endswith(_BESIDE) or base.split(".")[0] in _BESIDE_NAMES or base.startswith(".")


class Tables(Unannotated):
    """Folders of tables and arrays."""

    name = "tables"
    needs = "files of numbers (.csv, .tsv, .parquet, .npy, .npz)"
    kind = ("a folder of tables", "a file")

    def recognise(
        self, keys: Sequence[str], read: ReadFile, *, forced: bool = False
    ) -> Layout | Refusal:
        """See ``Format.recognise``."""
        inside = [key for key in keys if not key.startswith("/")]
        samples = [key for key in inside if holds_numbers(key)]
        if not samples:
            return Refusal("no file of numbers")
        if not forced:
            if images := images_in(inside):
                return Refusal(f"there are images, for example {images[0]}")
            other = next((k for k in inside if not holds_numbers(k) and not is_beside(k)), None)
            if other is not None:
                return Refusal(f"there are other files, for example {other}")
        options, scratch = {}, {}
        try:
            series = find_series(samples, inside, read)
            options = {} if series is None else {"series": series.to_json()}
        except FormatError as error:
            # A wrong word in series.json must not stand in the way of status, merge or checkout.
            scratch["warnings"] = (f"{error.message}; no series is seen until it is mended",)
        return Layout(self.name, tuple(samples), options=options, scratch=scratch)

    def read(self, layout: Layout, read: ReadFile, only: Collection[str] | None = None) -> Parsed:
        """See ``Format.read``. Nothing is said of a sample."""
        task = "series" if layout.options else "tabular"
        facts = Facts(self.name, task, layout=layout.options)
        return Parsed({}, facts, layout.scratch.get("warnings", ()))
