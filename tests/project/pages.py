"""Run the commands that a page of the documents shows, and compare what they say with it.

A page shows a session in blocks of ``console``: lines that begin with ``$ `` are commands, those
below are what they say. All blocks of a page are one session of one shell, so ``cd`` lasts. What is
shown is compared line by line and loosely: ``...`` stands for any text in a line, a line of ``...``
alone for any lines, ids and times may differ, and so may blanks. A command that ends with something
else than 0 is followed by ``$ echo $?`` on the page, or it is a failure.
"""

from __future__ import annotations

import os
import re
import subprocess
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

_BLOCK = re.compile(r"^```console(?P<marks>[^\n]*)\n(?P<text>.*?)^```$", re.MULTILINE | re.DOTALL)
_ID = re.compile(r"\b(?=[0-9a-f]*[0-9])[0-9a-f]{7,64}\b")
_TIME = re.compile(r"\b[A-Z][a-z]{2} [A-Z][a-z]{2} \d+ \d\d:\d\d:\d\d \d{4} [+-]\d{4}\b")


@dataclass
class Command:
    """A command that a page shows.

    Attributes:
        text: What is typed.
        line: Its line on the page, counted from 1.
        shown: What it says, as shown.
        said: What it said.
        code: What it ended with.
    """

    text: str
    line: int
    shown: list[str] = field(default_factory=list)
    said: list[str] = field(default_factory=list)
    code: int = 0


def commands_of(page: str, *, without: str = "") -> list[Command]:
    """Return a page's commands.

    Args:
        page: The text.
        without: Leave out blocks that are marked so (```` ```console ml ````).
    """
    found: list[Command] = []
    for block in _BLOCK.finditer(page):
        if without and without in block["marks"].split():
            continue
        first = page.count("\n", 0, block.start("text")) + 1
        for number, line in enumerate(block["text"].splitlines(), first):
            if line.startswith("$ "):
                found.append(Command(line[2:], number))
            elif line.startswith("> "):
                found[-1].text += "\n" + line[2:]
            else:
                found[-1].shown.append(line)
    return found


def run(commands: list[Command], folder: Path, environment: Mapping[str, str]) -> None:
    """Run commands in one shell, and note what each said and ended with."""
    mark = "--8<--"
    script = "".join(
        f"(exit $code)\n{one.text}\ncode=$?\nprintf '\\n{mark} %s\\n' $code\n" for one in commands
    )
    done = subprocess.run(
        ["bash", "-c", "exec 2>&1\ncode=0\n" + script],
        cwd=folder, env={**os.environ, **environment}, capture_output=True, text=True, check=False,
    )  # fmt: skip
    parts = re.split(rf"\n{mark} (\d+)\n", done.stdout)
    for command, said, code in zip(commands, parts[::2], parts[1::2], strict=False):
        command.said, command.code = said.splitlines(), int(code)
    assert len(parts) // 2 == len(commands), f"the shell stopped early: {parts[-1]}"


def differences(commands: list[Command]) -> Iterator[str]:
    """Yield a sentence for each command that did not say what the page shows, or failed."""
    for place, one in enumerate(commands):
        answered = place + 1 < len(commands) and commands[place + 1].text == "echo $?"
        if one.code and not answered:
            yield f"line {one.line}: {one.text}\n  ended with {one.code}\n" + "\n".join(one.said)
            continue
        missing = _first_missing(one.shown, one.said)
        if missing is not None:
            said = "\n    ".join(one.said)
            yield f"line {one.line}: {one.text}\n  never said: {missing}\n  but\n    {said}"


def _first_missing(shown: list[str], said: list[str]) -> str | None:
    """Return the first line that is shown and was not said where it is shown."""
    rest = [_plain(line) for line in said if line.strip()]
    skipping = False
    for line in shown:
        wanted = _plain(line)
        if not wanted:
            continue
        if wanted in ("...", "…"):
            skipping = True
            continue
        pattern = ".*".join(re.escape(part.strip()) for part in re.split(r"\.\.\.|…", wanted))
        while rest and skipping and not re.fullmatch(pattern, rest[0]):
            rest.pop(0)
        if not rest or not re.fullmatch(pattern, rest.pop(0)):
            return line
        skipping = False
    return None if skipping or not rest else f"nothing after that, but: {rest[0]}"


def _plain(line: str) -> str:
    """Return a line with ids, times and blanks made alike."""
    return " ".join(_TIME.sub("TIME", _ID.sub("ID", line)).split())
