"""Is recipe A better than recipe B, or did it get luckier seeds?

Every test takes the final scores of two recipes: ``a`` of shape (n,) and ``b`` of shape (m,). ``alternative`` says what
is to be shown: "greater", a scores higher; "less", a scores lower; "two-sided", they differ. distribution_free.py has
the tests by ranks and permutation; effects.py says how large the difference is.
"""

from collections.abc import Mapping
from math import isnan, nan
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import stats

from seedwise.stats.checks import (
    ALTERNATIVES,
    ROUNDING,
    Alternative,
    check_choice,
    check_level,
    check_spread,
    sample_pair,
    score_array,
    size,
)
from seedwise.stats.compare.multiplicity import adjust
from seedwise.stats.degrees import satterthwaite

__all__ = ["Comparison", "EqualToBest", "equal_to_best", "paired", "student", "welch"]

Floats = NDArray[np.float64]


class Comparison(NamedTuple):
    """What a test says.

    Args:
        test: The test's name.
        statistic: Its statistic; positive differences and large ranks speak for a.
        p: Chance of a statistic at least as far towards the alternative if the recipes were equal, in [0, 1].
        alternative: What was to be shown: "greater", "less" or "two-sided".
    """

    test: str
    statistic: float
    p: float
    alternative: Alternative


class EqualToBest(NamedTuple):
    """Which recipes of a table's row are printed in bold.

    Args:
        best: The recipe with the best mean; the first given of several.
        equal: The best and all that are not significantly worse, in the order given.
        p: For each other recipe, the p-value of being worse than the best; nan where neither varies.
        equal_holm: Like ``equal``, with the p-values adjusted for their number.
        p_holm: The adjusted p-values.
        level: Below which p-value a recipe counts as worse.
    """

    best: str
    equal: tuple[str, ...]
    p: dict[str, float]
    equal_holm: tuple[str, ...]
    p_holm: dict[str, float]
    level: float


def student(a: ArrayLike, b: ArrayLike, *, alternative: Alternative = "greater") -> Comparison:
    """Return Student's t-test with pooled variance, by default one-tailed: the papers' test.

    t = (mean a - mean b) / sqrt(s^2 (1/n + 1/m)), s^2 = ((n - 1) var a + (m - 1) var b) / (n + m - 2). It takes both
    recipes to be equally spread, which a recipe that fails now and then is not; ``welch`` does not.

    Args:
        a: Scores of recipe A, shape (n,), n >= 2.
        b: Scores of recipe B, shape (m,), m >= 2.
        alternative: "greater", "less" or "two-sided".

    Returns:
        The test, its t and its p-value.

    Raises:
        ValueError: There are fewer than two trials, a score is not finite, or neither recipe varies.

    Reference:
        Zhang et al. (2021), section 5, Tables 1 and 2 (one-tailed), Table 4 (two-tailed).

    Example:
        >>> f"p = {student([0.71, 0.72, 0.70, 0.73], [0.68, 0.71, 0.66, 0.70]).p:.3f}"
        'p = 0.038'
    """
    check_choice("alternative", alternative, ALTERNATIVES)
    first, second = sample_pair(a, b)
    check_spread("a t-test", first, second)
    return _student(first, second, alternative)


def welch(a: ArrayLike, b: ArrayLike, *, alternative: Alternative = "greater") -> Comparison:
    """Return Welch's t-test, which lets the recipes be unequally spread.

    t = (mean a - mean b) / sqrt(var a / n + var b / m), with Satterthwaite's degrees of freedom.

    Args:
        a: Scores of recipe A, shape (n,), n >= 2.
        b: Scores of recipe B, shape (m,), m >= 2.
        alternative: "greater", "less" or "two-sided".

    Returns:
        The test, its t and its p-value.

    Raises:
        ValueError: There are fewer than two trials, a score is not finite, or neither recipe varies.

    Reference:
        Welch (1947), "The generalization of Student's problem when several different population variances are involved".

    Example:
        >>> f"p = {welch([0.71, 0.72, 0.70, 0.73], [0.68, 0.71, 0.66, 0.70]).p:.3f}"
        'p = 0.043'
    """
    check_choice("alternative", alternative, ALTERNATIVES)
    first, second = sample_pair(a, b)
    check_spread("a t-test", first, second)
    variances = [float(scores.var(ddof=1)) / len(scores) for scores in (first, second)]
    degrees = satterthwaite(variances, [len(first) - 1, len(second) - 1])
    return _t_test("welch", first.mean() - second.mean(), np.sqrt(sum(variances)), degrees, alternative)


def paired(a: ArrayLike, b: ArrayLike, *, alternative: Alternative = "greater") -> Comparison:
    """Return the paired t-test over trials with equal seeds.

    t = mean(a - b) / (sd(a - b) / sqrt(n)). Where seeds good for A are good for B, it needs fewer trials than ``welch``.

    Args:
        a: Scores of recipe A, shape (n,), n >= 2.
        b: Scores of recipe B with the same seeds in the same order, shape (n,).
        alternative: "greater", "less" or "two-sided".

    Returns:
        The test, its t and its p-value.

    Raises:
        ValueError: There are fewer than two trials or unequally many, a score is not finite, or all differences are equal.

    Reference:
        Student (1908), "The probable error of a mean".

    Example:
        >>> f"p = {paired([0.71, 0.72, 0.70, 0.73], [0.68, 0.71, 0.66, 0.70]).p:.3f}"
        'p = 0.011'
    """
    check_choice("alternative", alternative, ALTERNATIVES)
    first, second = sample_pair(a, b, paired=True)
    differences = first - second
    check_spread("a paired t-test", differences, scale=size(first, second))
    n = len(differences)
    return _t_test("paired t", differences.mean(), differences.std(ddof=1) / np.sqrt(n), n - 1, alternative)


def equal_to_best(
    groups: Mapping[str, ArrayLike], *, level: float = 0.05, greater_is_better: bool = True
) -> EqualToBest:
    """Return which recipes of one task are best or equal to the best: the papers' bold numbers.

    The recipe with the best mean is compared with each other one by Student's one-tailed t-test (``student``), and a
    recipe is equal to the best where p >= level. As published, nothing corrects for the number of comparisons; Holm's
    adjustment beside it does. Neither corrects for having picked the best by its mean, so too few rather than too many
    count as equal; and "equal" says only that the trials do not separate them.

    Args:
        groups: Scores of each recipe, by its name: at least two recipes of at least two trials each.
        level: Below which p-value a recipe counts as worse, in (0, 1).
        greater_is_better: Whether a greater score is better; False for a loss.

    Returns:
        The best, those equal to it, and the p-values, as published and adjusted.

    Raises:
        ValueError: There are fewer than two recipes or trials, a score is not finite, or the level is not in (0, 1).

    Reference:
        Zhang et al. (2021), section 5, Tables 1 and 2.

    Example:
        >>> row = equal_to_best({"3 epochs": [0.6, 0.5, 0.6], "longer": [0.7, 0.72, 0.7], "Re-init": [0.69, 0.71, 0.73]})
        >>> row.best, row.equal
        ('Re-init', ('longer', 'Re-init'))
    """
    check_level("level", level)
    if len(groups) < 2:
        raise ValueError(f"groups must hold at least two recipes to compare, not {len(groups)}; name another.")
    sign = 1 if greater_is_better else -1
    scores = {name: sign * score_array(f"groups[{name!r}]", values, least=2) for name, values in groups.items()}
    best = max(scores, key=lambda name: float(scores[name].mean()))
    p = {name: _p_worse(scores[best], others) for name, others in scores.items() if name != best}
    p_holm = dict(zip(p, adjust(list(p.values())).tolist(), strict=True))
    equal, equal_holm = (
        tuple(name for name in scores if name == best or _not_worse(tested[name], scores[best], scores[name], level))
        for tested in (p, p_holm)
    )
    return EqualToBest(best, equal, p, equal_holm, p_holm, level)


def _p_worse(best: Floats, other: Floats) -> float:
    """Return the p-value of the other being worse; nan where neither varies, so that no t-test exists."""
    least = ROUNDING * size(best, other)
    return nan if max(np.ptp(best), np.ptp(other)) <= least else _student(best, other, "greater").p


def _not_worse(p: float, best: Floats, other: Floats, level: float) -> bool:
    return bool(other.mean() == best.mean()) if isnan(p) else p >= level


def _student(first: Floats, second: Floats, alternative: Alternative) -> Comparison:
    n, m = len(first), len(second)
    pooled = ((n - 1) * first.var(ddof=1) + (m - 1) * second.var(ddof=1)) / (n + m - 2)
    return _t_test("student", first.mean() - second.mean(), np.sqrt(pooled * (1 / n + 1 / m)), n + m - 2, alternative)


def _t_test(test: str, difference: Any, error: Any, degrees: float, alternative: Alternative) -> Comparison:
    t = float(difference / error)
    tails = {"greater": t, "less": -t, "two-sided": abs(t)}
    p = float(stats.t.sf(tails[alternative], degrees)) * (2 if alternative == "two-sided" else 1)
    return Comparison(test, t, p, alternative)
