"""What ``veml log`` is told (formats, dates, colours, ranges), and what commits and reflogs say.

Read, or refused with a VemlError; and nothing that a commit says reaches a terminal as it is.
"""

from __future__ import annotations

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from tests.hostile.mutations import fuzz
from tests.hostile.test_fuzz_words import REVISIONS, harmless, project, words
from tests.repository.kit import Project
from veml_cli.render.colors import sgr
from veml_cli.render.dates import DateMode, date_mode, show_date
from veml_cli.render.log_head import FORMS, Look, head_lines
from veml_cli.render.pretty import Context, expand
from veml_vcs.ids import CommitId
from veml_vcs.repository.git.reflog import read_reflog
from veml_vcs.repository.log import LogEntry, log_moves
from veml_vcs.repository.log_reflog import Moved
from veml_vcs.repository.ranges import parse_ranges, split_dots

__all__ = ["project"]

EXAMPLES = fuzz(40)
PLACEHOLDERS = (
    "%H", "%h", "%an", "%ae", "%ad", "%ar", "%ah", "%cn", "%s", "%b", "%B", "%f", "%d", "%D", "%gs",
    "%gd", "%gn", "%n", "%%", "%x00", "%<(9,trunc)", "%>(12,mtrunc)", "%><(3,ltrunc)", "%C(red)",
    "%C(auto)", "%Creset", "%C(always,#ff0000 bold)", "%+s", "%-b", "% d", "%m", "%", "%G?", "text",
)  # fmt: skip
JOINTS = ("..", "...", "^", "^@", "^!", "^-", "^-2", "^-99999999999999999999", "HEAD")
UNSAFE = {chr(code) for code in (*range(32), *range(127, 160))} - {"\n", "\t"}
SAID = st.text(
    st.one_of(st.characters(), st.sampled_from("\x1b\x07\x9b\u202e\r\n\t\0<>")), max_size=60
)
TIMES = st.one_of(st.integers(-(2**63), 2**63), st.integers(0, 2**32))


def entries() -> st.SearchStrategy[LogEntry]:
    who, zone = SAID, st.integers(-100_000, 100_000)
    moved = st.builds(Moved, SAID, st.integers(0, 9), st.booleans(), who, TIMES, zone, SAID)
    return st.builds(
        LogEntry, st.just(CommitId("a" * 40)), st.just((CommitId("b" * 40), CommitId("c" * 40))),
        who, TIMES, zone, SAID, st.lists(SAID, max_size=3).map(tuple), st.just(()),
        st.just("d" * 40),
        who, TIMES, zone, st.sampled_from((None, "left", "right")), st.one_of(st.none(), moved),
    )  # fmt: skip


@EXAMPLES
@given(entry=entries(), parts=st.lists(st.sampled_from(PLACEHOLDERS), max_size=12), odd=words("%h"))
def test_formats(entry: LogEntry, parts: list[str], odd: str) -> None:
    """Seen to fail with ``clean_block`` left out of ``%B``."""
    context = Context(lambda one: one[:7], guarded=True)
    template = "".join(one for one in parts if not one.startswith(("%C(always", "%x")))
    told = expand(template, entry, context)
    assert not UNSAFE & {*told}
    harmless(lambda: expand("".join(parts) + odd, entry, Context(lambda one: one, colored=True)))


@EXAMPLES
@given(entry=entries(), form=st.sampled_from(FORMS))
def test_heads(entry: LogEntry, form: str) -> None:
    for line in head_lines(entry, Look(form)):  # type: ignore[arg-type]
        assert not UNSAFE & {*line.plain}
        assert "\n" not in line.plain


@EXAMPLES
@given(
    text=words("iso", "format:%Y-%m-%d", "relative-local", "human", "format-local:%c%z"), at=TIMES
)
@example(text="format:%", at=0)
@example(text="format:" + "%c" * 2000, at=10**9)
def test_dates(text: str, at: int) -> None:
    harmless(lambda: show_date(at, at % 90_000, date_mode(text), 10**9))
    for name in ("relative", "human", "iso", "rfc"):
        assert show_date(at, 3600, DateMode(name), 10**9)


@EXAMPLES
@given(text=words("bold red", "ul 214", "#aa5500 normal", "nobold", "reset", "bright"))
@example(text="9" * 10_000)
@example(text="²")
def test_colours(text: str) -> None:
    harmless(lambda: sgr(text))


@EXAMPLES
@given(parts=st.lists(st.one_of(words(*REVISIONS), st.sampled_from(JOINTS)), max_size=4))
@example(parts=["a" * 10_000])
@example(parts=["main^{/", "b" * 10_000, "}"])
@example(parts=["main^{", "b" * 10_000, "}"])
@example(parts=["@{", "b" * 10_000, "}"])
@example(parts=[":/", "b" * 10_000])
@example(parts=["main^-", "9" * 10_000])
@example(parts=["main~", "9" * 10_000])
@example(parts=["@{-", "9" * 10_000, "}"])
@example(parts=["main@{²}"])  # a digit to str.isdigit, none to int
@example(parts=["@{-²}"])
def test_ranges(project: Project, parts: list[str]) -> None:
    text = "".join(parts)
    harmless(lambda: split_dots(text))
    harmless(lambda: parse_ranges(project.repo.git, [text]))
    harmless(lambda: list(log_moves(project.repo, [text], data=False)))


@EXAMPLES
@given(data=st.lists(st.one_of(st.binary(max_size=80), st.builds(
    lambda *said: b"%s %s %s %s %s\t%s" % (b"0" * 40, b"1" * 40, *said),
    st.binary(max_size=20), st.sampled_from((b"1", b"9" * 30, b"x")),
    st.sampled_from((b"+0000", b"-9999", b"0")), st.binary(max_size=30),
)), max_size=6))  # fmt: skip
def test_reflogs(project: Project, data: list[bytes]) -> None:
    path = project.root / ".git/logs/refs/heads/night"
    before = path.read_bytes()
    try:
        path.write_bytes(b"\n".join(data))
        harmless(lambda: read_reflog(project.repo.git, b"refs/heads/night"))
        harmless(lambda: list(log_moves(project.repo, ["night"])))
        harmless(lambda: parse_ranges(project.repo.git, ["night@{1}"]))
    finally:
        path.write_bytes(before)


@pytest.mark.parametrize(
    "encoding", ["rot13", "zlib", "undefined", "utf-7", "\x1b", "idna", "x" * 999]
)
def test_encodings_that_a_commit_names(project: Project, encoding: str) -> None:
    from veml_vcs.repository.log import entry_of

    tree = project.git("rev-parse", "HEAD^{tree}").strip()
    text = (
        f"tree {tree}\nauthor A <a@b> 1 +0000\ncommitter A <a@b> 1 +0000\n"
        f"encoding {encoding}\n\nsaid\n"
    )
    from dulwich.objects import Commit

    commit = Commit.from_string(text.encode())
    project.repo.git.dulwich.object_store.add_object(commit)
    assert (
        "said" in entry_of(project.repo, CommitId(commit.id.decode())).message
        or encoding == "rot13"
    )
