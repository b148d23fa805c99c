"""Names of versions as people and strangers write them: with @, and what other programs read."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.lineage.kit import History, data_record
from tests.repository.conftest import isolated
from veml_vcs.errors import NotFoundError
from veml_vcs.lineage.ask import lineage
from veml_vcs.lineage.changed import changed
from veml_vcs.lineage.conditions import Condition, parse_condition
from veml_vcs.lineage.find import find
from veml_vcs.lineage.graph import Node
from veml_vcs.lineage.text import to_dot, to_mermaid
from veml_vcs.repository import Repository
from veml_vcs.repository.git.repo import blob_id

__all__ = ["isolated"]


def test_a_name_may_have_an_at_and_a_revision_too(tmp_path: Path, isolated: Path) -> None:
    """Seen to fail: the first @ was the end of the name."""
    history = History(tmp_path / "project")
    history.commit({"images@2x.veml": data_record(1), "plain.veml": data_record(2)})
    history.git("tag", "v@1")
    history.commit({"images@2x.veml": data_record(3), "plain.veml": data_record(4)})
    with Repository(str(history.root)) as repo, lineage(repo) as asked:
        for spec, number in {
            "images@2x": 3, "data:images@2x": 3, "images@2x@v@1": 1, "images@2x@HEAD~1": 1,
            "plain@v@1": 2, "data:plain@v@1": 2, "plain@HEAD@{0}": 4, "images@2x.veml": 3,
        }.items():  # fmt: skip
            assert asked.version(spec).id == blob_id(data_record(number)), spec
        for spec, told in {
            "plain@no": "unknown revision 'no'", "no@v@1": "no version no@v@1 in v@1",
            "no@HEAD": "no version no@HEAD in HEAD", "images@3x": "unknown revision '3x'",
        }.items():  # fmt: skip
            with pytest.raises(NotFoundError, match=told):
                asked.version(spec)


def test_a_name_that_other_commits_have_is_told(tmp_path: Path, isolated: Path) -> None:
    history = History(tmp_path / "project")
    history.commit({"d.veml": data_record(1), "it's.veml": data_record(2)})
    history.commit({"it's.veml": data_record(3)})
    history.commit({"d.veml": None, "it's.veml": None, "e.veml": data_record(4)})
    with Repository(str(history.root)) as repo, lineage(repo) as asked:
        for spec, told in {
            "d": f"another commit has it: veml lineage show {blob_id(data_record(1))[:10]}",
            "data:d@HEAD": "another commit has it: veml lineage show ",
            "it's": "other commits have 2 of that name: veml lineage find --where "
                    """'name=it'"'"'s'""",
            "f": "veml data ls",
        }.items():  # fmt: skip
            with pytest.raises(NotFoundError) as raised:
                asked.version(spec)
            assert str(raised.value.hint).startswith(told)


@pytest.mark.parametrize("name", ["\udcff", "\0"])
def test_a_name_that_is_no_text(tmp_path: Path, isolated: Path, name: str) -> None:
    """As a command line can have one. Seen to fail: it was called a bug in veml."""
    history = History(tmp_path / "project")
    history.commit({"d.veml": data_record(1, ("?", "a"))})
    with Repository(str(history.root)) as repo, lineage(repo) as asked:
        with pytest.raises(NotFoundError, match="no version"):
            asked.version(name)
        assert find(asked, facts=[f"class:{name}"]) == []
        assert find(asked, trained_on=[f"class:{name}"]) == []
        for sign, count in (("=", 0), ("!=", 1)):
            for about in ("name", "task"):
                assert len(find(asked, where=[Condition(about, sign, name)])) == count


def test_a_data_set_in_a_folder_datas(tmp_path: Path, isolated: Path) -> None:
    """Seen to fail: it was called as if it lay beside that folder, and not found by its name."""
    history = History(tmp_path / "project")
    history.commit({"first.veml": data_record(3)})
    history.commit({"datas/coco.veml": data_record(1), "coco.veml": data_record(2)})
    with Repository(str(history.root)) as repo, lineage(repo) as asked:
        for number, name in ((1, "datas/coco"), (2, "coco")):
            found = asked.store.having((), "data", [parse_condition(f"name={name}")])
            assert [(one.id, one.name) for one in found] == [(blob_id(data_record(number)), name)]
            assert asked.version(name) == found[0]
        moved = changed(asked, "HEAD~1", "HEAD").changes
        assert [one.node.name for one in moved] == ["coco", "datas/coco"]


def test_a_name_that_looks_like_an_entity_is_shown_as_it_is() -> None:
    """Drawn by mermaid 11 and by Graphviz 2.43 as they stand here; ``&lt;`` was drawn as ``<``."""
    node = Node("12" * 20, "data", 'a#quot;b &lt; "c" \\N <d>')
    assert '"data a#35;quot;b &amp;lt; &quot;c&quot; \\N &lt;d> 1212121"' in to_mermaid([node], [])
    assert 'label="data a#quot;b &amp;lt; \\"c\\" \\\\N <d> 1212121"' in to_dot([node], [])
