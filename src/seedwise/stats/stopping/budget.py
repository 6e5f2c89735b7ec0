"""Which stopping rules does a budget pay for?"""

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from seedwise.stats.checks import float_array, one_count

__all__ = ["MOST_STARTED", "Settings", "fraction_array", "settings"]

Floats = NDArray[np.float64]
Counts = NDArray[np.int64]

MOST_STARTED = 200
"""The paper's planning never starts more trials than this (Dodge et al. 2020, section 5)."""

ROUNDING = 1e-9  # costs are sums of products of fractions such as 1/30


class Settings(NamedTuple):
    """Stopping rules and what they cost, as columns of equal length S."""

    budget: Floats  # shape (S,): what the rule may cost, in full trainings
    t: Counts  # shape (S,): how many trials are started
    f: Floats  # shape (S,): the share of the run after which they are judged, in (0, 1]; 1 stops nothing
    p: Counts  # shape (S,): how many go on to the end
    cost: Floats  # shape (S,): what the rule costs, t f + p (1 - f), in full trainings


def settings(
    budgets: ArrayLike, fractions: ArrayLike, *, most_started: int = MOST_STARTED, exact: bool | None = None
) -> Settings:
    """Return every distinct stopping rule that a budget pays for.

    A rule stops some trials (t > p, f < 1) or none (t = p, f = 1); t = p with f < 1 is the same rule as f = 1 and does
    not appear again. Exact use of the budget means t f + p (1 - f) = budget up to 1e-9. Where evaluations lie unevenly
    that is rarely possible; then each (f, p) comes with the largest t that the budget pays for. With 30 evaluations,
    budgets 1..30 and t <= 200 there are 4,134 rules of exact use: 4,104 that stop trials and 30 that stop none.

    Reference:
        Dodge et al. (2020), section 5 and figure 6.

    Example:
        >>> found = settings([2], [0.5, 1])
        >>> [(int(t), float(f), int(p)) for t, f, p in zip(found.t, found.f, found.p)]
        [(3, 0.5, 1), (2, 1.0, 2)]
    """
    pays, most = _budget_array(budgets), one_count("most_started", most_started)
    shares = fraction_array(fractions)
    even = np.arange(1, len(shares) + 1) / len(shares)
    regular = np.allclose(shares, even, rtol=0, atol=0.0005 + ROUNDING)
    exact = regular if exact is None else exact
    rows: list[tuple[float, int, float, int, float]] = []
    for b in pays:
        for f, given in zip(even if regular else shares, shares, strict=True):
            for t, p in _rules(b, f, most, exact=exact):
                rows.append((b, t, given, p, t * f + p * (1 - f)))
    columns = np.array(rows).reshape(-1, 5).T  # (5, S)
    return Settings(columns[0], columns[1].astype(np.int64), columns[2], columns[3].astype(np.int64), columns[4])


def fraction_array(fractions: ArrayLike) -> Floats:
    """Return the share of the run at each evaluation as a vector."""
    shares = float_array("fractions", fractions)
    if (
        shares.ndim != 1
        or not len(shares)
        or not np.isfinite(shares).all()
        or not (np.diff(shares, prepend=0.0) > 0).all()
        or shares[-1] != 1
    ):
        raise ValueError(
            f"fractions must ascend in (0, 1] to 1, one for each evaluation, not {np.array2string(shares, threshold=6)}; "
            "divide each evaluation's step by the last one's."
        )
    return shares


def _rules(b: float, f: float, most_started: int, *, exact: bool) -> Iterator[tuple[int, int]]:
    """Yield every (t, p) that a budget pays for if trials are judged at f."""
    if f == 1:
        if b >= 1 and (not exact or abs(b - round(b)) <= ROUNDING) and int(b + ROUNDING) <= most_started:
            yield int(b + ROUNDING), int(b + ROUNDING)
        return
    for p in range(1, min(int(b + ROUNDING), most_started) + 1):
        affordable = (b - p * (1 - f)) / f
        t = round(affordable) if exact else min(int(affordable + ROUNDING), most_started)
        if p < t <= most_started and (not exact or abs(t * f + p * (1 - f) - b) <= ROUNDING):
            yield t, p


def _budget_array(budgets: ArrayLike) -> Floats:
    pays = np.unique(float_array("budgets", budgets))
    if not len(pays) or not np.isfinite(pays).all() or pays[0] < 1:
        raise ValueError(f"budgets must each pay for at least 1 full training, not {budgets!r}; give 1 or more.")
    return pays
