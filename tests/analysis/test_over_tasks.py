"""What is said of recipes over several tasks, and is it what the arrays say?"""

import json

import numpy as np
import pytest

from seedwise.analysis.analysis import Analysis
from seedwise.analysis.answers import plain
from seedwise.charts.profiles import draw_profiles, profiles_data
from seedwise.errors import UnknownError
from seedwise.report.figures import Figure, task_figures
from seedwise.report.sentences.tasks import task_sentences
from seedwise.stats.tasks.friedman import recipe_ranks
from seedwise.stats.tasks.interquartile import interquartile_mean
from seedwise.tables.over_tasks import over_tasks_table
from table_studies import table_study

GENERATOR = np.random.default_rng(0)
TASKS = {"RTE": 0.53, "MRPC": 0.68, "CoLA": 0.0}
METRICS = {"RTE": "accuracy", "MRPC": "f1", "CoLA": "matthews_correlation"}
SCORES = {
    (recipe, task): guess + (1 - guess) * GENERATOR.normal(level, 0.05, (8, 1))
    for recipe, level in (("long", 0.6), ("short", 0.4))
    for task, guess in TASKS.items()
}


def study(recipes=("long", "short"), tasks=tuple(TASKS), metrics=METRICS, **given):
    parts = [
        table_study(
            SCORES[recipe, task], recipe=recipe, task=task, metric=metrics[task], **{"baseline": TASKS[task], **given}
        )
        for recipe in recipes
        for task in tasks
    ]
    return sum(parts[1:], start=parts[0])


def scaled(recipe):
    return [(SCORES[recipe, task][:, 0] - guess) / (1 - guess) for task, guess in TASKS.items()]


def test_scores_are_scaled_from_the_guess_to_perfect():
    found = Analysis(study()).over_tasks()
    assert found.tasks == tuple(TASKS)
    assert [one.recipe for one in found.recipes] == ["long", "short"]
    for one in found.recipes:
        assert one.mean == pytest.approx(np.mean([own.mean() for own in scaled(one.recipe)]))
        expected = interquartile_mean(scaled(one.recipe)).estimate
        assert one.interquartile_mean.estimate == pytest.approx(expected)
        assert one.n == 24


def test_the_same_seed_is_drawn_for_all_tasks_together():
    (one, _) = Analysis(study()).over_tasks().recipes
    seeds = [{"init": np.arange(8)}] * 3
    assert one.interquartile_mean == pytest.approx(interquartile_mean(scaled("long"), seeds=seeds))


def test_ranks_are_friedman_s_of_the_means():
    found = Analysis(study()).over_tasks()
    means = np.array([[SCORES[recipe, task].mean() for recipe in ("long", "short")] for task in TASKS])
    assert found.ranks.p == recipe_ranks(means).p == 0.25
    assert found.ranks.mean_rank.tolist() == [1, 2]


def test_a_recipe_that_was_not_run_on_several_tasks_is_left_out_by_name():
    mixed = study() + table_study(SCORES["long", "RTE"], recipe="other", task="RTE", baseline=0.53)
    found = Analysis(mixed).over_tasks()
    assert [one.recipe for one in found.recipes] == ["long", "short"]
    assert found.left_out == ("other",)


def test_a_task_without_a_known_guess_is_left_out_by_name():
    found = Analysis(
        study(tasks=("RTE", "MRPC")) + study(tasks=("CoLA",), metrics={"CoLA": "points"}, baseline=None)
    ).over_tasks()
    assert (found.tasks, found.left_out) == (("RTE", "MRPC"), ("CoLA",))


def test_one_recipe_has_no_ranks():
    assert Analysis(study(recipes=("long",))).over_tasks().ranks is None


def test_a_single_task_is_refused():
    with pytest.raises(
        UnknownError, match=r"scores over tasks need at least 2 tasks .*, not 0; run the recipes on another"
    ):
        Analysis(study(tasks=("RTE",))).over_tasks()


def test_the_sentences_claim_nothing_that_three_tasks_cannot_tell():
    middle, ranking = task_sentences(Analysis(study()))
    assert middle.startswith(
        "Over RTE, MRPC, CoLA, on a scale from the constant guess (0) to a perfect score (1), the middle "
    )
    assert "(long), " in middle
    assert ranking == (
        "Whether the same recipe would be best on other tasks cannot be told: by chance alone, 3 tasks rank 2 recipes alike "
        "with p = 0.25 (Friedman's test)."
    )


def test_tasks_that_agree_are_said_to():
    parts = [
        table_study(
            np.full((4, 1), 0.6 + 0.1 * (recipe == "good")) + 0.01 * GENERATOR.random((4, 1)),
            recipe=recipe,
            task=f"T{i}",
        )
        for recipe in ("good", "poor")
        for i in range(6)
    ]
    told = task_sentences(Analysis(sum(parts[1:], start=parts[0])))[1]
    assert told == (
        "The 6 tasks do rank the recipes alike: they rank good above poor (Friedman's test over tasks, p = 0.031)."
    )


def test_nothing_is_said_of_one_task():
    assert task_sentences(Analysis(study(tasks=("RTE",)))) == []


def test_json_and_table_and_figure_hold_the_same_numbers():
    analysis = Analysis(study())
    found = analysis.over_tasks()
    written = json.loads(json.dumps(analysis.to_json()["over_tasks"]))
    assert written == plain(found)
    table = over_tasks_table(analysis)
    assert [row[3] for row in table.rows] == [tuple(one.interquartile_mean[:3]) for one in found.recipes]
    assert "cannot fall below 0.25" in table.notes[-1]
    data = profiles_data(analysis)
    own = [point["mean"] for point in data.points if point["series"] == "short"]
    assert own == found.recipes[1].profile.share.tolist()
    assert draw_profiles(data).to_dict(validate=True)
    (figure,) = task_figures(analysis)
    assert isinstance(figure, Figure)
    assert figure.name == "profiles"


def test_one_task_has_no_such_figure():
    assert list(task_figures(Analysis(study(tasks=("RTE",))))) == []
