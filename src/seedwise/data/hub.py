"""How are the GLUE tasks fetched from the Hugging Face hub?

Where the environment variable ``GLUE_DIR`` names a folder of GLUE folders that holds the task's (``$GLUE_DIR/RTE``),
its files are read instead and nothing is fetched.
"""

import os
from pathlib import Path
from typing import Any

from seedwise.data.glue import read_glue_folder
from seedwise.data.source import SourceRows
from seedwise.errors import DataError
from seedwise.task import GLUE, Task
from seedwise.validation import check_choice

__all__ = ["read_hub"]

REPOSITORY = "nyu-mll/glue"


def read_hub(task: Task, split: str) -> SourceRows:
    """Read one split of a task made by `Task.hub`.

    Args:
        task: The task.
        split: train or validation.

    Raises:
        DataError: The package ``datasets`` is missing, or the hub does not answer and has not been asked before.
    """
    check_choice("the GLUE task", task.name, GLUE)
    name = getattr(task, split)
    folder = _local_folder(task.name)
    if folder is not None:
        return read_glue_folder(folder, task.name, name)
    columns = _load(task.name, name)
    known = GLUE[task.name]
    texts = list(columns[known.text])
    return SourceRows(
        place=f"{REPOSITORY}/{task.name} {name}",
        texts=texts,
        pairs=list(columns[known.text_pair]) if known.text_pair else None,
        labels=[label if known.labels is None else known.labels[label] for label in columns["label"]],
        index=list(range(len(texts))),
    )


def _local_folder(name: str) -> Path | None:
    """Return the task's folder below GLUE_DIR, if there is one."""
    if not (root := os.environ.get("GLUE_DIR")):
        return None
    folder = Path(root) / GLUE[name].folder
    return folder if folder.is_dir() else None


def _load(name: str, split: str) -> Any:
    """Return the columns of one split, by way of the hub's cache."""
    instead = f"give the folder of its files instead, as in --task path/to/{GLUE[name].folder}, or set GLUE_DIR"
    try:
        from datasets import load_dataset
    except ImportError as error:
        raise DataError(
            f"the task {name!r} is fetched from the hub by the package datasets, which is not installed; "
            f"pip install 'seedwise[hub]', or {instead}."
        ) from error
    try:
        return load_dataset(REPOSITORY, name, split=split)
    except Exception as error:  # the hub, the network and the cache each fail in their own way
        reason = str(error).strip().partition("\n")[0].rstrip(".")
        raise DataError(f"the task {name!r} cannot be fetched from the hub ({reason}); {instead}.") from error
