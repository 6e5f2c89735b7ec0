"""Are early scores drawn where they were, with the fate of each trial?"""

import numpy as np
import pytest

from figures import words_of
from seedwise.analysis.analysis import Analysis
from seedwise.charts.correlation import draw_correlation
from seedwise.charts.early import (
    draw_judged,
    early_band_data,
    early_correlation_data,
    early_grid_data,
    early_spread_data,
    judged_data,
)
from seedwise.charts.expected import draw_expected
from seedwise.errors import UnknownError
from table_studies import grid_seeds, table_study

SCORES = np.random.default_rng(0).random((12, 8))
EARLY = np.where((np.arange(12) > 2)[:, None] & (np.arange(8) > 3), np.nan, SCORES)
STATES = ["complete"] * 3 + ["stopped"] * 9


@pytest.fixture(scope="module")
def analysis():
    return Analysis(table_study(EARLY, states=STATES, **grid_seeds(3, 4)))


def test_every_trial_stands_at_its_place(analysis):
    data = judged_data(analysis, analysis.cell())
    early = SCORES[:, :4].max(axis=1)
    assert [point["early"] for point in data.points] == sorted(early.tolist(), reverse=True)
    assert {point["fate"] for point in data.points} == {"stopped", "went on", "the winner"}
    (winner,) = [point for point in data.points if point["fate"] == "the winner"]
    assert winner["final"] == SCORES[:3].max()
    assert sum(point["final"] is not None for point in data.points) == 3


def test_of_a_loss_the_lowest_is_at_the_left():
    analysis = Analysis(table_study(EARLY, states=STATES, metric="loss"))
    scores = [point["early"] for point in judged_data(analysis, analysis.cell()).points]
    assert scores == sorted(scores)


def test_what_is_drawn_says_that_scores_are_early(analysis):
    words = words_of(draw_judged(judged_data(analysis, analysis.cell())))
    assert "12 trials after 50 % of a run; lines: to the final score" in words
    assert {"stopped", "went on", "the winner", "place when judged", "best constant guess"} <= set(words)
    words = words_of(draw_expected(early_band_data(analysis, analysis.cell())))
    assert "trials n (50 % of a run each)" in words
    words = words_of(draw_correlation(early_correlation_data(analysis, analysis.cell())))
    assert "12 trials, up to 50 % of a run, when they were judged" in words


def test_grids_of_early_scores_have_all_seeds(analysis):
    assert "early scores by seed" in early_grid_data(analysis, analysis.cell()).title
    assert early_spread_data(analysis, analysis.cell()).subtitle.startswith("3 init and 4 order seeds")


def test_a_study_that_stopped_none_is_refused():
    analysis = Analysis(table_study(SCORES))
    with pytest.raises(UnknownError, match="no trial was stopped early"):
        judged_data(analysis, analysis.cell())
