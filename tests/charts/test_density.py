"""Densities of seeds: of the right trials, with every single value below, and honest where nothing varies."""

import numpy as np
import pytest
from scipy import stats

from figures import words_of
from seedwise.analysis.analysis import Analysis
from seedwise.charts.density import draw_density, seed_density_data, spread_density_data
from seedwise.errors import RequestError
from table_studies import grid_seeds, table_study

RNG = np.random.default_rng(0)
FINAL = np.round(RNG.normal(0.65, 0.05, size=(5, 8)) + RNG.normal(0, 0.04, size=(5, 1)), 2)


def of(final=FINAL, **fields):
    analysis = Analysis(table_study(np.reshape(final, (-1, 1)), **{**grid_seeds(*final.shape), **fields}))
    return analysis, analysis.cell()


def rug_of(data, panel, series):
    """Return every single value, as often as it occurs."""
    return sorted(
        entry["value"]
        for entry in data.rug
        for _ in range(entry["count"])
        if (entry["panel"], entry["series"]) == (data.panels[panel], series)
    )


def curve_of(data, panel, series):
    points = [p for p in data.points if (p["panel"], p["series"]) == (data.panels[panel], series)]
    return np.array([[p["value"], p["density"]] for p in points]).reshape(-1, 2).T


def test_best_and_worst_are_the_seeds_with_the_best_and_the_worst_mean():
    data = seed_density_data(*of())
    by_init, by_order = FINAL.mean(axis=1), FINAL.mean(axis=0)
    assert rug_of(data, 0, "best seed") == sorted(FINAL[by_init.argmax()])
    assert rug_of(data, 0, "worst seed") == sorted(FINAL[by_init.argmin()])
    assert rug_of(data, 1, "best seed") == sorted(FINAL[:, by_order.argmax()])
    assert rug_of(data, 1, "worst seed") == sorted(FINAL[:, by_order.argmin()])


def test_panels_name_the_seeds():
    data = seed_density_data(*of())
    by_init = FINAL.mean(axis=1)
    assert data.panels[0].startswith(f"init seed {by_init.argmax() + 1} (best) and {by_init.argmin() + 1} (worst)")


def test_curves_are_scipys_estimate():
    at, heights = curve_of(seed_density_data(*of()), 0, "best seed")
    np.testing.assert_allclose(heights, stats.gaussian_kde(FINAL[FINAL.mean(axis=1).argmax()])(at), rtol=1e-9)


def test_curves_end_where_scores_end():
    at, _ = curve_of(seed_density_data(*of(FINAL + 0.97 - FINAL.max())), 0, "best seed")
    assert at.max() == 1.0


def test_a_seed_whose_trials_are_equal_has_values_but_no_curve():
    final = FINAL.copy()
    final[2] = 0.3
    data = seed_density_data(*of(final))
    assert rug_of(data, 0, "worst seed") == [0.3] * 8
    assert curve_of(data, 0, "worst seed").size == 0
    assert words_of(draw_density(data))


def test_spread_is_that_of_each_seed_beside_all():
    data = spread_density_data(*of())
    assert rug_of(data, 0, "init seeds") == pytest.approx(sorted(FINAL.std(axis=1, ddof=1)))
    assert rug_of(data, 0, "order seeds") == pytest.approx(sorted(FINAL.std(axis=0, ddof=1)))
    assert data.marks["all trials"] == pytest.approx(FINAL.std(ddof=1))


def test_no_spread_is_below_zero():
    at, _ = curve_of(spread_density_data(*of()), 0, "order seeds")
    assert at.min() >= 0


def test_figure_of_seeds_names_trials_seeds_and_metric():
    data = seed_density_data(*of())
    words = words_of(draw_density(data))
    assert {data.title, data.subtitle, *data.panels, "best seed", "worst seed", "validation accuracy"} <= set(words)
    assert data.subtitle.startswith("40 trials")


def test_figure_of_spread_names_seeds_and_the_spread_of_all():
    words = words_of(draw_density(spread_density_data(*of())))
    assert {"init seeds", "order seeds", "all trials", "sd of validation accuracy", "density"} <= set(words)


def test_seeds_that_change_together_are_refused():
    with pytest.raises(RequestError, match="crossed"):
        seed_density_data(*of(init=None, order=None))
