"""How bad can a single run be, and what do runs score that do not fail?"""

from typing import NamedTuple

from seedwise.analysis.cell import Cell
from seedwise.analysis.seeds import failed_flags, failed_trials, varied_seeds
from seedwise.errors import UnknownError
from seedwise.stats.failures import FailedShare
from seedwise.stats.intervals import Interval
from seedwise.stats.seeds.crossed import crossed_mean
from seedwise.stats.seeds.quantile import crossed_quantile

__all__ = ["Hurdle", "LowQuantile", "hurdle", "low_quantile"]


class LowQuantile(NamedTuple):
    """A score that a single trial falls short of at a given chance."""

    q: float  # that chance
    score: float  # the score, of the trials that were run
    lower: float  # lower end of its interval
    upper: float  # its upper end; an end that the trials leave open is infinite
    confidence: float  # of the interval
    trials: int  # how many trials it rests on


class Hurdle(NamedTuple):
    """Trials in two parts: how many fail, and what the others score."""

    failed: FailedShare  # share of failed trials with its interval
    mean: Interval  # mean validation score of the others; where trials share seeds, its interval counts that
    sd: float  # their standard deviation
    n: int  # how many they are


def low_quantile(cell: Cell, q: float = 0.1, *, confidence: float = 0.95) -> LowQuantile:
    """Return the score that one trial in 1/q falls short of, with its interval."""
    scores, seeds, greater = cell.final(), varied_seeds(cell, cell.full()), cell.greater_is_better
    found = crossed_quantile(scores, seeds, q, confidence=confidence, greater_is_better=greater)
    return LowQuantile(q, found.estimate, found.lower, found.upper, confidence, len(scores))


def hurdle(cell: Cell, *, confidence: float = 0.95) -> Hurdle:
    """Return the share of failed trials, and the mean of the others, each with an interval."""
    good, scores = ~failed_flags(cell), cell.final()
    if good.sum() < 2:
        raise UnknownError(
            f"the mean of the trials that did not fail needs at least 2 of them, not {int(good.sum())}; run more seeds."
        )
    rest = scores[good]
    found = crossed_mean(rest, varied_seeds(cell, cell.full()[good]), confidence=confidence)
    mean = Interval(found.mean, found.lower, found.upper, confidence)
    return Hurdle(failed_trials(cell, confidence=confidence).share, mean, float(rest.std(ddof=1)), len(rest))
