"""Who makes a commit, by Git's rules: variables, configuration, then what the machine tells.

As in Git a name and an address may be taken from the login and the machine's name, but only where
these are real: a machine whose name has no dot gives no address, and then a commit is refused.
``user.useConfigOnly`` allows neither.
"""

from __future__ import annotations

import os
import pwd
from typing import TYPE_CHECKING, Literal, NamedTuple

from veml_vcs.errors import InvalidInputError

if TYPE_CHECKING:
    from dulwich.config import Config

Role = Literal["AUTHOR", "COMMITTER"]

_CRUD = "".join(map(chr, range(33))) + ".,:;<>\"\\'"
_MAILNAME = "/etc/mailname"


class _Found(NamedTuple):
    """A part of an identity.

    Attributes:
        text: The name, or the address.
        guessed: The machine tells it, nobody said it.
        bogus: What the machine tells is not real.
        loose: It is neither configured nor given for this commit (``EMAIL``, or guessed).
    """

    text: str
    guessed: bool = False
    bogus: bool = False
    loose: bool = False


def identity_of(config: Config, role: Role, *, strict: bool = True) -> str:
    """Return ``Name <email>`` of whoever makes a commit.

    Args:
        config: Git's configuration.
        role: Author or committer.
        strict: Refuse what is not real; else, for a reflog, something is returned in any case.

    Raises:
        InvalidInputError: Nobody said who it is, and the machine does not tell.
    """
    only = _is_true(_setting(config, "user", "useconfigonly"))
    email, name = _email(config, role), _name(config, role)
    if strict:
        if email.loose and only:
            raise _unknown(role, "no email was given and auto-detection is disabled")
        if email.bogus:
            raise _unknown(role, f"unable to auto-detect email address (got '{email.text}')")
        if name.loose and only:
            raise _unknown(role, "no name was given and auto-detection is disabled")
        if name.bogus:
            raise _unknown(role, f"unable to auto-detect name (got '{name.text}')")
        if not name.text:
            raise _unknown(role, f"empty ident name (for <{_clean(email.text)}>) not allowed")
        if not name.text.strip(_CRUD):
            raise _unknown(role, f"name consists only of disallowed characters: {name.text}")
    return f"{_clean(name.text) or _login()[0]} <{_clean(email.text)}>"


def was_guessed(config: Config, role: Role) -> bool:
    """Tell whether the machine alone tells the address; the name alone is no news to Git."""
    return _email(config, role).guessed


def clean_identity(name: str, email: str) -> str:
    """Return ``Name <email>`` without what Git takes out of both."""
    return f"{_clean(name)} <{_clean(email)}>"


def _unknown(role: Role, why: str) -> InvalidInputError:
    return InvalidInputError(
        f"{role.capitalize()} identity unknown: {why}",
        hint='please tell me who you are: git config --global user.email "you@example.com" and '
        'git config --global user.name "Your Name" (without --global: in this repository alone)',
        kind="no-identity",
    )


def _name(config: Config, role: Role) -> _Found:
    said = _said(config, role, "name")
    if said is not None:
        return _Found(said)
    login, full = _login()
    return _Found(full if login else "unknown", guessed=True, bogus=not login, loose=True)


def _email(config: Config, role: Role) -> _Found:
    said = _said(config, role, "email")
    if said is not None:
        return _Found(said)
    mail = os.environ.get("EMAIL")
    if mail:
        return _Found(mail.strip(), loose=True)
    login, host = _login()[0], _host()
    text = f"{login or 'unknown'}@{host or _hostname() + '.(none)'}"
    return _Found(text, guessed=True, bogus=not (login and host), loose=True)


def _said(config: Config, role: Role, what: str) -> str | None:
    """Return what a variable or the configuration says; an empty text is something said."""
    found = os.environ.get(f"GIT_{role}_{what.upper()}")
    for section in (role.lower(), "user"):
        if found is None:
            found = _setting(config, section, what)
    return found


def _login() -> tuple[str, str]:
    """Return the login and the full name of whoever runs this; empty: there is no such user."""
    try:
        entry = pwd.getpwuid(os.getuid())
    except KeyError:
        return "", ""
    full = entry.pw_gecos.split(",")[0].replace("&", entry.pw_name.capitalize())
    return entry.pw_name, full


def _host() -> str:
    """Return the machine's name for mail; empty if it has none."""
    try:
        with open(_MAILNAME, encoding="utf-8", errors="replace") as file:
            name = file.readline().strip()
        if name:
            return name
    except OSError:
        pass  # most machines have none
    name = _hostname()
    if "." in name:
        return name
    import socket

    try:
        found = socket.getaddrinfo(name, None, flags=socket.AI_CANONNAME)
    except OSError:
        return ""
    whole = found[0][3] if found else ""
    return whole if "." in whole else ""


def _hostname() -> str:
    import socket  # every command imports this module, and few need the machine's name

    return socket.gethostname()


def _clean(text: str) -> str:
    """Take out what Git takes out: dots, quotes and the like at the ends, brackets anywhere."""
    return "".join(char for char in text.strip(_CRUD) if char not in "\n<>")


def _setting(config: Config, section: str, name: str) -> str | None:
    try:
        value = config.get((section.encode(),), name.encode())
    except KeyError:
        return None
    return bytes(value).decode("utf-8", "replace")


def _is_true(text: str | None) -> bool:
    return text is not None and text.lower() in ("true", "yes", "on", "1")
