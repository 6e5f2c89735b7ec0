"""What is known of one task and recipe, the most important first?"""

from collections.abc import Callable, Sequence
from contextlib import suppress

from seedwise.analysis.analysis import Analysis
from seedwise.analysis.cell import Cell
from seedwise.analysis.summary import summarize
from seedwise.errors import UnknownError
from seedwise.report.sentences.early import early_sentences
from seedwise.report.sentences.items import ensemble, flips, rows
from seedwise.report.sentences.spread import failures, low, typical, variance
from seedwise.report.sentences.stopping import best_rule, ranking
from seedwise.report.sentences.winner import expectation, winner

__all__ = ["cell_sentences"]

FEW = 5
"""With fewer complete trials than this, nothing is said about their distribution."""

_TOLD: tuple[Callable[[Analysis, Cell], str], ...] = (expectation, typical, low, variance, failures, ranking, best_rule)

_TOLD_OF_THE_KEPT: tuple[Callable[[Analysis, Cell], str], ...] = (flips, rows, ensemble)
"""What the complete trials tell, also where the others were stopped early."""


def cell_sentences(analysis: Analysis, cell: Cell) -> list[str]:
    """Return what is known about one cell, the most important first."""
    summary = summarize(cell)
    sentences = [winner(analysis, cell, summary)]
    try:
        cell.full(FEW)
    except UnknownError as error:
        if early := list(early_sentences(analysis, cell)):
            sentences += early
        else:
            sentences += [f"How scores spread cannot be told: {error}"] if summary.winner is not None else []
    else:
        sentences += _told(_TOLD, analysis, cell)
    sentences += _told(_TOLD_OF_THE_KEPT, analysis, cell)
    return [sentence for sentence in sentences if sentence]


def _told(what: Sequence[Callable[[Analysis, Cell], str]], analysis: Analysis, cell: Cell) -> list[str]:
    found = []
    for tell in what:
        with suppress(UnknownError):
            found.append(tell(analysis, cell))
    return found
