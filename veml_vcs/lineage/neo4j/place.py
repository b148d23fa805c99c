"""Where a repository is mirrored: settings in ``.git/config``, and who may write there.

No driver is imported: every command asks whether there is a mirror at all.
"""

from __future__ import annotations

import os
import re
import secrets
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import urlsplit

from veml_vcs.errors import InvalidInputError, MissingDependencyError, StorageError, shown
from veml_vcs.repository.git.program import GitDone, git, has_git
from veml_vcs.repository.repository import Repository

SCHEMES = ("neo4j", "neo4j+s", "neo4j+ssc", "bolt", "bolt+s", "bolt+ssc")
DEFAULT_PORT = 7687
DEFAULT_DATABASE = "neo4j"
_SECTION = ("veml", "neo4j")
_DATABASE = re.compile("[A-Za-z][A-Za-z0-9.-]{2,62}")
_NAME_LETTERS = 200
_HELPER_SECONDS = 20.0


@dataclass(frozen=True)
class Place:
    """Where a repository is mirrored.

    Attributes:
        url: ``neo4j://HOST:PORT``, or another of ``SCHEMES``.
        database: Of the server.
        name: What the repository is called there.
        clone: A random id of this clone, which keeps that mirror.
    """

    url: str
    database: str
    name: str
    clone: str

    @property
    def host(self) -> str:
        """``HOST:PORT``."""
        return self.url.partition("://")[2]


def place_of(repo: Repository) -> Place | None:
    """Return where a repository is mirrored; None if it is not."""
    url = repo.git.setting(_SECTION, "url")
    if not url:
        return None
    return Place(
        checked_url(url),
        repo.git.setting(_SECTION, "database") or DEFAULT_DATABASE,
        repo.git.setting(_SECTION, "name") or os.path.basename(repo.root),
        repo.git.setting(_SECTION, "clone") or "",
    )


def is_connected(repo: Repository) -> bool:
    """Tell whether a repository is mirrored."""
    return bool(repo.git.setting(_SECTION, "url"))


def new_place(
    repo: Repository, url: str, database: str | None = None, name: str | None = None
) -> Place:
    """Return a place for a repository, with what was not said from before, or by default.

    Raises:
        InvalidInputError: The address, or a name, is none.
    """
    called = os.path.basename(repo.root) if name is None else name
    if not called or len(called) > _NAME_LETTERS or not called.isprintable():
        raise InvalidInputError(
            f"--as {shown(called)!r}: expected a name of 1 to {_NAME_LETTERS} printable letters"
        )
    base = database or DEFAULT_DATABASE
    if not _DATABASE.fullmatch(base) or base.lower() == "system":
        raise InvalidInputError(
            f"--database {shown(base)!r}: expected the name of a database (3 to 63 letters, digits,"
            " dots and dashes), and not system",
            hint="Neo4j Community has one, neo4j, which is what is taken without --database",
        )
    clone = repo.git.setting(_SECTION, "clone") or secrets.token_hex(8)
    return Place(checked_url(url), base, called, clone)


def checked_url(text: str) -> str:
    """Return ``SCHEME://HOST:PORT`` of an address.

    Raises:
        InvalidInputError: It is none, or a user or a password is in it.
    """
    expected = "expected neo4j://HOST[:PORT], or bolt://; neo4j+s:// where the server has TLS"
    if "@" in text:  # first of all: what follows may show a part of it
        raise InvalidInputError(
            f"{_without_secret(text)}: an address with a user or a password in it would be written "
            "into the repository's settings",
            hint="leave them out, and set NEO4J_USERNAME and NEO4J_PASSWORD, or let Git's "
            "credential helper keep them",
            kind="secret-in-address",
        )
    try:
        found = urlsplit(text)
        port = found.port
    except ValueError as error:
        raise InvalidInputError(f"{shown(text)}: {error}", hint=expected) from error
    if found.scheme not in SCHEMES:
        hint = expected
        if found.scheme in ("http", "https"):
            hint = f"Neo4j's drivers do not speak HTTP: neo4j://{found.hostname or 'HOST'}"
        raise InvalidInputError(f"{shown(text)} is no address of a Neo4j server", hint=hint)
    if not found.hostname or found.path not in ("", "/") or found.query or found.fragment:
        raise InvalidInputError(f"{shown(text)} is no address of a Neo4j server", hint=expected)
    host = f"[{found.hostname}]" if ":" in found.hostname else found.hostname
    return f"{found.scheme}://{host}:{port or DEFAULT_PORT}"


def _without_secret(text: str) -> str:
    scheme, slashes, _ = text.rpartition("@")[0].partition("://")
    named = f"{scheme}{slashes}" if slashes and scheme in (*SCHEMES, "http", "https") else ""
    return shown(f"{named}...@{text.rpartition('@')[2]}")


def write_place(repo: Repository, place: Place) -> None:
    """Write where a repository is mirrored into its ``.git/config``.

    Raises:
        MissingDependencyError: There is no git to write it.
        StorageError: It cannot be written.
    """
    for name in ("url", "database", "name", "clone"):
        _config(repo, "--replace-all", f"{'.'.join(_SECTION)}.{name}", getattr(place, name))


def remove_place(repo: Repository) -> None:
    """Forget where a repository is mirrored.

    Raises:
        MissingDependencyError: There is no git to write it.
        StorageError: It cannot be written.
    """
    _config(repo, "--remove-section", ".".join(_SECTION))


def _config(repo: Repository, *arguments: str) -> None:
    if not has_git():
        raise MissingDependencyError(
            "git is not installed, which writes settings", hint="install git"
        )
    done = git(repo.root, "config", "--local", *arguments)
    if done.code:
        said = os.fsdecode(done.err).strip()
        raise StorageError(f"git could not write its settings: {said}")


@dataclass(frozen=True)
class Login:
    """Who asks.

    Attributes:
        user: As the server knows it.
        password: Of the user.
        from_helper: Git's credential helper said so, and wants to hear whether it was right.
    """

    user: str
    password: str
    from_helper: bool = False

    def __repr__(self) -> str:
        return f"Login({self.user!r})"


def login(
    repo: Repository, place: Place, environment: Mapping[str, str], *, ask: bool = False
) -> Login | None:
    """Return who asks a server; None where nobody says.

    Args:
        repo: Its settings name the credential helper.
        place: The server.
        environment: NEO4J_USERNAME and NEO4J_PASSWORD, or NEO4J_AUTH (``user/password``).
        ask: Let git ask on the terminal.
    """
    password = environment.get("NEO4J_PASSWORD")
    if password is not None:
        return Login(environment.get("NEO4J_USERNAME") or "neo4j", password)
    user, slash, password = environment.get("NEO4J_AUTH", "").partition("/")
    if slash:
        return Login(user, password)
    wanted = environment.get("NEO4J_USERNAME")
    said = _credential(repo, "fill", place, {"username": wanted} if wanted else {}, ask=ask)
    if said is None or said.code:
        return None
    found = dict(line.partition("=")[::2] for line in said.text.splitlines())
    if not found.get("password"):
        return None
    return Login(found.get("username", "neo4j"), found["password"], from_helper=True)


def tell_helper(repo: Repository, place: Place, who: Login, *, right: bool) -> None:
    """Tell Git's credential helper whether what it said was right, so that it keeps or forgets."""
    if who.from_helper:
        said = {"username": who.user, "password": who.password}
        _credential(repo, "approve" if right else "reject", place, said)


def _credential(
    repo: Repository, what: str, place: Place, said: Mapping[str, str], *, ask: bool = False
) -> GitDone | None:
    if not has_git():
        return None
    wanted = {"protocol": "neo4j", "host": place.host, **said}
    quiet = (
        {} if ask else {"GIT_TERMINAL_PROMPT": "0", "GIT_ASKPASS": "true", "SSH_ASKPASS": "true"}
    )
    try:
        return git(
            repo.root, "credential", what, more=quiet, quiet=not ask,
            seconds=None if ask else _HELPER_SECONDS,
            data="".join(f"{name}={value}\n" for name, value in wanted.items()).encode(),
        )  # fmt: skip
    except subprocess.TimeoutExpired:
        return None
