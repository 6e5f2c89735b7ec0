"""How much of the spread comes from which seed, and are there good and bad ones?"""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from seedwise.analysis.cell import Cell
from seedwise.errors import UnknownError
from seedwise.stats.failures import (
    Clustering,
    FailedByLevel,
    FailedShare,
    clustering,
    failed_by,
    is_failed,
)
from seedwise.stats.seeds.anova import BestWorst, best_against_worst
from seedwise.stats.seeds.components import VarianceComponents, variance_components
from seedwise.stats.seeds.crossed import crossed_share
from seedwise.stats.seeds.factors import repeated_factors
from seedwise.stats.seeds.ranks import SeedRanks, seed_ranks
from seedwise.stats.seeds.spread import LevelSummary, SeedSpread, level_summary, seed_spread

__all__ = [
    "FailedTrials",
    "GoodSeeds",
    "Grid",
    "best_worst",
    "components",
    "failed_flags",
    "failed_trials",
    "fixed_seeds",
    "good_seeds",
    "good_seeds_by_row",
    "grid",
    "is_crossed",
    "spread",
    "varied_seeds",
]

Floats = NDArray[np.float64]
FAILED_MARGIN = 0.02
"""A trial this little above the constant guess counts as failed: the best of many evaluations of a model that only guesses
lies a little above it. On RTE that is the 0.55 of Zhang et al. (2021), figure 2."""
STREAMS = ("init", "order", "dropout")


class Grid(NamedTuple):
    """The crossed design as a table of final scores."""

    init: NDArray[np.int64]  # init seeds, ascending, (rows,)
    order: NDArray[np.int64]  # order seeds, ascending, (columns,)
    scores: Floats  # mean final score of each pair, (rows, columns); nan where the pair was not run
    by_init: LevelSummary  # number, mean, sd, min and max of each init seed
    by_order: LevelSummary  # the same of each order seed


class FailedTrials(NamedTuple):
    """Trials that ended about where the best constant guess is."""

    threshold: float | None  # the score up to which a trial counts as failed: the guess's, and `FAILED_MARGIN` above it
    # their share with its interval, which counts that trials share seeds, judged by each trial's score: its best
    # evaluation
    share: FailedShare
    last: FailedShare  # the same judged by the last evaluation: trials that fell back are counted as well
    by_init: FailedByLevel | None  # share of each init seed with its interval; None where seeds are not crossed
    by_order: FailedByLevel | None  # the same of order seeds
    gather_in_init: Clustering | None  # whether failures gather in some init seeds
    gather_in_order: Clustering | None  # the same of order seeds
    margin: float  # by how much a trial must beat the guess not to count as failed
    # standard deviation of the score of random answers on the validation rows; None where it is not known
    noise: float | None


class GoodSeeds(NamedTuple):
    """The same seeds ranked on every task (Dodge et al. 2020, section 4.3)."""

    stream: str  # init or order
    seeds: NDArray[np.int64]  # the seeds that every task has, ascending, (seeds,)
    tasks: tuple[str, ...]  # names of the tasks, (tasks,)
    means: Floats  # mean final score of each seed on each task, (tasks, seeds)
    ranks: SeedRanks  # ranks, Kendall's W and how likely chance alone is


def grid(cell: Cell) -> Grid:
    """Return the final scores by init and order seed (Dodge et al. 2020, figure 2; Zhang et al. 2021, figures 9 and 10)."""
    scores, init, order = _crossed(cell)
    rows, row = np.unique(init, return_inverse=True)
    columns, column = np.unique(order, return_inverse=True)
    total, count = np.zeros((len(rows), len(columns))), np.zeros((len(rows), len(columns)))
    np.add.at(total, (row, column), scores)
    np.add.at(count, (row, column), 1)
    mean = np.where(count > 0, total / np.maximum(count, 1), np.nan)
    return Grid(rows, columns, mean, level_summary(scores, init), level_summary(scores, order))


def spread(cell: Cell) -> SeedSpread:
    """Return the standard deviation by init seed, by order seed and in all (Dodge et al. 2020, table 3, figure 8)."""
    scores, init, order = _crossed(cell)
    return seed_spread(scores, init, order)


def components(cell: Cell, *, confidence: float = 0.95) -> VarianceComponents:
    """Return which share of the variance is due to each stream that was varied on its own.

    A third component, dropout, is told apart where dropout seeds are crossed with the other two.
    """
    index = cell.full()
    scores = cell.final()
    seeds = {stream: cell.seeds(stream)[index] for stream in STREAMS}
    if np.array_equal(seeds["dropout"], seeds["order"]) or len(np.unique(seeds["dropout"])) == 1:
        del seeds["dropout"]  # it follows the order seed, as in both papers, or is fixed
    varied = {stream: labels for stream, labels in seeds.items() if len(np.unique(labels)) > 1}
    if not varied:
        raise UnknownError("all trials have the same seeds, so no seed explains any variance; vary init or order.")
    repeated = repeated_factors(varied, len(scores))  # of a seed that changes from trial to trial the rest tells all
    if not repeated:
        raise UnknownError(
            "init and order seeds change together from trial to trial, so their shares cannot be told apart; cross them "
            "with --init N --order M."
        )
    return variance_components(scores, repeated, confidence=confidence)


def best_worst(cell: Cell, stream: str) -> BestWorst:
    """Compare the best with the worst seed of a stream (Dodge et al. 2020, table 4), with and without picking accounted for."""
    scores, init, order = _crossed(cell)
    mine, other = (init, order) if stream == "init" else (order, init)
    return best_against_worst(scores, mine, within=other, greater_is_better=cell.greater_is_better)


def failed_trials(cell: Cell, *, confidence: float = 0.95) -> FailedTrials:
    """Return the share of trials that ended about where the best constant guess is (Dodge et al. 2020, section 4)."""
    index, guess = cell.full(1), cell.baseline
    failed, fell = failed_flags(cell), failed_flags(cell, at_the_end=True)
    varied = varied_seeds(cell, index)
    share, last = (crossed_share(flags, varied, confidence=confidence) for flags in (failed, fell))
    factors = {stream: varied[stream] for stream in ("init", "order")} if is_crossed(cell) else {}
    shares: list[FailedByLevel | None] = [None, None]
    gather: list[Clustering | None] = [None, None]
    if factors:
        shares = [failed_by(failed, seeds, confidence=confidence) for seeds in factors.values()]
        if 0 < failed.sum() < len(failed):
            gather = [clustering(failed, seeds) for seeds in factors.values()]
    threshold = None if guess is None else guess + _margin(cell) * (1 if cell.greater_is_better else -1)
    return FailedTrials(threshold, share, last, shares[0], shares[1], gather[0], gather[1], _margin(cell), _noise(cell))


def failed_flags(cell: Cell, *, at_the_end: bool = False) -> NDArray[np.bool_]:
    """Return which trials that ran to their end failed, (n,), by the best evaluation or the last one."""
    index, guess = cell.full(1), cell.baseline
    scores = cell.last_scores[index] if at_the_end else cell.curves.best[index, -1]
    failed: NDArray[np.bool_] = np.isnan(scores) | cell.failed[index]
    if guess is None:
        return failed
    return failed | is_failed(scores, guess, margin=_margin(cell), greater_is_better=cell.greater_is_better)


def _margin(cell: Cell) -> float:
    return 0.0 if cell.support is None else FAILED_MARGIN


def _noise(cell: Cell) -> float | None:
    """How far chance alone moves the score of a model that answers at random, as far as the metric tells it."""
    rows, guess = cell.facts.rows.get("validation"), cell.baseline
    if not rows or guess is None or cell.support is None:
        return None
    if cell.support == (-1.0, 1.0):
        return float(1 / np.sqrt(rows))
    return float(np.sqrt(guess * (1 - guess) / rows)) if "acc" in cell.task.metric else None


def varied_seeds(cell: Cell, trials: NDArray[np.intp]) -> dict[str, NDArray[np.int64]]:
    """Return the seeds of some trials by stream, (trials,), without a stream that is the same in all of them."""
    seeds = {stream: cell.seeds(stream)[trials] for stream in STREAMS}
    return {stream: labels for stream, labels in seeds.items() if len(np.unique(labels)) > 1}


def fixed_seeds(cell: Cell, trials: NDArray[np.intp]) -> dict[str, int]:
    """Return the seeds that are the same in all of some trials, by stream; a dropout seed that follows the order is not told."""
    seeds = {stream: cell.seeds(stream)[trials] for stream in STREAMS}
    if np.array_equal(seeds["dropout"], seeds["order"]):
        del seeds["dropout"]
    return {stream: int(labels[0]) for stream, labels in seeds.items() if len(np.unique(labels)) == 1}


def good_seeds(cells: Sequence[Cell], stream: str = "init") -> GoodSeeds:
    """Rank the seeds that all of the cells have, and say how likely the best would look that good by chance."""
    if len(cells) < 2:
        raise UnknownError("globally good seeds need at least 2 tasks with the same seeds, not 1; add a task.")
    if stream == "order" and not any(is_crossed(cell) for cell in cells):
        raise UnknownError(
            "order seeds change together with init seeds, so that their ranking is that of the init seeds."
        )
    shared = sorted(set.intersection(*({int(s) for s in cell.seeds(stream)[cell.full()]} for cell in cells)))
    if len(shared) < 2:
        raise UnknownError(f"globally good seeds need at least 2 {stream} seeds on every task, not {len(shared)}.")
    means = np.array([[_mean_of(cell, stream, seed) for seed in shared] for cell in cells])
    signs = np.array([1.0 if cell.greater_is_better else -1.0 for cell in cells])  # one task may measure a loss
    ranks = seed_ranks(means * signs[:, None])
    return GoodSeeds(stream, np.array(shared), tuple(cell.task.name for cell in cells), means, ranks)


def good_seeds_by_row(rows: Mapping[str, Mapping[str, Cell]], stream: str) -> dict[str, GoodSeeds]:
    """Return the seeds of each row of cells ranked over its tasks, for the rows that have two tasks with the same seeds."""
    found: dict[str, GoodSeeds] = {}
    reason = "globally good seeds need at least 2 tasks with the same seeds; add a task."
    for name, cells in rows.items():
        try:
            found[name] = good_seeds(list(cells.values()), stream)
        except ValueError as error:
            reason = str(error)
    if not found:
        raise UnknownError(reason)
    return found


def _mean_of(cell: Cell, stream: str, seed: int) -> float:
    return float(cell.final()[cell.seeds(stream)[cell.full()] == seed].mean())


def _crossed(cell: Cell) -> tuple[Floats, NDArray[np.int64], NDArray[np.int64]]:
    index = cell.full()
    if not is_crossed(cell):
        raise UnknownError(
            "this needs init seeds crossed with order seeds, but here they change together or one is fixed; run a grid "
            "with --init N --order M, or map both seeds of imported runs."
        )
    return cell.final(), cell.seeds("init")[index], cell.seeds("order")[index]


def is_crossed(cell: Cell) -> bool:
    """Whether some init seed was run with several order seeds and some order seed with several init seeds."""
    index = np.flatnonzero(cell.ended)
    pairs = set(zip(cell.seeds("init")[index].tolist(), cell.seeds("order")[index].tolist(), strict=True))
    inits, orders = {i for i, _ in pairs}, {o for _, o in pairs}
    return len(pairs) > len(inits) > 1 and len(pairs) > len(orders) > 1
