"""Do the intervals of spreads and failures hold the truth as often as they say, and is each p of the same test?"""

import numpy as np
import pytest
from scipy import stats
from statsmodels.stats.proportion import confint_proportions_2indep

from seedwise.stats.compare.stability import failed_share_difference, variance_ratio
from shapes import NOISE, SPREADS, coverage, half_failing, normal, often_failing, skewed


@pytest.mark.slow
@pytest.mark.parametrize(
    "shapes", [(normal, normal), (skewed, skewed), (often_failing, normal), (half_failing, normal)]
)
def test_the_ratio_of_spreads_lies_in_its_interval_about_as_often_as_promised(shapes):
    truth = SPREADS[shapes[0]] / SPREADS[shapes[1]]
    held = coverage(lambda a, b: variance_ratio(a, b)[1:3], truth, shapes)
    assert held >= 0.92 - NOISE


def test_the_jackknife_leaves_out_one_trial_at_a_time():
    a, b = np.random.default_rng(5).normal(0, [[1], [2]], (2, 7))

    def variance(scores):
        logs = [np.log(np.delete(scores, i).std(ddof=1)) for i in range(7)]
        return np.var(logs) * 6

    v, w = variance(a), variance(b)
    half = stats.t.ppf(0.975, (v + w) ** 2 / (v**2 / 6 + w**2 / 6)) * np.sqrt(v + w)
    ratio = a.std(ddof=1) / b.std(ddof=1)
    assert variance_ratio(a, b)[:3] == pytest.approx((ratio, ratio * np.exp(-half), ratio * np.exp(half)))


def test_the_p_value_of_the_spreads_is_that_of_the_interval_that_begins_to_hold_1():
    a, b = np.random.default_rng(6).normal(0, [[1], [2]], (2, 15))
    p = variance_ratio(a, b).p
    edge = variance_ratio(a, b, confidence=1 - p)
    assert edge.upper == pytest.approx(1)


def test_the_ratio_knows_neither_unit_nor_mean_and_turns_with_the_recipes():
    a, b = np.random.default_rng(7).normal(0.7, 0.02, (2, 10))
    there, moved, back = variance_ratio(a, b), variance_ratio(100 * a, 100 * b - 7), variance_ratio(b, a)
    assert moved[:4] == pytest.approx(there[:4])
    assert back[:4] == pytest.approx((1 / there.ratio, 1 / there.upper, 1 / there.lower, there.p))


@pytest.mark.parametrize("a", [[0.53] * 6, [0.53] * 5 + [0.7]])
def test_a_spread_that_rests_on_one_trial_is_refused(a):
    with pytest.raises(ValueError, match=r"a must vary among several trials .* of its 6 trials all scores are 0.53"):
        variance_ratio(a, [0.6, 0.7, 0.8])


def test_a_ratio_of_spreads_of_two_trials_is_refused():
    with pytest.raises(ValueError, match="b must hold at least 3 trials, not 2"):
        variance_ratio([0.6, 0.7, 0.9], [0.6, 0.7])


def flags(failed, n):
    return np.arange(n) < failed


@pytest.mark.parametrize("counts", [(1, 50, 24, 50), (0, 20, 0, 20), (20, 20, 0, 5), (3, 8, 5, 40)])
@pytest.mark.parametrize("confidence", [0.8, 0.95])
def test_the_difference_of_failed_shares_is_newcombes(counts, confidence):
    lower, upper = confint_proportions_2indep(*counts, method="newcomb", compare="diff", alpha=1 - confidence)
    result = failed_share_difference(flags(*counts[:2]), flags(*counts[2:]), confidence=confidence)
    assert result[1:3] == pytest.approx((lower, upper), abs=1e-12)
    assert result.difference == pytest.approx(counts[0] / counts[1] - counts[2] / counts[3])


@pytest.mark.parametrize("counts", [(1, 50, 12, 50), (3, 8, 12, 50), (9, 10, 2, 10)])
def test_the_p_value_of_failed_shares_is_that_of_the_interval_that_begins_to_hold_0(counts):
    sides = flags(*counts[:2]), flags(*counts[2:])
    p = failed_share_difference(*sides).p
    edge = failed_share_difference(*sides, confidence=1 - p)
    assert min(abs(edge.lower), abs(edge.upper)) < 1e-9


def test_equal_failed_shares_are_no_evidence():
    assert failed_share_difference(flags(2, 10), flags(4, 20)).p == 1


@pytest.mark.slow
@pytest.mark.parametrize("orders", ["shared", "own"])
def test_equal_recipes_whose_trials_share_seeds_are_as_stable_as_each_other(orders):
    generator, repeats = np.random.default_rng(8), 100
    init = np.repeat(np.arange(8), 6)
    seeds = {"init": init, "order": np.tile(np.arange(6), 8) if orders == "shared" else np.arange(48)}
    rejected = np.zeros(2)
    for _ in range(repeats):
        a, b = (
            generator.normal(size=8)[init]
            + generator.normal(0, 0.5, seeds["order"].max() + 1)[seeds["order"]]
            + generator.normal(size=48)
            for _ in "ab"
        )
        rejected += (
            failed_share_difference(a < -1.2, b < -1.2, seeds, seeds).p < 0.05,
            variance_ratio(a, b, seeds, seeds).p < 0.05,
        )
    assert (rejected / repeats < 0.05 + 3 * np.sqrt(0.05 * 0.95 / repeats)).all()


def test_failures_must_be_booleans():
    with pytest.raises(ValueError, match="one boolean a trial"):
        failed_share_difference([1, 0, 1], flags(1, 3))
