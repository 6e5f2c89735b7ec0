"""Which of two recipes is better, by how much, and how sure is it?"""

from collections.abc import Sequence

from seedwise.analysis.recipes import RecipeComparison
from seedwise.errors import RequestError
from seedwise.tables.reasons import Reasons
from seedwise.tables.table import Kind, Table, Value

__all__ = ["comparison_table"]


def comparison_table(comparisons: Sequence[RecipeComparison], adjusted: Sequence[float] | None = None) -> Table:
    """Return comparisons of two recipes, one a row."""
    if adjusted is not None and len(adjusted) != len(comparisons):
        raise RequestError(
            f"adjusted must be one p-value for each of {len(comparisons)} comparisons, not {len(adjusted)}; compute them anew."
        )
    reasons = Reasons()
    corrected = [None] * len(comparisons) if adjusted is None else [float(p) for p in adjusted]
    rows = [_compared(found, p, reasons) for found, p in zip(comparisons, corrected, strict=True)]
    header = ("task", "A", "B", "A, mean ± sd", "B, mean ± sd", "A better by", "A beats B", "failed, A − B")
    kinds: tuple[Kind, ...] = (
        "text",
        "text",
        "text",
        "spread",
        "spread",
        "interval",
        "share_interval",
        "share_interval",
    )
    return Table(
        "comparison",
        "Recipe A against recipe B: difference of the means (turned so that more is better), how often a trial of A beats one "
        "of B, difference of the failed shares, each with its interval; two-sided p-value (Welch's t, or where trials share "
        "seeds the t-test that counts that)"
        f"{', corrected for their number' if adjusted is not None else ''}; trials of each that would separate them.",
        (*header, "p", "p, corrected", "trials needed"),
        (*kinds, "p", "p", "count"),
        tuple(rows),
        notes=reasons.notes(),
    )


def _compared(found: RecipeComparison, corrected: float | None, reasons: Reasons) -> tuple[Value, ...]:
    needed = found.more_seeds
    if needed is None:
        reasons.add(f"{found.task}, trials needed", "trials share seeds, so that more trials alone would not tell.")
    elif needed.reason:
        reasons.add(f"{found.task}, trials needed", f"{needed.reason}.")
    failed = found.failed
    if failed is None:
        reasons.add(found.task, "how many failed is not known, because the best constant guess's score is not.")
    return (
        *(found.task, found.a, found.b),
        *((found.mean_a, found.sd_a, found.n_a), (found.mean_b, found.sd_b, found.n_b)),
        *(tuple(found.difference[:3]), tuple(found.improvement[:3]), None if failed is None else tuple(failed[:3])),
        *(found.tests[found.decisive].p, corrected, None if needed is None else needed.n_each),
    )
