"""Studies made of arrays: a table of scores, and nothing that runs.

study = table_study(scores, init=init, order=order)          # one task, one recipe
study = table_study(a, task="RTE") + table_study(b, task="MRPC")  # several
cell = Analysis(study).cell(task="RTE")
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass, field, replace

import numpy as np

from seedwise.values.choice import DesignRecord
from seedwise.values.facts import Environment, ImportSource, TaskFacts
from seedwise.values.imported import ImportedRecipe, ImportedTask, ImportedTrial, greater_is_better
from seedwise.values.record import TrialRecord
from seedwise.values.rows import Predictions, Targets
from seedwise.values.seeds import Seeds
from seedwise.values.stopping import StoppingRule
from seedwise.values.trial import Measurement, Trial, TrialState

__all__ = ["TableStudy", "grid_seeds", "table_study"]


@dataclass(frozen=True)
class TableStudy:
    """What `Analysis` reads of a study; two are added with ``+``.

    Args:
        records: The trials, in trial order.
        facts_of: By task id and recipe id, what preparing them found.
        losses_of: By trial id, the training loss at every step.
        rule: The stopping rule.
        design: The design that the trials follow.
        tuning: The study of the design's choices.
        tracked_of: By trial id, what was tracked at every step, by name.
        predictions_of: By trial id, its outputs.
        targets_of: By task id, the labels of its rows.
    """

    records: tuple[TrialRecord, ...]
    facts_of: Mapping[tuple[str, str], TaskFacts]
    losses_of: Mapping[str, np.ndarray]
    rule: StoppingRule | None = None
    design: DesignRecord | None = None
    tuning: "TableStudy | None" = None
    tracked_of: Mapping[str, Mapping[str, np.ndarray]] = field(default_factory=dict)
    predictions_of: Mapping[str, Predictions] = field(default_factory=dict)
    targets_of: Mapping[str, Targets] = field(default_factory=dict)

    @property
    def trials(self):
        return self.records

    differences = ()

    @property
    def chosen(self):
        return {} if self.design is None else self.design.chosen

    def facts(self, trial):
        return self.facts_of.get((trial.task.id, trial.recipe.id), TaskFacts())

    def losses(self, trial_id):
        return self.losses_of.get(trial_id, np.zeros(0, np.float32))

    def tracked(self, trial_id):
        return self.tracked_of.get(trial_id, {})

    def predictions(self, trial_id):
        return self.predictions_of.get(trial_id)

    def targets(self, task):
        return self.targets_of.get(task.id)

    def __add__(self, other):
        return TableStudy(
            self.records + other.records,
            {**self.facts_of, **other.facts_of},
            {**self.losses_of, **other.losses_of},
            self.rule or other.rule,
            self.design or other.design,
            self.tuning or other.tuning,
            {**self.tracked_of, **other.tracked_of},
            {**self.predictions_of, **other.predictions_of},
            {**self.targets_of, **other.targets_of},
        )


def table_study(
    scores,
    *,
    init=None,
    order=None,
    dropout=None,
    test=None,
    metric="accuracy",
    task="toy",
    recipe="plain",
    steps=None,
    states=None,
    losses=None,
    tracked=None,
    baseline=0.5,
    epochs=None,
    rule=None,
    outputs=None,
    targets=None,
):
    """Return a study of one task and recipe whose trials have the given validation scores.

    Args:
        scores: Shape (trials, evaluations). A nan is an evaluation whose score is not finite; but the nans that end the
            row of a trial that is not complete are evaluations that it never reached.
        init: Init seed of each trial, (trials,); 1, 2, 3, ... by default. `grid_seeds` gives those of a grid.
        order: Order seed of each trial, (trials,); 1, 2, 3, ... by default, so that both change together.
        dropout: Dropout seed of each trial, (trials,); the order seed by default.
        test: Test score of each trial at its best evaluation, (trials,); nan or None where there is none.
        metric: Its name tells whether less is better ("loss") and its bounds.
        task: Name of the task, or a `Task` of our own, whose metric counts.
        recipe: Name of the recipe, or a `Recipe` of our own.
        steps: Optimiser step of each evaluation, (evaluations,); 1, 2, 3, ... by default. The last ends the run.
        states: State of each trial, (trials,), as `TrialState` or its text; all complete by default.
        losses: Training loss at every step, (trials, steps of the run); not known by default.
        tracked: What was tracked at every step, by name, (trials, steps, values a step); nothing by default.
        baseline: What the best constant guess scores; None where it is not known.
        epochs: How many epochs a run has; not known by default.
        rule: The study's stopping rule.
        outputs: By split, every trial's outputs before softmax, (trials, rows, outputs); None of a trial without any.
        targets: By split, the label of every row, (rows,); classes where the outputs are several, otherwise values.
    """
    scores = np.asarray(scores, dtype=float)
    count, evaluations = scores.shape
    steps = list(range(1, evaluations + 1)) if steps is None else [int(step) for step in steps]
    init = range(1, count + 1) if init is None else init
    order = range(1, count + 1) if order is None else order
    dropout = order if dropout is None else dropout
    states = [TrialState(state) for state in (["complete"] * count if states is None else states)]
    test = [math.nan] * count if test is None else test
    the_task = ImportedTask(task, metric, greater_is_better(metric)) if isinstance(task, str) else task
    the_recipe = ImportedRecipe(recipe) if isinstance(recipe, str) else recipe
    kind = ImportedTrial if isinstance(the_task, ImportedTask) else Trial
    metric = the_task.metric
    records, losses_of = [], {}
    for row, state in enumerate(states):
        trial = kind(the_task, the_recipe, Seeds(int(init[row]), int(order[row]), int(dropout[row])))
        curve = None if losses is None else np.asarray(losses[row], np.float32)
        records.append(_record(trial, len(records), state, scores[row], steps, curve, test[row]))
        if curve is not None:
            losses_of[trial.id] = curve
    tracked_of = {r.id: {name: np.asarray(rows[r.position]) for name, rows in (tracked or {}).items()} for r in records}
    kept = _predictions(records, outputs or {})
    labels = (
        {the_task.id: Targets(**{split: np.asarray(of, np.float32) for split, of in targets.items()})}
        if targets
        else {}
    )
    facts = TaskFacts(
        kind=_kind(kept),
        rows={split: len(of) for split, of in (targets or {}).items()},
        steps=steps[-1],
        evaluation_steps=tuple(steps),
        epochs=epochs,
        baselines={} if baseline is None else {metric: baseline},
        imported=ImportSource() if kind is ImportedTrial else None,
    )
    return TableStudy(
        tuple(records),
        {(the_task.id, the_recipe.id): facts},
        losses_of,
        rule,
        tracked_of=tracked_of if tracked else {},
        predictions_of=kept,
        targets_of=labels,
    )


def grid_seeds(inits, orders):
    """Return the init and the order seed of each trial of a crossed grid, row by row: 1..inits x 1..orders."""
    init, order = np.meshgrid(np.arange(1, inits + 1), np.arange(1, orders + 1), indexing="ij")
    return {"init": init.ravel(), "order": order.ravel()}


def _predictions(records, outputs):
    """The outputs of every trial that has some, at its best evaluation."""
    kept = {}
    for row, record in enumerate(records):
        of = {split: np.asarray(given[row], np.float32) for split, given in outputs.items() if given[row] is not None}
        if of and record.best is not None:
            kept[record.id] = Predictions(record.best[0], **of)
    return kept


def _kind(kept):
    widths = {predictions.validation.shape[1] for predictions in kept.values()}
    return None if not widths else "regression" if widths == {1} else "classification"


def _record(trial, position, state, scores, steps, losses, test):
    reached = len(scores)
    if state is not TrialState.COMPLETE:
        known = np.flatnonzero(~np.isnan(scores))
        reached = known[-1] + 1 if len(known) else 0
    metric = trial.task.metric
    measured = tuple(
        Measurement(step, _loss_at(losses, step), {metric: float(score)})
        for step, score in zip(steps[:reached], scores[:reached], strict=True)
    )
    record = TrialRecord(
        trial=trial,
        id=trial.id,
        position=position,
        state=state,
        evaluations=measured,
        fingerprint={},
        environment=Environment(),
        seconds=1.0,
        attempts=int(state is not TrialState.WAITING),
        error="it failed" if state is TrialState.FAILED else None,
        best_step=None,
        test_metrics=None,
    )
    if record.best is None or test is None or math.isnan(test):
        return record
    return replace(record, best_step=record.best[0], test_metrics={metric: float(test)})


def _loss_at(losses, step):
    return math.nan if losses is None or step > len(losses) else float(losses[step - 1])
