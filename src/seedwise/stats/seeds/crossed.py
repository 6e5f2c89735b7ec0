"""How sure are a mean and a failed share where trials share their seeds?

In a grid of init seeds x order seeds, or with several orders for each init seed, the trials of one seed rise and fall
together, so that n trials tell less than n independent ones. The intervals here count the seeds' variance, and are
Student's and Wilson's where no seed repeats.
"""

from math import nan, sqrt
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import stats

from seedwise.stats.checks import ROUNDING, check_level, score_array, size
from seedwise.stats.degrees import satterthwaite
from seedwise.stats.failures import FailedShare, failed_share
from seedwise.stats.intervals import wilson_bounds
from seedwise.stats.seeds.components import variance_components
from seedwise.stats.seeds.factors import Codes, Factors, levels_of, repeated_factors

__all__ = ["CrossedMean", "crossed_mean", "crossed_share"]

Floats = NDArray[np.float64]


class CrossedMean(NamedTuple):
    """A mean over trials that share seeds.

    Args:
        mean: Mean score.
        se: Its standard error, in the unit of the scores.
        df: Degrees of freedom of the standard error, at least 1.
        n: How many trials there are.
        n_effective: How many independent trials, each with all seeds new, would tell as much, in [1, n]; nan where all
            scores are equal.
        lower: Lower end of the mean's interval, in the unit of the scores.
        upper: Upper end.
        confidence: Confidence level of the interval, in (0, 1).
    """

    mean: float
    se: float
    df: float
    n: int
    n_effective: float
    lower: float
    upper: float
    confidence: float


def crossed_mean(scores: ArrayLike, factors: Factors, *, confidence: float = 0.95) -> CrossedMean:
    """Return the mean score with an interval that counts the variance of the seeds.

    Every factor whose labels repeat counts; one within another, as orders of their own for each init seed, is counted
    with the other. With v the variances of ``variance_components``, n_l the trials of a factor's level l, and factors with
    v <= 0 left out,

        se^2 = sum over factors of v_f * sum_l (n_l / n)^2 + v_residual / n.

    The interval is mean ± t se. Its degrees of freedom are Satterthwaite's for se^2 as a sum of mean squares, each
    factor's v_f * sum_l (n_l / n)^2 + v_residual / n with levels - 1, less the residuals counted too often; at least
    those of the factor with the fewest levels. One factor in a balanced design has the t-interval of its levels' means,
    and without a factor it is Student's.

    Where the trials cannot tell the factors apart, as when a few seeds of a random search coincide, all of the variance is
    put down to the factor that repeats most: with m the largest sum_l (n_l / n)^2 of a factor and s the standard deviation,
    se^2 = s^2 (n - 1) / n * m / (1 - m), with 1 / m - 1 degrees of freedom. That is Student's where m = 1 / n, and cautious.

    In simulations at a level of 95 %, of two crossed factors with normal effects of none to three times the residual
    variance, 5 x 5 to 25 x 25, all of the cells, 70 or 35 % of them, lopsided designs, or three trials a cell with an
    interaction, it covered 93 % and more, most where no seed matters; Student's covered down to 20 %. It covers 92 % with
    3 x 25 seeds, but only 88 % with 2 x 25: two seeds hardly tell how much seeds vary. 20 to 50 trials with random seeds from
    20 to 40 numbers, whose factors cannot be told apart, were covered in 97 % and more.

    Args:
        scores: One score a trial, shape (n,); 0 and 1 will do, though ``crossed_share`` stays inside [0, 1].
        factors: For each kind of seed, such as "init" and "order", its label in each trial, shape (n,); two labels or more of
            each kind.
        confidence: Confidence level, in (0, 1).

    Returns:
        The mean, its standard error and interval, and how many independent trials would tell as much.

    Raises:
        ValueError: A score is not finite, there are fewer than two, a factor has one level only, or the confidence is not in
            (0, 1).

    Reference:
        Searle, Casella and McCulloch (1992), "Variance Components", chapter 4; Satterthwaite (1946); Gaylor and Hopper
        (1969), on mean squares that are subtracted.

    Example:
        >>> grid = np.add.outer([0.60, 0.70, 0.65], [0.01, 0.00, 0.03]) + 0.01 * np.eye(3)
        >>> init, order = np.indices(grid.shape)
        >>> mean = crossed_mean(grid.ravel(), {"init": init.ravel(), "order": order.ravel()})
        >>> print(f"{mean.mean:.2f} in [{mean.lower:.2f}, {mean.upper:.2f}], {mean.n_effective:.1f} trials of {mean.n}")
        0.67 in [0.55, 0.78], 3.0 trials of 9
    """
    check_level("confidence", confidence)
    values = score_array("scores", scores, least=2)
    n, mean = len(values), float(values.mean())
    codes = repeated_factors(factors, n)
    _check_levels(codes, n)
    if np.ptp(values) <= ROUNDING * size(values):
        return CrossedMean(mean, 0.0, float(max(_residual_df(codes, n), 1)), n, nan, mean, mean, confidence)
    se, df, fresh = _standard_error(values, codes)
    half = float(stats.t.isf((1 - confidence) / 2, df)) * se
    return CrossedMean(mean, se, df, n, float(np.clip(fresh / se**2, 1, n)), mean - half, mean + half, confidence)


def crossed_share(failed: ArrayLike, factors: Factors, *, confidence: float = 0.95) -> FailedShare:
    """Return the share of failed trials with Wilson's interval for as many trials as tell something new.

    Wilson's interval at k = n_effective (z / t)^2 trials: n_effective and the degrees of freedom of t are those of
    ``crossed_mean`` on 0 and 1, and z / t pays for n_effective being estimated. Where all trials failed, or none, it
    cannot be estimated, and k is the smallest number of levels of any factor: as if each of its seeds always failed or
    never did. Where no seed repeats, it is Wilson's. That is cautious; a single trial unlike the others may therefore give a much narrower interval.

    Simulated at a level of 95 % with failures where a normal latent variable is low, to which each of two seeds adds a
    quarter of the variance, on 5 x 5, 10 x 10 and 25 x 25 trials, all or 70 % of them, it covered 93 % and more at
    shares of 1 to 50 %; ``failed_share`` covered down to 49 %. Where the seeds add 45 % each, shares of 5 % were covered in
    90 % of the 25 x 25 grids: some of the few seeds that fail may not have been drawn.

    Args:
        failed: One boolean a trial, shape (n,).
        factors: For each kind of seed, its label in each trial, shape (n,); two labels or more of each kind.
        confidence: Confidence level of the interval, in (0, 1).

    Returns:
        Count, share and interval; ``n`` is the number of trials there are.

    Raises:
        ValueError: ``failed`` is no vector of booleans, the factors are such as ``crossed_mean`` refuses, or the
            confidence is not in (0, 1).

    Reference:
        Korn and Graubard (1998), "Confidence intervals for proportions with small expected number of positive counts
        estimated from survey data", for k; Wilson (1927).

    Example:
        >>> init, order = np.indices((5, 5))
        >>> failed = ((init < 2) | (init + order == 7)).ravel()  # two inits always fail, and two single trials
        >>> result = crossed_share(failed, {"init": init.ravel(), "order": order.ravel()})
        >>> print(f"{result.failed} of {result.n}: {result.lower:.2f}..{result.upper:.2f}")
        12 of 25: 0.12..0.86
    """
    plain = failed_share(failed, confidence=confidence)
    codes = repeated_factors(factors, plain.n)
    if not codes:
        return plain
    mean = crossed_mean(np.asarray(failed, dtype=np.float64), factors, confidence=confidence)
    tail = (1 - confidence) / 2
    z, t = float(stats.norm.isf(tail)), float(stats.t.isf(tail, mean.df))
    k = mean.n_effective * (z / t) ** 2 if 0 < plain.failed < plain.n else levels_of(codes, plain.n)
    lower, upper = wilson_bounds(plain.share, k, confidence=confidence)
    return plain._replace(lower=lower, upper=upper)


def _standard_error(values: Floats, codes: Codes) -> tuple[float, float, float]:
    """Return the mean's standard error, its degrees of freedom, and the variance of a trial with all seeds new."""
    n = len(values)
    try:
        variance = variance_components(values, codes, repeats=1).variance if codes else np.array([values.var(ddof=1)])
    except ValueError:  # the design does not tell the factors apart
        most = max(_weight(code) for code in codes.values())
        fresh = float(values.var()) / (1 - most)
        return sqrt(fresh * most), max(1 / most - 1, 1.0), fresh
    residual = float(variance[-1]) / n
    parts, degrees = [], []  # of the factors that are found to matter
    for v, code in zip(variance[:-1], codes.values(), strict=True):
        if v > 0:
            parts.append(float(v) * _weight(code))
            degrees.append(int(code.max()))
    # In a balanced design these are the mean squares over n, which are independent.
    squares = [*(part + residual for part in parts), (1 - len(parts)) * residual]
    df = satterthwaite(squares, [*degrees, _residual_df(codes, n)])
    fresh = float(np.maximum(variance, 0).sum())
    return sqrt(sum(parts) + residual), max(df, float(min(degrees, default=1))), fresh


def _weight(code: NDArray[np.intp]) -> float:
    """Return by how much a factor's variance counts in that of the mean: 1 / levels where all have equally many trials."""
    return float(np.sum((np.bincount(code) / len(code)) ** 2))


def _residual_df(codes: Codes, n: int) -> int:
    return n - 1 - sum(int(code.max()) for code in codes.values())


def _check_levels(codes: Codes, n: int) -> None:
    for name, code in codes.items():
        if code.max() == 0:
            raise ValueError(
                f"{name} must have at least two levels, not one for all {n} trials; leave the factor out or vary it."
            )
