"""Which recipe is good on all tasks together?"""

from seedwise.analysis.analysis import Analysis
from seedwise.tables.reasons import Reasons
from seedwise.tables.table import Kind, Table, Value

__all__ = ["over_tasks_table"]


def over_tasks_table(analysis: Analysis) -> Table:
    """Return the interquartile mean and the mean rank of every recipe over tasks."""
    reasons = Reasons()
    found = reasons.known("over tasks", analysis.over_tasks)
    header = ("recipe", "trials", "mean", "interquartile mean", "mean rank")
    kinds: tuple[Kind, ...] = ("text", "count", "score", "interval", "number")
    if found is None:
        return Table("over-tasks", "Recipes over all tasks.", header, kinds, (), notes=reasons.notes())
    ranks = [None] * len(found.recipes) if found.ranks is None else found.ranks.mean_rank.tolist()
    rows: list[tuple[Value, ...]] = [
        (one.recipe, one.n, one.mean, tuple(one.interquartile_mean[:3]), rank)
        for one, rank in zip(found.recipes, ranks, strict=True)
    ]
    notes = list(reasons.notes())
    if found.left_out:
        notes.append(
            f"Left out, because they were not run on all of the tasks, or have no scale: {', '.join(found.left_out)}."
        )
    if found.ranks is not None:
        notes.append(
            f"Friedman's test of equal ranks: p = {found.ranks.p:.3g}; with {len(found.tasks)} tasks it cannot fall below "
            f"{found.ranks.least_p:.3g}."
        )
    return Table(
        "over-tasks",
        f"Recipes over {', '.join(found.tasks)}, on a scale from the constant guess (0) to a perfect score (1): mean, and mean of "
        "the middle half of all trials with its interval, which draws shared seeds together (Agarwal et al. 2021); mean rank "
        "over tasks, 1 the best.",
        header,
        kinds,
        tuple(rows),
        notes=tuple(notes),
    )
