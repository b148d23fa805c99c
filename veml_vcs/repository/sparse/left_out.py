"""What this work tree leaves out of data folders: the rule, and the list of keys (design note 018).

The list alone says what an absent file means: in it, the file is as in the version; not in it, the
user deleted it. A key is on the list before its file goes, and leaves it after its file is there.
This module stores both; ``sparse.rule`` asks the rule, ``sparse.verbs`` are the commands.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

from veml_vcs.errors import DamagedError
from veml_vcs.ids import DIGEST_BYTES
from veml_vcs.repository.repository import Repository
from veml_vcs.samples.tree.entry import decode_key, encode_key

DEFAULT = "*"
"""Stands in the file for every data set without a rule of its own."""

if TYPE_CHECKING:
    from veml_vcs.samples.query import Conditions

_FILE = "sparse.json"
_FOLDER = "sparse"
_FORMAT = 1
_MAGIC = b"veml left out 1\n"
_HINT = "veml sparse reapply makes it anew, veml sparse disable brings all files back"

Mode = Literal["all", "some", "none"]


@dataclass(frozen=True)
class Rule:
    """Which files of a data set are wanted in the work tree.

    Attributes:
        mode: ``all``, ``some`` (samples that meet any of the conditions, and all other files) or
            ``none``.
        conditions: What a wanted sample is like, for ``some``.
    """

    mode: Mode = "all"
    conditions: tuple[Conditions, ...] = ()


ALL = Rule()
NONE = Rule("none")


@dataclass(frozen=True)
class LeftOut:
    """The keys of a data set whose absence means nothing.

    Attributes:
        everything: No file of it is wanted: any absent key is left out.
        keys: Else those that veml left out.
    """

    everything: bool = False
    keys: frozenset[str] = frozenset()

    def __contains__(self, key: object) -> bool:
        """Tell whether a key that is not on disk is left out."""
        return self.everything or key in self.keys

    def __bool__(self) -> bool:
        """Tell whether anything may be left out."""
        return self.everything or bool(self.keys)


NOTHING = LeftOut()


def load_rules(repo: Repository) -> dict[str, Rule]:
    """Return the rules of this work tree: data set, or ``*``, -> rule.

    Raises:
        DamagedError: The file cannot be understood; what is left out is not known then.
    """
    path = os.path.join(repo.private_folder, _FILE)
    if not repo.files.exists(path):
        return {}
    try:
        stored = json.loads(bytes(repo.files.read(path)))
        if stored["veml"] != _FORMAT:
            raise ValueError(f"format {stored['veml']!r}")
        return {name: _parse(one) for name, one in stored["rules"].items()}
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise DamagedError(f"{path}: cannot be read ({error})", hint=_HINT) from error


def save_rules(repo: Repository, rules: dict[str, Rule]) -> None:
    """Remember the rules; none removes the file."""
    path = os.path.join(repo.private_folder, _FILE)
    if not rules:
        repo.files.remove(path)
        return
    stored = {name: _plain(rule) for name, rule in sorted(rules.items())}
    text = json.dumps({"veml": _FORMAT, "rules": stored}, indent=1).encode() + b"\n"
    repo.files.make_folder(repo.private_folder)
    repo.files.write_atomic(path, text)


def rule_of(repo: Repository, dataset: str) -> Rule:
    """Return the rule of one data set.

    Raises:
        DamagedError: The rules cannot be read.
    """
    rules = load_rules(repo)
    return rules.get(dataset, rules.get(DEFAULT, ALL))


def left_out(repo: Repository, dataset: str) -> LeftOut:
    """Return what is left out of a data set's folder.

    Raises:
        DamagedError: It is not known.
    """
    rule = rule_of(repo, dataset)
    if rule.mode == "all":
        return NOTHING
    return LeftOut(everything=True) if rule.mode == "none" else LeftOut(keys=_load(repo, dataset))


def save_left_out(repo: Repository, dataset: str, keys: Collection[str]) -> None:
    """Remember which keys are left out."""
    path = _path(repo, dataset)
    body = encode_key("\0".join(sorted(keys)))
    repo.files.make_folder(os.path.dirname(path))
    repo.files.write_atomic(path, _MAGIC + hashlib.sha256(body).digest() + body)


def take_off(repo: Repository, dataset: str, keys: Iterable[str]) -> None:
    """Take keys off the list: their files are there now, or are to be missed."""
    rule = rule_of(repo, dataset)
    if rule.mode != "some":
        return
    old = _load(repo, dataset)
    new = old.difference(keys)
    if new != old:
        save_left_out(repo, dataset, new)


def forget_list(repo: Repository, dataset: str) -> None:
    """Remove the list of a data set that has no rule any more."""
    repo.files.remove(_path(repo, dataset))


def copy_rule(repo: Repository, old: str, new: str) -> None:
    """Let a rule and its list hold for a data set's new name too, before that is staged."""
    rules = load_rules(repo)
    if old not in rules:
        return
    if rules[old].mode == "some":
        save_left_out(repo, new, _load(repo, old))
    rules[new] = rules[old]
    save_rules(repo, rules)


def drop_rule(repo: Repository, dataset: str) -> None:
    """Forget the rule, and the list, of a name that is no data set's any more."""
    rules = load_rules(repo)
    if rules.pop(dataset, None) is not None:
        save_rules(repo, rules)
        forget_list(repo, dataset)


def has_no_data(repo: Repository, dataset: str) -> bool:
    """Tell whether no file of a data set is wanted in this work tree."""
    return rule_of(repo, dataset).mode == "none"


def _path(repo: Repository, dataset: str) -> str:
    name = hashlib.sha256(dataset.encode("utf-8", "surrogateescape")).hexdigest()[:32]
    return os.path.join(repo.private_folder, _FOLDER, name)


def _load(repo: Repository, dataset: str) -> frozenset[str]:
    path = _path(repo, dataset)
    if not repo.files.exists(path):
        raise DamagedError(f"{path}: the list of what is left out of {dataset} is gone", hint=_HINT)
    data = bytes(repo.files.read(path))
    start = len(_MAGIC) + DIGEST_BYTES
    body = data[start:]
    if data[: len(_MAGIC)] != _MAGIC or hashlib.sha256(body).digest() != data[len(_MAGIC) : start]:
        raise DamagedError(f"{path}: the list of what is left out of {dataset} is damaged",
                           hint=_HINT)  # fmt: skip
    return frozenset(decode_key(body).split("\0")) if body else frozenset()


def _plain(rule: Rule) -> dict[str, Any]:
    return {
        "mode": rule.mode,
        "any": [
            {name: value for name, value in vars(one).items() if value not in (None, ())}
            for one in rule.conditions
        ],
    }


def _parse(stored: dict[str, Any]) -> Rule:
    if stored["mode"] not in ("all", "some", "none"):
        raise ValueError(f"mode {stored['mode']!r}")
    from veml_vcs.samples.query import Conditions  # only where there is a rule: status starts fast

    conditions = []
    for one in stored["any"]:
        values: dict[str, Any] = {k: tuple(v) if isinstance(v, list) else v for k, v in one.items()}
        conditions.append(Conditions(**values))
    return Rule(stored["mode"], tuple(conditions))
