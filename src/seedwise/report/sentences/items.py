"""What do the single rows tell: is the spread more than rows that flip, where do trials disagree, what does an ensemble add?"""

from seedwise.analysis.analysis import Analysis
from seedwise.analysis.cell import Cell
from seedwise.report.sentences.words import interval, percent, score, signed
from seedwise.stats.intervals import Interval
from seedwise.values.labels import metric_words

__all__ = ["ensemble", "flips", "rows"]

SMALL = 0.005
"""Trials whose accuracies on new rows have at most this standard deviation, half a point, are hardly worth choosing among."""


def flips(analysis: Analysis, cell: Cell) -> str:
    """Tell whether trials differ by more than which rows flip."""
    found = analysis.items(cell)
    if found.spread is None and found.agreement.differ > 0:  # one row tells of no spread
        return ""
    if found.spread is None:
        return f"All {found.trials} complete trials label every {found.split} row alike, so there is nothing to choose among."
    spread = found.spread
    seen = (
        f"On the {found.rows:,} {found.split} rows the accuracies of {found.trials} complete trials have a standard deviation of "
        f"{score(spread.sd)}; rows that flip at random from trial to trial would give {score(spread.flips)}"
    )
    new = "On new rows like these, the same trials"
    if spread.lower > 0:
        return (
            f"{seen}. {new} would differ, too, with a standard deviation of {score(spread.excess)} "
            f"[{score(spread.lower)}, {score(spread.upper)}] ({spread.confidence:.0%})."
        )
    gain = ", so that choosing among them gains next to nothing" if spread.upper <= SMALL else ""
    return (
        f"{seen}, and no more is needed to explain it. {new} would differ with a standard deviation of at most "
        f"{score(spread.upper)} ({spread.confidence:.0%}){gain}."
    )


def rows(analysis: Analysis, cell: Cell) -> str:
    """Tell on how many rows trials disagree."""
    found = analysis.items(cell)
    of = found.agreement
    if of.differ == 0:
        return ""
    return (
        f"On average, two of these trials label {percent(of.churn)} % of the {found.split} rows differently. Every trial is right on "
        f"{percent(of.always)} % of the rows, none on {percent(of.never)} %."
    )


def ensemble(analysis: Analysis, cell: Cell) -> str:
    """Tell what the ensemble scores beside the winner and beside a single trial."""
    found = analysis.ensemble(cell)
    around = "" if found.interval is None else f" {interval(found.interval)}"
    return (
        f"The ensemble of the {found.members} complete trials has a {metric_words(found.metric, found.split)} of "
        f"{score(found.score)}{around}, the winner {score(found.winner)}, a single trial {score(found.single)} on average. "
        f"Ensemble minus winner: {_difference(found.over_winner, found.score - found.winner)}; ensemble minus single trial: "
        f"{_difference(found.over_single, found.score - found.single)} (95% intervals, over rows)."
    )


def _difference(found: Interval | None, known: float) -> str:
    """Return a difference with its interval, or without one where the rows do not tell it."""
    if found is None:
        return signed(known)
    return f"{signed(found.estimate)} [{signed(found.lower)}, {signed(found.upper)}]"
