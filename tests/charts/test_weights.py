"""The bias of Adam's updates and the way of the weights: their data are the formula's, the caller's or the study's."""

import numpy as np
import pytest

from figures import words_of
from seedwise import Recipe, Task
from seedwise.analysis.analysis import Analysis
from seedwise.charts.style import to_svg
from seedwise.charts.weights import bias_data, distances_data, draw_bias, draw_distances, tracked_distances_data
from seedwise.errors import RequestError
from seedwise.stats.adam import update_bias
from table_studies import table_study

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


def test_measured_ratios_are_the_caller_s():
    data = bias_data(measured={"BERTAdam": ([1, 12], np.array([3.0, 6.5])), "Adam": ([1], [1.0])})
    assert data.measured == [
        {"name": "BERTAdam", "step": 1, "ratio": 3.0},
        {"name": "BERTAdam", "step": 12, "ratio": 6.5},
        {"name": "Adam", "step": 1, "ratio": 1.0},
    ]
    assert data.subtitle.endswith("; circles: as trained")


def test_ratios_are_circles_beside_the_curve():
    plain, measured = (draw_bias(bias_data(measured=given)) for given in (None, {"Adam": ([1, 9], [1.0, 1.0])}))
    assert [to_svg(chart).count('class="mark-symbol') for chart in (plain, measured)] == [0, 1]
    assert to_svg(measured).count("<path") == to_svg(plain).count("<path") + 2


def test_mark_before_the_first_step_is_refused():
    with pytest.raises(ValueError, match="step must be whole numbers of at least 1"):
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


# Distances that trials tracked ----------------------------------------------------------------------------------------

TABLES = {  # (trials, steps, blocks)
    "Adam": np.random.default_rng(0).random((4, 30, 3)),
    "Re-init": np.random.default_rng(1).random((6, 30, 3)),
}


def tracking(task="rte", **changes):
    """A study of two recipes that track the distance of three blocks, and its cells by the recipe's name."""
    studies = [
        table_study(
            np.full((len(table), 3), 0.7),
            task=Task.glue(task),
            recipe=Recipe(model="m", reinit_layers=layers, track=("distance",)),
            steps=[10, 20, 30],
            tracked={"distance": table},
            **changes,
        )
        for layers, table in enumerate(TABLES.values())
    ]
    analysis = Analysis(studies[0] + studies[1])
    return analysis, dict(zip(TABLES, analysis.cells, strict=True))


def test_tracked_distances_are_means_over_the_trials_of_each_recipe():
    data = tracked_distances_data(*tracking())
    assert (data.recipes, data.blocks) == (("Adam", "Re-init"), (1, 2, 3))
    for name, table in TABLES.items():
        for block in data.blocks:
            mine = [p for p in data.points if (p["recipe"], p["block"]) == (name, block)]
            assert [point["step"] for point in mine] == list(range(1, 31))
            expected = table[:, :, block - 1].mean(axis=0)
            assert [point["distance"] for point in mine] == pytest.approx(expected, rel=1e-5)


def test_title_names_the_task_and_the_subtitle_counts_the_trials():
    data = tracked_distances_data(*tracking())
    assert data.title == "rte: distance from the starting values"
    assert data.subtitle.endswith("; mean of 4 or 6 trials")


def test_only_the_tracked_blocks_asked_for_are_shown():
    assert tracked_distances_data(*tracking(), blocks=[2]).blocks == (2,)


def test_recipe_that_tracked_no_distance_is_refused():
    scores = np.full((3, 2), 0.7)
    analysis = Analysis(table_study(scores, task=Task.glue("rte"), recipe=Recipe(model="m")))
    with pytest.raises(RequestError, match="needs the distance of every step, which no trial of rte has; run a recipe"):
        tracked_distances_data(analysis, {"plain": analysis.cell()})


def test_tracked_distances_of_two_tasks_are_refused():
    _, cells = tracking()
    analysis, others = tracking("mrpc")
    with pytest.raises(RequestError, match="one task, not of rte, mrpc; draw one each"):
        tracked_distances_data(analysis, {"Adam": cells["Adam"], "Re-init": others["Re-init"]})


def test_recipe_alone_is_named_by_the_title_only():
    analysis, cells = tracking()
    words = words_of(draw_distances(tracked_distances_data(analysis, {"Adam": cells["Adam"]}), panels="recipe"))
    assert "Adam" not in words
    assert "block" in words
