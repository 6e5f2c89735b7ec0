"""What does a study with a design ask, in which stages, and what was published?"""

from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple

import numpy as np

from seedwise.analysis.analysis import Analysis
from seedwise.analysis.cell import Cell
from seedwise.analysis.seeds import varied_seeds
from seedwise.errors import UnknownError
from seedwise.papers.numbers import DEGENERATE, REINIT_5_GRID
from seedwise.report.catalogue import FIGURES
from seedwise.report.figures import Figure, Missing
from seedwise.report.provenance import seeds_words
from seedwise.stats.failures import FailedShare
from seedwise.stats.seeds.crossed import crossed_share
from seedwise.tables.departures import plain_task
from seedwise.tables.table import Table
from seedwise.values.design import Design

__all__ = ["PROMISED", "Promise", "design_sentences", "promises", "published_sentences"]

_TABLES = {
    "published": "the paper's table with ours beside it",
    "arms": "all arms and their differences",
    "tuning": "what each arm chose",
    "candidates": "every candidate's score",
    "results": "mean and standard deviation of every recipe",
    "best": "the best score of all trials",
    "verdicts": "which recipes are told apart",
    "items": "what of the trials' spread is rows that flip",
    "ensemble": "the ensemble of all trials beside the winner",
    "failed": "failed trials",
    "early": "scores of trials that were stopped early",
    "spread": "spread by seed",
    "anova": "best against worst seed",
    "grid-init": "scores by init seed",
    "grid-order": "scores by order seed",
    "good-init-seeds": "init seeds that are good on all tasks",
    "good-order-seeds": "order seeds that are good on all tasks",
    "planning": "best stopping rules",
}

PROMISED: Mapping[str, str] = {**_TABLES, **FIGURES}
"""Name -> title of everything that a design may promise."""


class Promise(NamedTuple):
    """One figure or table that the design promises, and whether it is there."""

    name: str  # its name in the design
    title: str  # what it shows
    places: tuple[str, ...]  # its ids on the page; empty if it is missing
    reason: str  # why it is missing; empty if it is there


def design_sentences(analysis: Analysis, design: Design) -> Iterator[str]:
    """Return the question, source, scale and stages of a study, one sentence each."""
    if design.question:
        yield f"Question: {design.question}"
    if design.source:
        yield f"Source: {design.source}."
    if design.scale != "full":
        yield (
            f"This is the study at {design.scale} scale: its arms, stages and tests are those of the full one, but model, rows, seeds "
            "and steps are far smaller, so it shows how the study works, not whether the paper is right."
        )
    stage = "report" if analysis.design is None else analysis.design.stage
    if design.intermediate is not None and stage == "report":
        first = design.intermediate
        seeds = "1 seed" if len(first.seeds) == 1 else f"{len(first.seeds)} seeds"
        yield f"Stage intermediate: {first.task.name}, with {seeds}; arms that say so start from its best model."
    tuning = analysis.tuning if stage == "report" else None
    if tuning is not None:
        yield (
            f"Stage tuning: {_trainings(tuning)}, on which arms choose their recipes. Seeds: {seeds_words(tuning)} Choices "
            "go by the mean validation score alone."
        )
    yield (
        f"Stage {stage}: {_trainings(analysis)}. Seeds: "
        f"{seeds_words(analysis)}{' None of them had a say in a choice.' if tuning is not None else ''}"
    )


def promises(
    design: Design, figures: Sequence[Figure | Missing], tables: tuple[Sequence[Table], Sequence[Table]]
) -> list[Promise]:
    """Return what the design promises to show, and where it is or why it is missing."""
    made, refused = ({table.name: table for table in some} for some in tables)
    found = []
    for name in design.shows:
        places = [figure.name for figure in figures if isinstance(figure, Figure) and _is(figure.kind, name)]
        places += [f"table-{name}"] if name in made else []
        reason = "" if places else _reason(name, figures, refused)
        found.append(Promise(name, PROMISED.get(name, name), tuple(places), reason))
    return found


def published_sentences(analysis: Analysis, design: Design, beside: Table | None = None) -> Iterator[str]:
    """Return how often differences are as published, and what the papers report beside what was found here."""
    if beside is not None:
        yield from _agreement([str(row[-1]) for row in beside.rows if row[-1] is not None])
    for name, cells in analysis.rows.items():
        for cell in cells.values():
            stands_for = design.stands_for.get(cell.task.name)  # the name alone is not enough
            if (name, stands_for) == (DEGENERATE.arm, DEGENERATE.task):
                yield _degenerate(analysis, cell, name)
            if (name, stands_for) == (REINIT_5_GRID.arm, REINIT_5_GRID.task) and "grid-margins" in design.shows:
                yield from _grid(analysis, cell, name)


def _agreement(told: Sequence[str]) -> Iterator[str]:
    """Sum up the last column of the published table."""
    same, neither, open_ = (sum(word == one for word in told) for one in ("yes", "yes, neither", "not shown here"))
    if told:
        yield (
            f"Of {len(told)} differences beside published ones, as published: {same + neither} (where neither shows one: {neither}); "
            f"published, but not shown here: {open_}; otherwise: {len(told) - same - neither - open_}."
        )


def _is(kind: str, promised: str) -> bool:
    """Whether a figure is what was promised; one promised for a cell may also show several recipes together."""
    return kind in (promised, f"recipes-{promised}")


def _reason(name: str, figures: Sequence[Figure | Missing], refused: Mapping[str, Table]) -> str:
    missing = [figure.reason for figure in figures if isinstance(figure, Missing) and _is(figure.kind, name)]
    if name in refused:
        missing += list(refused[name].notes)
    return next(iter(missing), "the study has nothing to draw it from.")


def _degenerate(analysis: Analysis, cell: Cell, name: str) -> str:
    said = (
        f"Published ({DEGENERATE.source}): {DEGENERATE.share:.0%} of {DEGENERATE.n} trials without bias correction on "
        f"{DEGENERATE.task} end below {DEGENERATE.below}."
    )
    try:
        found = analysis.failed(cell)
    except UnknownError:
        return f"{said} How many do here is not known."
    if found.threshold is None:
        return f"{said} How many do here is not known."
    if plain_task(cell.task.name) == plain_task(DEGENERATE.task):
        share, where = _share_below(cell, DEGENERATE.below), f"below {DEGENERATE.below}"
    else:
        share, where = found.share, f"at or below {found.threshold:.2f}, which is where guessing is on this other task"
    return (
        f"{said} Here, {cell.task.name}, {name}: {share.failed} of {share.n} ({share.share:.0%} [{share.lower:.0%}, "
        f"{share.upper:.0%}]) {where}."
    )


def _share_below(cell: Cell, score: float) -> FailedShare:
    return crossed_share(cell.final() < score, varied_seeds(cell, cell.full()))


def _grid(analysis: Analysis, cell: Cell, name: str) -> Iterator[str]:
    try:
        grid = analysis.grid(cell)
    except UnknownError:
        return
    paper, means = REINIT_5_GRID, grid.by_order.mean
    yield (
        f"Published ({paper.source}), Re-init with L = 5 on {paper.task}: mean {paper.mean:.3f}; the means of the order seeds lie between "
        f"{min(paper.by_order):.3f} and {max(paper.by_order):.3f} (standard deviation {np.std(paper.by_order, ddof=1):.3f}). Here, "
        f"{cell.task.name}, {name}: mean {np.nanmean(grid.scores):.3f}; between {means.min():.3f} and {means.max():.3f} "
        f"({means.std(ddof=1):.3f})."
    )


def _trainings(analysis: Analysis) -> str:
    """Return how many trainings there are, and how many are done if not all."""
    count, done = len(analysis.trials), sum(int(cell.ended.sum()) for cell in analysis.cells)
    return f"{count:,} training{'' if count == 1 else 's'}{'' if done == count else f', {done:,} of them at their end'}"
