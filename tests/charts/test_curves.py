"""Validation curves: which trials are drawn, what became of them, and gaps where a score is not finite."""

import math

import numpy as np
import pytest

from figures import words_of
from seedwise.analysis.analysis import Analysis
from seedwise.charts.curves import curves_data, draw_curves
from seedwise.errors import RequestError
from table_studies import table_study

NAN = math.nan
RNG = np.random.default_rng(0)
MANY = RNG.uniform(0.5, 0.8, size=(60, 4))

# One trial of every fate, in this order; the first is the winner.
FATES = ["the winner", "trained to the end", "stopped early", "failed", "not finished", "not finished"]
MIXED = [[0.6, 0.8, 0.9], [0.6, 0.7, 0.8], [0.5, NAN, NAN], [0.5, 0.6, NAN], [0.4, NAN, NAN], [0.7, 0.95, NAN]]
STATES = ["complete", "complete", "stopped", "failed", "running", "paused"]


def of(scores, **fields):
    analysis = Analysis(table_study(scores, **fields))
    return analysis, analysis.cell()


def curve_of(data, cell, trial):
    return [(p["run"], p["score"]) for p in data.points if p["trial"] == cell.records[trial].id]


def test_a_curve_holds_every_score_at_its_share_of_the_run():
    analysis, cell = of(MANY[:5], steps=[1, 2, 3, 8])
    data = curves_data(analysis, cell)
    assert curve_of(data, cell, 3) == list(zip([12.5, 25, 37.5, 100], MANY[3], strict=True))


def test_up_to_twenty_trials_all_are_shown():
    data = curves_data(*of(MANY[:20]))
    assert (data.shown, data.trials, data.subtitle) == (20, 20, "20 of 20 trials")
    assert len({point["trial"] for point in data.points}) == 20


@pytest.mark.parametrize("seed", range(5))
def test_of_more_trials_twenty_are_drawn_with_the_winner_among_them(seed):
    analysis, cell = of(MANY)
    data = curves_data(analysis, cell, seed=seed)
    shown = {point["trial"] for point in data.points}
    assert len(shown) == data.shown == 20
    assert cell.records[MANY.max(axis=1).argmax()].id in shown
    assert data.subtitle == "20 of 60 trials: the winner and others drawn at random"


def test_the_same_seed_draws_the_same_trials_and_another_seed_others():
    drawn = [curves_data(*of(MANY), seed=seed).points for seed in (0, 0, 1)]
    assert drawn[0] == drawn[1]
    assert drawn[0] != drawn[2]


def test_a_single_curve_is_the_winners():
    data = curves_data(*of(MANY), most=1)
    assert data.fates == ("the winner",)


def test_every_trial_is_drawn_by_its_fate():
    analysis, cell = of(MIXED, states=STATES)
    data = curves_data(analysis, cell)
    fates = {point["trial"]: point["fate"] for point in data.points}
    assert [fates[record.id] for record in cell.records] == FATES
    assert set(data.fates) == set(FATES)


def test_only_a_complete_trial_can_win():
    data = curves_data(*of(MIXED[2:], states=STATES[2:]))
    assert "the winner" not in data.fates


def test_a_score_that_is_not_finite_breaks_the_curve():
    analysis, cell = of([[0.5, 0.6, NAN, 0.7, 0.8]])
    pieces = [point["piece"] for point in curves_data(analysis, cell).points]
    assert pieces[0] == pieces[1] != pieces[2] == pieces[3]


def test_ends_before_the_end_and_lone_scores_have_a_dot():
    analysis, cell = of(
        [[0.5, 0.6, 0.7, 0.8], [0.5, NAN, 0.7, 0.8], [0.5, 0.6, NAN, NAN]], states=["complete"] * 2 + ["stopped"]
    )
    dots = [(p["trial"], p["run"]) for p in curves_data(analysis, cell).points if p["dot"]]
    assert dots == [(cell.records[1].id, 25), (cell.records[2].id, 50)]


def test_a_trial_without_any_finite_score_has_no_curve_and_is_not_counted():
    data = curves_data(*of([[0.5, 0.6], [NAN, NAN], [0.5, 0.7]]))
    assert (data.shown, data.trials) == (2, 2)


def test_of_a_loss_the_lowest_wins():
    analysis, cell = of(MANY, metric="loss")
    winners = {p["trial"] for p in curves_data(analysis, cell).points if p["fate"] == "the winner"}
    assert winners == {cell.records[MANY.min(axis=1).argmin()].id}


def test_figure_names_trials_fates_axes_and_the_constant_guess():
    data = curves_data(*of(MIXED, states=STATES))
    words = set(words_of(draw_curves(data)))
    assert {*FATES, data.title, data.subtitle, "best constant guess"} <= words
    assert {"share of the full run (%)", "validation accuracy"} <= words


def test_without_a_known_guess_no_line_is_drawn():
    words = words_of(draw_curves(curves_data(*of(MIXED, states=STATES, baseline=None))))
    assert "best constant guess" not in words


def test_before_the_first_evaluation_there_is_nothing_to_draw():
    with pytest.raises(RequestError, match="finite score yet"):
        curves_data(*of([[NAN, NAN]], states=["waiting"]))


def test_fewer_than_one_curve_is_refused():
    with pytest.raises(RequestError, match="most must be"):
        curves_data(*of(MANY), most=0)
