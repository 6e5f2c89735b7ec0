"""Does the promised number of seeds really separate two recipes as often as promised?"""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats
from statsmodels.stats.power import TTestIndPower, TTestPower

from seedwise.stats.compare.power import detectable, power, seeds_needed
from seedwise.stats.degrees import satterthwaite

STATSMODELS = {"greater": "larger", "less": "smaller", "two-sided": "two-sided"}


def scores(mean, sd, n):
    """Return n scores with exactly this mean and standard deviation."""
    ranks = stats.norm.ppf((np.arange(n) + 0.5) / n)
    return mean + sd * (ranks - ranks.mean()) / ranks.std(ddof=1)


@pytest.mark.parametrize("alternative", STATSMODELS)
@pytest.mark.parametrize("n", [2, 5, 20, 200])
@pytest.mark.parametrize("difference", [-0.01, 0, 0.005, 0.02])
def test_with_equal_spreads_power_is_that_of_statsmodels(alternative, n, difference):
    expected = TTestIndPower().power(difference / 0.03, n, 0.05, alternative=STATSMODELS[alternative])
    assert np.isfinite(expected)
    assert power(difference, 0.03, 0.03, n, n, alternative=alternative) == pytest.approx(expected, abs=1e-6)


@pytest.mark.slow
@pytest.mark.parametrize("case", [(0.02, 0.01, 0.04, 8, 20), (0.02, 0.04, 0.01, 8, 20), (0.03, 0.03, 0.03, 20, 10)])
def test_welchs_test_rejects_as_often_as_its_power_says(case):
    difference, sd_a, sd_b, n_a, n_b = case
    generator = np.random.default_rng(0)
    a, b = generator.normal(difference, sd_a, (20_000, n_a)), generator.normal(0, sd_b, (20_000, n_b))
    rejected = np.mean(stats.ttest_ind(a, b, axis=1, equal_var=False).pvalue < 0.05)
    noise = 4 * np.sqrt(rejected * (1 - rejected) / 20_000)
    assert power(*case) == pytest.approx(rejected, abs=0.01 + noise)  # the distribution is approximate: up to 0.01 off


@given(
    difference=st.floats(-1e6, 1e6),
    sd_a=st.floats(1e-6, 10),
    sd_b=st.just(0.0) | st.floats(1e-6, 10),
    n_a=st.integers(2, 10**6),
    n_b=st.integers(2, 10**6),
    alternative=st.sampled_from(list(STATSMODELS)),
)
def test_power_is_a_chance_whatever_the_recipes(difference, sd_a, sd_b, n_a, n_b, alternative):
    assert 0 <= power(difference, sd_a, sd_b, n_a, n_b, alternative=alternative) <= 1


@pytest.mark.parametrize("alternative", STATSMODELS)
def test_without_a_difference_power_is_the_level(alternative):
    assert power(0, 0.02, 0.04, 8, 20, level=0.01, alternative=alternative) == pytest.approx(0.01, abs=1e-4)


def test_power_grows_with_difference_and_trials_and_falls_with_spread():
    at = power(0.02, 0.03, 0.03, 20, 20)
    assert power(0.03, 0.03, 0.03, 20, 20) > at
    assert power(0.02, 0.03, 0.03, 20, 25) > at
    assert power(0.02, 0.03, 0.04, 20, 20) < at


def test_power_turns_with_the_recipes():
    assert power(0.02, 0.01, 0.04, 8, 20, alternative="greater") == pytest.approx(
        power(-0.02, 0.04, 0.01, 20, 8, alternative="less")
    )


@pytest.mark.parametrize("alternative", ["greater", "two-sided"])
@pytest.mark.parametrize(("gap", "sd"), [(0.02, 0.03), (0.04, 0.02), (0.001, 0.03)])
def test_the_seeds_needed_are_those_of_statsmodels(gap, sd, alternative):
    expected = TTestIndPower().solve_power(gap / sd, None, 0.05, 0.8, alternative=STATSMODELS[alternative])
    needed = seeds_needed(scores(0.7 + gap, sd, 5), scores(0.7, sd, 5), alternative=alternative)
    assert needed.n_each == max(2, np.ceil(expected))


@pytest.mark.parametrize("sds", [(0.03, 0.03), (0.01, 0.05)])
def test_the_seeds_needed_are_the_fewest_that_suffice(sds):
    needed = seeds_needed(scores(0.72, sds[0], 10), scores(0.70, sds[1], 20), power=0.9)
    assert power(0.02, *sds, needed.n_each, needed.n_each) >= 0.9
    assert power(0.02, *sds, needed.n_each - 1, needed.n_each - 1) < 0.9
    assert (needed.more_a, needed.more_b) == (needed.n_each - 10, needed.n_each - 20)
    assert needed.power_now == pytest.approx(power(0.02, *sds, 10, 20))


def test_pairs_need_as_many_seeds_as_statsmodels_says():
    a, luck = scores(0.02, 0.01, 8), np.linspace(0, 1, 8)
    needed = seeds_needed(luck + a, luck, paired=True)
    assert needed.n_each == np.ceil(TTestPower().solve_power(2, None, 0.05, 0.8))
    assert needed.power_now == pytest.approx(TTestPower().power(2, 8, 0.05))
    assert needed.n_each < seeds_needed(luck + a, luck).n_each


@pytest.mark.slow
def test_with_the_seeds_needed_the_recipes_are_told_apart_as_often_as_asked():
    needed = seeds_needed(scores(0.72, 0.02, 10), scores(0.70, 0.04, 10), power=0.8)
    generator = np.random.default_rng(1)
    a, b = (generator.normal(mean, sd, (20_000, needed.n_each)) for mean, sd in ((0.72, 0.02), (0.70, 0.04)))
    rejected = np.mean(stats.ttest_ind(a, b, axis=1, equal_var=False).pvalue < 0.05)
    assert 0.785 <= rejected <= 0.83


def test_a_recipe_with_enough_seeds_needs_no_more():
    needed = seeds_needed(scores(0.80, 0.01, 50), scores(0.70, 0.01, 3))
    assert needed.more_a == 0
    assert needed.more_b == max(0, needed.n_each - 3)


@pytest.mark.parametrize(
    ("gap", "alternative", "reason"),
    [
        (0, "two-sided", "the means are equal so far, so no number of trials would separate them"),
        (-0.1, "greater", "the difference is -0.1 so far, which is not greater than 0"),
        (0.1, "less", "the difference is 0.1 so far, which is not less than 0"),
        (1e-5, "two-sided", "1000 trials of each recipe do not suffice"),
    ],
)
def test_where_no_number_of_seeds_helps_the_reason_is_said(gap, alternative, reason):
    spread = np.array([-0.0625, 0, 0.0625])  # binary fractions: the mean is exact
    needed = seeds_needed(0.5 + gap + spread, 0.5 - spread, alternative=alternative, most=1000)
    assert (needed.n_each, needed.more_a, needed.more_b, needed.reason) == (None, None, None, reason)


@pytest.mark.parametrize("alternative", STATSMODELS)
def test_the_detectable_difference_has_the_power_asked_for(alternative):
    a, b = scores(0.72, 0.02, 10), scores(0.70, 0.04, 20)
    least = detectable(a, b, power=0.9, alternative=alternative)
    signed = -least if alternative == "less" else least
    assert power(signed, 0.02, 0.04, 10, 20, alternative=alternative) == pytest.approx(0.9, abs=1e-9)


def test_the_detectable_difference_of_pairs_is_that_of_statsmodels():
    gaps, luck = scores(0.02, 0.01, 8), np.linspace(0, 1, 8)
    expected = TTestPower().solve_power(None, 8, 0.05, 0.8) * 0.01
    assert detectable(luck + gaps, luck, paired=True) == pytest.approx(expected, rel=1e-5)


def test_the_detectable_difference_does_not_depend_on_the_one_seen():
    a, b = scores(0.72, 0.02, 10), scores(0.70, 0.04, 20)
    assert detectable(a + 5, b) == pytest.approx(detectable(a, b))


def test_two_trials_against_two_can_detect_only_what_is_huge():
    assert detectable([0.70, 0.72], [0.60, 0.62]) > 5 * np.std([0.70, 0.72], ddof=1)


@pytest.mark.parametrize(
    ("arguments", "options", "sentence"),
    [
        ((float("nan"), 0.1, 0.1, 5, 5), {}, "difference must be finite, not nan"),
        ((0.1, 0.0, 0.0, 5, 5), {}, "sd_a and sd_b must be at least 0 and not both 0, not 0.0 and 0.0"),
        ((0.1, -0.1, 0.2, 5, 5), {}, "sd_a and sd_b must be at least 0"),
        ((0.1, 0.1, float("nan"), 5, 5), {}, "sd_a and sd_b must be at least 0"),
        ((0.1, 0.1, 0.1, 1, 5), {}, "n_a and n_b must be at least 2, not 1 and 5"),
        ((0.1, 0.1, 0.1, 5, 5.5), {}, "n_a and n_b must be whole numbers"),
        ((0.1, 0.1, 0.1, 5, 5), {"level": 0}, r"level must be in \(0, 1\), not 0"),
        ((0.1, 0.1, 0.1, 5, 5), {"alternative": "up"}, "alternative must be one of greater, less, two-sided"),
    ],
)
def test_power_of_nothing_is_refused(arguments, options, sentence):
    with pytest.raises(ValueError, match=sentence):
        power(*arguments, **options)


@pytest.mark.parametrize("question", [seeds_needed, detectable])
@pytest.mark.parametrize(
    ("a", "b", "options", "sentence"),
    [
        ([0.7], [0.6, 0.7], {}, "a must hold at least 2 trials, not 1"),
        ([0.7, 0.8], [0.6, float("nan")], {}, "b must be finite"),
        ([0.7, 0.7], [0.6, 0.6], {}, r"power needs scores that vary, but every one is 0.7 and 0.6"),
        ([0.7, 0.8], [0.6, 0.7], {"paired": True}, r"power needs scores that vary, but every one is 0.1;"),
        ([0.7, 0.8], [0.6, 0.7, 0.8], {"paired": True}, "as many for a as for b, not 2 and 3"),
        ([0.7, 0.8], [0.6, 0.8], {"power": 80}, r"power must be in \(0, 1\), not 80"),
        ([0.7, 0.8], [0.6, 0.8], {"power": 0.04}, r"power must be above the level 0.05, not 0.04"),
    ],
)
def test_seeds_that_cannot_be_counted_are_refused(question, a, b, options, sentence):
    with pytest.raises(ValueError, match=sentence):
        question(a, b, **options)


def test_a_most_of_one_trial_is_refused():
    with pytest.raises(ValueError, match="most must be a whole number of at least 2, not 1"):
        seeds_needed([0.7, 0.8], [0.6, 0.8], most=1)


@given(
    variances=st.lists(st.floats(1e-300, 1e300), min_size=1, max_size=4),
    degrees=st.lists(st.integers(1, 100), min_size=4, max_size=4),
)
def test_degrees_of_freedom_lie_between_the_smallest_and_the_sum(variances, degrees):
    d = degrees[: len(variances)]
    assert min(d) * (1 - 1e-9) <= satterthwaite(variances, d) <= sum(d) * (1 + 1e-9)
