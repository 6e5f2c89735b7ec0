"""Does a verdict on these rows hold on new rows, too?"""

import math
from typing import NamedTuple

from seedwise.analysis.cell import Cell
from seedwise.analysis.compared import compared_trials
from seedwise.analysis.items import rows_error
from seedwise.analysis.verdicts import LEVEL, Verdict
from seedwise.errors import UnknownError
from seedwise.stats.compare.means import MeanTest, with_more_error

__all__ = ["NewRows", "on_new_rows"]


class NewRows(NamedTuple):
    """The comparison of two recipes with rows as well as seeds being chance."""

    rows: int  # how many rows the trials were scored on
    se_rows: float  # standard error of the difference over rows alone
    lower: float  # lower end of the interval of the difference on new rows, corrected as the verdict's
    upper: float
    p: float  # two-sided p-value of this comparison alone
    # Bonferroni's, for as many comparisons as the verdict's; below 0.05 if and only if a better one is named
    p_corrected: float
    better: str | None  # label of the recipe that is better on new rows; None where none is named


def on_new_rows(a: Cell, b: Cell, verdict: Verdict) -> NewRows:
    """Return what a verdict comes to where both the seeds and the rows are new.

    The rows' variance, from the predictions that are kept, is added to the seeds' (Sellam et al. 2022, "The MultiBERTs"). The many
    rows raise the degrees of freedom as well; so what is said is no surer than on these rows: of both intervals the outer ends
    count, and the larger p-value.

    Raises:
        UnknownError: The verdict's test has no standard error or is sequential, or the rows' labels or predictions are not kept.
    """
    alone = verdict.compared
    if verdict.test is MeanTest.SEQUENTIAL:
        raise UnknownError("a test on new rows holds for one look only; compare without --sequential, once, for it.")
    if alone is None or not math.isfinite(alone.df):
        raise UnknownError("nothing is said of new rows where scores do not vary over seeds.")
    chosen = compared_trials(a, b, verdict.split, pairs_alone=verdict.paired)
    error = rows_error(a, b, verdict.split, chosen.trials_a, chosen.trials_b)
    both = alone, with_more_error(alone, error.se, error.df)
    lowers, uppers = zip(*(found.ends(1 - LEVEL / verdict.comparisons) for found in both), strict=True)
    lower, upper, p = min(lowers), max(uppers), max(found.p for found in both)
    better = verdict.a if lower > 0 else verdict.b if upper < 0 else None
    return NewRows(error.rows, error.se, lower, upper, p, min(1.0, p * verdict.comparisons), better)
