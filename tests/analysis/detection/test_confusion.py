"""Each detection and each object is one thing: found, confused, misplaced, twice, missed."""

from __future__ import annotations

import numpy as np
import pytest

from tests.analysis.detection.test_average_precision import image, random_images
from veml_vcs.analysis.detection.confusion import image_errors

BOX, FAR = [0.0, 0, 10, 10], [50.0, 50, 60, 60]


def test_found_and_missed() -> None:
    found = image_errors(image([BOX, FAR], [BOX], [0.9]), 0.3, 0.5)
    assert (found.correct, found.missed, found.count) == (((0, 0),), (1,), 1)


def test_below_the_score_is_not_looked_at() -> None:
    found = image_errors(image([BOX], [BOX, FAR], [0.2, 0.1]), 0.3, 0.5)
    assert (found.correct, found.missed, found.invented) == ((), (0,), ())


def test_another_class() -> None:
    found = image_errors(image([BOX], [BOX], [0.9], classes=[1]), 0.3, 0.5)
    assert (found.confused, found.missed) == (((0, 0),), ())


def test_its_own_class_comes_first_however_sure_another_is() -> None:
    both = image([BOX], [BOX, BOX], [0.9, 0.4], classes=[1, 0])
    found = image_errors(both, 0.3, 0.5)
    assert found.correct == ((0, 1),)
    assert found.invented == (0,)


def test_twice_near_and_nothing() -> None:
    near = [0.0, 0, 10, 4]
    found = image_errors(image([BOX], [BOX, BOX, near, FAR], [0.9, 0.8, 0.7, 0.6]), 0.3, 0.5)
    assert found.correct == ((0, 0),)
    assert found.duplicate == (1,)
    assert found.misplaced == (2,)
    assert found.invented == (3,)
    assert found.count == 3


def test_what_lies_in_a_crowd_is_neither_right_nor_wrong() -> None:
    crowd = image([[0.0, 0, 100, 100]], [BOX, FAR], [0.9, 0.8], crowd=[True])
    assert image_errors(crowd, 0.3, 0.5).count == 0


@pytest.mark.parametrize("seed", range(4))
def test_nothing_is_counted_twice_or_left_out(seed: int) -> None:
    for one in random_images(seed):
        found = image_errors(one, 0.25, 0.5)
        matched = [*found.correct, *found.confused]
        truth = [at for at, _ in matched] + list(found.missed)
        assert sorted(truth) == np.flatnonzero(~one.crowd).tolist()
        said = [at for _, at in matched]
        said += [*found.misplaced, *found.duplicate, *found.invented]
        assert len(set(said)) == len(said)
        sure = set(np.flatnonzero(one.scores >= 0.25).tolist())
        assert set(said) <= sure
        in_crowds = sure - set(said)
        assert all((one.classes[i] == one.truth_classes[one.crowd]).any() for i in in_crowds)
