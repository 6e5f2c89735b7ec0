"""What does a study look like as tidy tables, for other tools to read?

One row a trial, an evaluation, a loss, a tracked value, a predicted row, a task, a recipe, an event of the diary. Numbers keep every digit; nan stays NaN, the
word that both polars and pandas read as a number. What is unknown is empty. Trials are told apart by their ids.
"""

import json
from collections.abc import Iterable, Mapping, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from seedwise.errors import StorageError
from seedwise.files import replacing
from seedwise.store.store import Store
from seedwise.values.checks import check_choice
from seedwise.values.facts import TaskFacts
from seedwise.values.recipe import Recipe
from seedwise.values.record import Event, TrialRecord
from seedwise.values.rows import SPLITS, Predictions

if TYPE_CHECKING:
    import polars as pl

__all__ = ["FORMATS", "export", "trials_dataframe", "trials_table"]

FORMATS = ("csv", "parquet")

Row = dict[str, Any]

_BY_BLOCK = ("distance",)  # names of tracked values of which there is one a block

# The type of a column in which no row has a value.
_TYPES: dict[str, type] = {
    "position": int,
    "init": int,
    "order": int,
    "dropout": int,
    "step": int,
    "epoch": float,
    "train_loss": float,
    "best_step": int,
    "best_score": float,
    "last_step": int,
    "last_score": float,
    "seconds": float,
    "attempts": int,
}


def trials_table(records: Iterable[TrialRecord]) -> list[Row]:
    """Return one row of plain values for each trial; every row has the same keys."""
    return _same_keys([_trial_row(record) for record in records])


def trials_dataframe(records: Iterable[TrialRecord]) -> "pl.DataFrame":
    """Return the exported table of trials."""
    return _frame(trials_table(records), _TRIAL_COLUMNS)


def export(store: Store, folder: str | Path, format: str = "csv") -> list[Path]:  # noqa: A002 - the word users know
    """Write the study as tidy tables; a table is replaced as a whole or not at all."""
    check_choice("format", format, FORMATS)
    records = store.records()
    frames = {
        "trials": trials_dataframe(records),
        "evaluations": _frame(_evaluations(store, records), _EVALUATION_COLUMNS),
        "losses": _losses(store, records),
        "tracked": _tracked(store, records),
        "predictions": _predictions(store, records),
        "recipes": _frame([{"id": r.id, **r.to_json()} for r in {r.trial.recipe: None for r in records}], ("id",)),
        "tasks": _frame([_task_row(t.to_json(), t.id) for t in {r.trial.task: None for r in records}], ("id",)),
    }
    frames["events"] = _frame([event._asdict() for event in store.events()], Event._fields).rename(
        {"trial_id": "trial"}
    )
    folder = Path(folder)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        return _write(frames, folder, format)
    except OSError as error:
        raise StorageError(f"the tables cannot be written to {folder}: {error}; choose another folder.") from error


# Rows -----------------------------------------------------------------------------------------------------------------

_SEEDS = ("init", "order", "dropout")
_TRIAL_COLUMNS = (
    *("id", "position", "task", "task_id", "recipe", "metric", *_SEEDS, "state"),
    *("best_step", "best_score", "last_step", "last_score", "seconds", "attempts", "error"),
)
_EVALUATION_COLUMNS = ("trial", "task", "recipe", *_SEEDS, "step", "epoch", "train_loss")


def _trial_row(record: TrialRecord) -> Row:
    trial = record.trial
    best_step, best_score = record.best or (None, None)
    last_step, last_score = record.scores[-1] if record.scores else (None, None)
    test = (record.test_metrics or {}) if record.best_step == best_step else {}  # not an earlier evaluation's
    return {
        "id": record.id,
        "position": record.position,
        "task": trial.task.name,
        "task_id": trial.task.id,
        "recipe": trial.recipe.id,
        "metric": trial.task.metric,
        **trial.seeds.to_json(),
        "state": str(record.state),
        "best_step": best_step,
        "best_score": best_score,
        "last_step": last_step,
        "last_score": last_score,
        **_prefixed("test", test),
        "seconds": record.seconds,
        "attempts": record.attempts,
        "error": record.error,
        **_prefixed("fingerprint", record.fingerprint),
        **_prefixed("origin", record.environment.to_json()),
    }


def _evaluations(store: Store, records: Sequence[TrialRecord]) -> list[Row]:
    rows: list[Row] = []
    cells: dict[tuple[Any, Any], tuple[str, int | None]] = {}
    for record in records:
        trial = record.trial
        cell = (trial.task, trial.recipe)
        if cell not in cells:
            cells[cell] = trial.recipe.id, _steps_per_epoch(store, record)
        recipe, per_epoch = cells[cell]
        common = {"trial": record.id, "task": trial.task.name, "recipe": recipe, **trial.seeds.to_json()}
        for evaluation in record.evaluations:
            epoch = None if per_epoch is None else evaluation.step / per_epoch
            known = {**common, "step": evaluation.step, "epoch": epoch, "train_loss": evaluation.loss}
            # A metric of the same name as another column must hide neither.
            metrics = (evaluation.metrics or {}).items()
            rows.append(known | {f"metric_{name}" if name in known else name: value for name, value in metrics})
    return _same_keys(rows)


def _steps_per_epoch(store: Store, record: TrialRecord) -> int | None:
    """Return the steps of an epoch where preparing has counted the training rows."""
    recipe = record.trial.recipe
    facts = store.facts(record.trial.task.id, recipe.id) or TaskFacts()
    rows = facts.rows.get("train")
    return recipe.steps_per_epoch(rows) if isinstance(recipe, Recipe) and rows else None


def _task_row(content: Row, task_id: str) -> Row:
    splits = content.pop("splits", {})  # an imported task has none
    return {"id": task_id, **content, **_prefixed("splits", splits)}


def _prefixed(prefix: str, content: Mapping[str, Any]) -> Row:
    return {f"{prefix}_{name}": value for name, value in content.items()}


def _same_keys(rows: list[Row]) -> list[Row]:
    """Fill in None for a key that only other rows have, in an order in which all rows agree."""
    keys = list(dict.fromkeys(key for row in rows for key in row))
    return [{key: row.get(key) for key in keys} for row in rows]


# Frames ---------------------------------------------------------------------------------------------------------------


def _frame(rows: list[Row], columns: Sequence[str]) -> "pl.DataFrame":
    """Return rows with the same keys as a frame; without rows it still has its fixed columns."""
    import polars as pl

    names = list(rows[0]) if rows else list(columns)
    return pl.DataFrame([_column(name, [row[name] for row in rows]) for name in names])


def _column(name: str, values: list[Any]) -> "pl.Series":
    """Return a column of one type: numbers where all are, otherwise text."""
    import polars as pl

    kinds = {type(value) for value in values if value is not None}
    if not kinds:
        return pl.Series(name, values, dtype={int: pl.Int64, float: pl.Float64}.get(_TYPES.get(name, str), pl.String))
    large = kinds == {int} and max(abs(value) for value in values if value is not None) >= 2**63
    if kinds == {int, float}:
        values = [None if value is None else float(value) for value in values]
    elif large or (len(kinds) > 1 or not kinds <= {bool, int, float, str}):
        values = [value if value is None or isinstance(value, str) else json.dumps(value) for value in values]
    return pl.Series(name, values)


def _losses(store: Store, records: Sequence[TrialRecord]) -> "pl.DataFrame":
    import polars as pl

    curves = [store.losses(record.id) for record in records]
    lengths = np.array([len(curve) for curve in curves], dtype=np.int64)
    ids = pl.Series("trial", [record.id for record in records], dtype=pl.String)
    steps = [np.arange(1, length + 1) for length in lengths]
    return pl.DataFrame(
        [
            ids.gather(np.repeat(np.arange(len(ids)), lengths)),
            pl.Series("step", np.concatenate([np.zeros(0, np.int64), *steps])),
            pl.Series("loss", np.concatenate([np.zeros(0, np.float32), *curves])),
        ]
    )


def _tracked(store: Store, records: Sequence[TrialRecord]) -> "pl.DataFrame | None":
    """Return one row for each tracked value of each step, or None if nothing was tracked."""
    import polars as pl

    frames = [
        _tracked_frame(record.id, name, values)
        for record in records
        for name, values in store.tracked(record.id).items()
    ]
    return pl.concat(frames) if frames else None


def _tracked_frame(trial_id: str, name: str, values: NDArray[np.float32]) -> "pl.DataFrame":
    """Return a step's values below each other, with the number of its block, from 1, where there is one a block."""
    import polars as pl

    steps, width = values.shape
    count = steps * width
    blocks = np.arange(count) % width + 1 if name in _BY_BLOCK else pl.repeat(None, count, dtype=pl.Int64, eager=True)
    return pl.DataFrame(
        [
            pl.Series("step", np.repeat(np.arange(1, steps + 1), width)),
            pl.Series("block", blocks),
            pl.Series("value", values.ravel()),
        ]
    ).select(pl.lit(trial_id).alias("trial"), "step", pl.lit(name).alias("name"), "block", "value")


def _predictions(store: Store, records: Sequence[TrialRecord]) -> "pl.DataFrame | None":
    """Return one row for each row of the validation and test splits, or None if no trial's predictions are kept."""
    import polars as pl

    labels: dict[str, dict[str, pl.Series]] = {}
    parts: list[pl.DataFrame] = []
    for record in records:
        if (predictions := store.predictions(record.id)) is not None:
            task = record.trial.task.id
            if task not in labels:
                labels[task] = _labels(store, task, record.trial.recipe.id)
            parts += _split_frames(record.id, predictions, labels[task])
    # Of classes the labels are names, of values numbers; where a study has both, all are text.
    return pl.concat(parts, how="diagonal_relaxed").cast({pl.Null: pl.String}) if parts else None


def _labels(store: Store, task_id: str, recipe_id: str) -> dict[str, "pl.Series"]:
    """Return the label of every row of a task by split: its class's name, or its value; empty where they are not kept."""
    import polars as pl

    targets, facts = store.targets(task_id), store.facts(task_id, recipe_id) or TaskFacts()
    found = {} if targets is None else targets._asdict()
    names = facts.label_names
    return {
        split: pl.Series("label", values if names is None else [names[int(value)] for value in values])
        for split, values in found.items()
        if values is not None
    }


def _split_frames(trial_id: str, predictions: Predictions, labels: Mapping[str, "pl.Series"]) -> list["pl.DataFrame"]:
    import polars as pl

    frames = []
    for split in SPLITS:
        outputs = getattr(predictions, split)
        if outputs is not None:
            rows = pl.Series("row", np.arange(len(outputs)))
            label = labels.get(split, pl.Series("label", [None] * len(outputs), dtype=pl.Null))
            columns = [pl.Series(f"output_{i}", outputs[:, i]) for i in range(outputs.shape[1])]
            of = [pl.lit(trial_id).alias("trial"), pl.lit(split).alias("split")]
            frames.append(pl.DataFrame([rows, label, *columns]).select(*of, pl.all()))
    return frames


def _write(frames: Mapping[str, "pl.DataFrame | None"], folder: Path, ending: str) -> list[Path]:
    """Write every table before any takes its place; remove an older export's table that this one does not have."""
    places = {name: folder / f"{name}.{ending}" for name in frames}
    with ExitStack() as written:
        for name, frame in frames.items():
            if frame is not None:
                part = written.enter_context(replacing(places[name]))
                frame.write_csv(part) if ending == "csv" else frame.write_parquet(part)
    for name, frame in frames.items():
        if frame is None:
            places[name].unlink(missing_ok=True)
    return [places[name] for name, frame in frames.items() if frame is not None]
