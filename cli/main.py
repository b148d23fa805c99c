"""The program ``veml``: its commands, and what it ends with.

Starting is light on purpose: this module and those of the commands import typer and nothing else
that is heavy; a command is imported when it is asked for, and the library when it runs.
"""

from __future__ import annotations

import errno
import os
import re
import sys
from collections.abc import Callable
from contextlib import suppress
from importlib import import_module
from inspect import getdoc
from types import ModuleType
from typing import TYPE_CHECKING, Annotated

import typer

from veml_cli._errors import INTERRUPTED, OK, USAGE, report, report_bug
from veml_cli._lazy import LightCommand, LightGroup, lazy_group
from veml_cli._mirror import begin, follow_mirror
from veml_cli._output import Color, out
from veml_cli.start import spare_collector
from veml_vcs.errors import InvalidInputError, StorageError, VemlError

if TYPE_CHECKING:
    from typer._click.core import Command

_COMMANDS = (
    "init", "clone", "add", "rm", "mv", "status", "diff", "commit", "log", "show", "blame",
    "branch", "checkout", "switch", "restore", "merge", "resolve", "cherry-pick", "revert",
    "reset", "stash", "tag", "sparse", "export", "similar", "drift", "train", "transfer",
    "deploy", "predict", "rebuild", "data", "model", "training", "inference", "lineage", "fsck",
    "gc", "compact", "doctor", "hook", "version",
)  # fmt: skip
"""Each is a module: its function of the same name runs the command, ``EXAMPLES`` ends its help.

A module that lists ``COMMANDS`` of its own is a group of commands (``veml data ls``).
"""

_GITS_OWN = frozenset((
    "am", "apply", "archive", "bisect", "cat-file", "clean", "config", "describe", "fetch",
    "for-each-ref", "format-patch", "grep", "ls-files", "ls-remote", "ls-tree", "notes", "pull",
    "push", "rebase", "reflog", "remote", "rev-list", "rev-parse", "shortlog", "submodule",
    "update-ref", "worktree",
))  # fmt: skip
"""Commands that veml leaves to Git, for those who type them by habit."""

_FULL = frozenset((errno.ENOSPC, errno.EDQUOT, errno.EFBIG))
_CONTEXT = {"help_option_names": ["-h", "--help"]}


def _build(name: str) -> Command:
    """Import and build one command."""
    group = typer.Typer(rich_markup_mode=None, add_completion=False)
    group.callback()(lambda: None)  # otherwise typer would return the one command, without a name
    _register(group, _module(name))
    command: Command = typer.main.get_command(group).commands[name]  # type: ignore[attr-defined]
    return command


def _tell(name: str) -> str:
    """Return the help of one command without building it."""
    module = _module(name)
    return module.HELP if hasattr(module, "COMMANDS") else getdoc(_function(module)) or ""


def _module(name: str) -> ModuleType:
    return import_module(f"veml_cli.{name.replace('-', '_')}")


def _function(module: ModuleType) -> Callable[..., object]:
    """Return the function that runs a module's command."""
    function: Callable[..., object] = getattr(module, module.__name__.rpartition(".")[2])
    return function


def _register(group: typer.Typer, module: ModuleType) -> None:
    name = module.__name__.rpartition(".")[2]
    if hasattr(module, "COMMANDS"):
        below = typer.Typer(
            help=module.HELP, epilog=module.EXAMPLES, no_args_is_help=True, cls=LightGroup,
            rich_markup_mode=None, context_settings=_CONTEXT,
        )  # fmt: skip
        for one in module.COMMANDS:
            _register(below, one)
        group.add_typer(below, name=name)
    else:
        kind = getattr(module, "COMMAND_CLASS", LightCommand)
        hidden = getattr(module, "HIDDEN", False)
        shown = name.replace("_", "-")
        command = group.command(shown, cls=kind, epilog=module.EXAMPLES, hidden=hidden)
        command(_function(module))


app = typer.Typer(
    name="veml",
    cls=lazy_group(_COMMANDS, _build, _tell),
    help="Git for machine-learning data: versions, branches, merges and differences of data sets.",
    no_args_is_help=True,
    rich_markup_mode=None,  # plain help, as Git's; drawing it with rich would cost its import
    pretty_exceptions_enable=False,
    context_settings=_CONTEXT,
)


def _show_version(wanted: bool) -> None:
    """Answer ``--version``, before a command is missed."""
    if wanted:
        from veml_cli import version

        version.version()
        raise typer.Exit(OK)


@app.callback()
def _global_options(
    context: typer.Context,
    folder: Annotated[
        list[str] | None, typer.Option("-C", metavar="DIR", help="Run as if started in DIR.")
    ] = None,
    color: Annotated[
        Color, typer.Option("--color", help="When to colour output (NO_COLOR is respected).")
    ] = Color.AUTO,
    no_pager: Annotated[
        bool, typer.Option("--no-pager", "-P", help="Do not show long output in a pager.")
    ] = False,
    show_version: Annotated[
        bool,
        typer.Option(
            "--version", help="Show the version and exit.", is_eager=True, callback=_show_version
        ),
    ] = False,
) -> None:
    out.configure(color, pages=not no_pager)
    begin(context.invoked_subcommand)
    for one in folder or ():
        try:
            os.chdir(one)
        except OSError as error:
            raise InvalidInputError(f"cannot change to {one}: {error.strerror}") from error


def main(arguments: list[str] | None = None) -> int:
    """Run the program.

    Args:
        arguments: Those of the command line; None takes ``sys.argv``.

    Returns:
        The exit code; see ``_errors``.
    """
    spare_collector()
    _open_all()
    try:
        code = _run(arguments)
        sys.stdout.flush()
    except BrokenPipeError:
        # The reader (``head``) has what it wants. Python would complain when it flushes at exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return OK
    except OSError as error:  # a full disk, maybe below stdout, which Python would write at exit
        with suppress(OSError):
            sys.stdout.flush()
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return report(StorageError(f"cannot write: {error.strerror}"))
    return code


def _open_all() -> None:
    """Open what the caller has closed (``>&-``), as Git does: Python has None in its place."""
    for name in ("stdin", "stdout", "stderr"):
        if getattr(sys, name) is None:
            mode = "r" if name == "stdin" else "w"
            setattr(sys, name, open(os.devnull, mode, encoding="utf-8"))  # noqa: SIM115


def _run(arguments: list[str] | None) -> int:
    try:
        code = app(arguments, prog_name="veml", standalone_mode=False)
        follow_mirror()
    except VemlError as error:
        return report(error)
    except typer.TyperException as error:
        return _usage(error)
    except (KeyboardInterrupt, typer.Abort):
        out.note("interrupted")
        return INTERRUPTED
    except BrokenPipeError:
        raise
    except SystemExit as error:
        # typer ends the program itself when the reader of a pipe has left.
        if isinstance(error.__context__, BrokenPipeError):
            raise error.__context__ from None
        raise
    except OSError as error:
        if error.errno in _FULL:
            raise
        return report_bug(error)
    except Exception as error:  # noqa: BLE001 - the last resort: a bug shall not look like a result
        return report_bug(error)
    return code if isinstance(code, int) else OK


def _usage(error: typer.TyperException) -> int:
    """Say how a command line is wrong; ``veml`` alone shows the help, and 1 as Git does."""
    context = getattr(error, "ctx", None)
    if type(error).__name__ == "NoArgsIsHelpError":
        out.write_bytes(error.format_message().encode() + b"\n")
        return 1
    message = error.format_message()
    out.error("usage", message)
    unknown = re.match(r"No such command '([\w-]+)'", message)
    if unknown and unknown[1] in _GITS_OWN:
        out.note(f"hint: git {unknown[1]} works here: a veml repository is a Git repository")
    elif context is not None:
        out.note(f"try '{context.command_path} --help'")
    return USAGE


if __name__ == "__main__":
    sys.exit(main())
