"""Curves of expected scores: their data are those of the statistics, and shading ends where each figure says."""

import numpy as np
import pytest

from figures import words_of
from seedwise.analysis.analysis import Analysis
from seedwise.charts.expected import draw_expected, expected_band_data, expected_best_data, expected_test_data
from seedwise.errors import RequestError
from seedwise.stats.best.expected_best import expected_best
from seedwise.stats.best.selection import expected_selected
from table_studies import table_study

RNG = np.random.default_rng(0)
TRIALS = 30
SCORES = np.sort(0.5 + 0.3 * RNG.random((TRIALS, 6)), axis=1)[:, [0, 1, 5, 2, 3, 4]]  # the best is never the last
TEST = SCORES.max(axis=1) - 0.05 * RNG.random(TRIALS)


def of(scores=SCORES, **fields):
    analysis = Analysis(table_study(scores, **fields))
    return analysis, analysis.cell()


def curve(data, series, key="mean"):
    return [point[key] for point in data.points if point["series"] == series]


def test_best_of_n_is_the_closed_form_for_every_schedule():
    data = expected_best_data(*of(epochs=3))
    n = np.arange(1, TRIALS + 1)
    assert data.series == ("all evaluations", "one per epoch", "only the last")
    for series, scores in zip(data.series, (SCORES, SCORES[:, 1::2], SCORES[:, -1:]), strict=True):
        assert curve(data, series, "n") == n.tolist()
        assert curve(data, series) == pytest.approx(expected_best(scores.max(axis=1), n).mean)


def test_shading_is_one_standard_deviation_within_the_schedule_s_own_scores():
    data = expected_best_data(*of())
    for series, final in (("all evaluations", SCORES.max(axis=1)), ("only the last", SCORES[:, -1])):
        found = expected_best(final, np.arange(1, TRIALS + 1))
        assert curve(data, series, "low") == pytest.approx(np.maximum(found.mean - found.sd, final.min()))
        assert curve(data, series, "high") == pytest.approx(np.minimum(found.mean + found.sd, final.max()))


def test_shading_holds_its_line_even_where_the_last_evaluation_is_far_below_the_best():
    scores = np.stack([0.9 + 0.05 * RNG.random(20), 0.5 + 0.05 * RNG.random(20)], axis=1)
    assert all(p["low"] <= p["mean"] <= p["high"] for p in expected_best_data(*of(scores)).points)


def test_many_trials_are_thinned_and_keep_both_ends():
    data = expected_best_data(*of(0.5 + 0.4 * RNG.random((500, 1))))
    n = curve(data, data.series[0], "n")
    assert (n[0], n[-1]) == (1, 500)
    assert len(n) <= 80
    assert len(set(n)) == len(n)


def test_band_is_the_analysis_s_and_holds_the_curve():
    analysis, cell = of()
    data, best = expected_band_data(analysis, cell), analysis.expected_best(cell)
    assert curve(data, "expected best of n", "low") == pytest.approx(best.lower)
    assert curve(data, "expected best of n", "high") == pytest.approx(best.upper)
    assert all(point["low"] <= point["mean"] <= point["high"] for point in data.points)
    assert "95% band for all n at once" in data.subtitle


def test_band_of_a_metric_without_bounds_is_refused():
    with pytest.raises(RequestError, match="needs a metric with known bounds, and those of bleu are not known"):
        expected_band_data(*of(metric="bleu", baseline=None))


def test_test_score_of_one_cell_stands_beside_the_validation_score():
    analysis, cell = of(test=TEST)
    data = expected_test_data(analysis, {"plain": cell})
    found = expected_selected(SCORES.max(axis=1), TEST, np.arange(1, TRIALS + 1))
    assert data.series == ("test", "validation")
    assert curve(data, "test") == pytest.approx(found.test_mean)
    assert curve(data, "test", "high") == pytest.approx(found.test_mean + found.test_sd)
    assert curve(data, "validation") == pytest.approx(found.validation_mean)
    assert all("low" not in point for point in data.points if point["series"] == "validation")
    assert (data.title, data.subtitle[:10]) == ("toy: test score of the chosen trial", "30 trials;")


def test_several_recipes_are_one_series_each():
    lower = table_study(SCORES[:20] - 0.1, test=TEST[:20] - 0.1, recipe="lower")
    analysis = Analysis(table_study(SCORES, test=TEST, recipe="higher") + lower)
    data = expected_test_data(analysis, {cell.recipe.name: cell for cell in analysis.cells})
    assert data.series == ("higher", "lower")
    assert curve(data, "lower") == pytest.approx(
        expected_selected(SCORES[:20].max(axis=1), TEST[:20] - 0.1, np.arange(1, 21)).test_mean
    )
    assert data.subtitle.startswith("20 or 30 trials;")


def test_recipes_of_two_tasks_are_refused():
    analysis = Analysis(table_study(SCORES, test=TEST, task="RTE") + table_study(SCORES, test=TEST, task="MRPC"))
    with pytest.raises(RequestError, match="one task"):
        expected_test_data(analysis, {cell.task.name: cell for cell in analysis.cells})


def test_without_test_scores_the_reason_is_the_analysis_s():
    analysis, cell = of()
    with pytest.raises(RequestError, match="no test scores"):
        expected_test_data(analysis, {"plain": cell})


@pytest.mark.parametrize("compute", [expected_best_data, expected_band_data])
def test_stopped_trials_are_refused(compute):
    scores = SCORES.copy()
    scores[:5, 2:] = np.nan
    states = ["stopped"] * 5 + ["complete"] * (TRIALS - 5)
    with pytest.raises(RequestError, match="count as stopped"):
        compute(*of(scores, states=states))


def test_figure_has_title_axes_and_a_legend():
    words = words_of(draw_expected(expected_best_data(*of())))
    assert {
        "toy: expected best of n",
        "trials n (full trainings of 1 s device time)",
        "validation accuracy",
        "only the last",
    } <= set(words)


def test_band_alone_is_drawn_without_a_legend():
    words = words_of(draw_expected(expected_band_data(*of())))
    assert "toy: how sure the curve is" in words
    assert "expected best of n" not in words


def test_figure_of_test_scores_names_both_splits():
    analysis, cell = of(test=TEST)
    words = words_of(draw_expected(expected_test_data(analysis, {"plain": cell})))
    assert {"expected accuracy", "test", "validation"} <= set(words)
