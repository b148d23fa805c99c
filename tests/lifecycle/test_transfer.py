"""A colleague's lifecycle is taken over: chosen, fitted, trained, recorded, resumed."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.cli.conftest import Place, isolate
from tests.lifecycle.kit import SHORT, carried_out, make_lifecycles, proposed
from tests.training.engine import ENGINE
from tests.training.kit import Heard, go_on, interrupt, run
from veml_vcs.errors import ConflictError, InvalidInputError, NotFoundError
from veml_vcs.lifecycle.offer import offer_of
from veml_vcs.repository.repository import Repository
from veml_vcs.repository.trainings.versions import open_training
from veml_vcs.versions.trainings import TrainingRecord

pytestmark = [pytest.mark.ml, pytest.mark.slow, ENGINE]


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """One repository; what is trained in it is thrown away by each test."""
    import torch

    root = tmp_path_factory.mktemp("lifecycles") / "repository"
    root.mkdir()
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    with pytest.MonkeyPatch.context() as patch:
        isolate(patch, root.parent / "home")
        patch.chdir(root)
        make_lifecycles(Place(root))
    yield root
    torch.set_num_threads(threads)


@pytest.fixture
def drawer(made: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Place:
    isolate(monkeypatch, tmp_path / "home")
    shutil.copytree(made, tmp_path / "repository", symlinks=True)
    monkeypatch.chdir(tmp_path / "repository")
    return Place(tmp_path / "repository")


def record_of(place: Place, name: str) -> TrainingRecord:
    with Repository(str(place.root)) as repo:
        return open_training(repo, name).record


def test_from_the_nearest_to_a_record(drawer: Place) -> None:
    proposal = proposed(drawer, iterations=2)
    offer = offer_of(proposal)
    assert [one.data for one in offer.ranking] == ["cells", "street"]
    assert [one.answer for one in offer.ranking] == ["chosen", "no training"]
    (chosen,) = offer.chosen
    assert (chosen.training, chosen.data, chosen.rank) == ("first@colleague", "cells", 1)
    assert chosen.distance is not None
    assert chosen.distance < 20
    assert set(chosen.mapped) == {("RBC", "rbcs")}
    assert (chosen.new, chosen.gone, chosen.seen) == (("leukocyte",), ("Platelets", "WBC"), 0)

    heard = Heard()
    done = carried_out(drawer, proposal, heard)
    assert (done.name, done.best, done.left) == ("new", "first@colleague", 0)
    assert any(
        "the rows of known classes (1), and leukocyte begin at random" in n for n in heard.notes
    )
    assert any("model small comes along from colleague" in one for one in heard.notes)
    record, source = record_of(drawer, "new"), record_of(drawer, "first@colleague")
    assert record.transferred_from == {
        "core_set_distance": round(offer.ranking[0].core_set_distance or 0, 4),
        "data": "cells",
        "data_version": source.data[0].version,
        "distance": round(chosen.distance, 4),
        "gone": ["Platelets", "WBC"],
        "mapped": ["RBC=rbcs"],
        "new": ["leukocyte"],
        "rank": 1,
        "threshold": 20.0,
        "training": "first",
        "training_version": chosen.training_version,
    }
    assert record.model == source.model
    assert (record.initial.kind, record.initial.version) == ("training", chosen.training_version)
    assert record.config["optim_wrapper.optimizer.lr"] == 0.0007  # the lifecycle's, not the model's
    assert "Trainings of other versions" not in drawer.veml("status").out
    assert drawer.veml("model", "ls", "--quiet").out.split() == ["small"]
    drawer.veml("commit", "-qm", "new")
    drawer.veml("fsck")


def test_interrupted_and_resumed_it_is_the_same(drawer: Place) -> None:
    """The plan keeps ``transferred_from``: a resumed record has it, and is the same version."""
    proposal = proposed(drawer, iterations=3)
    done = carried_out(drawer, proposal, Heard({1: interrupt}))
    assert (done.left, done.runs[0].status) == (1, "partial")
    rest = go_on(drawer, "new")
    assert record_of(drawer, "new").transferred_from["training"] == "first"
    whole = carried_out(drawer, proposal, force=True)
    assert whole.runs[0].version == rest.version


def test_nothing_is_near_enough(drawer: Place) -> None:
    proposal = proposed(drawer, "street")
    assert "cells is the nearest, and its distance is" in proposal.refusal
    assert proposal.scratch.endswith(
        "veml train --data street --model faster-rcnn-small --name street"
    )
    with pytest.raises(NotFoundError) as caught:
        carried_out(drawer, proposal)
    assert caught.value.kind == "nothing-similar"
    named = proposed(drawer, "street", source="first@colleague")
    assert any("beyond 20: it may do harm" in one for one in named.chosen[0].notes)
    assert any("no class is in both" in one for one in named.chosen[0].notes)


def test_the_length_follows_the_size_of_the_data(drawer: Place) -> None:
    """The source made 2 steps on 10 samples (of 12); 6 of the 8 are trained on: 1.2 steps."""
    (chosen,) = proposed(drawer).chosen
    assert chosen.plan.iterations == 1
    assert "2 steps become 1" in chosen.notes[0]
    (chosen,) = proposed(drawer, iterations=50).chosen
    assert chosen.plan.iterations == 50


@pytest.mark.parametrize(
    ("asked", "message"),
    [
        ({"source": "nobody"}, "no training 'nobody'"),
        ({"source": "street"}, "nobody has trained on this version of street"),
        ({"source": "first@colleague", "top": 2}, "--from names one source"),
        ({"classes": ("WBC=neutrophil",)}, "the data has no class 'neutrophil'"),
        ({"classes": ("T cell=leukocyte",)}, "the source has no class 'T cell'"),
        ({"data": "cells@HEAD~1"}, "HEAD~1"),
    ],
)
def test_what_is_refused(drawer: Place, asked: dict[str, object], message: str) -> None:
    with pytest.raises((NotFoundError, InvalidInputError), match=message):
        proposed(drawer, **asked)  # type: ignore[arg-type]


def test_samples_that_the_source_has_seen_are_counted(drawer: Place) -> None:
    """With another seed the split is another: most of what is held back was trained on."""
    drawer.veml("data", "filter", "cells", "--class", "RBC", "-q")
    (same,) = proposed(drawer, "cells", source="first@colleague", name="again").chosen
    assert same.seen == 0
    (other,) = proposed(drawer, "cells", source="first@colleague", name="again", seed=1).chosen
    assert other.seen > 0
    assert any("the metric flatters" in one for one in other.notes)


def test_several_ways_are_compared_and_gone_on_with(drawer: Place) -> None:
    """Two lifecycles and training from scratch, interrupted in the first; then all is there."""
    drawer.veml("checkout", "-q", "colleague")
    run(drawer, *SHORT, data="street", name="far", iterations=1)
    proposal = proposed(drawer, top=2, threshold=100.0, compare=True, iterations=2, settings=SHORT)
    assert [one.source.label for one in proposal.chosen] == ["first", "far"]
    done = carried_out(drawer, proposal, Heard({1: interrupt}))
    assert ([one.status for one in done.runs], done.left) == (["partial"], 2)
    with pytest.raises(ConflictError, match="was interrupted and can go on"):
        carried_out(drawer, proposal)
    other = proposed(drawer, top=2, threshold=100.0, iterations=3, settings=SHORT)
    with pytest.raises(ConflictError, match="is not the one that is asked for"):
        carried_out(drawer, other, resume=True)
    done = carried_out(drawer, proposal, resume=True)
    assert [one.name for one in done.runs] == ["new-from-1", "new-from-2", "new-scratch"]
    assert [one.way for one in done.ways] == ["first", "far", "scratch"]
    assert done.best in ("first", "far")
    assert done.verdict is not None
    assert done.verdict.answer == "no verdict"
    best = next(one for one in done.runs if one.way == done.best)
    with Repository(str(drawer.root)) as repo:
        assert open_training(repo, "new").id == best.version
    assert record_of(drawer, "new-scratch").transferred_from == {}
    assert record_of(drawer, "new-scratch").initial.kind == "random"
    config = {one: record_of(drawer, one).config for one in ("new", "new-scratch")}
    assert config["new"] == config["new-scratch"]
    again = carried_out(drawer, proposal, resume=True)
    assert all(one.again for one in again.runs)
    assert again.ways == done.ways


def test_as_typed(drawer: Place) -> None:
    found = drawer.veml("transfer", "new", "--dry-run", "--json").json()
    assert [one["answer"] for one in found["ranking"]] == ["chosen", "no training"]
    assert found["chosen"][0]["mapped"] == [["RBC", "rbcs"]]
    shown = drawer.veml("transfer", "new", "--dry-run", "--map", "WBC=leukocyte").out
    assert "first@colleague" in shown
    assert "its rows are kept" in shown
    assert "begins at random" not in shown
    assert not (drawer.root / "trainings").exists()
    none = drawer.veml("transfer", "street", code=1)
    assert "beyond the threshold" in none.out
    assert "cells is the nearest" in none.err
    assert "veml train --data street" in none.err
    done = drawer.veml("transfer", "new", "--iterations", "1", "--name", "near", "--json").json()
    assert (done["name"], done["left"], done["runs"][0]["way"]) == ("near", 0, "first@colleague")


def test_what_is_no_data_for_it(drawer: Place) -> None:
    (drawer.root / "roads").mkdir()
    rows = "\n".join(f"{i},{i % 7}" for i in range(60))
    (drawer.root / "roads/speed.csv").write_text(f"a,b\n{rows}\n")
    (drawer.root / "roads/series.json").write_text('{"form": "wide"}')
    drawer.veml("add", "-q", "roads", "--format", "tables")
    with pytest.raises(InvalidInputError, match="which series are similar cannot be told") as no:
        proposed(drawer, "roads")
    assert "nobody has trained for forecasting here" in str(no.value.hint)
    with pytest.raises(InvalidInputError, match="is for detection; roads is data for forecasting"):
        proposed(drawer, "roads", source="first@colleague")
    shutil.copytree(drawer.root / "new/JPEGImages", drawer.root / "blank")
    drawer.veml("add", "-q", "blank")
    with pytest.raises(InvalidInputError, match="blank: there is nothing to learn"):
        proposed(drawer, "blank")


def test_a_checkpoint_that_is_not_here(drawer: Place) -> None:
    """Said before anything is trained, with the line that fetches it."""
    record = record_of(drawer, "first@colleague")
    text = record.to_bytes().decode()
    lost = text.replace(record.checkpoint.tree.hex(), "ab" * 32)
    drawer.write("trainings/lost.veml", lost)
    drawer.veml("add", "-q", "trainings/lost.veml")
    with pytest.raises(NotFoundError, match="training lost: its checkpoint") as caught:
        proposed(drawer, source="lost")
    assert "veml data fetch" in str(caught.value.hint)
