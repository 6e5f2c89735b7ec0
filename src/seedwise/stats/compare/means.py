"""Does recipe A score higher than recipe B in the mean? One question, one test: sign, interval and p-value come from it."""

import math
from enum import StrEnum
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import stats

from seedwise.stats.checks import ROUNDING, check_level, score_array, size
from seedwise.stats.compare.mean_difference import crossed_difference
from seedwise.stats.compare.sequential import SequentialDifference, sequential_difference
from seedwise.stats.degrees import satterthwaite
from seedwise.stats.seeds.crossed import CrossedMean, crossed_mean
from seedwise.stats.seeds.factors import NO_FACTORS, Factors, levels_of, repeated_factors

__all__ = ["MeanComparison", "MeanTest", "compare_means", "compare_means_sequentially", "with_more_error"]

Floats = NDArray[np.float64]


class MeanTest(StrEnum):
    """Which test compares the means."""

    PAIRED = "paired t-test"
    WELCH = "Welch's t-test"
    POOLED = "t-test with pooled variance"
    PAIRED_SEEDS = "paired t-test with shared seeds counted"
    SEEDS = "t-test with shared seeds counted"
    POOLED_SEEDS = "t-test with pooled variance and shared seeds counted"
    SIGN_FLIPS = "sign-flip test"
    PERMUTATION = "permutation test"
    SEQUENTIAL = "sequential paired t-test"
    IDENTICAL = "none, since the scores are equal"


class MeanComparison(NamedTuple):
    """By how much the means of two recipes differ, by one test.

    Args:
        test: The test.
        difference: Mean of A minus mean of B, in the unit of the scores.
        se: Its standard error, same unit, at least 0.
        df: Degrees of freedom of the standard error; infinite where the test has none.
        lower: Lower end of the interval that inverts the test; minus infinity where the test cannot exclude any value.
        upper: Upper end.
        p: Two-sided p-value of both means being equal, in [0, 1]; below 1 - confidence where the interval excludes 0.
        confidence: Confidence level of the interval, in (0, 1).
    """

    test: MeanTest
    difference: float
    se: float
    df: float
    lower: float
    upper: float
    p: float
    confidence: float

    def ends(self, confidence: float) -> tuple[float, float]:
        """Return the interval that inverts the test at another confidence, in (0, 1)."""
        if self.test is MeanTest.SEQUENTIAL:
            return self._now.ends(confidence)
        if math.isfinite(self.df):
            reach = float(stats.t.isf((1 - confidence) / 2, self.df)) * self.se
        else:
            reach = 0.0 if self.p < 1 - confidence or self.test is MeanTest.IDENTICAL else math.inf
        return self.difference - reach, self.difference + reach

    def within(self, margin: float) -> float:
        """Return the p-value of the means differing by the margin or more: two one-sided tests, of which the larger counts.

        Args:
            margin: By how much the means may differ and still be called equal, above 0, in the unit of the scores.

        Reference:
            Schuirmann (1987), "A comparison of the two one-sided tests procedure and the power approach".
        """
        room = margin - abs(self.difference)
        if self.test is MeanTest.SEQUENTIAL:
            return max(self._now.p_of(margin), self._now.p_of(-margin)) if room > 0 else 1.0
        if self.se == 0:
            return (self.p / 2 if self.test is not MeanTest.IDENTICAL else 0.0) if room > 0 else 1.0
        return float(stats.t.sf(room / self.se, self.df))

    @property
    def _now(self) -> SequentialDifference:
        """What the sequential test saw."""
        ends = (self.lower, self.upper)
        return SequentialDifference(int(self.df) + 1, self.difference, *ends, self.p, self.confidence, self.se)


def compare_means(
    a: ArrayLike,
    b: ArrayLike,
    factors_a: Factors = NO_FACTORS,
    factors_b: Factors = NO_FACTORS,
    *,
    paired: bool = False,
    confidence: float = 0.95,
) -> MeanComparison:
    """Return by how much the means differ, by the test that fits how the trials share their seeds.

    Welch's t-test, or the paired one, where no seed repeats; ``crossed_difference`` where seeds do. Of two recipes with unequally
    many trials that are not paired the wider interval counts, Welch's or Student's with pooled variance: where trials fail now and
    then, a few trials without a failure make Welch's far too narrow (50 equal trials against 5, of which 10 % fail: 21 % are told
    apart at 5 %; by the wider interval 4 %). Where nothing varies there
    is no t: if all pairs differ by the same d, p is that of flipping signs, 2 / 2^n; if each recipe always scores the same, it is
    the share of assignments of scores to recipes with such a difference. n counts seeds where trials share them. The interval is
    then d alone if that p is below 1 - confidence, else it has no ends. Equal scores have a difference of 0, and p = 1.

    Args:
        a: Scores of recipe A, shape (n,), n >= 2.
        b: Scores of recipe B, shape (m,), m >= 2.
        factors_a: For each kind of seed, its label in each of A's trials, shape (n,); two labels or more of each kind.
        factors_b: The same for B, shape (m,); if paired, equal to ``factors_a``.
        paired: Whether trial i of A and trial i of B have the same seeds.
        confidence: Confidence level of the interval, in (0, 1).

    Returns:
        The difference, its interval and its two-sided test.

    Raises:
        ValueError: There are fewer than two trials or a score is not finite, paired trials have unequal seeds, or a factor
            has one level only.

    Reference:
        Welch (1947); Student (1908); Fisher (1935), "The Design of Experiments", section 21, for the tests without a t.

    Example:
        >>> found = compare_means([0.71, 0.72, 0.70, 0.73], [0.68, 0.71, 0.66, 0.70])
        >>> print(f"{found.difference:.4f} [{found.lower:.3f}, {found.upper:.3f}], p = {found.p:.3f}, {found.test}")
        0.0275 [-0.006, 0.061], p = 0.087, Welch's t-test
        >>> compare_means([0.71] * 6, [0.70] * 6, paired=True).p
        0.03125
    """
    check_level("confidence", confidence)
    first, second = score_array("a", a, least=2), score_array("b", b, least=2)
    rounding = ROUNDING * size(first, second)
    shared = [repeated_factors(factors, len(x)) for factors, x in ((factors_a, first), (factors_b, second))]
    units = [levels_of(codes, len(x)) for codes, x in zip(shared, (first, second), strict=True)]
    difference = float(first.mean() - second.mean())
    alike = len(first) == len(second)
    samples = [first - second] if paired and alike else [first, second]
    constant = all(np.ptp(sample) <= rounding for sample in samples)
    if (alike and np.abs(first - second).max() <= rounding) or (constant and abs(difference) <= rounding):
        return MeanComparison(MeanTest.IDENTICAL, 0.0, 0.0, math.inf, 0.0, 0.0, 1.0, confidence)
    if constant:
        return _without_spread(difference, units, confidence, paired=paired)
    found = crossed_difference(first, second, factors_a, factors_b, paired=paired, confidence=confidence)
    tests = (MeanTest.WELCH, MeanTest.PAIRED), (MeanTest.SEEDS, MeanTest.PAIRED_SEEDS)
    one = MeanComparison(tests[any(shared)][paired], *found[:3], found.lower, found.upper, found.p, confidence)
    if paired or alike:
        return one
    test = MeanTest.POOLED_SEEDS if any(shared) else MeanTest.POOLED
    other = _pooled(
        test, difference, [crossed_mean(first, factors_a), crossed_mean(second, factors_b)], units, confidence
    )
    return max(one, other, key=lambda found: found.upper - found.lower)


def _pooled(
    test: MeanTest, difference: float, sides: list[CrossedMean], units: list[int], confidence: float
) -> MeanComparison:
    """Compare means with one variance of a trial for both sides: Student's test, with trials that share seeds counted."""
    counts = [
        unit if math.isnan(side.n_effective) else side.n_effective for side, unit in zip(sides, units, strict=True)
    ]
    df = sum(side.df for side in sides)
    variance = sum(side.df * side.se**2 * count for side, count in zip(sides, counts, strict=True)) / df
    se = math.sqrt(variance * sum(1 / count for count in counts))
    p = 2 * float(stats.t.sf(abs(difference) / se, df))
    found = MeanComparison(test, difference, se, df, math.nan, math.nan, p, confidence)
    lower, upper = found.ends(confidence)
    return found._replace(lower=lower, upper=upper)


def compare_means_sequentially(a: ArrayLike, b: ArrayLike, *, confidence: float = 0.95) -> MeanComparison:
    """Return by how much the means of paired scores differ, by a test that holds however often one looks.

    See `sequential_difference`; scores that are all equal pair by pair have a difference of 0, and p = 1.

    Args:
        a: Scores of recipe A, shape (n,), n >= 2.
        b: Scores of recipe B with the same seeds in the same order, shape (n,); no two trials of a recipe share a seed.
        confidence: Confidence level of the interval, at all looks at once, in (0, 1).

    Returns:
        The difference, its interval and its two-sided test.

    Raises:
        ValueError: There are fewer than two trials or unequally many, a score is not finite, or confidence is not in (0, 1).

    Reference:
        See `sequential_difference`.
    """
    first, second = score_array("a", a, least=2), score_array("b", b, least=2)
    found = sequential_difference(first, second, confidence=confidence)
    if np.abs(first - second).max() <= ROUNDING * size(first, second):
        return MeanComparison(MeanTest.IDENTICAL, 0.0, 0.0, math.inf, 0.0, 0.0, 1.0, confidence)
    ends = (found.lower, found.upper)
    return MeanComparison(MeanTest.SEQUENTIAL, found.difference, found.se, found.n - 1, *ends, found.p, confidence)


def _without_spread(difference: float, units: list[int], confidence: float, *, paired: bool) -> MeanComparison:
    """Compare recipes that differ by the same amount wherever one looks."""
    if paired:
        test, p = MeanTest.SIGN_FLIPS, 2.0 ** (1 - min(units))
    else:
        mirrored = 2 if units[0] == units[1] else 1  # exchanging all scores gives a difference as large
        test, p = MeanTest.PERMUTATION, mirrored / math.comb(sum(units), units[0])
    found = MeanComparison(test, difference, 0.0, math.inf, math.nan, math.nan, p, confidence)
    lower, upper = found.ends(confidence)
    return found._replace(lower=lower, upper=upper)


def with_more_error(found: MeanComparison, se: float, df: float) -> MeanComparison:
    """Return a comparison that has another, independent standard error on top, such as that of the evaluated rows."""
    variances, degrees = (found.se**2, se**2), (found.df, df)
    total = math.hypot(found.se, se)
    if total == 0:
        return found
    joined = satterthwaite(variances, degrees)
    p = 2 * float(stats.t.sf(abs(found.difference) / total, joined))
    wider = found._replace(se=total, df=joined, p=p)
    lower, upper = wider.ends(found.confidence)
    return wider._replace(lower=lower, upper=upper)
