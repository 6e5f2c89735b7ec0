"""How do rows of any shape become runs, each with its evaluations?

A row is one evaluation of a run (long), a run with its last score alone (wide), or a run with its whole curve: in a list
(nested) or in a column for each evaluation (starred).
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any

from seedwise.errors import DataError
from seedwise.importing.mapping import SEEDS, Fields, Source
from seedwise.importing.reading import Table, label_of, number_of

__all__ = ["Curves", "Point", "Run", "read_curves"]

THOUSANDTHS = 1000


@dataclass(slots=True)
class Point:
    """One evaluation: its row, its metrics, training loss, test metrics and epoch."""

    row: int
    metrics: dict[str, float] = field(default_factory=dict)
    loss: float = float("nan")
    tests: dict[str, float] = field(default_factory=dict)
    epoch: float | None = None


@dataclass(slots=True)
class Run:
    """One run as it was read."""

    task: str  # the name of its task
    recipe: str  # the name of its recipe
    seeds: tuple[str | None, ...]  # the labels of its init, order and dropout seeds, as far as they are known
    metric: str  # the name of the metric that decides
    row: int  # its first row
    points: dict[int, Point] = field(default_factory=dict)  # step -> evaluation


@dataclass(frozen=True, slots=True)
class Curves:
    """All runs of a table, in the order of their first rows."""

    runs: tuple[Run, ...]  # the runs
    by_row: bool  # whether each row is a run of its own
    epochs: str  # how steps were made of epochs; empty where they were not
    before_training: int  # how many evaluations at step 0 were left out


def read_curves(table: Table, fields: Fields) -> Curves:
    """Read every row."""
    return _Reader(table, fields).read()


class _Reader:
    """Reads the rows of one table by one mapping."""

    def __init__(self, table: Table, fields: Fields) -> None:
        self._table, self._fields = table, fields
        self._tasks = [self._name("task", row) for row in range(table.rows)]
        self._chosen = {source.key: self._choose(source) for source in fields.all}
        self._check_names()
        self._steps, self._epochs = self._read_steps()
        self._by_row = table.runs is None and (self._steps is None or self._holds_curves())
        self._before_training = 0

    def read(self) -> Curves:
        runs: dict[tuple[str | None, ...], Run] = {}
        for row, task in enumerate(self._tasks):
            recipe, seeds = self._name("recipe", row), self._seeds(row)
            own = str(row) if self._by_row else self._table.runs[row] if self._table.runs else None
            key = (task, recipe, *seeds, own)
            if key not in runs:
                runs[key] = Run(task, recipe, seeds, self._metric(self._fields.scores[0], task), row)
            self._add(runs[key], row)
        return Curves(tuple(runs.values()), self._by_row, self._epochs, self._before_training)

    # Who it is --------------------------------------------------------------------------------------------------------

    def _name(self, name: str, row: int) -> str:
        source = self._fields.one[name]
        if source.constant is not None:
            return source.constant
        found = label_of(self._table.columns[source.columns[0]][row])
        if found is None:
            raise DataError(
                f"{name} must be known of every run, but {self._table.place(row)} has none in {source.columns[0]}; fill "
                "it in, or leave the row out."
            )
        return found

    def _seeds(self, row: int) -> tuple[str | None, ...]:
        return tuple(self._name(name, row) if name in self._fields.one else None for name in SEEDS)

    # Which column -----------------------------------------------------------------------------------------------------

    def _choose(self, source: Source) -> dict[str, str]:
        """Return for each task the first of a source's columns with a value in it, else its first."""
        if len(source.columns) < 2 or source.steps:
            return {}
        chosen: dict[str, str] = {}
        for column in source.columns:
            for task, value in zip(self._tasks, self._table.columns[column], strict=True):
                if task not in chosen and label_of(value) is not None:
                    chosen[task] = column
        return {task: chosen.get(task, source.columns[0]) for task in set(self._tasks)}

    def _metric(self, source: Source, task: str) -> str:
        if source.name is not None:
            return source.name
        if source.steps:
            return source.text.rpartition(".")[2].replace("*", "").strip("_-./ ") or "score"
        if source.constant is not None:
            return "score"
        return self._chosen[source.key].get(task, source.columns[0]).rpartition(".")[2]

    def _value(self, source: Source, row: int) -> Any:
        if source.constant is not None:
            return source.constant
        column = self._chosen[source.key].get(self._tasks[row], source.columns[0])
        return self._table.columns[column][row]

    def _check_names(self) -> None:
        for task in dict.fromkeys(self._tasks):
            names = [self._metric(source, task) for source in self._fields.scores]
            if "validation_loss" in self._fields.one:
                names.append("loss")
            if twice := next((name for name in names if names.count(name) > 1), None):
                raise DataError(
                    f"two validation metrics of {task} must have two names, not both {twice!r}; name them, as in "
                    "score:NAME=COLUMN."
                )

    # When it was ------------------------------------------------------------------------------------------------------

    def _read_steps(self) -> tuple[list[Any] | None, str]:
        """Return what each row says of its step, and how it was made of epochs."""
        rows = range(self._table.rows)
        if "step" in self._fields.one:
            return [self._value(self._fields.one["step"], row) for row in rows], ""
        if "epoch" not in self._fields.one:
            return None, ""
        epochs = [self._number(self._fields.one["epoch"], self._value(self._fields.one["epoch"], r), r) for r in rows]
        known = [epoch for epoch in epochs if epoch is not None]
        if not all(float(epoch).is_integer() for epoch in known):
            scaled = [None if epoch is None else round(epoch * THOUSANDTHS) for epoch in epochs]
            return scaled, "steps are thousandths of an epoch"
        from_zero = min(known, default=1) == 0
        words = "steps are epochs, counted from 1 instead of 0" if from_zero else "steps are epochs"
        return [None if epoch is None else epoch + from_zero for epoch in epochs], words

    def _step(self, value: Any, row: int) -> int:
        try:
            number = number_of(value)
            if number is not None and float(number).is_integer() and number >= 0:
                return int(number)
        except (ValueError, OverflowError):
            pass
        raise DataError(
            f"step must be a whole number of at least 0, but {self._table.place(row)} has {value!r}; map a part of an "
            "epoch as epoch, and leave rows without an evaluation out."
        )

    def _number(self, source: Source, value: Any, row: int) -> float | None:
        try:
            return number_of(value)
        except (ValueError, OverflowError):
            where = f" in {self._chosen[source.key].get(self._tasks[row], source.columns[0])}" if source.columns else ""
            raise DataError(
                f"{source.key} must be a number, but {self._table.place(row)} has {value!r}{where}; correct it, or leave "
                "it empty."
            ) from None

    # What was measured ------------------------------------------------------------------------------------------------

    def _holds_curves(self) -> bool:
        score = self._fields.scores[0]
        return bool(score.steps) or any(isinstance(self._value(score, row), list) for row in range(self._table.rows))

    def _add(self, run: Run, row: int) -> None:
        """Add a row's evaluations to its run."""
        new: dict[int, Point] = {}
        for source in self._fields.scores:
            name = self._metric(source, run.task)
            for step, value in self._curve(source, row):
                if value is not None or name == run.metric:
                    point = new.setdefault(step, Point(row))
                    point.metrics[name] = float("nan") if value is None else value
        for source in (s for s in (self._one("train_loss"), self._one("validation_loss")) if s is not None):
            for step, value in self._curve(source, row):
                self._keep_loss(source, new.get(step), value)
        for source in self._fields.tests:
            self._keep_tests(source, new, row, source.name or run.metric)
        if (epoch := self._one("epoch")) is not None and len(new) == 1:
            next(iter(new.values())).epoch = self._number(epoch, self._value(epoch, row), row)
        if new.pop(0, None):
            self._before_training += 1
        for step, point in new.items():
            if step in run.points:
                raise self._twice(run, step, point)
            run.points[step] = point

    def _one(self, name: str) -> Source | None:
        return self._fields.one.get(name)

    def _keep_loss(self, source: Source, point: Point | None, value: float | None) -> None:
        if point is None or value is None:
            return
        if source.field == "train_loss":
            point.loss = value
        else:
            point.metrics.setdefault("loss", value)

    def _keep_tests(self, source: Source, new: dict[int, Point], row: int, name: str) -> None:
        """A test score is of one evaluation each, or of the run as a whole."""
        value = self._value(source, row) if not source.steps else []
        alone = not isinstance(value, list)
        curve = dict.fromkeys(new, self._number(source, value, row)) if alone else dict(self._curve(source, row))
        for step, point in new.items():
            score = curve.get(step)
            if score is not None:
                point.tests[name] = score

    def _curve(self, source: Source, row: int) -> list[tuple[int, float | None]]:
        """Return step and value of every evaluation that a row tells of."""
        if source.steps:
            values = [self._table.columns[column][row] for column in source.columns]
            found = [(step, self._number(source, v, row)) for step, v in zip(source.steps, values, strict=True)]
            while found and found[-1][1] is None and label_of(values[len(found) - 1]) is None:
                found.pop()  # a run that ended earlier has empty columns at its end
            return found or [(source.steps[-1], None)]
        value = self._value(source, row)
        if not isinstance(value, list):
            step = 1 if self._steps is None else self._step(self._steps[row], row)
            return [(step, self._number(source, value, row))]
        if not value:
            raise DataError(
                f"{source.key} must hold at least one evaluation, but {self._table.place(row)} has an empty list; leave "
                "the row out."
            )
        return self._nested(source, value, row)

    def _nested(self, source: Source, values: list[Any], row: int) -> list[tuple[int, float | None]]:
        """Read a list of numbers or of pairs of step and number."""
        if all(isinstance(value, list) and len(value) == 2 for value in values):
            pairs = [(self._step(step, row), self._number(source, value, row)) for step, value in values]
        else:
            steps = self._listed_steps(len(values), row)
            pairs = [(step, self._number(source, value, row)) for step, value in zip(steps, values, strict=True)]
        for (before, _), (after, _) in pairwise(pairs):
            if after <= before:
                raise DataError(
                    f"{source.key} must have ascending steps, but {self._table.place(row)} has {after} after {before}; "
                    "sort them, and give each once."
                )
        return pairs

    def _listed_steps(self, count: int, row: int) -> Sequence[int]:
        given = None if self._steps is None else self._steps[row]
        if given is None:
            return range(1, count + 1)
        if not isinstance(given, list) or len(given) != count:
            raise DataError(
                f"step must be a list as long as the curve, {count}, but {self._table.place(row)} has {given!r}; drop the "
                "mapping of step to count evaluations from 1."
            )
        return [self._step(step, row) for step in given]

    def _twice(self, run: Run, step: int, point: Point) -> DataError:
        seeds = ", ".join(f"{name} {label}" for name, label in zip(SEEDS, run.seeds, strict=True) if label is not None)
        return DataError(
            f"{self._table.place(run.points[step].row)} and {self._table.place(point.row)} are both step {step} of one run "
            f"({', '.join(filter(None, [run.task, run.recipe, seeds]))}); map the column that tells the runs apart, "
            "such as --map init=seed."
        )
