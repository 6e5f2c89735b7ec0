"""Do intervals and tests of trials that share seeds hold what they promise, where those for independent trials do not?"""

import numpy as np
import pandas as pd
import pytest
import statsmodels.api as sm
from scipy import stats
from statsmodels.regression.mixed_linear_model import MixedLM
from statsmodels.stats.anova import anova_lm
from statsmodels.stats.proportion import proportion_confint

from seedwise.stats.compare.mean_difference import crossed_difference
from seedwise.stats.failures import failed_share
from seedwise.stats.intervals import mean_interval
from seedwise.stats.seeds.components import variance_components
from seedwise.stats.seeds.crossed import crossed_mean, crossed_share


def grid(shape, kept=1.0, generator=None):
    """The seeds of a full grid, or of a random part of it."""
    factors = {"init": np.indices(shape)[0].ravel(), "order": np.indices(shape)[1].ravel()}
    n = int(np.prod(shape))
    keep = np.arange(n) if generator is None else np.sort(generator.permutation(n)[: round(kept * n)])
    return {name: labels[keep] for name, labels in factors.items()}


def draw(generator, factors, shares):
    """Scores of mean 0 and variance 1; each factor's share of the variance, the rest is the residual's."""
    n = len(factors["init"])
    scores = np.sqrt(1 - sum(shares)) * generator.normal(size=n)
    for share, labels in zip(shares, factors.values(), strict=True):
        scores += np.sqrt(share) * generator.normal(size=labels.max() + 1)[labels]
    return scores


def example(shape=(5, 7), shares=(0.4, 0.2), kept=1.0, seed=3):
    generator = np.random.default_rng(seed)
    factors = grid(shape, kept, generator)
    return draw(generator, factors, shares), factors


def frame(scores, factors):
    return pd.DataFrame({"score": scores, **factors})


def near(count, repeats, rate):
    return abs(count / repeats - rate) < 4 * np.sqrt(rate * (1 - rate) / repeats)


def test_a_balanced_design_with_one_factor_has_the_t_interval_of_the_level_means():
    generator = np.random.default_rng(0)
    levels = np.repeat(np.arange(6), 4)
    scores = generator.normal(size=6)[levels] + generator.normal(size=24)
    assert variance_components(scores, {"init": levels}).variance[0] > 0
    result = crossed_mean(scores, {"init": levels}, confidence=0.9)
    expected = stats.ttest_1samp(scores.reshape(6, 4).mean(axis=1), 0)
    assert (result.mean / result.se, result.df) == pytest.approx((expected.statistic, 5))
    assert (result.lower, result.upper) == pytest.approx(tuple(expected.confidence_interval(0.9)))


def test_a_full_grid_has_the_standard_error_of_the_analysis_of_variance_with_satterthwaites_degrees_of_freedom():
    scores, factors = example()
    table = anova_lm(sm.OLS.from_formula("score ~ C(init) + C(order)", frame(scores, factors)).fit())
    init, order, rest = table["mean_sq"] / 35
    assert min(init, order) > rest
    df = (init + order - rest) ** 2 / ((np.array([init, order, rest]) ** 2 / table["df"]).sum())
    result = crossed_mean(scores, factors)
    assert (result.se, result.df) == pytest.approx((np.sqrt(init + order - rest), df))


@pytest.mark.slow
def test_a_full_grid_has_the_standard_error_of_restricted_likelihood():
    scores, factors = example((7, 9))
    assert min(variance_components(scores, factors).variance) > 0  # where the two are equal
    mixed = {name: f"0 + C({name})" for name in factors}
    model = MixedLM.from_formula("score ~ 1", frame(scores, factors), groups=np.ones(63), vc_formula=mixed).fit()
    assert crossed_mean(scores, factors).se == pytest.approx(model.bse_fe.iloc[0], rel=1e-3)


@pytest.mark.parametrize("repeated", [1, 3])
@pytest.mark.parametrize("kept", [1.0, 0.7])
def test_the_squared_standard_error_is_the_variance_of_the_mean_of_the_whole_covariance_matrix(kept, repeated):
    _, factors = example((6, 8), kept=kept)
    factors = {name: np.repeat(labels, repeated) for name, labels in factors.items()}
    scores = draw(np.random.default_rng(5), factors, (0.5, 0.2))
    *seeds, residual = variance_components(scores, factors).variance
    covariance = residual * np.eye(len(scores))
    for variance, labels in zip(seeds, factors.values(), strict=True):
        assert variance > 0
        covariance += variance * (labels[:, None] == labels)
    assert crossed_mean(scores, factors).se ** 2 == pytest.approx(covariance.mean())


def test_without_any_effect_of_the_seeds_the_interval_is_nearly_students():
    noise = np.random.default_rng(1).normal(size=(40, 40))
    noise -= noise.mean(axis=0) + noise.mean(axis=1, keepdims=True) - 2 * noise.mean() - 1  # no seed differs
    result, plain = crossed_mean(noise.ravel(), grid((40, 40))), mean_interval(noise.ravel())
    assert result.df == 39 * 39
    assert result.n_effective == 1600
    assert (result.lower, result.upper) == pytest.approx(
        (plain.lower, plain.upper), abs=0.05 * result.se
    )  # degrees of freedom: 1521 and 1599


def test_trials_decided_by_one_seed_count_as_many_as_that_seed_has_levels():
    factors = grid((6, 9))
    result = crossed_mean(factors["init"] / 10, factors)
    assert (result.n, result.n_effective, result.df) == pytest.approx((54, 6, 5))


def test_degrees_of_freedom_are_no_fewer_than_those_of_the_smallest_factor():
    generator, factors = np.random.default_rng(2), grid((3, 3))
    degrees = [crossed_mean(draw(generator, factors, (0.1, 0.1)), factors).df for _ in range(100)]
    assert min(degrees) == 2


@pytest.mark.slow
@pytest.mark.parametrize("kept", [1.0, 0.7])
@pytest.mark.parametrize("shape", [(5, 5), (10, 10), (25, 25)])
def test_intervals_of_the_mean_hold_the_truth_as_often_as_promised(shape, kept):
    generator, repeats = np.random.default_rng(4), 250
    held = plain = 0
    for _ in range(repeats):
        factors = grid(shape, kept, generator)
        scores = draw(generator, factors, (0.3, 0.2))
        result, student = crossed_mean(scores, factors), mean_interval(scores)
        held += result.lower <= 0 <= result.upper
        plain += student.lower <= 0 <= student.upper
    assert near(held, repeats, 0.95)
    assert plain / repeats < 0.9


@pytest.mark.slow
def test_an_interaction_seen_in_several_trials_a_cell_does_not_narrow_the_interval_too_much():
    generator, repeats, held = np.random.default_rng(6), 250, 0
    cells = grid((8, 8))
    factors = {name: np.repeat(labels, 3) for name, labels in cells.items()}
    for _ in range(repeats):
        interaction = np.repeat(generator.normal(size=64), 3)
        result = crossed_mean(draw(generator, factors, (0.3, 0.1)) + interaction, factors)
        held += result.lower <= 0 <= result.upper
    assert held / repeats > 0.95 - 4 * np.sqrt(0.95 * 0.05 / repeats)


@pytest.mark.slow
@pytest.mark.parametrize("kept", [1.0, 0.7])
@pytest.mark.parametrize("shape", [(5, 5), (10, 10), (25, 25)])
def test_intervals_of_a_failed_share_hold_the_truth_as_often_as_promised(shape, kept):
    generator, repeats, share = np.random.default_rng(7), 250, 0.3
    held = plain = 0
    for _ in range(repeats):
        factors = grid(shape, kept, generator)
        failed = draw(generator, factors, (0.25, 0.25)) < stats.norm.ppf(share)
        result, wilson = crossed_share(failed, factors), failed_share(failed)
        held += result.lower <= share <= result.upper
        plain += wilson.lower <= share <= wilson.upper
    assert held / repeats > 0.95 - 4 * np.sqrt(0.95 * 0.05 / repeats)
    assert plain / repeats < 0.9


@pytest.mark.slow
@pytest.mark.parametrize("paired", [False, True])
def test_equal_recipes_are_called_different_as_seldom_as_promised(paired):
    generator, repeats, factors = np.random.default_rng(8), 300, grid((10, 10))
    false = plain = 0
    for _ in range(repeats):
        a, b = (draw(generator, factors, (0.3, 0.1)) for _ in range(2))
        common = generator.normal(size=10)[factors["order"]] if paired else 0  # a seed good for A is good for B
        result = crossed_difference(a + common, b + common, factors, factors, paired=paired)
        false += result.p < 0.05
        plain += (stats.ttest_rel(a, b) if paired else stats.ttest_ind(a, b, equal_var=False)).pvalue < 0.05
    assert near(false, repeats, 0.05)
    assert plain / repeats > 0.2


def test_without_any_effect_of_the_seeds_the_test_is_nearly_welchs():
    generator, factors = np.random.default_rng(9), grid((40, 40))
    sides = []
    for spread, mean in ((1, 0.03), (2, 0.1)):
        noise = spread * generator.normal(size=(40, 40))
        noise -= noise.mean(axis=0) + noise.mean(axis=1, keepdims=True) - 2 * noise.mean() - mean
        sides.append(noise.ravel())
    result, welch = crossed_difference(*sides, factors, factors), stats.ttest_ind(*sides, equal_var=False)
    # Without effects the variance has 39 x 39 degrees of freedom a side instead of 1599: 5 % fewer.
    assert (result.t, result.p) == pytest.approx((welch.statistic, welch.pvalue), rel=0.06)
    assert result.df == pytest.approx(welch.df, rel=0.06)


def test_one_factor_on_each_side_has_welchs_test_of_the_level_means():
    generator = np.random.default_rng(10)
    levels = [np.repeat(np.arange(6), 4), np.repeat(np.arange(9), 5)]
    a, b = (3 * generator.normal(size=9)[labels] + generator.normal(size=len(labels)) for labels in levels)
    result = crossed_difference(a, b, {"init": levels[0]}, {"order": levels[1]}, confidence=0.8)
    welch = stats.ttest_ind(a.reshape(6, 4).mean(axis=1), b.reshape(9, 5).mean(axis=1), equal_var=False)
    assert (result.t, result.df, result.p) == pytest.approx((welch.statistic, welch.df, welch.pvalue))
    assert (result.lower, result.upper) == pytest.approx(tuple(welch.confidence_interval(0.8)))


def test_paired_trials_are_judged_by_the_mean_of_their_differences():
    a, factors = example()
    b = example(seed=4)[0]
    result, mean = crossed_difference(a, b, factors, factors, paired=True), crossed_mean(a - b, factors)
    assert (result.difference, result.se, result.df) == (mean.mean, mean.se, mean.df)
    assert (result.lower, result.upper) == pytest.approx((mean.lower, mean.upper))
    assert result.p == pytest.approx(2 * stats.t.sf(abs(mean.mean / mean.se), mean.df))


def test_an_effect_that_a_seed_has_on_both_recipes_leaves_the_paired_difference_untouched():
    a, factors = example()
    b = example(seed=4)[0]
    shared = 100.0 * factors["init"]
    without, with_it = (
        crossed_difference(a + extra, b + extra, factors, factors, paired=True) for extra in (0 * shared, shared)
    )
    assert with_it == pytest.approx(without)


def test_the_other_way_round_the_difference_changes_its_sign_and_nothing_else():
    (a, one), (b, other) = example(kept=0.8), example((4, 6), seed=4)
    there, back = crossed_difference(a, b, one, other), crossed_difference(b, a, other, one)
    assert (back.difference, back.t, back.lower, back.upper) == pytest.approx(
        (-there.difference, -there.t, -there.upper, -there.lower)
    )
    assert (back.se, back.df, back.p) == pytest.approx((there.se, there.df, there.p))


def test_a_side_that_never_varies_adds_nothing_to_the_standard_error():
    scores, factors = example()
    result, mean = crossed_difference(scores, np.full(12, 0.5), factors, grid((3, 4))), crossed_mean(scores, factors)
    assert (result.difference, result.se, result.df) == pytest.approx((mean.mean - 0.5, mean.se, mean.df))


def test_the_interval_excludes_zero_where_the_test_rejects():
    generator, factors = np.random.default_rng(11), grid((4, 5))
    for shift in np.linspace(0, 2, 60):
        a, b = draw(generator, factors, (0.3, 0.1)) + shift, draw(generator, factors, (0.3, 0.1))
        result = crossed_difference(a, b, factors, factors)
        assert (result.p < 0.05) == (not result.lower <= 0 <= result.upper)


@pytest.mark.parametrize("kept", [1.0, 0.8])
def test_the_mean_moves_with_place_and_unit_and_depends_on_neither_labels_nor_the_order_of_trials(kept):
    scores, factors = example(kept=kept)
    shuffled = np.random.default_rng(12).permutation(len(scores))
    renamed = {"order": factors["order"][shuffled] ** 2, "init": [f"seed {i}" for i in factors["init"][shuffled]]}
    one, other = crossed_mean(scores, factors), crossed_mean(3 + 100 * scores[shuffled], renamed)
    assert (other.mean, other.lower, other.upper) == pytest.approx(
        (3 + 100 * one.mean, 3 + 100 * one.lower, 3 + 100 * one.upper)
    )
    assert (other.se, other.df, other.n_effective) == pytest.approx((100 * one.se, one.df, one.n_effective))


def test_failures_and_successes_change_places_with_their_intervals():
    scores, factors = example()
    failed, passed = crossed_share(scores < 0.3, factors), crossed_share(scores >= 0.3, factors)
    assert (passed.lower, passed.upper) == pytest.approx((1 - failed.upper, 1 - failed.lower))


def test_a_failed_share_has_wilsons_interval_of_its_effective_number_of_trials():
    scores, factors = example((10, 10))
    result, mean = crossed_share(scores < -0.3, factors), crossed_mean(scores < -0.3, factors)
    k = mean.n_effective * (stats.norm.isf(0.025) / stats.t.isf(0.025, mean.df)) ** 2
    expected = proportion_confint(result.share * k, k, method="wilson")
    assert (result.lower, result.upper) == pytest.approx(expected)
    assert (result.failed, result.n, result.share) == (np.sum(scores < -0.3), 100, mean.mean)


@pytest.mark.parametrize(("every", "count"), [(False, 0), (True, 4)])
def test_where_all_or_none_failed_each_seed_of_the_smallest_factor_counts_as_one_trial(every, count):
    result = crossed_share(np.full(36, every), grid((9, 4)), confidence=0.9)
    expected = proportion_confint(count, 4, alpha=0.1, method="wilson")
    assert (result.lower, result.upper) == pytest.approx(expected, abs=1e-12)
    assert (result.failed, result.n) == (36 * every, 36)


@pytest.mark.parametrize("value", [0.0, 0.1])
def test_equal_scores_have_a_mean_without_error_and_no_effective_number_of_trials(value):
    result = crossed_mean(np.full(20, value), grid((4, 5)))
    assert (result.lower, result.upper) == (result.mean, result.mean)
    assert (result.mean, result.se, result.df) == pytest.approx((value, 0, 12))
    assert np.isnan(result.n_effective)


def test_the_effective_number_of_trials_is_between_one_and_all():
    generator, factors = np.random.default_rng(13), grid((2, 5))
    found = [crossed_mean(draw(generator, factors, (0.6, 0.1)), factors).n_effective for _ in range(200)]
    assert 1 <= min(found) < max(found) <= 10


@pytest.mark.parametrize("factors", [{}, {"init": range(20)}, {"init": range(20), "order": range(20, 40)}])
def test_where_no_seed_repeats_the_interval_is_students_and_the_share_wilsons(factors):
    scores = np.random.default_rng(5).normal(size=20)
    result, expected = crossed_mean(scores, factors), mean_interval(scores)
    assert (result.mean, result.lower, result.upper) == pytest.approx(expected[:3])
    assert (result.df, result.n_effective) == pytest.approx((19, 20))
    assert crossed_share(scores < -0.5, factors) == failed_share(scores < -0.5)


def test_seeds_that_change_together_or_lie_within_another_count_once():
    scores = np.random.default_rng(6).normal(size=24)
    init, own = np.repeat(np.arange(6), 4), np.repeat(np.arange(12), 2)
    expected = crossed_mean(scores, {"init": init})
    for factors in (
        {"init": init, "order": init + 7},
        {"order": own, "init": init},
        {"init": init, "order": range(24)},
    ):
        assert crossed_mean(scores, factors) == pytest.approx(expected)


def test_seeds_that_cannot_be_told_apart_are_all_put_down_to_the_one_that_repeats_most():
    scores = np.random.default_rng(7).normal(size=6)
    init, order = [1, 1, 2, 3, 4, 5], [1, 2, 3, 4, 5, 5]
    most = (4 + 1 + 1 + 1 + 1) / 36
    result = crossed_mean(scores, {"init": init, "order": order})
    assert result.se**2 == pytest.approx(scores.var() * most / (1 - most))
    assert (result.df, result.n_effective) == pytest.approx((1 / most - 1, 1 / most))
    assert (
        crossed_share([True, *[False] * 5], {"init": init, "order": order}).upper
        > failed_share([True, *[False] * 5]).upper
    )


@pytest.mark.slow
@pytest.mark.parametrize("shares", [(0.3, 0.1), (0.6, 0.2)])
def test_random_seeds_of_which_some_coincide_are_covered_as_often_as_promised(shares):
    generator, hits, repeats = np.random.default_rng(8), 0, 200
    for _ in range(repeats):
        factors = {name: generator.integers(40, size=20) for name in ("init", "order")}
        result = crossed_mean(draw(generator, factors, shares), factors)
        hits += result.lower <= 0 <= result.upper
    assert hits / repeats > 0.95


@pytest.mark.slow
def test_orders_of_their_own_for_each_init_seed_reject_equal_recipes_as_seldom_as_promised():
    generator, rejected, repeats = np.random.default_rng(9), 0, 400
    factors = {"init": np.repeat(np.arange(5), 10), "order": np.arange(50)}
    for _ in range(repeats):
        a, b = (draw(generator, factors, (0.3, 0.1)) for _ in "ab")
        rejected += crossed_difference(a, b, factors, factors).p < 0.05
    assert near(rejected, repeats, 0.05)


@pytest.mark.slow
def test_a_grid_against_independent_trials_is_told_apart_as_seldom_as_promised():
    generator, rejected, repeats = np.random.default_rng(10), 0, 300
    factors = grid((10, 10))
    for _ in range(repeats):
        a, b = draw(generator, factors, (0.3, 0.1)), generator.normal(size=20)
        rejected += crossed_difference(a, b, factors, {"init": range(20), "order": range(20)}).p < 0.05
    assert near(rejected, repeats, 0.05)


@pytest.mark.parametrize("confidence", [0, 1, 95])
def test_a_confidence_outside_0_and_1_is_refused(confidence):
    scores, factors = example()
    for call in (
        lambda: crossed_mean(scores, factors, confidence=confidence),
        lambda: crossed_share(scores < 0, factors, confidence=confidence),
        lambda: crossed_difference(scores, scores + 1, factors, factors, confidence=confidence),
    ):
        with pytest.raises(ValueError, match=r"confidence must be in \(0, 1\)"):
            call()


@pytest.mark.parametrize(
    ("factors", "says"),
    [
        ({"init": [1] * 6}, "init must have at least two levels, not one for all 6 trials; leave the factor out"),
        ({"init": [1, 1, 2]}, "one label for each of the 6 trials"),
    ],
)
def test_factors_that_tell_nothing_are_refused_by_name_of_the_side(factors, says):
    b, others = example()
    with pytest.raises(ValueError, match=says):
        crossed_mean(np.arange(6.0), factors)
    with pytest.raises(ValueError, match=f"factors_a: .*{says}"):
        crossed_difference(np.arange(6.0), b, factors, others)
    with pytest.raises(ValueError, match=f"factors_b: .*{says}"):
        crossed_difference(b, np.arange(6.0), others, factors)


@pytest.mark.parametrize("paired", [False, True])
def test_recipes_that_never_vary_are_refused(paired):
    factors = grid((3, 3))
    with pytest.raises(ValueError, match="needs scores that vary"):
        crossed_difference(np.full(9, 0.6), np.full(9, 0.5), factors, factors, paired=paired)


def test_paired_trials_whose_seeds_differ_are_refused():
    a, factors = example()
    b = example(seed=4)[0]
    with pytest.raises(ValueError, match=r"order must be the same seed in trial i.*the same order of seeds"):
        crossed_difference(a, b, factors, {**factors, "order": factors["order"][::-1]}, paired=True)
    with pytest.raises(ValueError, match="name the same factors on both sides"):
        crossed_difference(a, b, factors, {"init": factors["init"]}, paired=True)
    with pytest.raises(ValueError, match="as many for a as for b, not 35 and 30"):
        crossed_difference(a, b[:30], factors, factors, paired=True)


def test_a_failed_trial_must_be_given_a_score():
    with pytest.raises(ValueError, match="say what a failed trial scores"):
        crossed_mean([0.5, float("nan"), 0.6], {"init": [1, 1, 2]})


def test_failures_must_be_booleans():
    with pytest.raises(ValueError, match="one boolean a trial"):
        crossed_share([0, 1, 1, 0], {"init": [1, 1, 2, 2]})
