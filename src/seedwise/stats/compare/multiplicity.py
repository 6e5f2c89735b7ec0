"""What remains significant when many comparisons are made, and what do several tasks say together?"""

from collections.abc import Sequence
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import stats

from seedwise.stats.checks import check_choice, score_array

__all__ = ["Adjustment", "Combination", "adjust", "combine"]

Floats = NDArray[np.float64]
Adjustment = Literal["holm", "benjamini_hochberg", "bonferroni"]
Combination = Literal["fisher", "stouffer"]


def adjust(p_values: ArrayLike, *, method: Adjustment = "holm") -> Floats:
    """Return p-values adjusted for their number, in the order given.

    With p_(1) <= ... <= p_(k): Bonferroni k p; Holm max over j <= i of (k - j + 1) p_(j), as strict and never weaker;
    both bound the chance of any false claim. Benjamini and Hochberg min over j >= i of k p_(j) / j bounds the expected
    share of false ones among the claims.

    Args:
        p_values: p-values, shape (k,), each in [0, 1]; nan stands for a test that could not be made and does not count.
        method: "holm", "benjamini_hochberg" or "bonferroni".

    Returns:
        Adjusted p-values in [0, 1], shape (k,); nan where the p-value is.

    Raises:
        ValueError: They are no vector, one is outside [0, 1], or the method is unknown.

    Reference:
        Holm (1979), "A simple sequentially rejective multiple test procedure"; Benjamini and Hochberg (1995),
        "Controlling the false discovery rate".

    Example:
        >>> adjust([0.01, 0.04, 0.03]).tolist()
        [0.03, 0.06, 0.06]
    """
    check_choice("method", method, ("holm", "benjamini_hochberg", "bonferroni"))
    given = _p_values(p_values, missing=True)
    made = ~np.isnan(given)
    adjusted, k = given.copy(), int(made.sum())
    order = np.argsort(given, kind="stable")[:k]  # nan comes last
    ranked, rank = given[order], np.arange(1, k + 1)
    if method == "holm":
        ranked = np.maximum.accumulate((k - rank + 1) * ranked)
    elif method == "benjamini_hochberg":
        ranked = np.minimum.accumulate((k * ranked / rank)[::-1])[::-1]
    else:
        ranked = k * ranked
    adjusted[order] = np.minimum(ranked, 1)
    return adjusted


def combine(p_values: ArrayLike, *, method: Combination = "fisher", weights: Sequence[float] | None = None) -> float:
    """Return one p-value for several independent tests of the same claim, such as "A is better" on each task.

    Fisher: -2 sum(ln p) is chi-square with 2 k degrees of freedom; one very small p suffices. Stouffer: the sum of
    w z(1 - p) over its standard deviation is normal; it asks for agreement. Both need one-tailed p-values that look the
    same way: two-tailed ones add up tasks where A is better and tasks where B is.

    Args:
        p_values: One p-value a task, shape (k,), each in (0, 1).
        method: "fisher" or "stouffer".
        weights: One positive weight a task for Stouffer's method, such as the square root of its number of trials;
            None: equal.

    Returns:
        The combined p-value, in [0, 1].

    Raises:
        ValueError: They are no vector, one is outside (0, 1), the method is unknown, or the weights do not fit.

    Reference:
        Fisher (1932), "Statistical Methods for Research Workers", section 21.1; Stouffer et al. (1949).

    Example:
        >>> round(combine([0.06, 0.08, 0.05]), 3)
        0.011
    """
    check_choice("method", method, ("fisher", "stouffer"))
    given = _p_values(p_values, missing=False)
    if np.any((given == 0) | (given == 1)):
        raise ValueError("p_values must be in (0, 1) to be combined, not 0 or 1; a permutation test gives no zeros.")
    if weights is None:
        return float(stats.combine_pvalues(given, method=method).pvalue)
    if method == "fisher":
        raise ValueError('weights must be None for method "fisher", which has none; choose "stouffer".')
    heavy = score_array("weights", weights)
    if len(heavy) != len(given) or not heavy.min() > 0:
        raise ValueError(f"weights must be one positive number a p-value, not {weights!r} for {len(given)}.")
    return float(stats.combine_pvalues(given, method=method, weights=heavy).pvalue)


def _p_values(values: ArrayLike, *, missing: bool) -> Floats:
    given = score_array("p_values", values, failed=missing)
    if np.any((given < 0) | (given > 1)):
        raise ValueError(f"p_values must be in [0, 1], not {given[(given < 0) | (given > 1)][0]}.")
    return given
