"""Which trials does a file of runs hold, and what should be known before they are believed?"""

import math
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import NamedTuple

from seedwise.errors import DataError, RequestError
from seedwise.importing.curves import Curves, Run, read_curves
from seedwise.importing.mapping import SEEDS, Fields, resolve
from seedwise.importing.reading import Table, join, read_file
from seedwise.importing.trainer import STATE_FILE, read_trainer_states
from seedwise.importing.trials import Cell, State, cells_of, shared_steps, states_of, trials_of
from seedwise.values.facts import Environment, ImportSource, TaskFacts
from seedwise.values.imported import ImportedTrial
from seedwise.values.record import TrialRecord
from seedwise.values.trial import Measurement, best_evaluation

__all__ = ["ImportedRuns", "merged_facts", "read_runs"]


class ImportedRuns(NamedTuple):
    """Runs that were read and are not yet kept."""

    records: tuple[TrialRecord, ...]  # one record for each run, in the order of their first rows
    # task id and recipe id -> steps, evaluation steps where all runs share them, baselines, epochs, and the files and
    # the mapping
    facts: Mapping[Cell, TaskFacts]
    mapping: Mapping[str, str]  # field -> where it came from, as it was written
    guessed: tuple[str, ...]  # fields that were not mapped and taken from a column of their name
    rows: int  # how many rows were read
    notes: tuple[str, ...]  # what a reader should know of the runs, in sentences


def read_runs(
    file: str | Path,
    mapping: Mapping[str, str],
    *,
    beside: str | Path | None = None,
    pattern: str | None = None,
    baseline: float | Mapping[str, float] | None = None,
    lower_is_better: bool | None = None,
    all_complete: bool = False,
) -> ImportedRuns:
    r"""Read runs that were made elsewhere from a file or a folder; `Study.import_runs` keeps them.

    Args:
        file: A CSV, TSV, JSON Lines, JSON or Parquet file, or a folder with ``trainer_state.json`` of Hugging Face in it.
        mapping: Field -> column. Fields are task, recipe, init, order, dropout, step, epoch, score, train_loss,
            validation_loss and test_score; ``score:NAME`` and ``test_score:NAME`` name a metric, the first score decides.
            A column is also ``:VALUE`` (the same for every row), ``A,B`` (of each task the first with a value), ``a.b``
            (nested) or ``acc_*`` (one for each evaluation, * is the step). Fields whose column has their name need no
            mapping. Epochs stand for steps: whole ones as they are, others in thousandths.
        beside: A second file with more columns, one row a run, matched by the columns of task, recipe and seeds.
        pattern: A regular expression for the runs' paths in a folder; its named groups become columns.
        baseline: What the best constant guess scores, or that of each task.
        lower_is_better: Whether less of the metric is better; told by its name where None.
        all_complete: Take runs that end before the longest one of their task and recipe as complete, not as stopped.

    Raises:
        RequestError: The mapping does not fit; nothing has been done.
        DataError: A file cannot be read or a value does not fit.

    Example:
        >>> import tempfile
        >>> path = Path(tempfile.mkdtemp()) / "runs.csv"
        >>> _ = path.write_text("seed,acc\n1,0.7\n2,0.8\n")
        >>> runs = read_runs(path, {"task": ":RTE", "recipe": ":plain", "init": "seed", "score": "acc"})
        >>> [(run.trial.seeds.init, run.best) for run in runs.records]
        [(1, (1, 0.7)), (2, (1, 0.8))]
    """
    path = Path(file)
    notes: list[str] = []
    table = _read_table(path, pattern)
    rows, files = table.rows, [table.name]
    if beside is not None:
        table = _joined(table, read_file(Path(beside)), mapping, notes)
        files.append(Path(beside).name)
    fields = resolve(mapping, table, str(file))
    curves = read_curves(table, fields)
    runs = _with_points(curves.runs, table)
    trials = trials_of(runs, table, curves, fields, lower_is_better, notes)
    states = states_of(runs, trials, notes, all_complete=all_complete)
    records = tuple(
        _record(position, run, trial, state, ", ".join(files))
        for position, (run, trial, state) in enumerate(zip(runs, trials, states, strict=True))
    )
    sources = {source.key: source.text for source in fields.all}
    source = ImportSource(
        files=tuple(files),
        mapping=sources,
        pattern=pattern,
        baseline=baseline if isinstance(baseline, float | int) else dict(baseline or {}),
        lower_is_better=lower_is_better,
        all_complete=all_complete,
    )
    facts = _facts(records, runs, _baselines(records, baseline), source)
    notes = [*_reading_notes(curves, fields, records), *notes]
    return ImportedRuns(records, facts, sources, fields.guessed, rows, tuple(notes))


def merged_facts(old: TaskFacts | None, new: TaskFacts) -> TaskFacts:
    """Merge the facts of a task and recipe whose runs were imported at different times."""
    if old is None or old.imported is None or new.imported is None:
        return new
    return replace(
        new,
        steps=max(old.steps or 0, new.steps or 0),
        evaluation_steps=new.evaluation_steps if old.evaluation_steps == new.evaluation_steps else (),
        epochs=old.epochs if new.epochs is None else new.epochs,
        baselines={**old.baselines, **new.baselines},
        imported=replace(new.imported, files=(*old.imported.files, *new.imported.files)),
    )


# Reading --------------------------------------------------------------------------------------------------------------


def _read_table(path: Path, pattern: str | None) -> Table:
    if path.is_dir():
        return read_trainer_states(path, pattern)
    if pattern is not None:
        raise RequestError(f"pattern is for the paths in a folder, not for the file {path}; drop it.")
    return read_trainer_states(path.parent) if path.name == STATE_FILE else read_file(path)


def _joined(table: Table, other: Table, mapping: Mapping[str, str], notes: list[str]) -> Table:
    columns = [mapping.get(field, field) for field in ("task", "recipe", *SEEDS, "step", "epoch")]
    keys = tuple(dict.fromkeys(c for c in columns if c in table.columns and c in other.columns))
    found, without, unused = join(table, other, keys)
    sentence = f"{other.name}: {other.rows:,} rows, matched by {', '.join(keys)}"
    if without or unused:
        sentence += f"; rows of {table.name} without one: {without:,}; rows of {other.name} that match none: {unused:,}"
    notes.append(f"{sentence}.")
    return found


def _with_points(runs: tuple[Run, ...], table: Table) -> tuple[Run, ...]:
    for run in runs:
        if not run.points:
            raise DataError(
                f"a run must have an evaluation after step 0, but that of {table.place(run.row)} has none; leave it out."
            )
        run.points = dict(sorted(run.points.items()))
    return runs


# Records --------------------------------------------------------------------------------------------------------------


def _record(position: int, run: Run, trial: ImportedTrial, state: State, origin: str) -> TrialRecord:
    evaluations = tuple(Measurement(step, point.loss, point.metrics) for step, point in run.points.items())
    scores = [(step, point.metrics[run.metric]) for step, point in run.points.items()]
    best = best_evaluation(scores, greater_is_better=trial.task.greater_is_better)
    return TrialRecord(
        trial=trial,
        id=trial.id,
        position=position,
        state=state[0],
        evaluations=evaluations,
        fingerprint={},
        environment=Environment(imported_from=origin),
        seconds=0.0,
        attempts=1,  # none: it waits for nothing and can be taken back by nothing
        error=state[1],
        best_step=None if best is None else best[0],
        test_metrics=None if best is None else _tests(run, best[0]),
    )


def _tests(run: Run, best_step: int) -> dict[str, float] | None:
    """Return the test scores at the best evaluation; one that only another row tells is the run's if it is the only one."""
    found = dict(run.points[best_step].tests)
    for name in {name for point in run.points.values() for name in point.tests} - found.keys():
        values = {point.tests[name] for point in run.points.values() if name in point.tests}
        if len(values) == 1:
            found[name] = values.pop()
    return found or None


def _baselines(records: Sequence[TrialRecord], given: float | Mapping[str, float] | None) -> Mapping[str, float]:
    names = list(dict.fromkeys(record.trial.task.name for record in records))
    if given is None:
        return {}
    if isinstance(given, Mapping):
        for name in given:
            if name not in names:
                raise RequestError(f"baseline must be of one of the tasks {', '.join(names)}, not of {name!r}.")
        return given
    if len(names) > 1:
        raise RequestError(
            f"baseline must say of which task, not {given!r} for {', '.join(names)}; for example {names[0]}={given!r}."
        )
    return {names[0]: given}


def _facts(
    records: Sequence[TrialRecord], runs: Sequence[Run], baselines: Mapping[str, float], source: ImportSource
) -> dict[Cell, TaskFacts]:
    trials = [record.trial for record in records if isinstance(record.trial, ImportedTrial)]
    facts: dict[Cell, TaskFacts] = {}
    for cell, places in cells_of(trials).items():
        own, task = [runs[place] for place in places], trials[places[0]].task
        last = max(max(run.points) for run in own)
        epochs = [run.points[last].epoch for run in own if last in run.points]
        known = {task.metric: float(baselines[task.name])} if task.name in baselines else {}
        facts[cell] = TaskFacts(
            steps=last,
            evaluation_steps=tuple(shared_steps(own) or ()),
            epochs=epochs[0],
            baselines=known,
            imported=source,
        )
    return facts


def _reading_notes(curves: Curves, fields: Fields, records: Sequence[TrialRecord]) -> list[str]:
    """Say how rows were read."""
    notes = []
    if fields.guessed:
        notes.append(f"not mapped, but taken from columns of their names: {', '.join(fields.guessed)}.")
    if all(len(record.evaluations) == 1 for record in records):
        notes.append("each run has a single score and no curve, so nothing can be said of stopping early.")
    if curves.epochs:
        notes.append(f"{curves.epochs}.")
    if curves.before_training:
        notes.append(f"evaluations at step 0, before training, are left out: {curves.before_training:,}.")
    scores = [score for record in records for _, score in record.scores]
    if missing := sum(not math.isfinite(score) for score in scores):
        notes.append(
            f"{missing:,} of {len(scores):,} evaluations have no score and are kept as nan; leave out rows that are no "
            "evaluations."
        )
    for error, count in Counter(record.error for record in records if record.error).items():
        notes.append(f"{count:,} of {len(records):,} runs are kept as failed: {error}.")
    return notes
