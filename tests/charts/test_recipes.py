"""Boxes of final scores and scores by a setting: against NumPy's quantiles and SciPy's box statistics."""

import html
import re
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from scipy import stats

from figures import words_of
from seedwise.analysis.analysis import Analysis
from seedwise.charts.boxes import MOST_POINTS, draw_recipes, recipes_data
from seedwise.charts.setting import by_setting, draw_setting, setting_data
from seedwise.charts.style import to_svg
from seedwise.errors import RequestError
from seedwise.values.imported import ImportedRecipe, ImportedTrial
from table_studies import TableStudy, table_study

RNG = np.random.default_rng(0)
GOOD, MIXED = 0.7 + 0.03 * RNG.normal(size=40), np.where(RNG.random(25) < 0.4, 0.5, 0.68 + 0.03 * RNG.random(25))


def two_recipes(**fields):
    study = table_study(GOOD[:, None], recipe="good", **fields) + table_study(MIXED[:, None], recipe="mixed", **fields)
    analysis = Analysis(study)
    return analysis, {cell.recipe.name: cell for cell in analysis.cells}


def one_recipe(scores, **fields):
    analysis = Analysis(table_study(np.asarray(scores)[:, None], **fields))
    return recipes_data(analysis, {"plain": analysis.cell()})


# Boxes ----------------------------------------------------------------------------------------------------------------


@given(arrays(float, st.integers(2, 30), elements=st.floats(0, 1, width=16)))
def test_box_is_made_of_quartiles_and_whiskers_end_at_scores_within_reach(scores):
    (box,) = one_recipe(scores).boxes
    q1, median, q3 = np.percentile(scores, [25, 50, 75])
    assert (box["q1"], box["median"], box["q3"]) == pytest.approx((q1, median, q3))
    assert {box["low"], box["high"]} <= set(scores.tolist())
    within = [s for s in scores if q1 - 1.5 * (q3 - q1) <= s <= q3 + 1.5 * (q3 - q1)]
    assert (box["low"], box["high"]) == (min(within), max(within))


def test_spread_of_the_box_is_scipy_s_interquartile_range():
    (box,) = one_recipe(GOOD).boxes
    assert box["q3"] - box["q1"] == pytest.approx(stats.iqr(GOOD))


def test_failed_trials_are_counted_as_the_analysis_counts_them():
    analysis, cells = two_recipes()
    boxes = recipes_data(analysis, cells).boxes
    assert [(box["failed"], box["of"]) for box in boxes] == [(0, 40), (int((MIXED == 0.5).sum()), 25)]


def test_every_trial_of_few_is_a_point():
    analysis, cells = two_recipes()
    data = recipes_data(analysis, cells)
    assert sorted(point["score"] for point in data.points if point["series"] == "mixed") == sorted(MIXED)
    assert data.subtitle.endswith("each point a trial")


def test_of_many_trials_only_those_beyond_the_whiskers_are_points():
    scores = np.concatenate([0.7 + 0.01 * RNG.random(MOST_POINTS), [0.1, 0.99]])
    data = one_recipe(scores)
    assert [point["score"] for point in data.points] == [0.1, 0.99]
    assert data.subtitle.endswith("points: trials beyond")


def test_points_lie_at_the_same_places_at_every_call_and_apart_where_scores_are_equal():
    first, again = (one_recipe([0.7] * 20).points for _ in range(2))
    assert first == again
    places = np.sort([point["offset"] for point in first])
    assert 0 <= places[0] < places[-1] < 1
    assert np.diff(places).min() > 0.5 / 20


def test_guess_is_drawn_of_validation_rows_only():
    test = {"test": np.full(40, 0.6)}
    analysis = Analysis(table_study(GOOD[:, None], **test))
    cells = {"plain": analysis.cell()}
    assert recipes_data(analysis, cells).baseline == 0.5
    assert recipes_data(analysis, cells, split="test").baseline is None


def test_failed_trials_without_a_test_score_are_counted_but_not_in_the_box_of_test_scores():
    test = np.where(np.arange(40) < 30, 0.6, np.nan)
    states = ["complete"] * 30 + ["failed"] * 10
    analysis = Analysis(table_study(GOOD[:, None], test=test, states=states))
    (box,) = recipes_data(analysis, {"plain": analysis.cell()}, split="test").boxes
    assert (box["n"], box["failed"], box["of"]) == (30, 10, 40)


def test_missing_test_scores_are_refused():
    analysis, cells = two_recipes()
    with pytest.raises(RequestError, match="the trials have no test scores"):
        recipes_data(analysis, cells, split="test")


def test_unknown_split_is_refused():
    analysis, cells = two_recipes()
    with pytest.raises(RequestError, match="split must be one of validation, test, not 'dev'"):
        recipes_data(analysis, cells, split="dev")


def test_stopped_trials_are_refused():
    analysis = Analysis(
        table_study([[0.6, 0.7], [0.5, np.nan], [0.6, 0.8]], states=["complete", "stopped", "complete"])
    )
    with pytest.raises(RequestError, match="count as stopped"):
        recipes_data(analysis, {"plain": analysis.cell()})


def lines_of(chart):
    """Every line of the names of rows."""
    return [html.unescape(line) for line in re.findall(r"<tspan[^>]*>([^<]*)</tspan>", to_svg(chart))]


def test_figure_has_title_axis_and_guess():
    words = words_of(draw_recipes(recipes_data(*two_recipes())))
    assert {"toy: final scores by recipe", "validation accuracy", "constant guess"} <= set(words)


def test_rows_name_recipes_their_trials_and_failures():
    lines = lines_of(draw_recipes(recipes_data(*two_recipes())))
    share = (MIXED == 0.5).mean()
    assert lines == ["good", "n = 40, none failed", "mixed", f"n = 25, {share:.0%} failed"]


def test_long_names_are_folded_and_not_cut():
    analysis, cells = two_recipes()
    name = "google-bert/bert-large-uncased, bias_correction=False, learning_rate=0.0001"
    lines = lines_of(draw_recipes(recipes_data(analysis, {name: cells["good"], "other": cells["mixed"]})))
    assert " ".join(lines[:-3]) == name
    assert len(lines[:-3]) == 3


# One setting ----------------------------------------------------------------------------------------------------------


def with_settings(scores, steps, **settings):
    """A study of one cell whose recipe has settings."""
    study = table_study(np.asarray(scores)[:, None], steps=[steps], recipe="bert")
    recipe = ImportedRecipe("bert", settings)
    trials = [ImportedTrial(r.trial.task, recipe, r.trial.seeds) for r in study.records]
    records = tuple(replace(r, trial=t, id=t.id) for r, t in zip(study.records, trials, strict=True))
    (facts,) = study.facts_of.values()
    return TableStudy(records, {(trials[0].task.id, recipe.id): facts}, {})


def longer_training(values=(96, 400, 3200), layers=(0, 5)):
    studies = [
        with_settings(
            0.6 + value / 1e5 + layer / 100 + 0.01 * RNG.random(8), value, num_train_steps=value, layers=layer
        )
        for layer in layers
        for value in values
    ]
    return Analysis(sum(studies[1:], studies[0])).cells


def test_cells_that_differ_in_the_setting_alone_are_one_series():
    found = by_setting(longer_training(), "num_train_steps")
    assert [len(cells) for cells in found.values()] == [3, 3]
    assert len({cell.recipe.settings["layers"] for cell in next(iter(found.values()))}) == 1


def test_length_of_the_run_counts_whichever_field_gives_it():
    epochs = with_settings(GOOD[:8], 96, num_train_epochs=3)
    cells = Analysis(epochs + with_settings(GOOD[8:16], 200, num_train_steps=200)).cells
    found = by_setting(cells, "steps")
    assert [[point["value"] for point in setting_data(found, "steps").points]] == [[96, 200]]


def test_mean_interval_and_range_are_those_of_the_cell():
    series = by_setting(longer_training(), "num_train_steps")
    point = setting_data(series, "num_train_steps").points[4]
    scores = list(series.values())[1][1].final()
    low, high = stats.t.interval(0.95, 7, scores.mean(), stats.sem(scores))
    assert (point["value"], point["n"], point["mean"]) == (400, 8, pytest.approx(scores.mean()))
    assert (point["lower"], point["upper"]) == (pytest.approx(low), pytest.approx(high))
    assert (point["low"], point["high"], point["sd"]) == (scores.min(), scores.max(), pytest.approx(scores.std(ddof=1)))


@pytest.mark.parametrize(("values", "log"), [((96, 400, 3200), True), ((1, 2, 10), False), ((1, 2, 11), True)])
def test_axis_is_logarithmic_where_values_span_more_than_a_factor_of_ten(values, log):
    assert setting_data(by_setting(longer_training(values), "num_train_steps"), "num_train_steps").log is log


def test_setting_of_zero_has_a_linear_axis():
    series = {
        "re-init": [cell for cell in longer_training(layers=(0, 50)) if cell.recipe.settings["num_train_steps"] == 96]
    }
    assert setting_data(series, "layers").log is False


def test_own_recipes_are_told_apart_by_their_fields(make_own):
    found = by_setting(make_own([(3.0, None, 2e-5), (3.0, 200, 2e-5), (3.0, None, 5e-5)]), "steps")
    assert {name: len(cells) for name, cells in found.items()} == {
        "bert, learning_rate=2e-05": 2,
        "bert, learning_rate=5e-05": 1,
    }


def test_two_cells_at_one_value_are_refused():
    with pytest.raises(RequestError, match="one cell for each value of num_train_steps, but all has 96 twice"):
        setting_data({"all": longer_training()}, "num_train_steps")


def test_setting_without_a_number_is_refused():
    cells = Analysis(with_settings(GOOD[:8], 96, optimizer="adam")).cells
    with pytest.raises(RequestError, match="optimizer must be a number in every recipe, but in bert it is 'adam'"):
        setting_data({"bert": cells}, "optimizer")


def test_unknown_setting_is_refused():
    with pytest.raises(RequestError, match="must be a field of the recipes or 'steps', not 'wings'"):
        by_setting(longer_training(), "wings")


def test_no_series_is_refused():
    with pytest.raises(RequestError, match="cells of one task"):
        setting_data({}, "num_train_steps")


def test_figure_of_a_setting_has_title_axes_legend_and_every_value():
    words = words_of(draw_setting(setting_data(by_setting(longer_training(), "num_train_steps"), "num_train_steps")))
    assert {"toy: score by num train steps", "num train steps", "validation accuracy", "96", "400", "3,200"} <= set(
        words
    )
    assert "8 trials each; shaded: range, bars: 95% interval of the mean" in words


@pytest.fixture
def make_own():
    from seedwise.values.recipe import Recipe
    from seedwise.values.task import Task
    from seedwise.values.trial import Trial

    def make(recipes):
        task, study = Task.glue("rte"), table_study(GOOD[:8][:, None])
        records = []
        for epochs, steps, rate in recipes:
            recipe = Recipe(model="a/bert", num_train_epochs=epochs, num_train_steps=steps, learning_rate=rate)
            trials = [Trial(task, recipe, r.trial.seeds) for r in study.records]
            records += [replace(r, trial=t, id=t.id) for r, t in zip(study.records, trials, strict=True)]
        return Analysis(TableStudy(tuple(records), {}, {})).cells

    return make
