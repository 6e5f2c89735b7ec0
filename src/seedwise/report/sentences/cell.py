"""What is known of one task and recipe, the most important first?"""

from collections.abc import Callable
from contextlib import suppress

from seedwise.analysis.analysis import Analysis
from seedwise.analysis.cell import Cell
from seedwise.analysis.summary import summarize
from seedwise.errors import UnknownError
from seedwise.report.sentences.early import early_sentences
from seedwise.report.sentences.spread import failures, low, typical, variance
from seedwise.report.sentences.stopping import best_rule, ranking
from seedwise.report.sentences.winner import expectation, winner

__all__ = ["cell_sentences"]

FEW = 5
"""With fewer complete trials than this, nothing is said about their distribution."""

_TOLD: tuple[Callable[[Analysis, Cell], str], ...] = (expectation, typical, low, variance, failures, ranking, best_rule)


def cell_sentences(analysis: Analysis, cell: Cell) -> list[str]:
    """Return what is known about one cell, the most important first."""
    summary = summarize(cell)
    sentences = [winner(cell, summary)]
    try:
        cell.full(FEW)
    except UnknownError as error:
        if early := list(early_sentences(analysis, cell)):
            sentences += early
        else:
            sentences += [f"How scores spread cannot be told: {error}"] if summary.winner is not None else []
    else:
        for tell in _TOLD:
            with suppress(UnknownError):
                sentences.append(tell(analysis, cell))
    return [sentence for sentence in sentences if sentence]
