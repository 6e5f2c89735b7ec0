"""Is the agreement of rankings Kendall's, and is a lucky seed told from a good one?"""

import itertools

import numpy as np
import pytest
from scipy import stats

from seedwise.stats.seeds.ranks import seed_ranks


@pytest.mark.parametrize("ties", [False, True])
def test_concordance_is_friedmans_statistic_in_another_unit(ties):
    scores = np.random.default_rng(0).normal(size=(4, 12)) + np.linspace(0, 1, 12)
    scores = scores.round(0) if ties else scores
    friedman = stats.friedmanchisquare(*scores.T).statistic  # seeds are the treatments, tasks the blocks
    assert seed_ranks(scores, permutations=1).w == pytest.approx(friedman / (4 * 11))


def test_one_is_best_and_equals_share_a_rank():
    result = seed_ranks([[0.7, 0.9, 0.7], [0.5, 0.6, 0.4]], permutations=1)
    assert result.ranks.tolist() == [[2.5, 1, 2.5], [2, 1, 3]]
    assert result.mean_rank.tolist() == [2.25, 1, 2.75]
    assert result.best == 1


def test_a_lower_loss_ranks_first():
    assert seed_ranks([[0.1, 0.2], [0.3, 0.4]], permutations=1, greater_is_better=False).best == 0


def test_tasks_with_different_metrics_count_alike():
    scores = np.random.default_rng(1).normal(size=(3, 8))
    rescaled = np.array([[1], [100], [0.01]]) * scores + np.array([[0], [5], [-1]])
    one, other = seed_ranks(scores), seed_ranks(rescaled)
    assert one.ranks.tolist() == other.ranks.tolist()
    assert one[2:] == other[2:]


@pytest.mark.parametrize(
    "scores", [[[3, 2, 1, 0], [0, 1, 3, 2], [3, 1, 2, 0]], [[2, 2, 1, 0], [1, 1, 3, 2], [3, 2, 2, 2]]]
)
def test_p_values_are_those_of_all_permutations(scores):
    result = seed_ranks(scores, permutations=20_000)
    rows = [list(itertools.permutations(row)) for row in result.ranks]
    sums = np.array([np.sum(table, axis=0) for table in itertools.product(rows[0][:1], *rows[1:])])
    sums_of_scores = result.ranks.sum(axis=0)
    spread = ((sums - sums.mean()) ** 2).sum(axis=1)
    observed = ((sums_of_scores - sums_of_scores.mean()) ** 2).sum()
    noise = 4 * np.sqrt(0.25 / 20_000)  # a share of the permutations drawn, of 1/2 at worst
    assert result.p == pytest.approx(np.mean(spread >= observed), abs=noise)
    assert result.best_p == pytest.approx(np.mean(sums.min(axis=1) <= sums_of_scores.min()), abs=noise)


def test_tasks_that_agree_are_fully_concordant():
    result = seed_ranks(np.tile(np.arange(10), (4, 1)), permutations=999)
    assert (result.w, result.p, result.best) == (1, 0.001, 9)
    assert result.best_p <= 0.01  # 10 of the 10^4 places that one seed can have


def test_two_tasks_that_disagree_are_not_concordant_at_all():
    result = seed_ranks([[1, 2, 3], [3, 2, 1]], permutations=99)
    assert (result.w, result.p, result.best_p) == (0, 1, 1)


def test_seeds_that_tie_everywhere_show_nothing():
    result = seed_ranks(np.zeros((3, 4)), permutations=99)
    assert np.isnan(result.w)
    assert (result.p, result.best_p) == (1, 1)


@pytest.mark.slow
def test_both_p_values_are_honest_where_no_seed_is_better():
    found = [seed_ranks(np.random.default_rng(i).normal(size=(4, 25)), permutations=499, seed=i) for i in range(400)]
    for p in ([result.p for result in found], [result.best_p for result in found]):
        assert np.mean(np.array(p) <= 0.05) < 0.05 + 4 * np.sqrt(0.05 * 0.95 / 400)
        assert np.mean(np.array(p) <= 0.5) == pytest.approx(
            0.5, abs=0.15
        )  # 6 standard errors: few different rank sums, so not quite uniform


def test_ranks_as_good_as_the_papers_best_seed_are_rare_by_chance():
    # First, first, second and third of 25, 25, 25 and 15 seeds in the paper; here 15 on all four tasks.
    scores = np.random.default_rng(3).permuted(np.tile(np.arange(14.0), (4, 1)), axis=1)
    places = [14.0, 14.0, 12.5, 11.5]
    result = seed_ranks(np.c_[scores, places])
    assert result.ranks[:, -1].tolist() == [1, 1, 2, 3]
    assert result.best == 14
    assert result.best_p < 0.01


@pytest.mark.parametrize(
    ("scores", "says"),
    [
        ([0.1, 0.2], "one row a task and one column a seed"),
        ([[0.1, 0.2]], "at least 2 x 2"),
        ([[0.1], [0.2]], "at least 2 x 2"),
        ([[0.1, 0.2], [0.3, float("nan")]], "1 are not; leave a seed that was not run on every task out"),
    ],
)
def test_what_cannot_be_ranked_is_refused(scores, says):
    with pytest.raises(ValueError, match=says):
        seed_ranks(scores)
