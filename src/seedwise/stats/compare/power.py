"""How many seeds would separate two recipes?

What these functions say of recipes already tried holds if the difference and the spreads seen so far are the true ones.
That is optimistic: a difference that caught the eye is larger, on average, than the truth. Plan with the smallest
difference that would matter where you can (``power``, ``detectable``), and take ``power_now`` for what it is: the
p-value in other words.
"""

from bisect import bisect_left
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import optimize, special, stats

from seedwise.stats.checks import (
    ALTERNATIVES,
    Alternative,
    check_choice,
    check_level,
    check_number,
    check_spread,
    count_array,
    one_count,
    sample_pair,
    size,
)
from seedwise.stats.degrees import satterthwaite

__all__ = ["SeedsNeeded", "detectable", "growth_needed", "power", "seeds_needed"]

Floats = NDArray[np.float64]


class SeedsNeeded(NamedTuple):
    """How many seeds would separate two recipes, if what was seen so far is the truth.

    Args:
        n_each: Trials each recipe needs; None if no number up to the most allowed suffices.
        more_a: Further trials A needs; None likewise.
        more_b: Further trials B needs; None likewise.
        power_now: Chance that the present numbers of trials show the difference, in [0, 1].
        power: The chance asked for, in (0, 1).
        level: Significance level of the test, in (0, 1).
        difference: mean a - mean b, taken as true, in the unit of the scores.
        reason: Why there is no number; empty if there is.
    """

    n_each: int | None
    more_a: int | None
    more_b: int | None
    power_now: float
    power: float
    level: float
    difference: float
    reason: str


class _Design(NamedTuple):
    """How precisely a difference is seen: its standard error and their degrees of freedom."""

    error: float
    degrees: float


def power(
    difference: float,
    sd_a: float,
    sd_b: float,
    n_a: int,
    n_b: int,
    *,
    level: float = 0.05,
    alternative: Alternative = "two-sided",
) -> float:
    """Return the chance that Welch's t-test finds a difference of means.

    t has about a noncentral t distribution with noncentrality difference / sqrt(sd_a^2 / n_a + sd_b^2 / n_b) and
    Satterthwaite's degrees of freedom; the power is its share beyond the critical value.

    Args:
        difference: True mean of A minus true mean of B, in the unit of the scores.
        sd_a: True standard deviation of A's scores, at least 0, same unit.
        sd_b: Likewise B's; not both 0.
        n_a: Trials of A, at least 2.
        n_b: Trials of B, at least 2.
        level: Significance level, in (0, 1).
        alternative: "greater", "less" or "two-sided".

    Returns:
        The power, in [0, 1]; the level itself where the difference is 0.

    Raises:
        ValueError: An argument is out of range.

    Reference:
        Cohen (1988), "Statistical Power Analysis for the Behavioral Sciences", chapter 2; Moser, Stevens and Watts
        (1989) for unequal spreads.

    Example:
        >>> print(f"{power(0.02, 0.03, 0.03, 20, 20):.2f}")
        0.54
    """
    check_level("level", level)
    check_choice("alternative", alternative, ALTERNATIVES)
    for name, value in (("difference", difference), ("sd_a", sd_a), ("sd_b", sd_b)):
        check_number(name, value)
    if not np.isfinite(difference):
        raise ValueError(f"difference must be finite, not {difference!r}.")
    if not (0 <= sd_a < np.inf and 0 <= sd_b < np.inf and sd_a + sd_b > 0):
        raise ValueError(f"sd_a and sd_b must be at least 0 and not both 0, not {sd_a!r} and {sd_b!r}.")
    if min(*count_array("n_a and n_b", [n_a, n_b])) < 2:
        raise ValueError(f"n_a and n_b must be at least 2, not {n_a} and {n_b}; one trial shows no spread.")
    return _chance(difference, _welch(sd_a, sd_b, n_a, n_b), level, alternative)


def seeds_needed(
    a: ArrayLike,
    b: ArrayLike,
    *,
    paired: bool = False,
    power: float = 0.8,
    level: float = 0.05,
    alternative: Alternative = "two-sided",
    most: int = 100_000,
) -> SeedsNeeded:
    """Return how many seeds each recipe needs, equally many, until a t-test separates them.

    The smallest n whose power reaches ``power``, by bisection, with the observed difference and standard deviations as
    if they were the truth, which is optimistic (see the top of this file).

    Args:
        a: Scores of recipe A, shape (n,), n >= 2.
        b: Scores of recipe B, shape (m,), m >= 2.
        paired: Whether trials with equal seeds stand at equal places; the paired t-test then, else Welch's.
        power: The chance of showing the difference, in (0, 1), above ``level``.
        level: Significance level, in (0, 1).
        alternative: "greater" (A higher), "less" or "two-sided".
        most: The largest number of trials a recipe that is considered.

    Returns:
        The number a recipe, what is missing to it, and the power now.

    Raises:
        ValueError: There are fewer than two trials, a score is not finite, nothing varies, or a level is out of range.

    Example:
        >>> needed = seeds_needed([0.71, 0.74, 0.70, 0.73], [0.70, 0.72, 0.69, 0.73, 0.70])
        >>> needed.n_each, needed.more_a, needed.more_b
        (34, 30, 29)
    """
    _check_target(power, level, alternative)
    most = one_count("most", most, least=2)
    first, second = _samples(a, b, paired)
    gap = float(first.mean() - second.mean())

    def reached(n: int) -> bool:
        return _chance(gap, _design(first, second, n, n, paired), level, alternative) >= power

    now = _chance(gap, _design(first, second, len(first), len(second), paired), level, alternative)
    reason = _hopeless(gap, alternative) or ("" if reached(most) else f"{most} trials of each recipe do not suffice")
    if reason:
        return SeedsNeeded(None, None, None, now, power, level, gap, reason)
    n_each = 2 + bisect_left(range(2, most), x=True, key=reached)
    more_a, more_b = (max(0, n_each - len(scores)) for scores in (first, second))
    return SeedsNeeded(n_each, more_a, more_b, now, power, level, gap, "")


def detectable(
    a: ArrayLike,
    b: ArrayLike,
    *,
    paired: bool = False,
    power: float = 0.8,
    level: float = 0.05,
    alternative: Alternative = "two-sided",
) -> float:
    """Return the smallest true difference of means that the present trials would show with the chance ``power``.

    Args:
        a: Scores of recipe A, shape (n,), n >= 2; only their number and spread count.
        b: Scores of recipe B, shape (m,), m >= 2.
        paired: Whether trials with equal seeds stand at equal places; the paired t-test then, else Welch's.
        power: The chance of showing the difference, in (0, 1), above ``level``.
        level: Significance level, in (0, 1).
        alternative: "greater", "less" or "two-sided".

    Returns:
        The size of the difference, above 0, in the unit of the scores.

    Raises:
        ValueError: There are fewer than two trials, a score is not finite, nothing varies, or a level is out of range.

    Example:
        >>> print(f"{detectable([0.71, 0.74, 0.70, 0.73], [0.70, 0.72, 0.69, 0.73, 0.70]):.3f}")
        0.039
    """
    _check_target(power, level, alternative)
    first, second = _samples(a, b, paired)
    error, degrees = _design(first, second, len(first), len(second), paired)
    tail: Alternative = "two-sided" if alternative == "two-sided" else "greater"
    most = 1.0  # in standard errors
    while _chance(most, _Design(1, degrees), level, tail) < power:
        most *= 2
    return error * float(optimize.brentq(lambda gap: _chance(gap, _Design(1, degrees), level, tail) - power, 0, most))


def growth_needed(difference: float, se: float, df: float, *, power: float = 0.8, level: float = 0.05) -> float | None:
    """Return how many times as many seeds would show a difference of means, where trials share their seeds.

    With g times as many seeds of every kind the squared standard error is g times smaller, and its degrees of freedom g times
    as many; the smallest such g, with the observed difference and standard error taken for the truth, which is optimistic.

    Args:
        difference: Mean of A minus mean of B, in the unit of the scores.
        se: Its standard error, above 0, same unit.
        df: Degrees of freedom of the standard error, at least 1.
        power: The chance of showing the difference by a two-sided t-test, in (0, 1), above ``level``.
        level: Significance level, in (0, 1).

    Returns:
        The factor, at least 1; None beyond 10,000.

    Raises:
        ValueError: A level is out of range, or the standard error or its degrees of freedom are.

    Example:
        >>> round(growth_needed(0.01, 0.01, 8), 1)
        8.1
    """
    _check_target(power, level, "two-sided")
    for name, value in (("difference", difference), ("se", se), ("df", df)):
        check_number(name, value)
    if not (np.isfinite(difference) and 0 < se < np.inf and 1 <= df < np.inf):
        raise ValueError(
            f"difference must be finite, se above 0 and df at least 1, not {difference!r}, {se!r} and {df!r}."
        )

    def short(log_growth: float) -> float:
        growth = float(np.exp(log_growth))
        return _chance(abs(difference), _Design(se / np.sqrt(growth), df * growth), level, "two-sided") - power

    most = float(np.log(10_000))
    if short(0) >= 0:
        return 1.0
    # What normal scores would need is near, and the root is soon found from there.
    reach = float(special.ndtri(1 - level / 2) + special.ndtri(power)) * se
    near = 2 * np.log(reach / abs(difference)) if difference else np.inf
    low, high = (float(np.clip(near + step, 0, most)) for step in (-0.1, 0.5))
    if high <= low or short(low) > 0 or short(high) < 0:
        low, high = 0.0, most
    return None if short(high) < 0 else float(np.exp(optimize.brentq(short, low, high, xtol=1e-4)))


def _chance(difference: float, design: _Design, level: float, alternative: Alternative) -> float:
    """Return the chance that a t-test of this design rejects."""
    away = difference / design.error
    if alternative != "two-sided":
        return _beyond(design.degrees, away if alternative == "greater" else -away, level)
    return _beyond(design.degrees, away, level / 2) + _beyond(design.degrees, -away, level / 2)


def _beyond(degrees: float, away: float, level: float) -> float:
    """Return the chance that a noncentral t lies above the upper critical value."""
    critical = -float(special.stdtrit(degrees, level))
    if away < -30 or away > 40 * (1 + abs(critical)):  # beyond what floats tell from 0 and 1, scipy may answer nan
        return float(away > 0)
    return float(stats.nct.sf(critical, degrees, away))


def _design(first: Floats, second: Floats, n_a: int, n_b: int, paired: bool) -> _Design:  # noqa: FBT001
    if paired:
        return _Design(float((first - second).std(ddof=1)) / np.sqrt(n_a), n_a - 1)
    return _welch(float(first.std(ddof=1)), float(second.std(ddof=1)), n_a, n_b)


def _welch(sd_a: float, sd_b: float, n_a: int, n_b: int) -> _Design:
    variances = sd_a**2 / n_a, sd_b**2 / n_b
    return _Design(float(np.sqrt(sum(variances))), satterthwaite(variances, (n_a - 1, n_b - 1)))


def _samples(a: ArrayLike, b: ArrayLike, paired: bool) -> tuple[Floats, Floats]:  # noqa: FBT001 - handed on
    first, second = sample_pair(a, b, paired=paired)
    check_spread("power", *([first - second] if paired else [first, second]), scale=size(first, second))
    return first, second


def _hopeless(gap: float, alternative: Alternative) -> str:
    """Return why no number of trials can show the difference, or nothing."""
    if gap == 0:
        return "the means are equal so far, so no number of trials would separate them"
    if (gap > 0) == (alternative == "less") and alternative != "two-sided":
        return f"the difference is {gap:g} so far, which is not {alternative} than 0"
    return ""


def _check_target(power: float, level: float, alternative: Alternative) -> None:
    check_level("power", power)
    check_level("level", level)
    check_choice("alternative", alternative, ALTERNATIVES)
    if power <= level:
        raise ValueError(f"power must be above the level {level!r}, not {power!r}; 0.8 is usual.")
