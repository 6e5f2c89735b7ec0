"""Are trials told that are one and the same run, and no others?"""

import numpy as np
import pytest

from seedwise.analysis.analysis import Analysis
from seedwise.analysis.twins import find_twins
from seedwise.errors import UnknownError
from table_studies import grid_seeds, table_study

CURVE = [0.51, 0.62, 0.65]
OTHER = [0.52, 0.60, 0.61]


def twins_of(scores, **given):
    return Analysis(table_study(scores, **given)).cell().twins


def test_seven_of_eight_seeds_with_one_curve_are_told():
    found = twins_of([CURVE] * 7 + [OTHER])
    assert (found.groups, found.repeats, found.prevail) == ((tuple(range(7)),), 6, True)
    assert found.words == "7 of 8 seeds gave the same curve: the seed had no effect, or a file was copied."


def test_in_a_grid_trials_are_told_instead_of_seeds():
    assert twins_of([CURVE] * 3 + [OTHER], **grid_seeds(2, 2)).words.startswith("3 of 4 trials gave the same curve")


def test_several_curves_that_repeat_are_counted():
    assert twins_of([CURVE] * 3 + [OTHER] * 3).words.startswith("6 seeds gave only 2 different curves:")


def test_trials_that_only_guess_are_no_twins():
    assert twins_of([[0.5634] * 5] * 8).groups == ()
    assert twins_of([[0.4366, 0.5634, 0.4366, 0.5634]] * 8).groups == ()


def test_trials_that_only_guess_are_twins_if_their_losses_are_the_same():
    assert twins_of([[0.5634] * 5] * 8, losses=[[0.9, 0.8, 0.7, 0.6, 0.5]] * 8).prevail


def test_losses_that_differ_make_equal_scores_two_runs():
    losses = np.random.default_rng(0).random((8, 3))
    assert twins_of([CURVE] * 8, losses=losses).groups == ()


def test_test_scores_that_differ_make_equal_scores_two_runs():
    assert twins_of([CURVE] * 2, test=[0.6, 0.61]).groups == ()


def test_a_lost_score_is_as_equal_as_any_other():
    assert len(twins_of([[*CURVE, np.nan]] * 2).groups) == 1


def test_a_few_twins_hinder_nothing():
    scores = np.random.default_rng(0).random((10, 3))
    scores[1] = scores[0]
    cell = Analysis(table_study(scores)).cell()
    assert cell.twins.groups == ((0, 1),)
    assert len(cell.final()) == 10


def test_records_alone_tell_twins():
    study = table_study([CURVE] * 2)
    assert find_twins(study.records).groups == ((0, 1),)


def test_json_names_the_trials_that_are_one_run():
    study = table_study([CURVE, OTHER, CURVE, [0.4, 0.5, 0.6]])
    (cell,) = Analysis(study).to_json()["cells"]
    assert cell["same_curve"] == [[study.records[0].id, study.records[2].id]]


@pytest.mark.parametrize("name", ["correlation", "expected_best", "failed", "variance", "best_rules"])
def test_nothing_is_claimed_of_twins(name):
    analysis = Analysis(table_study([CURVE] * 7 + [OTHER]))
    with pytest.raises(UnknownError, match="7 of 8 seeds gave the same curve"):
        getattr(analysis, name)()


def test_twins_are_not_compared_with_another_recipe():
    study = table_study([CURVE] * 8, recipe="one") + table_study(np.random.default_rng(0).random((8, 3)), recipe="two")
    with pytest.raises(UnknownError, match="8 of 8 seeds gave the same curve"):
        Analysis(study).compare("one", "two")
