"""What do studies say that were stopped early: of all trials up to then, and of those that went on?"""

import math

from seedwise.analysis.analysis import Analysis
from seedwise.analysis.cell import Cell
from seedwise.analysis.early import ScoresOfKept
from seedwise.tables.reasons import Reasons, cell_columns
from seedwise.tables.table import Table, Value

__all__ = ["early_table"]


def early_table(analysis: Analysis) -> Table:
    """Return for each cell that was stopped early: its early scores, those of the trials that went on, and the cost."""
    reasons, own = Reasons(), cell_columns(analysis)
    rows = [(*own.names(cell), *_row(analysis, cell, reasons)) for cell in own.cells]
    return Table(
        "early",
        "Studies that were stopped early: after which share of a run trials were judged, mean ± standard deviation of their "
        "scores then, how many were no better than guessing, and what those that went on score in the end, on validation and "
        "on test rows. They were chosen for their early scores. Cost in full trainings.",
        (
            *own.header,
            "trials",
            "judged after",
            "early score",
            "like guessing",
            "went on",
            "end, validation",
            "end, test",
            "cost",
        ),
        (*own.kinds, "count", "share", "spread", "share_interval", "count", "spread", "spread", "number"),
        tuple(rows),
        notes=reasons.notes(),
    )


def _row(analysis: Analysis, cell: Cell, reasons: Reasons) -> tuple[Value, ...]:
    label = analysis.label(cell)
    found = reasons.known(label, analysis.stopped_early, cell)
    if found is None:
        return (None,) * 8
    early = analysis.early(cell)
    scores = reasons.known(label, early.final)
    failed = reasons.known(label, analysis.failed, early)
    return (
        found.started,
        found.until,
        None if scores is None else (float(scores.mean()), float(scores.std(ddof=1)), len(scores)),
        None if failed is None else (failed.share.share, failed.share.lower, failed.share.upper),
        0 if found.validation is None else found.validation.n,
        _spread(found.validation),
        _spread(found.test),
        found.cost,
    )


def _spread(found: ScoresOfKept | None) -> Value:
    return None if found is None else (found.mean, math.nan if found.sd is None else found.sd, found.n)
