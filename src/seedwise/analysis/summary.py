"""What became of the trials of one task and recipe, in one line?"""

import math
import statistics
from collections.abc import Sequence
from typing import NamedTuple

from seedwise.analysis.cell import Cell
from seedwise.values.html import html_table
from seedwise.values.imported import AnyTask
from seedwise.values.record import TrialRecord, winner
from seedwise.values.trial import TrialState

__all__ = ["CellSummary", "left_out_words", "summaries_html", "summarize", "summary_words"]


class CellSummary(NamedTuple):
    """One task and recipe of a study, summed up."""

    task: AnyTask  # the task
    model: str  # the name of the recipe's model
    recipe_id: str  # the recipe's id
    started: int  # trials with an evaluation, or that failed before their first
    stopped: int  # trials that were judged and do not go on
    kept: int  # trials that reached the end
    failed: int  # trials that failed
    open: int  # trials that are not finished: waiting, running or paused
    best: float | None  # best validation score of a complete trial, in the task's metric
    test: float | None  # its test score in the same metric
    median: float | None  # median best validation score of the trials that reached the end
    baseline: float | None  # what the best constant guess scores
    cost: float  # device time in full trainings: steps trained over steps of one run
    seconds: float  # device seconds
    winner: TrialRecord | None  # the trial that best belongs to


def summarize(cell: Cell) -> CellSummary:
    """Sum one cell up."""
    trials, task, states = cell.records, cell.task, cell.states
    complete = [r for r in trials if r.state is TrialState.COMPLETE and r.best is not None]
    best = winner(trials, task)
    return CellSummary(
        task=task,
        model=cell.recipe.model_name,
        recipe_id=cell.recipe.id,
        started=sum(bool(record.evaluations) or record.state is TrialState.FAILED for record in trials),
        stopped=states[TrialState.STOPPED],
        kept=states[TrialState.COMPLETE],
        failed=states[TrialState.FAILED],
        open=sum(states[s] for s in (TrialState.WAITING, TrialState.RUNNING, TrialState.PAUSED)),
        best=best.best[1] if best and best.best else None,
        test=_test_of(cell, best),
        median=statistics.median(r.best[1] for r in complete if r.best) if complete else None,
        baseline=cell.baseline,
        cost=_cost(cell),
        seconds=sum(record.seconds for record in trials),
        winner=best,
    )


def summary_words(summary: CellSummary) -> tuple[str, ...]:
    """Return a cell's task, trials, best score and constant guess as words."""
    metric, scores = summary.task.metric, (summary.best, summary.median, summary.test, summary.baseline)
    trials = f"{summary.kept} complete, {summary.stopped} stopped, {summary.failed} failed, {summary.open} open"
    return summary.task.name, trials, metric, *("–" if score is None else f"{score:.3f}" for score in scores)


def left_out_words(cell: Cell, split: str) -> str:
    """Return which trials a cell's scores on validation or test rows leave out; empty where they leave out none."""
    out = cell.left_out(split)
    count, few = len(cell.scored(split)), []
    if out.failed:
        few.append(f"{out.failed} failed without a {split} score")
    if out.unfinished:
        few.append(f"{out.unfinished} {'is' if out.unfinished == 1 else 'are'} not finished")
    return f"{count} of {out.trials} trials; {' and '.join(few)}" if few else ""


def summaries_html(names: Sequence[str], summaries: Sequence[CellSummary]) -> str:
    """Return a table with one row for each cell, in the colours of the page around it."""
    header = ("recipe", "task", "trials", "metric", "best", "median", "test of the best", "constant guess")
    return html_table(header, [(name, *summary_words(each)) for name, each in zip(names, summaries, strict=True)])


def _test_of(cell: Cell, winner: TrialRecord | None) -> float | None:
    """Return the winner's test score at the evaluation that made it the winner."""
    if winner is None:
        return None
    score = float(cell.test[cell.records.index(winner)])
    return score if math.isfinite(score) else None


def _cost(cell: Cell) -> float:
    """Return what the cell has cost in full trainings; runs of different lengths count as one each."""
    if cell.facts.is_imported and not cell.facts.evaluation_steps:
        return float(sum(bool(record.evaluations) for record in cell.records))
    steps = cell.facts.steps
    return sum(record.last_step for record in cell.records) / steps if steps else 0.0
