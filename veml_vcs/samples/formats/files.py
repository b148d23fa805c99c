"""Files without annotations: every image is a sample; without any image, every file is."""

from __future__ import annotations

from collections.abc import Sequence

from veml_vcs.samples.formats.base import Layout, ReadFile, Refusal, Unannotated
from veml_vcs.samples.formats.keys import images_in


class Files(Unannotated):
    """Samples without annotations."""

    name = "files"
    needs = "files"
    kind = ("a data set of plain files", "a file")

    def recognise(
        self, keys: Sequence[str], read: ReadFile, *, forced: bool = False
    ) -> Layout | Refusal:
        """See ``Format.recognise``. Never refuses."""
        inside = [key for key in keys if not key.startswith("/")]
        return Layout(self.name, tuple(images_in(inside) or inside))
