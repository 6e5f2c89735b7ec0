"""Which rows does a task learn from, with which labels?"""

import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from seedwise.data.classes import check_spread, class_names, encode_classes, encode_numbers, listed
from seedwise.data.glue import LAYOUTS, read_embedded, read_glue
from seedwise.data.hub import read_hub
from seedwise.data.source import SourceRows, row_name
from seedwise.data.splitting import Part, arrange
from seedwise.data.user_files import read_columns, read_files, select_rows
from seedwise.errors import DataError
from seedwise.values.benchmarks import EMBEDDED, GLUE, BenchmarkTask
from seedwise.values.identity import digest_files
from seedwise.values.task import Task

__all__ = ["Rows", "TaskRows", "load_rows", "read_texts", "texts_of"]

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Rows:
    """The rows of one split, column by column."""

    texts: tuple[str, ...]  # the texts, or the first of each pair
    pairs: tuple[str, ...] | None  # the second texts; None where the task has single texts
    labels: tuple[int, ...] | tuple[float, ...]  # the number of each row's class, or the number to be predicted
    index: tuple[int, ...]  # row number of each row in its source, from 0, a header not counted
    source: str  # the given rows they come from: train, validation or test

    def __len__(self) -> int:
        return len(self.texts)


@dataclass(frozen=True, slots=True)
class TaskRows:
    """The rows of a task, labels encoded and splits made."""

    train: Rows  # the training rows
    validation: Rows  # the validation rows
    test: Rows | None  # the test rows, if there are any
    label_names: tuple[str, ...] | None  # the classes in the order of their numbers; None for regression
    dropped: int  # rows and lines of the sources that were left out: malformed, without a gold label, or empty


def load_rows(task: Task) -> TaskRows:
    """Read a task's rows, encode their labels and split them.

    Rows must have texts. Those of the benchmarks are kept as they were published, the few with an empty text too. A
    task that says ``drop_empty`` leaves such rows out.
    """
    _check_unchanged(task)
    read = _READERS[task.source]
    given: dict[str, SourceRows] = {}
    dropped = 0
    for split in ("train", "validation", "test"):
        if getattr(task, split) is not None:
            found = read(task, split)
            given[split] = _without_empty(found, task)
            dropped += found.skipped + len(found) - len(given[split])
    label_names, labels = _encode(task, given)
    strata = {split: labels[split] if label_names else [0] * len(labels[split]) for split in labels}
    parts = arrange(task.splits, strata)  # type: ignore[arg-type]  # with label names, labels are whole numbers
    rows = {split: _take(given[part.source], labels[part.source], part) for split, part in parts.items()}
    if label_names is not None:
        _check_classes(task, rows["train"], label_names)
    _check_scored(task, rows["validation"], given[rows["validation"].source].label_column, label_names)
    return TaskRows(rows["train"], rows["validation"], rows.get("test"), label_names, dropped)


def read_texts(path: str | Path, task: Task) -> Rows:
    """Read a file of rows to predict; see `texts_of`."""
    return texts_of(read_columns(Path(path)), Path(path), task)


def texts_of(columns: dict[str, list[Any]], path: Path, task: Task) -> Rows:
    """Return rows to predict, the task's text columns without labels; every row is kept, a missing text as empty."""
    text, text_pair = task.text, task.text_pair
    if (
        task.name in LAYOUTS
        and task.source in ("glue", "hub")
        and text not in columns
        and (layout := LAYOUTS[task.name]).text in columns
    ):
        text, text_pair = layout.text, layout.text_pair
    found = select_rows(columns, path, text=text, text_pair=text_pair)
    texts = tuple(text or "" for text in found.texts)
    pairs = None if found.pairs is None else tuple(text or "" for text in found.pairs)
    return Rows(texts, pairs, (), tuple(found.index), "predict")


_READERS: Mapping[str, Callable[[Task, str], SourceRows]] = {
    "glue": read_glue,
    "files": read_files,
    "hub": read_hub,
    "embedded": read_embedded,
}


def _check_unchanged(task: Task) -> None:
    """Refuse files whose content is no longer what the task was made with: its id would name other rows."""
    if task.source == "hub":
        return
    given = [task.train, task.validation] if task.source == "glue" else [task.train, task.validation, task.test]
    if digest_files(given) != task.digest:
        raise DataError(
            f"the files of task {task.name!r} must be as they were when it was made, but one has changed "
            f"(near {task.train}); restore it, or study the new rows in another directory."
        )


def _without_empty(rows: SourceRows, task: Task) -> SourceRows:
    """Leave out or refuse rows with an empty text."""
    second = rows.pairs or rows.texts
    kept = [
        place
        for place, (text, other) in enumerate(zip(rows.texts, second, strict=True))
        if text is not None and text.strip() and other is not None and other.strip()
    ]
    empty = len(rows) - len(kept)
    if not empty or (_benchmark(task) is not None and not task.drop_empty):
        return rows
    if not task.drop_empty:
        first = next(place for place in range(len(rows)) if place == len(kept) or kept[place] != place)
        raise DataError(
            f"every row of {rows.place} must have a text, but {empty} {'is' if empty == 1 else 'are'} empty, the first "
            f"is {row_name(rows.index[first])}; mend them, or leave such rows out by drop_empty (--drop-empty)."
        )
    logger.info("%s: %d of %d rows have an empty text and were left out.", rows.place, empty, len(rows))
    return SourceRows(
        rows.place,
        [rows.texts[place] for place in kept],
        None if rows.pairs is None else [rows.pairs[place] for place in kept],
        [rows.labels[place] for place in kept],
        [rows.index[place] for place in kept],
        rows.skipped,
        rows.label_column,
    )


def _encode(
    task: Task, given: Mapping[str, SourceRows]
) -> tuple[tuple[str, ...] | None, dict[str, list[int]] | dict[str, list[float]]]:
    """Return the classes, if there are any, and the labels of every source as numbers."""
    for rows in given.values():
        if not len(rows):
            raise DataError(f"{rows.place} must have rows, but there is none; give a file with at least one row.")
    if task.kind == "regression":
        numbers = {split: encode_numbers(rows, metric=task.metric) for split, rows in given.items()}
        check_spread(given["train"], numbers["train"])
        return None, numbers
    known = _benchmark(task)
    if known is not None and known.labels is not None:
        fixed = known.labels
        what = f"the labels of {task.name}"
        return fixed, {split: encode_classes(rows, fixed, what=what) for split, rows in given.items()}
    names = class_names(given["train"], metric=task.metric)
    what = "the training rows' labels"
    return names, {split: encode_classes(rows, names, what=what) for split, rows in given.items()}


def _benchmark(task: Task) -> BenchmarkTask | None:
    """Return what is fixed about the task if it is one of a benchmark, not of the user's own files or data set."""
    return {"glue": GLUE, "hub": GLUE, "embedded": EMBEDDED}.get(task.source, {}).get(task.name)


def _take(rows: SourceRows, labels: list[int] | list[float], part: Part) -> Rows:
    """Return the rows of a part."""
    positions = part.positions.tolist()
    return Rows(
        texts=tuple(rows.texts[place] or "" for place in positions),
        pairs=None if rows.pairs is None else tuple(rows.pairs[place] or "" for place in positions),
        labels=tuple(labels[place] for place in positions),
        index=tuple(rows.index[place] for place in positions),
        source=part.source,
    )


def _check_classes(task: Task, train: Rows, label_names: tuple[str, ...]) -> None:
    """Refuse a class that no training row has: it could never be learnt."""
    if absent := sorted(set(range(len(label_names))) - set(train.labels)):
        names = listed([label_names[number] for number in absent])
        raise DataError(
            f"every class must have training rows, but the {len(train)} of task {task.name!r} have none of {names}; "
            "check the label column, give more training rows, or set smaller sizes aside."
        )


def _check_scored(task: Task, validation: Rows, column: str, label_names: tuple[str, ...] | None) -> None:
    """Refuse validation rows that are all alike where the metric compares rows: every trial would score the same."""
    if task.metric in ("accuracy", "loss") or len(set(validation.labels)) > 1:
        return
    alone = validation.labels[0] if label_names is None else label_names[int(validation.labels[0])]
    raise DataError(
        f"the labels (column {column!r}) of the {len(validation)} validation rows of task {task.name!r} must differ for "
        f"metric {task.metric}, not all be {alone!r}; give more validation rows, or choose metric "
        f"{'accuracy' if task.kind == 'classification' else 'loss'}."
    )
