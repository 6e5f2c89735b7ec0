"""Do intervals hold the truth as often as they promise, and agree with other people's code?"""

import numpy as np
import pytest
from scipy import stats
from statsmodels.stats.proportion import proportion_confint

from seedwise.stats.best.expected_best import best_quantile
from seedwise.stats.intervals import (
    correlation_bounds,
    correlation_interval,
    mean_interval,
    proportion_interval,
    quantile_interval,
)


@pytest.mark.parametrize("confidence", [0.8, 0.95, 0.99])
@pytest.mark.parametrize(("count", "n"), [(0, 5), (1, 5), (12, 25), (24, 25), (25, 25), (300, 625)])
def test_a_share_has_the_interval_that_statsmodels_gives(count, n, confidence):
    interval = proportion_interval(count, n, confidence=confidence)
    expected = proportion_confint(count, n, alpha=1 - confidence, method="wilson")
    assert interval[1:3] == pytest.approx(expected, abs=1e-12)


def test_the_ends_of_a_shares_interval_are_where_a_score_test_just_rejects():
    count, n, z = 7, 30, stats.norm.ppf(0.975)
    interval = proportion_interval(count, n)
    for q in interval[1:3]:
        assert (count - n * q) ** 2 == pytest.approx(z**2 * n * q * (1 - q))


def test_no_failures_leave_failure_possible():
    assert proportion_interval(0, 20).lower == 0
    assert 0.1 < proportion_interval(0, 20).upper < 0.2


def test_failures_and_successes_have_mirrored_intervals():
    failures, successes = proportion_interval(3, 11), proportion_interval(8, 11)
    assert (failures.lower, failures.upper) == pytest.approx((1 - successes.upper, 1 - successes.lower))


@pytest.mark.parametrize("n", [5, 20, 50])
def test_intervals_of_shares_cover_as_promised_on_average_over_all_shares(n):
    truths = (np.arange(2000) + 0.5) / 2000
    ends = np.array([proportion_interval(count, n)[1:3] for count in range(n + 1)])
    covers = (ends[:, :1] <= truths) & (truths <= ends[:, 1:])
    chance = stats.binom.pmf(np.arange(n + 1)[:, None], n, truths)
    assert 0.945 < (covers * chance).sum(axis=0).mean() < 0.965


@pytest.mark.parametrize(
    ("count", "n", "says"),
    [(-1, 5, "from 0 to n = 5"), (6, 5, "from 0 to n = 5"), (0.5, 5, "whole number"), (0, 0, "at least 1")],
)
def test_a_share_of_impossible_counts_is_refused(count, n, says):
    with pytest.raises(ValueError, match=says):
        proportion_interval(count, n)


def test_a_mean_has_the_interval_that_scipy_gives():
    scores = np.random.default_rng(0).normal(0.7, 0.05, 12)
    interval = mean_interval(scores, confidence=0.9)
    expected = stats.ttest_1samp(scores, 0).confidence_interval(0.9)
    assert (interval.lower, interval.upper) == pytest.approx((expected.low, expected.high))


def test_one_trial_has_no_interval():
    with pytest.raises(ValueError, match="at least 2 trials, not 1"):
        mean_interval([0.7])


@pytest.mark.parametrize(
    "interval", [lambda c: mean_interval([1, 2], confidence=c), lambda c: proportion_interval(1, 2, confidence=c)]
)
def test_percent_are_no_confidence(interval):
    with pytest.raises(ValueError, match="confidence must be in"):
        interval(95)


@pytest.mark.parametrize("confidence", [0.8, 0.95])
def test_a_pearson_correlation_has_the_interval_that_scipy_gives(confidence):
    x, y = np.random.default_rng(1).normal(size=(2, 30))
    found = stats.pearsonr(x, y)
    expected = found.confidence_interval(confidence)
    interval = correlation_interval(found.statistic, 30, confidence=confidence, method="pearson")
    assert (interval.lower, interval.upper) == pytest.approx((expected.low, expected.high))


@pytest.mark.parametrize(("method", "least", "most"), [("pearson", 0.945, 0.955), ("spearman", 0.93, 0.965)])
@pytest.mark.parametrize("rho", [0.0, 0.6, 0.9])
@pytest.mark.parametrize("n", [10, 25])
def test_intervals_of_correlations_cover_as_promised(method, least, most, rho, n):
    repeats = 20_000
    generator = np.random.default_rng(2)
    x = generator.normal(size=(repeats, n))
    y = rho * x + np.sqrt(1 - rho**2) * generator.normal(size=(repeats, n))
    if method == "spearman":
        x, y = stats.rankdata(x, axis=1), stats.rankdata(y, axis=1)
    x, y = ((v - v.mean(axis=1, keepdims=True)) for v in (x, y))
    r = (x * y).sum(axis=1) / np.sqrt((x**2).sum(axis=1) * (y**2).sum(axis=1))
    truth = rho if method == "pearson" else 6 / np.pi * np.arcsin(rho / 2)  # of normal scores
    lower, upper = correlation_bounds(np.clip(r, -1, 1), n, method=method)
    error = np.sqrt(0.95 * 0.05 / repeats)
    assert least - 4 * error < np.mean((lower <= truth) & (truth <= upper)) < most + 4 * error


def test_equal_ranks_of_few_trials_prove_little_and_of_many_trials_much():
    assert correlation_interval(1.0, 4).lower < 0
    assert correlation_interval(1.0, 30).lower > 0.99
    assert correlation_interval(1.0, 30).upper == 1


def test_scores_on_one_line_are_perfectly_correlated_for_sure():
    assert correlation_interval(-1.0, 10, method="pearson")[:3] == (-1, -1, -1)


def test_an_undefined_correlation_has_no_interval():
    assert np.isnan(correlation_interval(float("nan"), 10)[:3]).all()


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        ({"r": 1.1, "n": 10}, r"r must be in \[-1, 1\]"),
        ({"r": 0.5, "n": 3}, "at least 4 trials"),
        ({"r": 0.5, "n": 10, "method": "kendall"}, "method must be one of spearman, pearson"),
        ({"r": 0.5, "n": 10, "confidence": 1}, "confidence must be in"),
    ],
)
def test_what_is_no_correlation_is_refused(arguments, says):
    with pytest.raises(ValueError, match=says):
        correlation_interval(**arguments)


@pytest.mark.parametrize("q", [0.1, 0.25, 0.5, 0.9])
@pytest.mark.parametrize("n", [10, 36, 100])
def test_the_interval_of_a_quantile_is_the_shortest_that_scipy_allows(q, n):
    """scipy's quantile_test inverts the binomial test, one side at a time; no trials are tied."""
    scores = np.random.default_rng(n).normal(size=n)
    found, test = quantile_interval(scores, q), stats.quantile_test(scores, q=0, p=q)
    ends = test.confidence_interval(0.95)
    assert found.lower == (ends.low if np.isfinite(ends.low) else -np.inf)
    assert found.upper == (ends.high if np.isfinite(ends.high) else np.inf)
    assert found.estimate == best_quantile(scores, 1, q)[0]


@pytest.mark.parametrize("n", [20, 36, 50])
def test_a_quantile_of_tied_scores_is_held_by_its_interval(n):
    """A tenth of the trials and a little more score 0.5: that is their 10 % quantile."""
    generator = np.random.default_rng(0)
    held = []
    for _ in range(1000):
        scores = np.where(generator.random(n) < 0.12, 0.5, 0.7)
        found = quantile_interval(scores, 0.1)
        held.append(found.lower <= 0.5 <= found.upper)
    assert np.mean(held) > 0.95 - 3 * np.sqrt(0.05 * 0.95 / 1000)


def test_of_a_loss_poor_luck_is_a_high_quantile():
    scores = np.random.default_rng(0).normal(size=80)
    gain, loss = quantile_interval(scores, 0.1), quantile_interval(-scores, 0.1, greater_is_better=False)
    assert loss[:3] == (-gain.estimate, -gain.upper, -gain.lower)


def test_fewer_than_36_trials_leave_open_how_poor_a_tenth_can_be():
    assert np.isinf(quantile_interval(np.arange(35), 0.1).lower)
    assert quantile_interval(np.arange(36), 0.1).lower == 0
