"""Do the tests without assumptions agree with counting every case?"""

import itertools

import numpy as np
import pytest
from scipy import stats

from seedwise.stats.compare.distribution_free import mann_whitney, permutation, wilcoxon

ALTERNATIVES = ("greater", "less", "two-sided")
A, B = [0.71, 0.74, 0.70, 0.69], [0.68, 0.72, 0.66]


def share(alternative, observed, others):
    """Part of all cases at least as far towards the alternative; two-sided: twice the smaller tail."""
    others = np.array(others)
    greater, less = np.mean(others >= observed - 1e-9), np.mean(others <= observed + 1e-9)
    return {"greater": greater, "less": less, "two-sided": min(1, 2 * min(greater, less))}[alternative]


def splits(a, b):
    pooled = np.array([*a, *b])
    for chosen in itertools.combinations(range(len(pooled)), len(a)):
        others = np.setdiff1d(np.arange(len(pooled)), chosen)
        yield pooled[list(chosen)], pooled[others]


def exchanges(a, b):
    for sign in itertools.product((1, -1), repeat=len(a)):
        yield np.array(sign) * (np.array(a) - np.array(b))


@pytest.mark.parametrize("alternative", ALTERNATIVES)
def test_a_small_permutation_test_counts_every_split(alternative):
    expected = share(alternative, np.mean(A) - np.mean(B), [x.mean() - y.mean() for x, y in splits(A, B)])
    result = permutation(A, B, alternative=alternative)
    assert (result.statistic, result.p) == pytest.approx((np.mean(A) - np.mean(B), expected))


@pytest.mark.parametrize("alternative", ALTERNATIVES)
def test_a_small_paired_permutation_test_counts_every_exchange(alternative):
    a, b = [*A, 0.75, 0.62], [*B, 0.74, 0.70, 0.60]
    expected = share(alternative, np.mean(np.subtract(a, b)), [gaps.mean() for gaps in exchanges(a, b)])
    assert permutation(a, b, paired=True, alternative=alternative).p == pytest.approx(expected)


@pytest.mark.parametrize("paired", [False, True])
def test_a_large_permutation_test_is_near_the_t_test(paired):
    a, b = np.random.default_rng(0).normal([[0.705], [0.700]], 0.02, (2, 60))
    expected = (stats.ttest_rel if paired else stats.ttest_ind)(a, b, alternative="greater").pvalue
    p = permutation(a, b, paired=paired).p
    assert p == pytest.approx(expected, abs=4 * np.sqrt(expected * (1 - expected) / 10_000) + 0.003)


def test_a_drawn_permutation_test_is_never_certain():
    p = permutation(np.arange(20.0), np.arange(20.0) + 100, alternative="less", permutations=999).p
    assert p == 1 / 1000


def test_the_same_seed_draws_the_same_permutations():
    a, b = np.random.default_rng(1).normal(0.7, 0.02, (2, 20))
    first, again, other = (permutation(a, b, permutations=500, seed=seed).p for seed in (3, 3, 4))
    assert first == again != other


def test_a_permutation_test_keeps_its_level_for_two_peaked_scores():
    generator = np.random.default_rng(2)
    peaks = np.where(generator.random((300, 2, 8)) < 0.3, 0.53, 0.70) + generator.normal(0, 0.01, (300, 2, 8))
    p = np.array([permutation(a, b, permutations=200).p for a, b in peaks])
    assert np.mean(p < 0.05) == pytest.approx(0.05, abs=4 * np.sqrt(0.05 * 0.95 / 300))


def test_u_is_the_number_of_pairs_won():
    won = sum((x > y) + (x == y) / 2 for x in A for y in [*B, 0.70])
    assert mann_whitney(A, [*B, 0.70]).statistic == won


@pytest.mark.parametrize("alternative", ALTERNATIVES)
def test_a_small_rank_test_counts_every_split(alternative):
    def u(x, y):
        return np.sum(x[:, None] > y)

    expected = share(alternative, u(np.array(A), np.array(B)), [u(x, y) for x, y in splits(A, B)])
    assert mann_whitney(A, B, alternative=alternative).p == pytest.approx(expected)


@pytest.mark.parametrize("alternative", ALTERNATIVES)
def test_a_small_signed_rank_test_counts_every_exchange(alternative):
    a, b = np.array([0.71, 0.74, 0.70, 0.69, 0.80]), np.array([0.70, 0.71, 0.72, 0.65, 0.74])

    def w(gaps):
        return stats.rankdata(np.abs(gaps).round(9))[gaps > 0].sum()

    expected = share(alternative, w(a - b), [w(gaps) for gaps in exchanges(a, b)])
    assert wilcoxon(a, b, alternative=alternative).p == pytest.approx(expected)


def test_differences_that_differ_by_rounding_alone_share_a_rank():
    a, b = np.array([0.62, 0.72, 0.40, 0.85, 0.33]), np.array([0.52, 0.62, 0.50, 0.75, 0.23])
    in_percent = wilcoxon(np.array([62, 72, 40, 85, 33]), np.array([52, 62, 50, 75, 23]))
    assert len(set((a - b).tolist())) > 2
    assert wilcoxon(a, b)[1:3] == in_percent[1:3]


@pytest.mark.parametrize("test", [mann_whitney, permutation])
def test_scores_that_are_all_one_value_are_refused(test):
    with pytest.raises(ValueError, match=r"needs scores that vary, but every one is 0.53"):
        test([0.53] * 3, [0.53] * 4)


def test_pairs_that_are_all_equal_are_refused():
    with pytest.raises(ValueError, match="needs pairs that differ, but a and b are equal in all"):
        wilcoxon([0.53] * 3, [0.53] * 3)


@pytest.mark.parametrize("test", [mann_whitney, permutation, wilcoxon])
@pytest.mark.parametrize(
    ("a", "b", "alternative", "sentence"),
    [
        ([0.7], [0.6, 0.7], "greater", "a must hold at least 2 trials, not 1"),
        ([0.7, 0.8], [0.6, float("nan")], "greater", "b must be finite"),
        ([0.7, 0.8], [0.7, 0.8], "greater", "equal trial by trial"),
        ([0.7, 0.8], [0.6, 0.9], "larger", "alternative must be one of greater, less, two-sided, not 'larger'"),
    ],
)
def test_misuse_is_refused(test, a, b, alternative, sentence):
    with pytest.raises(ValueError, match=sentence):
        test(a, b, alternative=alternative)


def test_unequally_many_pairs_are_refused():
    with pytest.raises(ValueError, match="as many for a as for b, not 4 and 3"):
        permutation(A, B, paired=True)
    with pytest.raises(ValueError, match="as many for a as for b, not 4 and 3"):
        wilcoxon(A, B)


@pytest.mark.parametrize("alternative", ALTERNATIVES)
@pytest.mark.parametrize(
    ("a", "b"),
    [([3, 3, 3], [2, 2, 2]), ([5, 5, 4, 3], [5, 3, 2, 2, 1]), ([1, 1, 2], [1, 2, 2, 2]), ([4, 4], [4, 1])],
)
def test_a_small_rank_test_counts_every_split_with_ties_too(a, b, alternative):
    def u(x, y):
        return np.sum(x[:, None] > y) + np.sum(x[:, None] == y) / 2

    expected = share(alternative, u(np.array(a), np.array(b)), [u(x, y) for x, y in splits(a, b)])
    assert mann_whitney(a, b, alternative=alternative).p == pytest.approx(expected)


@pytest.mark.parametrize(
    ("a", "b", "p"), [([0.7] * 3, [0.6] * 3, 0.1), ([0.7, 0.7, 0.7, 0.72], [0.6, 0.6, 0.6, 0.61], 2 / 70)]
)
def test_few_tied_scores_never_tell_more_than_their_number_allows(a, b, p):
    assert mann_whitney(a, b, alternative="two-sided").p == pytest.approx(p)


@pytest.mark.parametrize("alternative", ALTERNATIVES)
def test_a_small_signed_rank_test_counts_every_exchange_with_ties_and_equal_pairs_too(alternative):
    a, b = np.array([3, 5, 2, 2, 7, 4, 4, 1]), np.array([2, 4, 3, 2, 4, 3, 2, 1])

    def w(gaps):
        return stats.rankdata(np.abs(gaps))[gaps > 0].sum()

    differ = a != b
    expected = share(alternative, w((a - b)[differ]), [w(gaps) for gaps in exchanges(a[differ], b[differ])])
    assert wilcoxon(a, b, alternative=alternative).p == pytest.approx(expected)


@pytest.mark.parametrize("alternative", ALTERNATIVES)
def test_without_ties_the_rank_tests_are_scipy_s_exact_ones(alternative):
    a, b = np.random.default_rng(5).normal([[0.71], [0.70]], 0.02, (2, 30))
    ranks = mann_whitney(a, b[:20], alternative=alternative)
    assert ranks[1:3] == pytest.approx(stats.mannwhitneyu(a, b[:20], alternative=alternative, method="exact"))
    signed = wilcoxon(a, b, alternative=alternative)
    assert signed[1:3] == pytest.approx(stats.wilcoxon(a, b, alternative=alternative, method="exact"))


def test_counting_and_the_normal_distribution_meet_where_there_are_many_trials():
    a, b = np.random.default_rng(6).normal([[0.705], [0.70]], 0.02, (2, 51)).round(2)
    for test in (mann_whitney, wilcoxon):
        few, many = test(a[:50], b[:50], alternative="two-sided").p, test(a, b, alternative="two-sided").p
        assert many == pytest.approx(few, abs=0.05)
    counted, normal = mann_whitney(a[:50], b[:50]).p, stats.mannwhitneyu(a[:50], b[:50], alternative="greater").pvalue
    assert counted == pytest.approx(normal, abs=0.002)


@pytest.mark.parametrize(("test", "n"), [(mann_whitney, 4), (mann_whitney, 8), (wilcoxon, 6), (wilcoxon, 10)])
def test_the_rank_tests_keep_their_level_for_coarse_scores(test, n):
    generator = np.random.default_rng(7)
    drawn = generator.binomial(5, 0.7, (1000, 2, n)) / 5
    drawn = [(a, b) for a, b in drawn if np.any(a != b) and np.ptp([*a, *b]) > 0]
    p = np.array([test(a, b, alternative="two-sided").p for a, b in drawn])
    assert np.mean(p < 0.05) <= 0.05 + 2 * np.sqrt(0.05 * 0.95 / len(p))


def test_scores_that_differ_by_rounding_alone_tie():
    assert (
        mann_whitney([0.1 + 0.2, 0.5, 0.7], [0.3, 0.4, 0.2])[1:] == mann_whitney([0.3, 0.5, 0.7], [0.3, 0.4, 0.2])[1:]
    )


def test_no_permutations_are_refused():
    with pytest.raises(ValueError, match="permutations must be a whole number of at least 1, not 0"):
        permutation(A, B, permutations=0)
