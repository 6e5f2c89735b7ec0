"""Are means over trials those of the tracked values, with trials that ended early or diverged left out where they did?"""

import numpy as np
import pytest

from seedwise import Recipe, Task
from seedwise.analysis.analysis import Analysis
from seedwise.analysis.answers import plain
from seedwise.analysis.steps import bias_ratio, block_distances, gradient_norm
from seedwise.errors import UnknownError
from seedwise.stats.adam import update_bias
from table_studies import TableStudy, table_study

RNG = np.random.default_rng(0)
TRACK = ("distance", "gradient_norm", "bias_ratio")


def cell_of(track=TRACK, trials=4, **tracked):
    """A cell whose trials tracked the given tables, (trials, steps, values a step)."""
    recipe = Recipe(model="m", track=track)
    study = table_study(np.full((trials, 2), 0.7), task=Task.glue("rte"), recipe=recipe, tracked=tracked)
    return Analysis(study).cell()


def test_distance_is_the_mean_over_trials_at_each_step():
    table = RNG.random((4, 50, 3))
    found = block_distances(cell_of(distance=table))
    assert found.step.tolist() == list(range(1, 51))
    assert found.mean == pytest.approx(table.mean(axis=0), rel=1e-6)
    assert set(found.trials) == {4}


def test_trial_that_ended_early_counts_as_far_as_it_came():
    table = RNG.random((4, 10, 2))
    table[3, 6:] = np.nan
    found = block_distances(cell_of(distance=table))
    assert found.trials.tolist() == [4] * 6 + [3] * 4
    assert found.mean[6:] == pytest.approx(table[:3, 6:].mean(axis=0), rel=1e-6)


def test_trials_may_have_different_numbers_of_steps():
    recipe = Recipe(model="m", track=TRACK)
    study = table_study(np.full((2, 2), 0.7), task=Task.glue("rte"), recipe=recipe)
    first, second = (record.id for record in study.records)
    tracked = {first: {"distance": np.ones((3, 1))}, second: {"distance": np.full((5, 1), 2.0)}}
    cell = Analysis(TableStudy(study.records, study.facts_of, {}, tracked_of=tracked)).cell()
    found = block_distances(cell)
    assert found.mean[:, 0].tolist() == [1.5, 1.5, 1.5, 2.0, 2.0]


def test_long_runs_are_thinned_and_keep_both_ends():
    steps = np.arange(1.0, 5_001)
    found = block_distances(cell_of(distance=np.broadcast_to(steps[None, :, None], (4, 5_000, 2))))
    assert (found.step[0], found.step[-1]) == (1, 5_000)
    assert len(found.step) <= 200
    assert found.mean[:, 1].tolist() == found.step.tolist()


def test_gradient_norm_has_mean_and_range_over_trials():
    table = RNG.random((4, 30, 1))
    found = gradient_norm(cell_of(gradient_norm=table))
    assert found.mean == pytest.approx(table[:, :, 0].mean(axis=0), rel=1e-6)
    assert found.low == pytest.approx(table[:, :, 0].min(axis=0), rel=1e-6)
    assert found.high == pytest.approx(table[:, :, 0].max(axis=0), rel=1e-6)


def test_gradient_that_is_not_finite_is_counted_and_left_out():
    table = RNG.random((4, 30, 1))
    table[1, 20:] = np.inf
    found = gradient_norm(cell_of(gradient_norm=table))
    assert (found.diverged, found.trials.tolist()) == (1, [4] * 20 + [3] * 10)
    assert np.isfinite(found.high).all()


def test_bias_ratio_is_that_of_its_steps():
    ratio = update_bias(np.arange(1, 1_001))
    found = bias_ratio(cell_of(bias_ratio=np.broadcast_to(ratio[None, :, None], (4, 1_000, 1))))
    assert (found.step[0], found.step[-1]) == (1, 1_000)
    assert found.ratio == pytest.approx(ratio[found.step - 1], rel=1e-6)


@pytest.mark.parametrize(
    ("compute", "words"),
    [(block_distances, "distance"), (gradient_norm, "gradient norm"), (bias_ratio, "bias ratio")],
)
def test_what_no_trial_tracked_is_refused(compute, words):
    with pytest.raises(UnknownError, match=f"this needs the {words} of every step, which no trial of rte has; run a"):
        compute(cell_of())
    with pytest.raises(UnknownError, match=f"this needs the {words} of every step"):
        compute(cell_of(**{words.replace(" ", "_"): np.full((4, 3, 1), np.nan)}))


def test_nothing_is_read_where_the_recipe_tracks_nothing():
    def fail(trial_id):
        raise AssertionError(trial_id)

    cell = cell_of(track=())
    object.__setattr__(cell, "tracked_of", fail)
    with pytest.raises(UnknownError, match="run a recipe whose track holds distance"):
        block_distances(cell)


def test_each_is_a_statistic_of_the_analysis():
    table = RNG.random((4, 5, 2))
    study = table_study(
        np.full((4, 2), 0.7), task=Task.glue("rte"), recipe=Recipe(model="m", track=TRACK), tracked={"distance": table}
    )
    (cell,) = Analysis(study).to_json()["cells"]
    assert cell["distance"] == plain(block_distances(Analysis(study).cell()))
    assert "gradient norm" in cell["gradient_norm"]["reason"]
    with pytest.raises(UnknownError, match="bias ratio"):
        Analysis(study).bias_ratio()
