"""The training loss by recipe: its data are those of the analysis, and the figure says how many trials it rests on."""

import numpy as np
import pytest

from figures import words_of
from seedwise import Recipe, Task
from seedwise.analysis.analysis import Analysis
from seedwise.charts.by_step import draw_losses, gradients_data, losses_data
from seedwise.errors import RequestError
from table_studies import table_study

RNG = np.random.default_rng(0)
FAST, SLOW = (1 / (1 + rate * np.arange(1, 13)) + RNG.random((trials, 12)) / 10 for rate, trials in ((1, 6), (0.2, 4)))


def study(losses, **fields):
    scores = np.full((len(losses), 3), 0.7)
    return table_study(scores, steps=[4, 8, 12], losses=losses, **fields)


def two_recipes():
    analysis = Analysis(study(FAST, recipe="fast") + study(SLOW, recipe="slow"))
    return analysis, {cell.recipe.name: cell for cell in analysis.cells}


def test_mean_and_range_are_those_over_trials():
    data = losses_data(*two_recipes())
    slow = [point for point in data.points if point["series"] == "slow"]
    assert [point["step"] for point in slow] == list(range(1, 13))
    assert [point["mean"] for point in slow] == pytest.approx(SLOW.mean(axis=0), rel=1e-6)
    assert [point["low"] for point in slow] == pytest.approx(SLOW.min(axis=0), rel=1e-6)
    assert [point["high"] for point in slow] == pytest.approx(SLOW.max(axis=0), rel=1e-6)
    assert {point["trials"] for point in slow} == {4}


def test_order_of_series_is_the_caller_s():
    analysis, cells = two_recipes()
    assert losses_data(analysis, dict(reversed(cells.items()))).series == ("slow", "fast")


def test_subtitle_counts_the_trials_and_says_what_is_shaded():
    assert losses_data(*two_recipes()).subtitle == "4 or 6 trials; line: mean, shaded: range"


def test_steps_that_were_averaged_are_said():
    losses = RNG.random((3, 500))
    analysis = Analysis(table_study(np.full((3, 1), 0.7), steps=[500], losses=losses))
    data = losses_data(analysis, {"plain": analysis.cell()})
    assert data.subtitle.endswith("; means of 3 steps")
    assert data.points[0]["mean"] == pytest.approx(losses[:, :3].mean(), rel=1e-6)


def test_cells_of_two_tasks_are_refused():
    analysis = Analysis(study(FAST, task="RTE") + study(SLOW, task="MRPC"))
    with pytest.raises(RequestError, match="one task, not of RTE, MRPC; draw one each"):
        losses_data(analysis, {cell.task.name: cell for cell in analysis.cells})


def test_no_cell_at_all_is_refused():
    analysis, _ = two_recipes()
    with pytest.raises(RequestError, match="not of none"):
        losses_data(analysis, {})


def test_unknown_losses_are_refused_with_the_analysis_s_reason():
    analysis = Analysis(table_study(np.full((3, 2), 0.7)))
    with pytest.raises(RequestError, match="no training loss is known"):
        losses_data(analysis, {"plain": analysis.cell()})


def test_figure_has_title_axes_and_a_legend():
    words = words_of(draw_losses(losses_data(*two_recipes())))
    assert {"toy: training loss", "optimiser step", "training loss", "fast", "slow"} <= set(words)


def test_one_series_needs_no_legend():
    analysis = Analysis(study(FAST))
    assert "alone" not in words_of(draw_losses(losses_data(analysis, {"alone": analysis.cell()})))


# The gradient's norm --------------------------------------------------------------------------------------------------


def tracked_norms(norms, track=("gradient_norm",)):
    recipe = Recipe(model="m", track=track)
    scores = np.full((len(norms), 3), 0.7)
    tracked = {"gradient_norm": norms[:, :, None]}
    return Analysis(table_study(scores, steps=[4, 8, 12], task=Task.glue("rte"), recipe=recipe, tracked=tracked))


def test_gradient_norm_has_mean_and_range_over_trials():
    analysis = tracked_norms(FAST)
    data = gradients_data(analysis, {"fast": analysis.cell()})
    assert [point["mean"] for point in data.points] == pytest.approx(FAST.mean(axis=0), rel=1e-6)
    assert [point["high"] for point in data.points] == pytest.approx(FAST.max(axis=0), rel=1e-6)


def test_figure_of_the_gradient_norm_says_so():
    analysis = tracked_norms(FAST)
    words = words_of(draw_losses(gradients_data(analysis, {"fast": analysis.cell()})))
    assert {"rte: gradient norm", "optimiser step", "gradient norm"} <= set(words)
    assert "training loss" not in words


def test_gradient_norm_that_is_not_tracked_is_refused():
    analysis = tracked_norms(FAST, track=())
    with pytest.raises(RequestError, match="needs the gradient norm of every step, which no trial of rte has"):
        gradients_data(analysis, {"fast": analysis.cell()})
