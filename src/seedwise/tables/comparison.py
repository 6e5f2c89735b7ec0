"""Which of two recipes is better, by how much, and how sure is it?"""

import math
from collections.abc import Sequence

from seedwise.analysis.recipes import RecipeComparison
from seedwise.analysis.verdicts import Answer, Verdict
from seedwise.tables.reasons import Reasons
from seedwise.tables.table import Kind, Table, Value

__all__ = ["comparison_table", "verdicts_table"]


def comparison_table(comparisons: Sequence[RecipeComparison]) -> Table:
    """Return comparisons of two recipes, one a row."""
    reasons = Reasons()
    rows = [(*_verdict(found.verdict, reasons), *_beside(found, reasons)) for found in comparisons]
    return Table(
        "comparison",
        f"{_CAPTION} A beats B: how often a trial of A beats one of B; failed: difference of the shares of failed trials; each with "
        "its interval, which counts shared seeds.",
        (*_HEADER, "A beats B", "failed, A − B"),
        (*_KINDS, "share_interval", "share_interval"),
        tuple(rows),
        notes=reasons.notes(),
    )


def verdicts_table(verdicts: Sequence[Verdict]) -> Table:
    """Return the verdicts on pairs of recipes, one a row."""
    reasons = Reasons()
    rows = tuple(_verdict(verdict, reasons) for verdict in verdicts)
    return Table("verdicts", _CAPTION, _HEADER, _KINDS, rows, notes=reasons.notes())


_HEADER = ("task", "A", "B", "A, mean ± sd", "B, mean ± sd", "A better by", "test", "p", "p, corrected", "answer")
_KINDS: tuple[Kind, ...] = ("text", "text", "text", "spread", "spread", "interval", "text", "p", "p", "text")
_CAPTION = (
    "Recipe A against recipe B: means of the trials that are compared, their difference (above 0, A is better) with the 95% interval "
    "that inverts the test, the test's two-sided p-value, and the answer. Interval and answer allow for the number of comparisons "
    "(Holm)."
)


def _verdict(found: Verdict, reasons: Reasons) -> tuple[Value, ...]:
    label = f"{found.task}, {found.a} and {found.b}"
    for sentence in (*found.left_out, *([found.reason] if found.reason else [])):
        reasons.add(label, f"{sentence}.")
    if found.holds_for:
        reasons.add(label, f"the answer holds for {' and '.join(found.holds_for)} alone.")
    ends = (found.difference, found.corrected_lower, found.corrected_upper)
    return (
        *(found.task, found.a, found.b),
        *((found.mean_a, found.sd_a, found.n_a), (found.mean_b, found.sd_b, found.n_b)),
        ends if math.isfinite(found.corrected_lower) else None,
        *(None if found.test is None else str(found.test), _known(found.p), _known(found.p_corrected)),
        f"{found.better} is better" if found.better is not None else str(found.answer),
    )


def _beside(found: RecipeComparison, reasons: Reasons) -> tuple[Value, ...]:
    if found.failed is None and found.verdict.answer is not Answer.NOT_SEPARABLE:
        reasons.add(found.verdict.task, "how many failed is not known, because the best constant guess's score is not.")
    return tuple(None if one is None else tuple(one[:3]) for one in (found.improvement, found.failed))


def _known(p: float) -> float | None:
    return p if math.isfinite(p) else None
