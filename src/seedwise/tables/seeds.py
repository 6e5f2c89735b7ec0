"""Which tables do the papers print of seeds: their spread, the best and the worst, the good ones, the grid?"""

from collections.abc import Sequence
from typing import Literal

import numpy as np

from seedwise.analysis.analysis import Analysis
from seedwise.analysis.cell import Cell
from seedwise.analysis.seeds import GoodSeeds
from seedwise.errors import UnknownError
from seedwise.papers.numbers import DODGE_TABLE_3, DODGE_TABLE_4
from seedwise.stats.seeds.components import VarianceComponents
from seedwise.tables.reasons import CellColumns, Reasons, cell_columns
from seedwise.tables.table import Kind, Table, Value

__all__ = ["anova_table", "good_seeds_table", "grid_table", "spread_table"]

Stream = Literal["init", "order"]
_FACTORS = ("init", "order", "dropout", "residual")
_DODGE_MODEL = "bert-large-uncased"


def spread_table(analysis: Analysis) -> Table:
    """Return how much scores spread under each fixed seed, and which share each seed explains (Dodge et al. 2020, table 3)."""
    reasons, own, rows = Reasons(), cell_columns(analysis), []
    shares = [reasons.known(analysis.label(cell), analysis.variance, cell) for cell in own.cells]
    factors = [name for name in _FACTORS if any(found and name in found.factors for found in shares)]
    for cell, share in zip(own.cells, shares, strict=True):
        if (task := _in_dodge(analysis, cell)) is not None:
            printed: list[Value] = [DODGE_TABLE_3[seeds].get(task) for seeds in ("init", "order", "all")]
            rows.append((*_published(own, cell, task), *printed, *(None for _ in factors)))
        spread = reasons.known(analysis.label(cell), analysis.spread, cell)
        sds: list[Value] = [None] * 3
        if spread is not None:
            sds = [spread.mean_by_init, spread.mean_by_order, spread.total]
        rows.append((*own.names(cell), *sds, *(_share(share, name) for name in factors)))
    kinds: list[Kind] = ["sd"] * 3
    parts: list[Kind] = ["share_interval"] * len(factors)
    return Table(
        "spread",
        "Standard deviation of the final scores: averaged over init seeds (aggregated over WI in the paper), over order seeds "
        "(over DO), and of all trials; and the share of the variance that each seed explains, with its 95% interval.",
        (*own.header, "sd, one init", "sd, one order", "sd, all", *(f"variance, {name}" for name in factors)),
        (*own.kinds, *kinds, *parts),
        tuple(rows),
        notes=(*reasons.notes(), *_models(analysis)),
    )


def anova_table(analysis: Analysis) -> Table:
    """Return the test of the best against the worst seed, as published and corrected (Dodge et al. 2020, table 4)."""
    reasons, own = Reasons(), cell_columns(analysis)
    rows: list[tuple[Value, ...]] = []
    for cell in own.cells:
        if (task := _in_dodge(analysis, cell)) is not None:
            rows += [
                (*_published(own, cell, task), stream, *[None] * 5, DODGE_TABLE_4[stream].get(task), None)
                for stream in ("init", "order")
            ]
        for stream in ("init", "order"):
            found = reasons.known(analysis.label(cell), analysis.best_worst, cell, stream)
            values: tuple[Value, ...] = (None,) * 7
            if found is not None:
                ends = (str(found.best), found.best_mean, str(found.worst), found.worst_mean)
                values = (*ends, found.f, found.p, found.corrected_p)
            rows.append((*own.names(cell), stream, *values))
    return Table(
        "anova",
        "The best against the worst seed of each stream by one-way analysis of variance. The published p-value takes no account "
        "of the two having been picked, and is small even where no seed is better; the corrected one does (permutations), and takes off the other seed's means "
        "first, so that it may also be the smaller one.",
        (*own.header, "seeds", "best", "mean of best", "worst", "mean of worst", "F", "p, published", "p, corrected"),
        (*own.kinds, "text", "text", "score", "text", "score", "number", "p", "p"),
        tuple(rows),
        notes=(*reasons.notes(), *_models(analysis)),
    )


def good_seeds_table(analysis: Analysis, stream: Stream = "init", *, most: int = 5) -> Table:
    """Return the seeds with the best mean rank over tasks (Dodge et al. 2020, section 4.3)."""
    try:
        found = analysis.good_seeds(stream)
        notes = tuple(_agreement(label, seeds) for label, seeds in found.items())
    except UnknownError as error:
        found, notes = {}, (str(error),)
    tasks = list(dict.fromkeys(task for seeds in found.values() for task in seeds.tasks))
    several = len(found) > 1
    rows = tuple(
        (*([label] if several else []), *row)
        for label, seeds in found.items()
        for row in _best_seeds(seeds, tasks, most)
    )
    recipe: list[Kind] = ["text"] * several
    ranks: list[Kind] = ["number"] * (len(tasks) + 1)
    return Table(
        f"good-{stream}-seeds",
        f"The {stream} seeds with the best mean rank over tasks; 1 is the best seed of a task.",
        (*["recipe"] * several, "seed", *(f"rank, {task}" for task in tasks), "mean rank"),
        (*recipe, "text", *ranks),
        rows,
        notes=notes,
    )


def grid_table(analysis: Analysis, stream: Stream = "init") -> Table:
    """Return number, mean, sd, minimum and maximum of the trials of each seed (Zhang et al. 2021, appendix B)."""
    reasons, own = Reasons(), cell_columns(analysis)
    rows: list[tuple[Value, ...]] = []
    for cell in own.cells:
        found = reasons.known(analysis.label(cell), analysis.grid, cell)
        if found is None:
            rows.append((*own.names(cell), *[None] * 5))
            continue
        by = found.by_init if stream == "init" else found.by_order
        columns = (by.levels, by.n, by.mean, by.sd, by.min, by.max)
        for level, n, mean, sd, low, high in zip(*(column.tolist() for column in columns), strict=True):
            rows.append((*own.names(cell), str(level), n, (mean, sd, n), low, high))
    return Table(
        f"grid-{stream}",
        f"Final scores of the trials of each {stream} seed, over the other seeds.",
        (*own.header, f"{stream} seed", "trials", "mean ± sd", "min", "max"),
        (*own.kinds, "text", "count", "spread", "score", "score"),
        tuple(rows),
        notes=reasons.notes(),
    )


def _in_dodge(analysis: Analysis, cell: Cell) -> str | None:
    """Return which task of Dodge et al. (2020) a cell's task stands for, in a study that is put beside them."""
    design = None if analysis.design is None else analysis.design.design
    if design is None or not (design.published or "").startswith("dodge2020"):
        return None
    task = design.stands_for.get(cell.task.name)
    return task if task in DODGE_TABLE_3["all"] else None


def _models(analysis: Analysis) -> list[str]:
    """Tell which models stand beside the published one, where they are others."""
    beside = [cell.recipe.model_name for cell in analysis.cells if _in_dodge(analysis, cell) is not None]
    others = [name for name in dict.fromkeys(beside) if name.lower() != _DODGE_MODEL]
    return [f"Published numbers are of {_DODGE_MODEL}; here {', '.join(others)}."] if others else []


def _published(own: CellColumns, cell: Cell, task: str) -> tuple[str, ...]:
    """Return the first columns of a row with the printed numbers of a task."""
    return (f"{task}, Dodge et al. (2020)", *own.names(cell)[1:])


def _share(found: VarianceComponents | None, factor: str) -> Value:
    if found is None or factor not in found.factors:
        return None
    place = found.factors.index(factor)
    return float(found.share[place]), float(found.share_lower[place]), float(found.share_upper[place])


def _best_seeds(found: GoodSeeds, tasks: Sequence[str], most: int) -> list[tuple[Value, ...]]:
    places = np.argsort(found.ranks.mean_rank, kind="stable")[:most]
    ranks = {task: found.ranks.ranks[row] for row, task in enumerate(found.tasks)}
    return [
        (
            str(found.seeds[i]),
            *(float(ranks[task][i]) if task in ranks else None for task in tasks),
            float(found.ranks.mean_rank[i]),
        )
        for i in places
    ]


def _agreement(label: str, found: GoodSeeds) -> str:
    ranks = found.ranks
    return (
        f"{label}: {len(found.seeds)} seeds on {len(found.tasks)} tasks; Kendall's W {ranks.w:.2f}, by chance with p = "
        f"{ranks.p:.3f}; a mean rank as good as that of seed {found.seeds[ranks.best]} by chance with p = {ranks.best_p:.3f}."
    )
