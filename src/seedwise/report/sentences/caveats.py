"""What should one know before believing the scores?"""

import math

import numpy as np

from seedwise.analysis.cell import Cell
from seedwise.analysis.seeds import FAILED_MARGIN, is_crossed
from seedwise.analysis.summary import summarize
from seedwise.values.caveats import row_caveats, score_caveats
from seedwise.values.labels import metric_words

__all__ = ["caveats"]

FAR = 0.1
"""A validation score this far above the guess is not chance."""


def caveats(cell: Cell) -> list[str]:
    """Return what to know before believing the scores."""
    summary = summarize(cell)
    notes = row_caveats(cell.facts) + score_caveats(cell.task, summary.best, summary.baseline)
    if summary.winner is not None and summary.test is None:
        notes.append("there are no test rows, so it is unknown how much of the best score is luck.")
    if summary.open:
        notes.append(f"{summary.open} of {len(cell.records)} trials are not finished yet.")
    if any(record.evaluations for record in cell.records) and cell.curves.note:
        notes.append(f"{cell.curves.note}.")
    if any(record.evaluations for record in cell.records) and cell.beyond_bounds:
        notes.append(
            f"scores lie beyond what {metric_words(cell.task.metric)} can be, so that bounds, bands and a failure margin are "
            "not known; divide percentages by 100."
        )
    if cell.twins.groups and not cell.twins.prevail:  # else the sentences say so
        notes.append(f"{cell.twins.words} Every number counts each of them.")
    if strange := _strange_tests(cell):
        notes.append(
            f"{strange} trials score like the guess on test rows though their best validation score is far above it; are the "
            "test scores from another evaluation?"
        )
    if is_crossed(cell):
        notes.append(
            "trials that share a seed are not independent; the intervals of correlations, of the choice's gap and "
            "of a falling test score take them for independent, and so does the band of the expected best. Simulated, the band held "
            "in 96 % and more of 5 x 5 and 10 x 10 grids, and in 92 or 86 % of 25 x 25 grids where 40 or 60 % of the variance "
            "were due to seeds."
        )
    return notes


def _strange_tests(cell: Cell) -> int:
    """Count trials whose test score cannot be that of their best evaluation."""
    if cell.baseline is None or cell.support is None:
        return 0
    best = np.array([math.nan if record.best is None else record.best[1] for record in cell.records])
    return int(np.sum((best > cell.baseline + FAR) & (cell.test <= cell.baseline + FAILED_MARGIN)))
