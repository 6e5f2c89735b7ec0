"""Do the bands hold as often as they say, and are their bounds the exact ones?"""

import math
from fractions import Fraction

import numpy as np
import pytest
from opda.nonparametric import EmpiricalDistribution
from scipy import integrate, optimize, stats

from seedwise.stats.best import bands
from seedwise.stats.best.bands import best_quantile_band, cdf_band, expected_best_band

SAMPLE = [0.31, 0.42, 0.48, 0.55, 0.58, 0.61, 0.63, 0.69, 0.72, 0.74, 0.78, 0.9]
N_ROUNDS = 20_000


def chance_by_determinant(lower, upper):
    """P(lower_i <= U_(i) <= upper_i for all i) in exact arithmetic: Steck's determinant."""
    size = len(lower)
    low, high = [Fraction(x) for x in lower], [Fraction(x) for x in upper]
    matrix = [
        [
            max(high[i] - low[j], 0) ** (j - i + 1) / Fraction(math.factorial(j - i + 1)) if j >= i - 1 else Fraction(0)
            for j in range(size)
        ]
        for i in range(size)
    ]
    result = Fraction(math.factorial(size))
    for k in range(size):  # elimination; the pivots are positive, since a smaller band is possible too
        result *= matrix[k][k]
        for i in range(k + 1, size):
            factor = matrix[i][k] / matrix[k][k]
            matrix[i] = [a - factor * b for a, b in zip(matrix[i], matrix[k], strict=True)]
    return float(result)


@pytest.mark.parametrize("confidence", [0.05, 0.5, 0.95, 0.999])
def test_one_trial_has_the_central_interval(confidence):
    band = cdf_band(1, confidence=confidence)
    tail = (1 - confidence) / 2
    assert band.lower == pytest.approx([0, tail], rel=1e-8)
    assert band.upper == pytest.approx([1 - tail, 1], rel=1e-8)


def test_two_trials_have_the_bounds_found_by_hand():
    def held(tail):  # twice the area where x < y of a box, less the triangle where the box crosses x = y
        low, high = math.sqrt(tail), math.sqrt(1 - tail)
        return 2 * ((high - low) ** 2 - (1 - 2 * low) ** 2 / 2)

    tail = optimize.brentq(lambda t: held(t) - 0.9, 1e-6, 0.1)
    band = cdf_band(2, confidence=0.9)
    assert band.lower == pytest.approx([0, 1 - math.sqrt(1 - tail), math.sqrt(tail)], rel=1e-7)
    assert band.upper == pytest.approx([1 - math.sqrt(tail), math.sqrt(1 - tail), 1], rel=1e-7)


@pytest.mark.parametrize("confidence", [0.3, 0.8, 0.95, 0.99])
@pytest.mark.parametrize("size", [2, 3, 5, 12, 24])
def test_the_chance_that_all_bounds_hold_is_the_confidence(size, confidence):
    band = cdf_band(size, confidence=confidence)
    assert chance_by_determinant(band.lower[1:], band.upper[:-1]) == pytest.approx(confidence, abs=1e-9)


@pytest.mark.parametrize("size", [1, 7, 100])
def test_every_order_statistic_has_the_same_level(size):
    band, i = cdf_band(size), np.arange(1, size + 1)
    below = stats.beta.cdf(band.lower[1:], i, size + 1 - i)
    above = stats.beta.sf(band.upper[:-1], i, size + 1 - i)
    assert below == pytest.approx(np.full(size, below[0]), rel=1e-6)
    assert above == pytest.approx(np.full(size, below[0]), rel=1e-6)


@pytest.mark.parametrize("size", [2, 30, 100, 625, 2000])
@pytest.mark.parametrize("spread", [0.7, 1.0, 1.36, 1.7])
def test_the_chance_of_staying_within_agrees_with_kolmogorov_and_smirnov(size, spread):
    distance, i = spread / math.sqrt(size), np.arange(1, size + 1)
    within = bands._chance_within(np.maximum(i / size - distance, 0), np.minimum((i - 1) / size + distance, 1))
    rounding = 1e-12 if size <= 140 else 1e-6  # beyond, scipy approximates
    assert within == pytest.approx(stats.kstwo.cdf(distance, size), abs=rounding)


@pytest.mark.slow
@pytest.mark.parametrize("confidence", [0.5, 0.95])
@pytest.mark.parametrize("size", [3, 48, 200])
def test_uniforms_stay_within_as_often_as_promised(size, confidence):
    band = cdf_band(size, confidence=confidence)
    uniforms = np.sort(np.random.default_rng(size).random((N_ROUNDS, size)), axis=1)
    held = np.all((uniforms >= band.lower[1:]) & (uniforms <= band.upper[:-1]), axis=1)
    error = math.sqrt(confidence * (1 - confidence) / N_ROUNDS)
    assert held.mean() == pytest.approx(confidence, abs=4 * error)


def test_two_thousand_trials_have_a_band_that_holds():
    band = cdf_band(2000)
    uniforms = np.sort(np.random.default_rng(0).random((2000, 2000)), axis=1)
    held = np.all((uniforms >= band.lower[1:]) & (uniforms <= band.upper[:-1]), axis=1)
    assert held.mean() == pytest.approx(0.95, abs=4 * math.sqrt(0.95 * 0.05 / 2000))


def test_dkw_is_its_formula():
    band = cdf_band(4, confidence=0.5, kind="dkw")
    distance = math.sqrt(math.log(2 / 0.5) / 8)
    assert band.lower == pytest.approx([0, 0, 0.5 - distance, 0.75 - distance, 1 - distance])
    assert band.upper == pytest.approx([distance, 0.25 + distance, 0.5 + distance, 1, 1])


@pytest.mark.parametrize("kind", ["equal_tailed", "dkw"])
def test_bounds_ascend_and_mirror_each_other(kind):
    band = cdf_band(50, kind=kind)
    assert np.all(np.diff(band.lower) >= 0)
    assert np.all(band.lower <= band.upper)
    assert band.upper == pytest.approx(1 - band.lower[::-1], abs=1e-12)


@pytest.mark.parametrize("kind", ["equal_tailed", "dkw"])
def test_more_confidence_is_a_wider_band(kind):
    narrow, wide = (cdf_band(20, confidence=c, kind=kind) for c in (0.8, 0.99))
    assert np.all(wide.lower <= narrow.lower)
    assert np.all(wide.upper >= narrow.upper)


def test_at_the_good_end_equal_tailed_is_narrower_than_dkw():
    assert cdf_band(48).lower[-1] > cdf_band(48, kind="dkw").lower[-1]


def test_a_band_is_computed_once_and_cannot_be_spoilt():
    band = cdf_band(30)
    assert cdf_band(30).lower is band.lower
    with pytest.raises(ValueError, match="read-only"):
        band.lower[0] = 1


@pytest.fixture(scope="module")
def theirs():
    """The band of opda, whose critical value is the quantile of 100,000 simulated ones.

    That quantile's level has the standard error sqrt(0.9 * 0.1 / 100,000) = 0.00095, so that ends of the band, which are
    less steep than that in the level, agree within 4 of them, 0.004.
    """
    return EmpiricalDistribution.confidence_bands(
        SAMPLE, 0.9, a=0.0, b=1.0, method="ld_equal_tailed", n_jobs=1, generator=np.random.default_rng(0)
    )


def test_the_distribution_band_agrees_with_opda(theirs):
    lower, _, upper = theirs
    ours, at = cdf_band(len(SAMPLE), confidence=0.9), [0.1, *SAMPLE]
    assert lower.cdf(np.array(at)) == pytest.approx(ours.lower, abs=0.004)
    assert upper.cdf(np.array(at)) == pytest.approx(ours.upper, abs=0.004)


def test_the_expected_best_band_agrees_with_opda(theirs):
    lower, _, upper = theirs
    n = np.arange(1, 31)
    ours = expected_best_band(SAMPLE, n, support=(0, 1), confidence=0.9)
    assert ours.lower == pytest.approx(upper.average_tuning_curve(n), abs=0.004)
    assert ours.upper == pytest.approx(lower.average_tuning_curve(n), abs=0.004)


@pytest.mark.parametrize("q", [0.5, 0.9])
def test_the_quantile_band_agrees_with_opda(theirs, q):
    lower, _, upper = theirs
    n = np.arange(1, 31)
    ours = best_quantile_band(SAMPLE, n, q, support=(0, 1), confidence=0.9)
    assert ours.lower.tolist() == upper.quantile_tuning_curve(n, q).tolist()
    assert ours.upper.tolist() == lower.quantile_tuning_curve(n, q).tolist()


@pytest.mark.parametrize("kind", ["equal_tailed", "dkw"])
def test_the_ends_are_the_means_of_the_bounding_distributions(kind):
    low, high, v = 0, 1, np.array([0.2, 0.5, 0.5, 0.9])
    band = cdf_band(4, confidence=0.8, kind=kind)

    def mean(bound):  # jumps of F^3 at low, at the scores and at high
        steps = np.diff(np.append(bound, 1.0) ** 3, prepend=0)
        return steps @ np.array([low, *v, high])

    found = expected_best_band(v, 3, support=(low, high), confidence=0.8, kind=kind)
    assert found.lower == pytest.approx([mean(band.upper)])
    assert found.upper == pytest.approx([mean(band.lower)])


@pytest.mark.slow
def test_the_true_expected_best_lies_in_the_band_as_often_as_promised():
    n, size, rounds, confidence = np.array([1, 2, 5, 20, 60]), 30, 2000, 0.9
    metric = stats.beta(4, 2)
    true = np.array([1 - integrate.quad(lambda x, k=k: metric.cdf(x) ** k, 0, 1)[0] for k in n])
    samples = metric.rvs(size=(rounds, size), random_state=np.random.default_rng(8))
    found = [expected_best_band(s, n, support=(0, 1), confidence=confidence) for s in samples]
    held = np.mean([np.all((b.lower <= true) & (true <= b.upper)) for b in found])
    assert held >= confidence - 4 * math.sqrt(confidence * (1 - confidence) / rounds)


@pytest.mark.slow
def test_the_true_quantile_of_tied_scores_lies_in_the_band_as_often_as_promised():
    n, size, rounds, confidence = np.array([1, 2, 5, 20]), 30, 2000, 0.9
    metric = stats.binom(10, 0.7)  # scores in tenths: many ties
    true = metric.ppf(0.5 ** (1 / n)) / 10
    samples = metric.rvs(size=(rounds, size), random_state=np.random.default_rng(8)) / 10
    found = [best_quantile_band(s, n, 0.5, support=(0, 1), confidence=confidence) for s in samples]
    held = np.mean([np.all((b.lower <= true) & (true <= b.upper)) for b in found])
    assert held >= confidence - 4 * math.sqrt(confidence * (1 - confidence) / rounds)


@pytest.mark.parametrize("kind", ["equal_tailed", "dkw"])
def test_the_band_holds_the_observed_curve_and_rises_with_n(kind):
    n = np.arange(1, 13)
    band = expected_best_band(SAMPLE, n, support=(0, 1), kind=kind)
    observed = np.array([sum(v * (i**k - (i - 1) ** k) for i, v in enumerate(SAMPLE, 1)) / 12**k for k in n.tolist()])
    assert np.all((band.lower < observed) & (observed < band.upper))
    assert np.all(np.diff([band.lower, band.upper]) > 0)


def test_the_order_of_trials_does_not_matter():
    one, two = (expected_best_band(v, [1, 9], support=(0, 1)) for v in (SAMPLE, SAMPLE[::-1]))
    assert one.lower.tolist() == two.lower.tolist()
    assert one.upper.tolist() == two.upper.tolist()


@pytest.mark.parametrize("curve", [expected_best_band, lambda *a, **k: best_quantile_band(*a, 0.3, **k)])
def test_smaller_is_better_mirrors_greater_is_better(curve):
    gains = curve(SAMPLE, [1, 2, 9], support=(0, 2))
    losses = curve(-np.array(SAMPLE), [1, 2, 9], support=(-2, 0), greater_is_better=False)
    assert losses.lower == pytest.approx(-gains.upper)
    assert losses.upper == pytest.approx(-gains.lower)


@pytest.mark.parametrize("curve", [expected_best_band, lambda *a, **k: best_quantile_band(*a, 0.3, **k)])
def test_another_unit_of_the_score_is_another_unit_of_the_band(curve):
    before = curve(SAMPLE, [1, 2, 9], support=(0, 1))
    after = curve(2 * np.array(SAMPLE) - 1, [1, 2, 9], support=(-1, 1))
    assert after.lower == pytest.approx(2 * before.lower - 1)
    assert after.upper == pytest.approx(2 * before.upper - 1)


def test_a_quantile_that_trials_leave_open_is_the_end_of_the_support():
    band = best_quantile_band(SAMPLE, [1, 100], 0.5, support=(-np.inf, np.inf))
    assert np.isfinite(band.lower).tolist() == [True, True]
    assert np.isfinite(band.upper).tolist() == [True, False]


@pytest.mark.parametrize(
    ("call", "sentence"),
    [
        (lambda: cdf_band(0), "size must be a whole number of at least 1"),
        (lambda: cdf_band(5, confidence=95), r"confidence must be in \(0, 1\), not 95"),
        (lambda: cdf_band(5, kind="ks"), "kind must be one of equal_tailed, dkw, not 'ks'"),
        (lambda: expected_best_band(SAMPLE, 1, support=(0, 0.8)), "1 of 12 do not .*the metric's own bounds"),
        (lambda: expected_best_band(SAMPLE, 1, support=(1, 0)), "support must be .* in order"),
        (lambda: expected_best_band(SAMPLE, 1, support=(0, np.inf)), "must be finite .*best_quantile_band"),
        (lambda: expected_best_band(SAMPLE, 0, support=(0, 1)), "n must be whole numbers of at least 1"),
        (lambda: expected_best_band([np.nan], 1, support=(0, 1)), "scores must be finite"),
        (lambda: best_quantile_band(SAMPLE, 1, 0, support=(0, 1)), r"q must be in \(0, 1\)"),
    ],
)
def test_misuse_is_refused_in_a_sentence(call, sentence):
    with pytest.raises(ValueError, match=sentence):
        call()
