"""The bias of Adam's updates and the way of the weights: their data are the formula's and the caller's."""

import numpy as np
import pytest

from figures import words_of
from seedwise.charts.optimizer import bias_data, distances_data, draw_bias, draw_distances
from seedwise.errors import RequestError
from seedwise.stats.bias import update_bias

MARKS = {"CoLA": 804, "RTE": 234, "MNLI": 36_816}
STEPS = np.arange(0, 100, 5)
DISTANCES = {
    "standard": (STEPS, np.outer(STEPS, [1.0, 2.0, 4.0]) / 100),
    "re-init": (STEPS, np.outer(STEPS, [1.0, 1.5, 0.5]) / 100),
}


# Bias -----------------------------------------------------------------------------------------------------------------


def test_curve_is_the_formula_from_the_first_step_to_a_million():
    data = bias_data()
    steps = [point["step"] for point in data.points]
    assert (steps[0], steps[-1]) == (1, 1_000_000)
    assert [point["ratio"] for point in data.points] == update_bias(steps).tolist()


def test_marks_lie_on_the_curve_the_shortest_task_first():
    data = bias_data(MARKS)
    assert [mark["name"] for mark in data.marks] == ["RTE", "CoLA", "MNLI"]
    assert [mark["ratio"] for mark in data.marks] == update_bias([234, 804, 36_816]).tolist()


def test_axis_leaves_room_for_a_long_task_s_name():
    assert bias_data({"long": 10**6}).points[-1]["step"] > 10**7


def test_other_decays_are_taken_and_said():
    data = bias_data(beta2=0.98)
    assert data.points[0]["ratio"] == pytest.approx(0.1 / np.sqrt(0.02))
    assert "decays 0.9 and 0.98" in data.subtitle


def test_mark_before_the_first_step_is_refused():
    with pytest.raises(RequestError, match="step must be whole numbers of at least 1"):
        bias_data({"none": 0})


def test_figure_of_the_bias_names_every_task_with_its_steps():
    words = words_of(draw_bias(bias_data(MARKS)))
    assert {"Adam's update without bias correction", "optimiser step", "update without / with correction"} <= set(words)
    assert {"RTE 234", "CoLA 804", "MNLI 36,816", "1", "1k", "1M"} <= set(words)


def test_figure_of_the_bias_needs_no_task():
    assert "optimiser step" in words_of(draw_bias(bias_data()))


# Distances ------------------------------------------------------------------------------------------------------------


def test_distances_are_the_caller_s_block_by_block():
    data = distances_data(DISTANCES)
    mine = [p for p in data.points if (p["recipe"], p["block"]) == ("re-init", 2)]
    assert [point["step"] for point in mine] == STEPS.tolist()
    assert [point["distance"] for point in mine] == DISTANCES["re-init"][1][:, 1].tolist()
    assert (data.recipes, data.blocks) == (("standard", "re-init"), (1, 2, 3))


def test_only_the_blocks_asked_for_are_shown():
    data = distances_data(DISTANCES, blocks=[3, 1])
    assert data.blocks == (1, 3)
    assert {point["block"] for point in data.points} == {1, 3}


def test_long_runs_are_thinned_and_keep_both_ends():
    steps = np.arange(5_000)
    found = [point["step"] for point in distances_data({"long": (steps, steps[:, None])}).points]
    assert (found[0], found[-1]) == (0, 4_999)
    assert len(found) <= 60


@pytest.mark.parametrize(
    ("distances", "message"),
    [
        ({}, "at least one recipe, not none"),
        ({"a": (STEPS, STEPS)}, r"must be steps \(S,\) and values \(S, blocks\), not \(20,\) and \(20,\)"),
        ({"a": (STEPS[:5], np.ones((4, 2)))}, r"not \(5,\) and \(4, 2\)"),
        ({"a": ([], np.ones((0, 2)))}, r"not \(0,\) and \(0, 2\)"),
    ],
)
def test_arrays_that_do_not_fit_are_refused(distances, message):
    with pytest.raises(RequestError, match=message):
        distances_data(distances)


def test_block_that_is_not_there_is_refused():
    with pytest.raises(RequestError, match="blocks must be from 1 to 3, as standard has, not 4"):
        distances_data(DISTANCES, blocks=[1, 4])


def test_panels_by_block_have_a_line_for_each_recipe():
    words = words_of(draw_distances(distances_data(DISTANCES, title="RTE: way of the weights")))
    assert {"RTE: way of the weights", "optimiser step", "L2 distance", "block 1", "block 3", "re-init"} <= set(words)


def test_panels_by_recipe_have_one_scale_of_blocks():
    words = words_of(draw_distances(distances_data(DISTANCES), panels="recipe"))
    assert {"standard", "re-init", "block", "L2 distance"} <= set(words)
    assert "block 1" not in words


def test_other_panels_are_refused():
    with pytest.raises(RequestError, match="panels must be one of block, recipe, not 'layer'"):
        draw_distances(distances_data(DISTANCES), panels="layer")
