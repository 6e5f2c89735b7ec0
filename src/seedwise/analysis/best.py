"""How good is the best of n trials, on the rows that choose it and on rows that do not?"""

import math
from collections.abc import Iterable
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from seedwise.analysis.cell import SCHEDULES, Cell
from seedwise.analysis.seeds import failed_flags
from seedwise.errors import UnknownError
from seedwise.stats.best import expected_best as formulas
from seedwise.stats.best.bands import BestBand, expected_best_band
from seedwise.stats.best.gap import SelectionGap, selection_gap
from seedwise.stats.best.selection import Fall, SelectedTest, bootstrap_selected, expected_selected, falls_after

__all__ = ["BestOfN", "expected_best", "expected_test", "fall_of_test", "gap", "schedules"]

Floats = NDArray[np.float64]
BAND_LIMIT = 20_000
"""More trials than these get the Dvoretzky-Kiefer-Wolfowitz band: wider for large n, but there at once."""


class BestOfN(NamedTuple):
    """The score of the best of n trials."""

    schedule: str  # which evaluations count: all, epoch or last
    n: NDArray[np.int64]  # how many trials are drawn (the papers' budget x or n), (m,)
    mean: Floats  # expected score of the best of n, (m,)
    sd: Floats  # its standard deviation, (m,)
    median: Floats  # its median, (m,)
    lower: Floats | None  # lower end of the simultaneous band on the mean, (m,)
    upper: Floats | None  # upper end of the band, (m,); None likewise
    confidence: float  # confidence of the band, for all n at once
    kind: str  # of the band: equal_tailed, or dkw for very many trials
    trials: int  # how many trials the estimate rests on
    replacement: bool  # whether trials are drawn with replacement
    seconds: float  # mean device seconds of one trial, which make n a cost; nan where unknown


def expected_best(
    cell: Cell,
    n: Iterable[int] | None = None,
    *,
    schedule: str = "all",
    replacement: bool = True,
    confidence: float = 0.95,
) -> BestOfN:
    """Return the expected validation performance of the best of n trials (Dodge et al. 2020, section 3.1).

    Args:
        cell: The trials.
        n: Numbers of trials; 1 to all of them by default.
        schedule: Which evaluations count: all, epoch or last.
        replacement: Draw from the trials with replacement (the paper's), or without (unbiased for fresh trials).
        confidence: Of the simultaneous band.

    Raises:
        UnknownError: Too few trials, some stopped early, or n beyond them without replacement.
    """
    scores = cell.final(schedule)
    counts = np.arange(1, len(scores) + 1) if n is None else np.array(list(n))
    greater, support = cell.greater_is_better, cell.support
    found = formulas.expected_best(scores, counts, replacement=replacement, greater_is_better=greater)
    median = formulas.best_quantile(scores, counts, 0.5, replacement=replacement, greater_is_better=greater)
    band: BestBand | None = None
    # The band is one of the distribution that the trials come from: it knows draws with replacement only.
    if support is not None and replacement:
        band = expected_best_band(
            scores,
            counts,
            support=support,
            confidence=confidence,
            kind="equal_tailed" if len(scores) <= BAND_LIMIT else "dkw",
            greater_is_better=greater,
        )
    return BestOfN(
        schedule=schedule,
        n=found.n,
        mean=found.mean,
        sd=found.sd,
        median=median,
        lower=None if band is None else band.lower,
        upper=None if band is None else band.upper,
        confidence=confidence,
        kind="" if band is None else band.kind,
        trials=len(scores),
        replacement=replacement,
        seconds=float(cell.seconds[cell.full()].mean()) or math.nan,
    )


def schedules(cell: Cell) -> tuple[str, ...]:
    """Return which evaluation schedules can be told apart in this cell: all, epoch, last."""
    cell.full()  # refuses before anything is told apart
    found: dict[tuple[int, ...], str] = {}
    for schedule in SCHEDULES:
        try:
            found.setdefault(tuple(cell.evaluations(schedule)), schedule)
        except UnknownError:
            continue
    return tuple(found.values())


def expected_test(cell: Cell, n: Iterable[int] | None = None, *, bootstrap: bool = False) -> SelectedTest:
    """Return the expected test score of the trial that validation chooses from n (Zhang et al. 2021, figure 4)."""
    validation, test = _validation_and_test(cell)
    counts = np.arange(1, len(test) + 1) if n is None else np.array(list(n))
    if bootstrap:
        return bootstrap_selected(validation, test, counts, greater_is_better=cell.greater_is_better)
    return expected_selected(validation, test, counts, greater_is_better=cell.greater_is_better)


def fall_of_test(cell: Cell, most: int | None = None) -> Fall:
    """Return after how many trials the expected test score falls again, and by how much."""
    validation, test = _validation_and_test(cell)
    return falls_after(validation, test, most or len(test), greater_is_better=cell.greater_is_better)


def gap(cell: Cell) -> SelectionGap:
    """Return by how much validation flatters the best of half as many trials, in two parts with intervals."""
    validation, test = _validation_and_test(cell)
    failed = failed_flags(cell)[np.isin(cell.full(), cell.scored("test"))]
    return selection_gap(validation, test, failed=failed, greater_is_better=cell.greater_is_better)


def _validation_and_test(cell: Cell) -> tuple[Floats, Floats]:
    """Both scores of the trials that have a test score."""
    return cell.scores("validation")[np.isin(cell.full(), cell.scored("test"))], cell.scores("test")
