"""Names of versions that are no folder of data: models, trainings. ``FOLDER/NAME.veml`` each.

A Git tree of a stranger's can hold any path, so what leads out of the work tree is refused here.
"""

from __future__ import annotations

from dataclasses import dataclass

from veml_vcs.errors import FormatError, InvalidInputError
from veml_vcs.samples.tree.entry import check_key
from veml_vcs.versions.data import RECORD_SUFFIX


@dataclass(frozen=True)
class RecordNames:
    """The names of one kind of version.

    Attributes:
        folder: Where the records lie, with a slash at its end.
        kind: What they are of, for messages: ``model``.
        hint: What to type, with a good name.
    """

    folder: str
    kind: str
    hint: str

    def check(self, name: str) -> str:
        """Return a name; refuse what cannot be one.

        Raises:
            InvalidInputError: It cannot be a file below the folder, or a revision could not follow.
        """
        what = f"{name!r:.80} cannot be the name of a {self.kind}"
        try:
            check_path(name)
        except InvalidInputError as error:
            raise InvalidInputError(f"{what}: {error}") from error
        if "@" in name or ":" in name or name.startswith("-") or name.endswith(RECORD_SUFFIX):
            raise InvalidInputError(
                f"{what}: no @ or :, no - first, no .veml last",
                hint=self.hint,
            )
        return name

    def path(self, name: str) -> str:
        """Return where the record of a name lies."""
        return f"{self.folder}{self.check(name)}{RECORD_SUFFIX}"

    def name(self, path: str) -> str:
        """Return the name whose record lies there.

        Raises:
            FormatError: No record of this kind can lie there.
        """
        name = path.removeprefix(self.folder).removesuffix(RECORD_SUFFIX)
        try:
            if not path.startswith(self.folder) or not path.endswith(RECORD_SUFFIX):
                raise InvalidInputError(
                    f"a {self.kind}'s record is {self.folder}NAME{RECORD_SUFFIX}"
                )
            return self.check(name)
        except InvalidInputError as error:
            raise FormatError(
                f"{path!r:.200}: a {self.kind} record cannot stand here: {error}",
                kind="hostile-path",
            ) from error


def check_path(path: str) -> None:
    """Refuse what is no path of a file in the work tree.

    Raises:
        InvalidInputError: It is none.
    """
    check_key(path)
    if path.startswith("/") or not path.isprintable():
        raise InvalidInputError(f"not a usable path: {path!r:.80}")
