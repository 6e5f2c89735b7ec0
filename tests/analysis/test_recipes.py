"""What does each recipe score, and in what else than the mean do two recipes differ?"""

import numpy as np
import pytest

from seedwise.analysis.analysis import Analysis
from seedwise.stats.compare.effects import probability_of_improvement
from table_studies import grid_seeds, table_study

GENERATOR = np.random.default_rng(0)
A, B = GENERATOR.normal(0.72, 0.02, (20, 1)), GENERATOR.normal(0.70, 0.02, (20, 1))


def study_of(a=A, b=B, **given):
    return table_study(a, recipe="a", **given) + table_study(b, recipe="b", **given)


def test_what_the_papers_print_in_bold_is_the_best_and_its_equals_by_their_own_test():
    third = GENERATOR.normal(0.718, 0.02, (20, 1))
    rows = Analysis(study_of() + table_study(third, recipe="c")).recipe_scores()
    assert {row.recipe: row.as_published for row in rows} == {"a": True, "b": False, "c": True}
    assert rows[0].sd == pytest.approx(A.std(ddof=1))


def test_how_often_a_recipe_beats_the_other_counts_shared_seeds():
    generator = np.random.default_rng(1)
    a, b = ((generator.normal(0.7, 0.03, (6, 1)) + generator.normal(0, 0.01, (6, 6))).reshape(-1, 1) for _ in "ab")
    seeds = grid_seeds(6, 6)
    found = Analysis(study_of(a, b, **seeds)).compare("a", "b").improvement
    assert found == probability_of_improvement(a[:, 0], b[:, 0], seeds, seeds, paired=True)
    alone = probability_of_improvement(a[:, 0], b[:, 0])
    assert found.upper - found.lower > alone.upper - alone.lower


def test_a_recipe_that_beats_the_other_in_three_of_four_pairs_is_meaningfully_better():
    found = Analysis(study_of(A + 0.02)).compare("a", "b")
    assert found.improvement.estimate > 0.75
    assert found.meaningfully_better == "a"
    assert Analysis(study_of(A + 0.02)).compare("b", "a").meaningfully_better == "a"
    assert Analysis(study_of(A, A[::-1])).compare("a", "b").meaningfully_better is None


def test_spreads_are_compared_where_they_rest_on_several_trials():
    tied = np.array([[0.7], [0.7], [0.6]])
    assert Analysis(study_of(tied, np.array([[0.60], [0.62], [0.64]]))).compare("a", "b").spread is None
    assert Analysis(study_of()).compare("a", "b").spread is not None


def test_failed_shares_are_compared_where_the_guess_is_known_only():
    assert Analysis(study_of(baseline=None)).compare("a", "b").failed is None
    assert Analysis(study_of()).compare("a", "b").failed is not None


def test_trials_that_fell_back_count_as_failed_at_the_end_alone():
    fell = np.array([[0.7, 0.5]] * 10 + [[0.6, 0.7]] * 10)
    found = Analysis(study_of(fell, np.array([[0.6, 0.7]] * 20), baseline=0.5)).compare("a", "b")
    assert (found.failed.difference, found.failed_at_the_end.difference) == (0, 0.5)
