"""Is the interval from printed means that of the trials behind them?"""

import numpy as np
import pytest
from scipy import stats

from seedwise.stats.compare.printed import difference_of_summaries


def summary(scores):
    return float(scores.mean()), float(scores.std(ddof=1)), len(scores)


@pytest.mark.parametrize("confidence", [0.9, 0.95])
def test_interval_is_scipy_s_of_the_trials_themselves(confidence):
    draw = np.random.default_rng(0)
    a, b = draw.normal(0.7, 0.05, 20), draw.normal(0.65, 0.01, 7)
    found = difference_of_summaries(summary(a), summary(b), confidence=confidence)
    expected = stats.ttest_ind(a, b, equal_var=False).confidence_interval(confidence)
    assert found[:3] == pytest.approx((a.mean() - b.mean(), expected.low, expected.high))


def test_swapping_turns_the_sign():
    a, b = (0.7, 0.02, 20), (0.6, 0.03, 5)
    one, other = difference_of_summaries(a, b), difference_of_summaries(b, a)
    assert (one.estimate, one.lower, one.upper) == pytest.approx((-other.estimate, -other.upper, -other.lower))


def test_interval_covers_as_promised():
    draw, covered = np.random.default_rng(1), 0
    for _ in range(1000):
        a, b = draw.normal(0.7, 0.05, 20), draw.normal(0.6, 0.02, 20)
        found = difference_of_summaries(summary(a), summary(b))
        covered += found.lower <= 0.1 <= found.upper
    assert abs(covered - 950) < 4 * np.sqrt(1000 * 0.95 * 0.05)


def test_without_any_spread_the_interval_has_no_width():
    assert difference_of_summaries((0.7, 0, 3), (0.6, 0, 3))[1:3] == pytest.approx((0.1, 0.1))


@pytest.mark.parametrize(
    ("a", "says"),
    [
        ((0.7, 0.1, 1), "a must rest on at least 2 trials, not 1"),
        ((0.7, -0.1, 5), "a standard deviation of at least 0"),
        ((float("nan"), 0.1, 5), "a finite mean"),
    ],
)
def test_what_is_no_summary_is_refused(a, says):
    with pytest.raises(ValueError, match=says):
        difference_of_summaries(a, (0.6, 0.1, 5))
