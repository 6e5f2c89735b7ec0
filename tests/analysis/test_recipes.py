"""Are recipes compared on the same task, by seeds where they match, and fairly?"""

import numpy as np
import pytest
from scipy import stats

from seedwise.analysis.analysis import Analysis
from seedwise.analysis.recipes import compare_over_tasks
from seedwise.errors import RequestError
from seedwise.stats.seeds.crossed import crossed_difference
from table_studies import grid_seeds, table_study

GENERATOR = np.random.default_rng(0)
A, B = GENERATOR.normal(0.72, 0.02, (20, 1)), GENERATOR.normal(0.70, 0.02, (20, 1))


def study_of(a=A, b=B, **given):
    return table_study(a, recipe="a", **given) + table_study(b, recipe="b", **given)


def test_means_and_tests_are_those_of_the_scores():
    found = Analysis(study_of()).compare("a", "b")
    assert found.mean_a - found.mean_b == pytest.approx(A.mean() - B.mean())
    assert found.tests["student"].p == pytest.approx(stats.ttest_ind(A[:, 0], B[:, 0], alternative="greater").pvalue)
    assert found.tests["welch"].p == pytest.approx(stats.ttest_ind(A[:, 0], B[:, 0], equal_var=False).pvalue)


def test_equal_seeds_are_compared_in_pairs():
    found = Analysis(study_of()).compare("a", "b")
    assert found.paired == 20
    assert found.tests["paired"].p == pytest.approx(stats.ttest_rel(A[:, 0], B[:, 0]).pvalue)


def test_pairs_follow_the_seeds_and_not_the_order_of_trials():
    mixed = np.random.default_rng(1).permutation(20)
    seeds = np.arange(1, 21)[mixed]
    study = table_study(A, recipe="a") + table_study(B[mixed], recipe="b", init=seeds, order=seeds)
    found = Analysis(study).compare("a", "b")
    assert found.tests["paired"].p == pytest.approx(stats.ttest_rel(A[:, 0], B[:, 0]).pvalue)


def test_other_seeds_are_compared_as_two_samples():
    study = table_study(A, recipe="a") + table_study(B, recipe="b", init=range(101, 121), order=range(101, 121))
    found = Analysis(study).compare("a", "b")
    assert found.paired == 0
    assert "paired" not in found.tests


def test_a_difference_speaks_for_a_whatever_the_metric():
    scores = Analysis(study_of()).compare("a", "b")
    losses = Analysis(study_of(1 - A, 1 - B, metric="loss", baseline=None)).compare("a", "b")
    assert losses.difference.estimate == pytest.approx(scores.difference.estimate)
    assert losses.mean_a == pytest.approx(1 - A.mean())


def test_test_scores_are_compared_where_all_have_them():
    tests = np.linspace(0.5, 0.6, 20), np.linspace(0.6, 0.5, 20) ** 2
    study = table_study(A, recipe="a", test=tests[0]) + table_study(B, recipe="b", test=tests[1])
    found = Analysis(study).compare("a", "b")
    assert found.split == "test"
    assert found.mean_a == pytest.approx(0.55)


def test_two_tasks_are_not_compared():
    study = table_study(A, task="x", recipe="a") + table_study(B, task="y", recipe="b")
    analysis = Analysis(study)
    with pytest.raises(RequestError, match="recipe must be one of"):
        analysis.compare("a", "b", task="x")


def test_recipes_that_never_vary_are_refused():
    with pytest.raises(RequestError, match="scores that vary"):
        Analysis(study_of(np.full((5, 1), 0.7), np.full((5, 1), 0.6))).compare("a", "b")


def test_means_are_compared_where_all_scores_but_one_are_equal():
    tied = np.array([[0.7], [0.7], [0.6]])
    found = Analysis(study_of(tied, np.array([[0.60], [0.62], [0.64]]))).compare("a", "b")
    assert found.spread is None
    assert found.tests["welch"].p == pytest.approx(
        stats.ttest_ind(tied[:, 0], [0.60, 0.62, 0.64], equal_var=False).pvalue
    )


def test_the_table_marks_the_best_and_its_equals():
    third = GENERATOR.normal(0.718, 0.02, (20, 1))
    rows = Analysis(study_of() + table_study(third, recipe="c")).recipe_scores()
    assert {row.recipe: row.top for row in rows} == {"a": True, "b": False, "c": True}
    assert rows[0].sd == pytest.approx(A.std(ddof=1))


def test_p_values_over_tasks_are_corrected():
    study = study_of(task="x") + study_of(task="y")
    analysis = Analysis(study)
    found = [analysis.compare("a", "b", task=task) for task in ("x", "y")]
    assert compare_over_tasks(found) == pytest.approx([min(1, 2 * found[0].tests["welch"].p)] * 2)


def grid(level, generator):
    effect = generator.normal(0, 0.03, (6, 1)) + generator.normal(0, 0.02, (1, 6))
    return (level + effect + generator.normal(0, 0.01, (6, 6))).reshape(-1, 1)


def test_trials_that_share_seeds_are_not_taken_for_independent():
    a, b = grid(0.7, np.random.default_rng(0)), grid(0.7, np.random.default_rng(1))
    seeds = grid_seeds(6, 6)
    later = {name: labels + 100 for name, labels in seeds.items()}
    study = table_study(a, recipe="a", **seeds) + table_study(b, recipe="b", **later)
    found = Analysis(study).compare("a", "b")
    expected = crossed_difference(a[:, 0], b[:, 0], seeds, later)
    assert found.decisive == "crossed"
    assert found.tests["crossed"].p == pytest.approx(expected.p)
    assert found.difference.lower == pytest.approx(expected.lower)
    assert found.tests["crossed"].p > found.tests["welch"].p


def test_grids_of_the_same_seeds_are_compared_cell_by_cell():
    shared = grid(0.7, np.random.default_rng(0))
    better = shared + 0.01 + np.random.default_rng(1).normal(0, 0.005, (36, 1))
    study = table_study(better, recipe="a", **grid_seeds(6, 6)) + table_study(shared, recipe="b", **grid_seeds(6, 6))
    found = Analysis(study).compare("a", "b")
    assert found.paired == 36
    assert found.tests["crossed"].p < 0.01


def test_failed_shares_are_compared_where_the_guess_is_known_only():
    assert Analysis(study_of(baseline=None)).compare("a", "b").failed is None
    assert Analysis(study_of()).compare("a", "b").failed is not None
