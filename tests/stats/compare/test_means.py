"""Do sign, interval and p-value come from one test, and is it the right one for how trials share their seeds?"""

from itertools import combinations, product

import numpy as np
import pytest
from scipy import stats

from seedwise.stats.compare.mean_difference import crossed_difference
from seedwise.stats.compare.means import MeanTest, compare_means

GENERATOR = np.random.default_rng(0)
A, B = GENERATOR.normal(0.71, 0.02, 12), GENERATOR.normal(0.70, 0.03, 12)
INIT = np.repeat(np.arange(4), 3)


def ends(found):
    return found.lower, found.upper


def test_without_shared_seeds_it_is_welchs_test():
    found, expected = compare_means(A, B), stats.ttest_ind(A, B, equal_var=False)
    assert (found.test, found.p) == (MeanTest.WELCH, pytest.approx(expected.pvalue))
    assert ends(found) == pytest.approx(tuple(expected.confidence_interval()))


@pytest.mark.parametrize(("spread", "test"), [(0.2, MeanTest.POOLED), (5, MeanTest.WELCH)])
def test_of_unequally_many_trials_the_wider_of_welchs_and_students_intervals_counts(spread, test):
    few = A.mean() + spread * (B[:5] - B[:5].mean())
    found = compare_means(A, few)
    expected = stats.ttest_ind(A, few, equal_var=test is MeanTest.POOLED)
    other = stats.ttest_ind(A, few, equal_var=test is not MeanTest.POOLED)
    assert (found.test, found.p) == (test, pytest.approx(expected.pvalue))
    assert ends(found) == pytest.approx(tuple(expected.confidence_interval()))
    assert np.diff(other.confidence_interval()) < np.diff(expected.confidence_interval())


@pytest.mark.slow
@pytest.mark.parametrize(("n", "m"), [(50, 5), (20, 5), (50, 20)])
def test_a_few_trials_without_a_failure_do_not_tell_equal_recipes_apart(n, m):
    generator, repeats = np.random.default_rng(2), 500
    rejected = 0
    for _ in range(repeats):
        a, b = (np.where(generator.random(k) < 0.1, 0.53, generator.normal(0.7, 0.015, k)) for k in (n, m))
        rejected += compare_means(a, b).p < 0.05
    assert rejected / repeats < 0.05


def test_pairs_without_shared_seeds_have_the_paired_t_test():
    found, expected = compare_means(A, B, paired=True), stats.ttest_rel(A, B)
    assert (found.test, found.p) == (MeanTest.PAIRED, pytest.approx(expected.pvalue))
    assert ends(found) == pytest.approx(tuple(expected.confidence_interval()))


@pytest.mark.parametrize("paired", [False, True])
def test_shared_seeds_are_counted(paired):
    seeds = {"init": INIT, "order": np.arange(12)}
    found = compare_means(A, B, seeds, seeds, paired=paired)
    expected = crossed_difference(A, B, {"init": INIT}, {"init": INIT}, paired=paired)
    assert found.test is (MeanTest.PAIRED_SEEDS if paired else MeanTest.SEEDS)
    assert (found.p, *ends(found)) == pytest.approx((expected.p, expected.lower, expected.upper))


@pytest.mark.parametrize("n", [3, 4, 6])
def test_pairs_that_all_differ_alike_are_judged_by_flipping_signs(n):
    found = compare_means([0.7 + 2 / 277] * n, [0.7] * n, paired=True)
    flipped = [abs(sum(signs)) == n for signs in product((1, -1), repeat=n)]
    assert (found.test, found.p) == (MeanTest.SIGN_FLIPS, np.mean(flipped))
    assert np.isfinite(found.lower) == (found.p < 0.05)


@pytest.mark.parametrize(("n", "m"), [(3, 3), (4, 4), (3, 6)])
def test_recipes_that_never_vary_are_judged_by_all_assignments(n, m):
    scores = np.array([0.7] * n + [0.6] * m)
    found = compare_means(scores[:n], scores[n:])
    all_means = [
        abs(scores[list(mine)].mean() - np.delete(scores, mine).mean()) for mine in combinations(range(n + m), n)
    ]
    assert (found.test, found.p) == (MeanTest.PERMUTATION, pytest.approx(np.mean(np.array(all_means) > 0.1 - 1e-9)))


def test_seeds_that_repeat_count_once_where_nothing_varies():
    seeds = {"init": INIT}
    assert compare_means([0.7] * 12, [0.6] * 12, seeds, seeds, paired=True).p == 2.0**-3


@pytest.mark.parametrize("scores", [[0.5634] * 5, [0.5, 0.6, 0.7]])
@pytest.mark.parametrize("paired", [False, True])
def test_equal_scores_are_no_difference(scores, paired):
    found = compare_means(scores, scores, paired=paired)
    assert (found.test, found.difference, *ends(found), found.p) == (MeanTest.IDENTICAL, 0, 0, 0, 1)


def test_means_within_a_margin_are_told_by_two_one_sided_tests():
    found = compare_means(A, B)
    for margin in (0.005, 0.03, 0.1):
        ones = [
            stats.ttest_ind(A + shift, B, equal_var=False, alternative=side).pvalue
            for shift, side in ((margin, "greater"), (-margin, "less"))
        ]
        assert found.within(margin) == pytest.approx(max(ones))


def test_a_margin_holds_if_and_only_if_the_90_percent_interval_lies_within_it():
    found = compare_means(A, B, confidence=0.9)
    widest = max(abs(found.lower), abs(found.upper))
    assert found.within(widest * 1.001) < 0.05 < found.within(widest * 0.999)


def test_the_other_way_round_the_sign_changes_and_nothing_else():
    there, back = compare_means(A, B), compare_means(B, A)
    assert (back.difference, back.lower, back.upper, back.p) == pytest.approx(
        (-there.difference, -there.upper, -there.lower, there.p)
    )


@pytest.mark.slow
@pytest.mark.parametrize("fails", [0.1, 0.3])
def test_equal_recipes_that_fail_now_and_then_are_told_apart_as_seldom_as_promised(fails):
    generator, rejected, repeats = np.random.default_rng(1), 0, 800
    for _ in range(repeats):
        a, b = (np.where(generator.random(20) < fails, 0.53, generator.normal(0.7, 0.02, 20)) for _ in "ab")
        rejected += compare_means(a, b).p < 0.05
    assert rejected / repeats < 0.05 + 3 * np.sqrt(0.05 * 0.95 / repeats)
