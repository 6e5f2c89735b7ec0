"""How are GLUE tasks and other data sets fetched from the Hugging Face hub?

For a GLUE task, where the environment variable ``GLUE_DIR`` names a folder of GLUE folders that holds the task's
(``$GLUE_DIR/RTE``), its files are read instead and nothing is fetched.
"""

import os
from pathlib import Path
from typing import Any

from seedwise.data.glue import read_glue_folder
from seedwise.data.source import SourceRows, as_label, as_text
from seedwise.errors import DataError
from seedwise.values.benchmarks import GLUE
from seedwise.values.checks import did_you_mean
from seedwise.values.task import Task

__all__ = ["read_hub"]

REPOSITORY = "nyu-mll/glue"


def read_hub(task: Task, split: str) -> SourceRows:
    """Read one split of a task made by `Task.hub`, or by `Task.glue` with a name."""
    name = getattr(task, split)
    if task.name not in GLUE:
        return _read_dataset(task, name)
    folder = _local_folder(task.name)
    if folder is not None:
        return read_glue_folder(folder, task.name, name)
    instead = f"give the folder of its files instead, as in --task path/to/{GLUE[task.name].folder}, or set GLUE_DIR"
    columns = _load(REPOSITORY, task.name, name, instead)
    known = GLUE[task.name]
    texts = list(columns[known.text])
    return SourceRows(
        place=f"{REPOSITORY}/{task.name} {name}",
        texts=texts,
        pairs=list(columns[known.text_pair]) if known.text_pair else None,
        labels=[label if known.labels is None else known.labels[label] for label in columns["label"]],
        index=list(range(len(texts))),
    )


def _read_dataset(task: Task, split: str) -> SourceRows:
    """Read a split of any data set; numbered classes get the names that the data set gives them."""
    repository, _, configuration = task.name.partition(":")
    columns = _load(repository, configuration or None, split, "save its rows to a file and give that as --train")
    there = columns.column_names
    for column in filter(None, (task.text, task.text_pair, task.label)):
        if column not in there:
            hint = did_you_mean(column, there)
            raise DataError(f"{task.name} has no column {column!r}{hint}; it has {', '.join(there)}.")
    place, names = f"{task.name} {split}", getattr(columns.features[task.label], "names", None)
    labels = list(columns[task.label])
    if names is not None:  # the hub marks a row without a label by -1
        labels = [None if label in (None, -1) else names[label] for label in labels]
    return SourceRows(
        place=place,
        texts=[as_text(value, task.text, place) for value in columns[task.text]],
        pairs=[as_text(value, task.text_pair, place) for value in columns[task.text_pair]] if task.text_pair else None,
        labels=[as_label(label, task.label, place) for label in labels],
        index=list(range(len(labels))),
        label_column=task.label,
    )


def _local_folder(name: str) -> Path | None:
    """Return the task's folder below GLUE_DIR, if there is one."""
    if not (root := os.environ.get("GLUE_DIR")):
        return None
    folder = Path(root) / GLUE[name].folder
    return folder if folder.is_dir() else None


def _load(repository: str, configuration: str | None, split: str, instead: str) -> Any:
    """Return the columns of one split, by way of the hub's cache."""
    name = configuration or repository
    try:
        from datasets import load_dataset
    except ImportError as error:
        raise DataError(
            f"the task {name!r} is fetched from the hub by the package datasets, which is not installed; "
            f"pip install 'seedwise[hub]', or {instead}."
        ) from error
    try:
        return load_dataset(repository, configuration, split=split)
    except Exception as error:  # the hub, the network and the cache each fail in their own way
        reason = str(error).strip().partition("\n")[0].rstrip(".")
        raise DataError(f"the task {name!r} cannot be fetched from the hub ({reason}); {instead}.") from error
