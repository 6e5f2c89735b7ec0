"""Does Friedman's test agree with scipy, with a published example, and with counting?"""

import itertools

import numpy as np
import pytest
from scipy import stats

from seedwise.stats.tasks.friedman import recipe_ranks

# AUC of C4.5 with -m and -cf tuned on 14 data sets: Demsar (2006), table 6, which ranks two scores printed as 0.975 2 and 3.
DEMSAR = """
0.763 0.768 0.771 0.798
0.599 0.591 0.590 0.569
0.954 0.971 0.968 0.967
0.628 0.661 0.654 0.657
0.882 0.888 0.886 0.898
0.936 0.931 0.916 0.931
0.661 0.668 0.609 0.685
0.583 0.583 0.563 0.625
0.775 0.838 0.866 0.875
1.000 1.000 1.000 1.000
0.940 0.962 0.965 0.962
0.619 0.666 0.614 0.669
0.972 0.981 0.9751 0.975
0.957 0.978 0.946 0.970
"""
AUC = np.array([line.split() for line in DEMSAR.strip().splitlines()], float)
FEW = np.array([[0.70, 0.72, 0.75], [0.88, 0.90, 0.91], [0.60, 0.59, 0.64]])


def test_demsar_s_example():
    found = recipe_ranks(AUC)
    assert found.mean_rank.round(3).tolist() == [3.143, 2.0, 2.893, 1.964]
    n, k = AUC.shape
    untied = 12 * n / (k * (k + 1)) * ((found.mean_rank - (k + 1) / 2) ** 2).sum()
    assert untied == pytest.approx(9.28, abs=0.01)  # printed without the correction for ties
    assert found.critical_difference == pytest.approx(1.25, abs=0.005)
    assert recipe_ranks(AUC, level=0.1).critical_difference == pytest.approx(1.12, abs=0.01)


def test_the_statistic_is_scipy_s():
    assert recipe_ranks(AUC).chi2 == pytest.approx(stats.friedmanchisquare(*AUC.T).statistic)
    assert recipe_ranks(FEW).chi2 == pytest.approx(stats.friedmanchisquare(*FEW.T).statistic)


def test_with_many_tasks_the_p_values_are_those_of_normal_theory():
    found = recipe_ranks(AUC)
    assert found.p == pytest.approx(stats.friedmanchisquare(*AUC.T).pvalue, abs=0.01)
    k, n = 4, len(AUC)
    z = np.abs(found.mean_rank[:, None] - found.mean_rank) / np.sqrt(k * (k + 1) / (6 * n))
    assert found.pair_p == pytest.approx(stats.studentized_range.sf(z * np.sqrt(2), k, np.inf), abs=0.03)


def test_few_tasks_are_counted():
    ranks = stats.rankdata(-FEW, axis=1)
    every = list(itertools.permutations(range(3)))
    sums = np.array(
        [
            sum(row[list(order)] for row, order in zip(ranks, chosen, strict=True))
            for chosen in itertools.product(every, repeat=3)
        ]
    )
    own = ranks.sum(axis=0)
    found = recipe_ranks(FEW)
    assert found.exact
    assert found.p == pytest.approx(np.mean(((sums - 6) ** 2).sum(axis=1) >= ((own - 6) ** 2).sum()))
    assert found.pair_p[0, 2] == pytest.approx(np.mean(np.ptp(sums, axis=1) >= own[0] - own[2]))


@pytest.mark.parametrize(("tasks", "recipes"), [(2, 2), (3, 2), (5, 2), (6, 2), (2, 3), (3, 3), (2, 5)])
def test_the_least_p_is_that_of_tasks_that_all_agree(tasks, recipes):
    found = recipe_ranks(np.tile(np.arange(recipes), (tasks, 1)))
    assert found.p == pytest.approx(found.least_p)
    assert (found.p < 0.05) == (found.least_p < 0.05)


def test_two_recipes_are_compared_by_the_sign_test():
    scores = np.array([[0.7, 0.6]] * 7 + [[0.5, 0.6]])
    assert recipe_ranks(scores).p == pytest.approx(stats.binomtest(7, 8).pvalue)


@pytest.mark.slow
@pytest.mark.parametrize(("tasks", "recipes"), [(3, 3), (4, 4), (10, 3)])
def test_no_pair_is_told_apart_too_often(tasks, recipes):
    generator = np.random.default_rng(0)
    drawn = generator.integers(0, 6, (300, tasks, recipes))  # with ties
    found = [recipe_ranks(scores, permutations=2000) for scores in drawn]
    allowed = 0.05 + 2 * np.sqrt(0.05 * 0.95 / 300)
    assert np.mean([one.p < 0.05 for one in found]) <= allowed
    assert np.mean([one.pair_p.min() < 0.05 for one in found]) <= allowed


def test_of_losses_the_smallest_rank_first():
    assert recipe_ranks(-AUC, greater_is_better=False).mean_rank.tolist() == recipe_ranks(AUC).mean_rank.tolist()


def test_recipes_that_tie_everywhere_do_not_differ():
    found = recipe_ranks(np.ones((3, 3)))
    assert np.isnan(found.chi2)
    assert found.p == found.pair_p.min() == 1


@pytest.mark.parametrize(
    ("scores", "sentence"),
    [
        ([[0.5, 0.6]], "at least 2 x 2, not shape \\(1, 2\\)"),
        ([[0.5], [0.6]], "at least 2 x 2"),
        ([[0.5, np.nan], [0.6, 0.7]], "scores must be finite, but 1 are not"),
    ],
)
def test_misuse_is_refused(scores, sentence):
    with pytest.raises(ValueError, match=sentence):
        recipe_ranks(scores)
