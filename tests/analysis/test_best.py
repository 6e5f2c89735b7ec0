"""Is the best of n what the statistics say of the cell's scores?"""

import numpy as np
import pytest

from seedwise.analysis.analysis import Analysis
from seedwise.analysis.best import expected_best, expected_test, fall_of_test, schedules
from seedwise.errors import UnknownError
from seedwise.tables.results import results_table
from table_studies import table_study

SCORES = np.random.default_rng(0).random((20, 6)).round(2)


def cell_of(scores=SCORES, **given):
    return Analysis(table_study(scores, **given)).cell()


def test_one_trial_is_expected_to_score_the_mean():
    found = expected_best(cell_of(), [1])
    assert found.mean[0] == pytest.approx(SCORES.max(axis=1).mean())
    assert found.trials == 20


def test_all_trials_without_replacement_are_expected_to_score_the_best():
    assert expected_best(cell_of(), replacement=False).mean[-1] == pytest.approx(SCORES.max())


def test_more_evaluations_are_never_worse():
    cell = cell_of(epochs=3)
    means = [expected_best(cell, schedule=schedule).mean for schedule in ("last", "epoch", "all")]
    assert np.all(means[0] <= means[1] + 1e-12)
    assert np.all(means[1] <= means[2] + 1e-12)


def test_band_holds_the_estimate():
    found = expected_best(cell_of())
    assert np.all(found.lower <= found.mean)
    assert np.all(found.mean <= found.upper)


def test_metric_without_bounds_has_no_band():
    found = expected_best(cell_of(metric="points"))
    assert found.lower is None
    assert found.upper is None


def test_more_draws_than_trials_without_replacement_are_refused():
    with pytest.raises(UnknownError, match="21"):
        Analysis(table_study(SCORES)).expected_best(n=[21], replacement=False)


def test_only_schedules_that_differ_are_offered():
    assert schedules(cell_of()) == ("all", "last")
    assert schedules(cell_of(epochs=3)) == ("all", "epoch", "last")
    assert schedules(cell_of(SCORES[:, :1], epochs=1)) == ("all",)


def test_all_trials_are_expected_to_give_the_test_score_of_the_best_one():
    test = np.random.default_rng(1).random(20)
    scores = np.sort(np.random.default_rng(2).random((20, 2)), axis=1)
    found = expected_test(cell_of(scores, test=test), [10_000])
    assert found.test_mean[0] == pytest.approx(test[scores.max(axis=1).argmax()])


def test_bootstrap_agrees_with_the_exact_expectation():
    test = np.random.default_rng(1).random(20)
    cell = cell_of(test=test)
    exact, drawn = expected_test(cell, [5]), expected_test(cell, [5], bootstrap=True)
    assert drawn.test_mean[0] == pytest.approx(exact.test_mean[0], abs=4 * exact.test_sd[0] / 1000**0.5)


def test_a_study_without_test_scores_is_refused():
    with pytest.raises(UnknownError, match="no test scores"):
        expected_test(cell_of())


def test_a_missing_test_score_is_refused():
    with pytest.raises(UnknownError, match="1 of 20 trials have no test score"):
        expected_test(cell_of(test=[np.nan, *SCORES[1:, 0]]))


def test_overfitting_the_validation_rows_lowers_the_test_score():
    validation = np.linspace(0.5, 0.9, 20)[:, None]
    test = 0.8 - np.abs(np.linspace(0.5, 0.9, 20) - 0.75)  # the very best on validation are no longer the best
    assert fall_of_test(cell_of(validation, test=test)).n < 20


def test_crashed_trials_without_a_test_score_are_in_no_number_about_test_rows():
    """50 trials of a correlation, 5 of which diverged without a test score but not without a validation score."""
    test = np.where(np.arange(50) < 45, np.linspace(0.7, 0.95, 50), np.nan)
    states = ["complete"] * 45 + ["failed"] * 5
    scores = np.where(np.arange(50) < 45, np.linspace(0.72, 0.96, 50), 0.3)[:, None]
    analysis = Analysis(table_study(scores, test=test, states=states, metric="spearman", baseline=None))
    (row,) = analysis.recipe_scores()
    assert (row.split, row.n, row.mean) == ("test", 45, pytest.approx(np.nanmean(test)))
    one = analysis.expected_test()
    assert (one.n[-1], one.test_mean[0]) == (45, pytest.approx(np.nanmean(test)))
    assert analysis.fall_of_test().n == 45
    other = Analysis(table_study(scores[:30], test=test[29::-1], metric="spearman")).cell()
    assert analysis.verdict(analysis.cell(), other).n_a == 45
    assert "45 of 50 trials; 5 failed without a test score." in results_table(analysis).notes[0]
