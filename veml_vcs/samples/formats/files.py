"""Files without annotations: every image is a sample; without any image, every file is."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence

from veml_vcs.errors import InvalidInputError
from veml_vcs.samples.facts import Annotation, Facts
from veml_vcs.samples.formats.base import Format, Layout, Parsed, ReadFile, Refusal
from veml_vcs.samples.formats.keys import images_in


class Files(Format):
    """Samples without annotations."""

    name = "files"
    needs = "files"
    has_files = False

    def recognise(
        self, keys: Sequence[str], read: ReadFile, *, forced: bool = False
    ) -> Layout | Refusal:
        """See ``Format.recognise``. Never refuses."""
        inside = [key for key in keys if not key.startswith("/")]
        return Layout(self.name, tuple(images_in(inside) or inside))

    def read(self, layout: Layout, read: ReadFile, only: Collection[str] | None = None) -> Parsed:
        """See ``Format.read``."""
        return Parsed({}, Facts(self.name))

    def write(
        self,
        annotations: Mapping[str, Annotation],
        facts: Facts,
        only: Collection[str] | None = None,
    ) -> dict[str, bytes]:
        """See ``Format.write``."""
        for key, annotation in annotations.items():
            if annotation:
                raise InvalidInputError(
                    f"{key}: a data set of plain files has no annotations, found {annotation!r:.80}"
                )
        return {}
