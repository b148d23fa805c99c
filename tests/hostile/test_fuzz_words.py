"""What is typed, or lies in a clone as text: revisions, pathspecs, dates, expressions, merge rules.

Read, or refused with a VemlError; never a traceback, never an endless message, never minutes.
Inputs that once broke something are kept as ``@example``.
"""

from __future__ import annotations

from collections.abc import Callable

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from tests.hostile.mutations import HOSTILE_VALUES, deep, fuzz, mutated_bytes
from tests.repository.kit import Project, coco, small_model
from veml_vcs.errors import VemlError
from veml_vcs.repository.change_counts import _load as load_counts
from veml_vcs.repository.change_counts import counts_between
from veml_vcs.repository.merging.pending import load_pending
from veml_vcs.repository.merging.rules import parse_rules
from veml_vcs.repository.pathspec import expand
from veml_vcs.repository.revisions import parse_data_spec, parse_date, resolve_commit
from veml_vcs.repository.upkeep.expiry import parse_expiry
from veml_vcs.repository.worktree.held import load_held
from veml_vcs.samples.masks.png import read_mask
from veml_vcs.samples.query.expression import parse as parse_expression
from veml_vcs.samples.tables.diff import diff_tables
from veml_vcs.samples.tables.text import read_table

EXAMPLES = fuzz(25)
NAMES = tuple(one for one in HOSTILE_VALUES if isinstance(one, str))


def harmless(call: Callable[[], object]) -> None:
    """Call something that may refuse, in veml's words, in one message that is not endless."""
    message = ""
    try:
        call()
    except VemlError as error:
        message = error.message
    assert len(message) < 6000


def words(*seeds: str) -> st.SearchStrategy[str]:
    """Sound words changed a little, hostile ones, and any text at all."""
    changed = mutated_bytes(tuple(one.encode() for one in seeds))
    texts = st.one_of(
        st.sampled_from(NAMES),
        st.text(max_size=40),
        st.lists(st.sampled_from(seeds), max_size=3).map("".join),
    )
    every = st.one_of(changed, texts.map(lambda text: text.encode("utf-8", "surrogatepass")))
    return every.map(lambda data: data.decode("utf-8", "surrogateescape"))  # as in argv


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Project:
    with pytest.MonkeyPatch.context() as patch:
        for who in ("AUTHOR", "COMMITTER"):
            patch.setenv(f"GIT_{who}_NAME", "Ada")
            patch.setenv(f"GIT_{who}_EMAIL", "ada@example.org")
        made = Project(tmp_path_factory.mktemp("words") / "project")
        made.write(coco(small_model(3)), "data")
        made.save("data")
        made.git("tag", "-a", "v1", "-m", "one")
        made.git("branch", "night")
    return made


REVISIONS = (
    "HEAD", "HEAD~2", "HEAD^", "HEAD^2", "v1^{commit}", "v1^{}", ":/one", "HEAD^{/one}", "main@{0}",
    "@{-1}", "@{u}", "main@{yesterday}", "main@{2026-01-01 00:00:00 +0100}", "v1-0-gabcdef0", "@",
    "main:data/images", ":data", "HEAD~99999999999999999999", "@{-99999999999999999999}",
    "main@{99999999999999999999}", "HEAD" + "^" * 300,
)  # fmt: skip


@EXAMPLES
@given(text=words(*REVISIONS))
@example(text="HEAD" + "~1" * 2000)
@example(text="\0")
def test_revisions(project: Project, text: str) -> None:
    harmless(lambda: resolve_commit(project.repo.git, text))
    harmless(lambda: parse_data_spec(text))


@EXAMPLES
@given(
    text=words("yesterday", "2.weeks.ago", "now", "never", "2026-11-25T00:00:00+02:00", "@1", "1e9")
)
@example(text="99999999999999999999.years.ago")
@example(text="0001-01-01")
def test_dates(text: str) -> None:
    harmless(lambda: parse_date(text))
    harmless(lambda: parse_expiry(text, 1_700_000_000.0))


@EXAMPLES
@given(spec=words("data/*.png", ":/data", ":!data/images", ":(top)data", ":(exclude)x", "[a-z]?"))
@example(spec=":(")
@example(spec="[" * 2000)
@example(spec="*" * 60 + "x")
def test_pathspecs(project: Project, spec: str) -> None:
    harmless(lambda: expand(project.repo, [spec], on_disk=True))
    harmless(lambda: expand(project.repo, [str(project.root) + "/" + spec]))


@EXAMPLES
@given(
    text=words("* ours\n", 'images/** theirs pedestrian "traffic light"\n', "# x\n", "a\\ b base")
)
@example(text='"' * 999)
@example(text="*" * 100_000 + " ours")
def test_merge_rules(text: str) -> None:
    def use() -> None:
        for rule in parse_rules(text.encode("utf-8", "surrogateescape"))[:20]:
            rule.fits("images/train/0001.jpg", ("pedestrian",))

    harmless(use)


@EXAMPLES
@given(text=words("class == 'car' and area > 32 ** 2", "not (a or b) in [1, 2]", "count(car) >= 1"))
@example(text=deep("(", ")").decode())
@example(text="not " * 100_000)
@example(text="-" * 100_000 + "1")
@example(text="1" * 100_000)
def test_expressions(text: str) -> None:
    harmless(lambda: parse_expression(text))


TABLE = b'id,name,value\n1,a,1.5\n2,b,nan\n3,"c\nd",\n'
PNG = bytes.fromhex(
    "89504e470d0a1a0a0000000d49484452000000020000000208000000005700"
    "dd520000000c49444154789c6360606000000004000105c5b8830000000049454e44ae426082"
)


@EXAMPLES
@given(
    data=mutated_bytes(
        (TABLE, "名,値\r\n1,あ\r\n".encode("cp932"), TABLE.decode().encode("utf-16"))
    )
)
@example(data=b"\xff\xfe\0")
@example(data=b'"' * 10_000)
@example(data=b"," * 10_000 + b"\n" + b"," * 10_000)
def test_tables(data: bytes) -> None:
    sound = read_table(TABLE, "a.csv")
    harmless(lambda: diff_tables(sound, read_table(data, "a.csv")))


@EXAMPLES
@given(data=mutated_bytes((PNG,)))
def test_masks(data: bytes) -> None:
    harmless(lambda: read_mask(data, "mask.png"))


@EXAMPLES
@given(data=mutated_bytes((b'{"veml": 1, "folders": {"data": {"tree": "' + b"ab" * 32
       + b'", "samples": 3, "files": 1, "annotations": [], "stamp": [1, 2, 3]}}}',)))  # fmt: skip
@example(data=b"null")
@example(data=b'{"veml": 1, "folders": []}')
@example(data=b'{"veml": 1, "folders": {"data": []}}')
@example(data=deep("[", "]"))
def test_what_folders_hold(project: Project, data: bytes) -> None:
    """What is not understood says nothing: no command stops over a file of this clone alone."""
    (project.root / ".git/veml/held.json").write_bytes(data)
    for name, one in load_held(project.repo).items():
        assert (isinstance(name, str), isinstance(one.samples, int)) == (True, True)


@EXAMPLES
@given(data=mutated_bytes((b'{"veml": 1, "pending": [{"path": "data", "stages": [null, "a", "b"], '
       b'"conflicts": [], "provisional": null}]}',)))  # fmt: skip
@example(data=b"[]")
@example(data=b'{"veml": 1, "pending": {"a": 1}}')
@example(data=b'{"veml": 1, "pending": [[]]}')
@example(data=deep("[", "]"))
def test_pending_conflicts(project: Project, data: bytes) -> None:
    (project.root / ".git/veml/pending.json").write_bytes(data)
    harmless(lambda: load_pending(project.repo))


@EXAMPLES
@given(data=st.data())
def test_the_counts_of_changes(project: Project, data: st.DataObject) -> None:
    """Another byte, and the whole cache says nothing: a wrong number would be believed."""
    record = project.repo.staged_datasets()["data"]
    path = project.root / ".git/veml/cache/changes"
    if path.exists():
        path.unlink()
    right = counts_between(project.repo, record.tree, record.tree)
    sound = path.read_bytes()
    assert load_counts(project.repo) != {}
    changed = data.draw(mutated_bytes((sound,)))
    path.write_bytes(changed)
    assert load_counts(project.repo) == {} or changed == sound
    assert counts_between(project.repo, record.tree, record.tree) == right
