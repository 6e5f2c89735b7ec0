"""The heat map of correlations: every pair of evaluations at its share of the run, gaps shown as gaps."""

from itertools import pairwise

import numpy as np
import pytest
from scipy import stats

from figures import words_of
from seedwise.analysis.analysis import Analysis
from seedwise.charts.correlation import correlation_data, draw_correlation
from seedwise.errors import RequestError
from table_studies import table_study

RNG = np.random.default_rng(0)
SCORES = 0.5 + 0.3 * np.sort(RNG.random((40, 6)), axis=1)  # best so far, as they rise


def of(scores=SCORES, **fields):
    analysis = Analysis(table_study(scores, **fields))
    return analysis, analysis.cell()


def test_every_pair_of_evaluations_has_its_correlation():
    data = correlation_data(*of())
    found = {(round(cell["x"]), round(cell["y"])): cell["r"] for cell in data.cells}
    assert len(data.cells) == len(found) == 36
    for i in range(6):
        for j in range(6):
            expected = stats.spearmanr(SCORES[:, i], SCORES[:, j]).statistic
            assert found[round(100 * (i + 1) / 6), round(100 * (j + 1) / 6)] == pytest.approx(expected)


def test_pearson_is_that_of_the_scores():
    cells = correlation_data(*of(), "pearson").cells
    assert cells[5]["r"] == pytest.approx(stats.pearsonr(SCORES[:, 0], SCORES[:, 5]).statistic)


def test_cells_meet_halfway_and_hold_their_evaluation():
    data = correlation_data(*of(steps=[1, 5, 6, 8, 10, 20]))
    row = data.cells[:6]
    assert [cell["y"] for cell in row] == pytest.approx([5, 25, 30, 40, 50, 100])
    assert all(a["high"] == b["low"] for a, b in pairwise(row))
    assert all(cell["low"] < cell["y"] < cell["high"] for cell in row)
    assert data.domain == (row[0]["low"], row[-1]["high"])


def test_where_all_trials_are_equal_r_is_undefined_and_marked():
    scores = SCORES.copy()
    scores[:, :2] = 0.5
    data = correlation_data(*of(scores))
    undefined = [cell for cell in data.cells if cell["r"] is None]
    assert len(undefined) == 36 - 16
    assert data.subtitle.endswith("×: r undefined")
    assert words_of(draw_correlation(data)).count("×") == 20


def test_trusted_is_where_the_end_is_known():
    end = RNG.random(60)
    scores = 0.5 + 0.3 * np.stack([RNG.random(60), 0.1 + 2 * end, 0.2 + 2 * end, 0.3 + 2 * end], axis=1)
    data = correlation_data(*of(scores))
    assert data.trusted == 50
    assert "trusted from 50 % on" in data.subtitle


def test_where_the_end_is_never_known_that_is_said_and_no_line_drawn():
    scores = np.stack([np.full(30, 0.1), 0.2 + 0.01 * RNG.random(30), 0.5 + RNG.random(30)], axis=1)
    data = correlation_data(*of(scores))
    assert data.trusted is None
    assert "not trusted before the end" in data.subtitle
    assert len(draw_correlation(data).layer) == 2


def test_correlations_below_zero_are_said_to_be_drawn_as_zero():
    early = np.linspace(0, 1, 20)
    data = correlation_data(*of(np.stack([early, 3 - early], axis=1)))
    assert data.measure.endswith("(below 0 as 0)")
    assert not correlation_data(*of()).measure.endswith("(below 0 as 0)")


def test_of_very_many_evaluations_some_are_shown_the_last_among_them():
    data = correlation_data(*of(0.5 + 0.3 * np.sort(RNG.random((12, 126)), axis=1)))
    assert len(data.cells) == 60**2
    assert max(cell["x"] for cell in data.cells) == 100


@pytest.mark.parametrize(("method", "name"), [("spearman", "Spearman's rank correlation"), ("pearson", "Pearson's")])
def test_figure_names_trials_axes_and_measure(method, name):
    data = correlation_data(*of(), method)
    words = words_of(draw_correlation(data))
    assert {data.title, data.subtitle, data.measure} <= set(words)
    assert words.count("share of the full run (%)") == 2
    assert data.measure.startswith(name)
    assert data.subtitle.startswith("40 trials")


def test_colours_run_from_0_to_1_whatever_the_data():
    words = words_of(draw_correlation(correlation_data(*of())))
    assert {"0.0", "1.0"} <= set(words)


def test_an_unknown_method_is_refused():
    with pytest.raises(RequestError, match="method must be one of spearman, pearson"):
        correlation_data(*of(), "kendall")


def test_stopped_trials_are_refused():
    with pytest.raises(RequestError, match="count as stopped"):
        correlation_data(*of(states=["stopped"] + ["complete"] * 39))
