"""Which tables do the papers print, and what do they say of a study: scores, failures, plans?"""

import re
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from typing import NamedTuple

import numpy as np

from seedwise.analysis.analysis import Analysis
from seedwise.analysis.cell import Cell
from seedwise.analysis.recipes import RecipeScore
from seedwise.analysis.summary import left_out_words, summarize
from seedwise.errors import UnknownError
from seedwise.papers.numbers import DODGE_TABLE_1
from seedwise.tables.arms import arms_table, candidates_table, tuning_table
from seedwise.tables.comparison import verdicts_table
from seedwise.tables.early import early_table
from seedwise.tables.items import ensemble_table, items_table
from seedwise.tables.over_tasks import over_tasks_table
from seedwise.tables.reasons import Reasons, cell_columns
from seedwise.tables.seeds import anova_table, good_seeds_table, grid_table, spread_table
from seedwise.tables.table import Kind, Table, Value
from seedwise.values.imported import AnyTask
from seedwise.values.labels import metric_words
from seedwise.values.trial import TrialState

__all__ = ["best_table", "failed_table", "planning_table", "results_table", "study_tables"]

_PUBLISHED = "Published scores are of large models, as printed, in their papers' metrics and on their validation rows; see that yours are the same."


class _Column(NamedTuple):
    """One task of a table with a row for each recipe."""

    task: AnyTask
    cells: dict[str, Cell]  # by label of the recipe


def results_table(analysis: Analysis) -> Table:
    """Return mean and standard deviation of every recipe on every task (Zhang et al. 2021, tables 1, 2, 4 and 5).

    Test scores where all of a task's trials have one, else validation scores.
    """
    reasons = Reasons()
    columns = _columns(analysis)
    found = [_scores(analysis, column, reasons) for column in columns]
    tops = [_top(analysis, column, scores) for column, scores in zip(columns, found, strict=True)]
    rows: list[tuple[Value, ...]] = []
    bold = set()
    for i, (label, cells) in enumerate(analysis.rows.items()):
        own = [cells.get(column.task.id) for column in columns]
        mine = [
            None if cell is None else scores.get(analysis.recipe_name(cell))
            for cell, scores in zip(own, found, strict=True)
        ]
        rows.append(
            (label, *(None if score is None else (score.mean, score.sd, score.n) for score in mine), _counts(mine))
        )
        bold |= {(i, j) for j, score in enumerate(mine, start=1) if score is not None and score.recipe in tops[j - 1]}
    shown = [next(iter(scores.values())) for scores in found if scores]
    words = "".join(f" {score.task}: {metric_words(score.metric, score.split)}." for score in shown)
    return Table(
        "results",
        "Mean ± standard deviation of the scores of n trials. Bold: the recipe with the best mean on a task, and those that the "
        f"table of verdicts does not tell apart from it.{words}",
        ("recipe", *(column.task.name for column in columns), "n"),
        ("text", *_kinds("spread", columns), "text"),
        tuple(rows),
        frozenset(bold),
        reasons.notes(),
    )


def best_table(analysis: Analysis, published: Mapping[str, Mapping[str, float]] | None = None) -> Table:
    """Return the best validation score of all trials beside published ones of single runs (Dodge et al. 2020, table 1)."""
    reasons = Reasons()
    columns = _columns(analysis)
    design = None if analysis.design is None else analysis.design.design
    beside = design is not None and (design.published or "").startswith("dodge2020")
    stands_for = design.stands_for if design is not None and beside else {}
    rows: list[tuple[Value, ...]] = []
    for source, scores in (published or {}).items():
        named = {_plain_name(task): score for task, score in scores.items()}
        values = [named.get(_plain_name(stands_for.get(column.task.name, column.task.name))) for column in columns]
        if any(value is not None for value in values):
            rows.append((source, *values))
    for label, own in analysis.rows.items():
        cells = [own.get(column.task.id) for column in columns]
        rows.append((f"{label}: mean of all trials", *(_mean(analysis, cell, reasons) for cell in cells)))
        rows.append(
            (f"{label}: best of all trials", *(None if cell is None else summarize(cell).best for cell in cells))
        )
    words = "; ".join(f"{c.task.name}: {metric_words(c.task.metric)}, {_started(c)} trials" for c in columns)
    return Table(
        "best",
        "Best validation score of all trials, and the mean of theirs. The best of many is higher than a single run is "
        f"expected to be. Bold: the best of the column. {words}.",
        ("", *(column.task.name for column in columns)),
        ("text", *_kinds("score", columns)),
        tuple(rows),
        _best_of_columns(rows, [column.task.greater_is_better for column in columns]),
        (*reasons.notes(), *(_published_notes(stands_for) if any(row[0] in (published or {}) for row in rows) else [])),
    )


def failed_table(analysis: Analysis) -> Table:
    """Return how many trials of each cell ended about where the best constant guess is (Dodge et al. 2020, section 4)."""
    reasons, rows = Reasons(), []
    own = cell_columns(analysis)
    for cell in own.cells:
        found = reasons.known(analysis.label(cell), analysis.failed, cell)
        values: list[Value] = [None] * 6
        if found is not None:
            share = found.share
            gathered = [None if c is None else c.p for c in (found.gather_in_init, found.gather_in_order)]
            values = [share.n, share.failed, (share.share, share.lower, share.upper), found.threshold, *gathered]
            if found.threshold is None:
                reasons.add(analysis.label(cell), "no constant guess is known, so only trials without a score count.")
        rows.append((*own.names(cell), *values))
    return Table(
        "failed",
        "Trials that ended about where the best constant guess is: up to which score, their share with its 95% interval, and "
        "whether they gather in some init or order seeds (p-values of permutation tests).",
        (*own.header, "trials", "failed", "share", "up to", "p, by init", "p, by order"),
        (*own.kinds, "count", "count", "share_interval", "score", "p", "p"),
        tuple(rows),
        notes=reasons.notes(),
    )


def planning_table(analysis: Analysis, budgets: Iterable[int] = (2, 5, 10, 20, 30)) -> Table:
    """Return the best stopping rule for some budgets, and what it gains (Dodge et al. 2020, figures 6 and 7).

    Args:
        analysis: The analysis.
        budgets: Those to show, in full trainings, from 1 to 30.
    """
    reasons, wanted = Reasons(), set(budgets)
    own = cell_columns(analysis)
    rows: list[tuple[Value, ...]] = []
    for cell in own.cells:
        found = reasons.known(analysis.label(cell), analysis.best_rules, cell)
        if found is None:
            rows.append((*own.names(cell), *[None] * 8))
            continue
        rules = found.rules
        for i in np.flatnonzero(np.isin(rules.budget, list(wanted))):
            rule = (round(rules.budget[i]), int(rules.t[i]), float(rules.f[i]), int(rules.p[i]), float(rules.cost[i]))
            gain = None if found.reduction is None else float(found.reduction[i])
            expected = (float(rules.mean[i]), float(rules.sd[i]))
            rows.append((*own.names(cell), *rule, expected, float(found.full[i]), gain))
    return Table(
        "planning",
        "The best rule for each budget: start t trials, stop at the share f of the run, continue the p best. Budget and cost "
        "in full trainings; expected best score ± standard deviation, beside that of full trainings for the same budget, and "
        "the relative error reduction.",
        (*own.header, "budget", "t", "f", "p", "cost", "expected", "full trainings", "error reduction"),
        (*own.kinds, "count", "count", "share", "count", "number", "spread", "score", "share"),
        tuple(rows),
        notes=reasons.notes(),
    )


def study_tables(analysis: Analysis) -> tuple[list[Table], list[Table]]:
    """Return the tables that the study's design allows, and those without any value, whose notes say why."""
    made = [
        results_table(analysis),
        best_table(analysis, DODGE_TABLE_1),
        failed_table(analysis),
        *([early_table(analysis)] if any(cell.states[TrialState.STOPPED] for cell in analysis.cells) else []),
        spread_table(analysis),
        anova_table(analysis),
        *(build(analysis, stream) for build in (grid_table, good_seeds_table) for stream in ("init", "order")),
        planning_table(analysis),
        items_table(analysis),
        ensemble_table(analysis),
    ]
    with suppress(UnknownError):
        made[1:1] = [verdicts_table(analysis.verdicts())] if len(analysis.recipe_names) > 1 else []
    if len({cell.task.id for cell in analysis.cells}) > 1:
        made.insert(1, over_tasks_table(analysis))
    if analysis.design is not None:
        made += [arms_table(analysis)] if analysis.design.stage == "report" else []
        made += [tuning_table(analysis), candidates_table(analysis)]
    return [table for table in made if _has_value(table)], [table for table in made if not _has_value(table)]


def _columns(analysis: Analysis) -> list[_Column]:
    found: dict[str, _Column] = {}
    for cell in analysis.cells:
        found.setdefault(cell.task.id, _Column(cell.task, {})).cells[analysis.recipe_name(cell)] = cell
    return list(found.values())


def _kinds(kind: Kind, columns: Sequence[_Column]) -> list[Kind]:
    return [kind] * len(columns)


def _scores(analysis: Analysis, column: _Column, reasons: Reasons) -> dict[str, RecipeScore]:
    """Return the scores of those recipes of a task that have them: one that was stopped early takes no other with it."""
    usable = [cell for cell in column.cells.values() if reasons.known(analysis.label(cell), cell.final) is not None]
    found = {score.recipe: score for score in reasons.known(column.task.name, analysis.recipe_scores, usable) or ()}
    for cell in usable:
        score = found.get(analysis.recipe_name(cell))
        if score is not None and (words := left_out_words(cell, score.split)):
            reasons.add(analysis.label(cell), f"{words}.")
    return found


def _top(analysis: Analysis, column: _Column, scores: Mapping[str, RecipeScore]) -> frozenset[str]:
    """Return the recipes of a task that are not worse than the one with the best mean."""
    try:
        return analysis.headline(column.task.name).top
    except (UnknownError, ValueError):  # a single recipe, or none that can be compared
        best = min(scores.values(), key=lambda score: score.rank, default=None)
        return frozenset() if best is None else frozenset((best.recipe,))


def _counts(scores: Sequence[RecipeScore | None]) -> str | None:
    counts = [str(score.n) for score in scores if score is not None]
    return ("/".join(counts) if len(set(counts)) > 1 else counts[0]) if counts else None


def _mean(analysis: Analysis, cell: Cell | None, reasons: Reasons) -> float | None:
    final = None if cell is None else reasons.known(analysis.label(cell), cell.final, least=1)
    return None if final is None else float(final.mean())


def _published_notes(stands_for: Mapping[str, str]) -> list[str]:
    others = [f"{name} for {other}" for name, other in stands_for.items() if _plain_name(name) != _plain_name(other)]
    return [_PUBLISHED, *([f"Tasks that stand for published ones: {', '.join(others)}."] if others else [])]


def _started(column: _Column) -> str:
    return " or ".join(map(str, sorted({summarize(cell).started for cell in column.cells.values()})))


def _plain_name(task: str) -> str:
    name = re.sub("[^a-z0-9]", "", task.lower()).removeprefix("glue")
    return {"sst": "sst2", "sts": "stsb"}.get(name, name)


def _best_of_columns(rows: Sequence[tuple[Value, ...]], greater: Sequence[bool]) -> frozenset[tuple[int, int]]:
    bold = set()
    for j, is_greater in enumerate(greater, start=1):
        values = {i: row[j] for i, row in enumerate(rows) if isinstance(row[j], float)}
        if values:
            best = (max if is_greater else min)(values.values())  # type: ignore[type-var]
            bold |= {(i, j) for i, value in values.items() if value == best}
    return frozenset(bold)


def _has_value(table: Table) -> bool:
    """Whether a table says more than names: in a column of numbers, or in bold."""
    places = [i for i, kind in enumerate(table.kinds) if kind != "text"]
    return any(row[i] is not None for row in table.rows for i in places)
