"""Figures of rows, flips and ensembles: do they show what the statistics say?"""

import numpy as np
import pytest

from figures import words_of
from seedwise.analysis.analysis import Analysis
from seedwise.charts.items import draw_ensemble, draw_flips, draw_rows, ensemble_data, flips_data, rows_data
from seedwise.errors import UnknownError
from table_studies import table_study

ROWS = 200


def of(trials=8, *, same=False):
    generator = np.random.default_rng(0)
    targets = generator.integers(0, 2, ROWS)
    outputs = generator.normal(size=(1, ROWS, 2)) + (0 if same else 1) * generator.normal(size=(trials, ROWS, 2))
    outputs[:, np.arange(ROWS), targets] += 1
    given = dict.fromkeys(("validation", "test"), outputs)
    study = table_study(generator.normal(0.7, 0.01, (trials, 1)), outputs=given, targets=dict.fromkeys(given, targets))
    analysis = Analysis(study)
    return analysis, analysis.cell()


def test_bars_are_all_rows_by_the_share_of_trials_that_get_them_right():
    analysis, cell = of()
    points = rows_data(analysis, cell).points
    assert [point["rows"] for point in points] == analysis.items().agreement.right.tolist()
    assert sum(point["rows"] for point in points) == ROWS
    assert sum(point["expected"] for point in points) == pytest.approx(ROWS)
    assert [(p["from"], p["to"]) for p in (points[0], points[-1])] == [(-0.5 / 8, 0.5 / 8), (7.5 / 8, 8.5 / 8)]


def test_of_many_trials_several_share_a_bar():
    data = rows_data(*of(100))
    assert len(data.points) == 51
    assert sum(p["rows"] * round(100 * (p["to"] - p["from"])) for p in data.points) == pytest.approx(ROWS)
    assert "rows, for each number of trials" in words_of(draw_rows(data))


def test_trials_are_in_the_order_of_their_accuracies_over_the_band_of_flips():
    analysis, cell = of()
    data = flips_data(analysis, cell)
    accuracies = np.sort(analysis.items().accuracies)
    assert [point["accuracy"] for point in data.points] == accuracies.tolist()
    middle = [(point["low"] + point["high"]) / 2 for point in data.points]
    assert np.all(np.diff(middle) > 0)
    assert np.mean(middle) == pytest.approx(accuracies.mean())


def test_trials_that_label_all_rows_alike_have_no_flips_to_draw():
    with pytest.raises(UnknownError, match="all trials label every row alike"):
        flips_data(*of(same=True))


def test_ensembles_grow_from_the_mean_trial_to_the_ensemble_of_all():
    analysis, cell = of()
    data, found = ensemble_data(analysis, cell), analysis.ensemble()
    assert [point["members"] for point in data.points] == list(range(1, 9))
    assert (data.points[0]["mean"], data.points[-1]["mean"]) == pytest.approx((found.single, found.score))
    assert (data.winner, data.singles) == (found.winner, found.scores.tolist())
    assert data.interval == found.interval[1:3]


@pytest.mark.parametrize(
    ("collect", "draw", "says"),
    [
        (rows_data, draw_rows, "share of the trials that get a row right"),
        (flips_data, draw_flips, "trials, by accuracy"),
        (ensemble_data, draw_ensemble, "members of the ensemble"),
    ],
)
def test_axes_are_named_and_counts_told(collect, draw, says):
    data = collect(*of())
    assert {says, data.title} <= set(words_of(draw(data)))
    assert "8 trials" in data.subtitle
    assert "200" in data.subtitle
