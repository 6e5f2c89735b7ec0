"""By how much do the means of two recipes differ, whether trials are independent, paired or share their seeds?"""

from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import stats

from seedwise.stats.checks import check_level, check_spread, sample_pair, size
from seedwise.stats.degrees import satterthwaite
from seedwise.stats.seeds.crossed import CrossedMean, crossed_mean
from seedwise.stats.seeds.factors import Factors

__all__ = ["CrossedDifference", "crossed_difference"]

Floats = NDArray[np.float64]


class CrossedDifference(NamedTuple):
    """By how much the means of two recipes differ whose trials share seeds.

    Args:
        difference: Mean of A minus mean of B, in the unit of the scores.
        se: Its standard error, same unit, above 0.
        df: Degrees of freedom of the standard error, at least 1.
        t: difference / se.
        p: Two-sided p-value of both means being equal, in [0, 1].
        lower: Lower end of the difference's interval.
        upper: Upper end.
        confidence: Confidence level of the interval, in (0, 1).
        paired: Whether trials were compared seed by seed.
    """

    difference: float
    se: float
    df: float
    t: float
    p: float
    lower: float
    upper: float
    confidence: float
    paired: bool


def crossed_difference(
    a: ArrayLike,
    b: ArrayLike,
    factors_a: Factors,
    factors_b: Factors,
    *,
    paired: bool = False,
    confidence: float = 0.95,
) -> CrossedDifference:
    """Return the difference of the means, A minus B, with an interval and a test that count the variance of the seeds.

    Unpaired, se^2 = se_a^2 + se_b^2 from ``crossed_mean`` of each side, with Satterthwaite's degrees of freedom: Welch's
    test for trials that share seeds. It takes the sides' seeds as drawn apart; where both ran the same ones, it is
    right only if a seed's effect on A says nothing of its effect on B, and too cautious if seeds good for A are good
    for B. Paired, it is ``crossed_mean`` of the differences a - b, whose seed effects are what a seed does to A beyond
    what it does to B; so it holds however the two are correlated.

    Two grids of 10 x 10 trials of one distribution, 30 % of the variance from the init and 10 % from the order seeds,
    were called different at p < 0.05 in 4.5 % of the simulations, where Welch's test said so in 36 %; paired, with seed
    effects that go together on both sides, in 4.4 %, where the paired t-test said so in 28 %. If no seed matters, the two
    are called different in 2 %.

    Args:
        a: Scores of recipe A, shape (n,).
        b: Scores of recipe B, shape (m,).
        factors_a: For each kind of seed, its label in each of A's trials, shape (n,); two labels or more of each kind, so
            leave out a seed that is the same in all.
        factors_b: The same for B, shape (m,); if paired, equal to ``factors_a``. A label that occurs on both sides is
            not taken as the same seed otherwise.
        paired: Whether trial i of A and trial i of B have the same seeds.
        confidence: Confidence level of the interval, in (0, 1).

    Returns:
        The difference, its standard error, its interval and its two-sided test.

    Raises:
        ValueError: A score is not finite, neither side varies, paired trials have unequal seeds, or the factors of a
            side are such as ``crossed_mean`` refuses.

    Reference:
        Satterthwaite (1946); Welch (1947).

    Example:
        >>> init, order = (seeds.ravel() for seeds in np.indices((4, 4)))
        >>> seeds = {"init": init, "order": order}
        >>> b = 0.6 + 0.02 * init + 0.01 * (init * order % 3)
        >>> a = b + 0.01 * (1 + init * order % 2)
        >>> apart, together = (crossed_difference(a, b, seeds, seeds, paired=paired) for paired in (False, True))
        >>> print(f"{apart.difference:.4f}, p = {apart.p:.2f} unpaired and {together.p:.4f} paired")
        0.0125, p = 0.54 unpaired and 0.0024 paired
    """
    check_level("confidence", confidence)
    first, second = sample_pair(a, b, paired=paired)
    if paired:
        _check_same_seeds(factors_a, factors_b)
        differences = first - second
        check_spread("a paired t-test", differences, scale=size(first, second))
        mean = crossed_mean(differences, factors_a)
        return _t_test(mean.mean, mean.se, mean.df, confidence, paired=True)
    check_spread("a t-test", first, second)
    one, other = _side("a", first, factors_a), _side("b", second, factors_b)
    df = satterthwaite([one.se**2, other.se**2], [one.df, other.df])
    return _t_test(one.mean - other.mean, float(np.hypot(one.se, other.se)), df, confidence, paired=False)


def _check_same_seeds(factors_a: Factors, factors_b: Factors) -> None:
    if set(factors_a) != set(factors_b):
        raise ValueError(
            f"paired trials must be told the same seeds, not {sorted(factors_a)} for a and {sorted(factors_b)} for b; "
            "name the same factors on both sides."
        )
    for name, labels in factors_a.items():
        if not np.array_equal(np.asarray(labels), np.asarray(factors_b[name])):
            raise ValueError(
                f"{name} must be the same seed in trial i of a and of b where they are paired; put the trials of both in "
                "the same order of seeds and keep those that both recipes have."
            )


def _side(name: str, scores: Floats, factors: Factors) -> CrossedMean:
    try:
        return crossed_mean(scores, factors)
    except ValueError as error:
        raise ValueError(f"factors_{name}: {error}") from None


def _t_test(difference: float, se: float, df: float, confidence: float, *, paired: bool) -> CrossedDifference:
    t = difference / se
    p = 2 * float(stats.t.sf(abs(t), df))
    half = float(stats.t.isf((1 - confidence) / 2, df)) * se
    return CrossedDifference(difference, se, df, t, p, difference - half, difference + half, confidence, paired)
