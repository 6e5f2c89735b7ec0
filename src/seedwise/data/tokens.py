"""What does the model see of a task's rows? Tokenised once per task and tokenizer, shared by all workers.

A tokenised task is a folder in the cache: flat arrays that every worker maps into memory, and ``meta.json``. The
folder's name is a hash of the rows' content, the tokenizer's content and the longest input, so nothing in it can be
stale.
"""

import hashlib
import json
import os
import shutil
import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from seedwise.data.rows import Rows, TaskRows, load_rows
from seedwise.data.tokenizer import NO_LIMIT, Tokenizer, encode, load_tokenizer
from seedwise.errors import StorageError
from seedwise.values.facts import TaskFacts
from seedwise.values.identity import canonical_json, content_hash
from seedwise.values.task import Task

__all__ = ["TokenizedSplit", "TokenizedTask", "default_cache", "tokenize", "tokenize_rows"]

CACHE_FORMAT = 1  # raise it when the files' layout or meaning changes


@dataclass(frozen=True, slots=True, eq=False)
class TokenizedSplit:
    """The token ids of one split's rows, end to end."""

    ids: NDArray[np.int32]  # token ids of all rows, shape [tokens], int32
    type_ids: NDArray[np.int8] | None  # which text of a pair a token belongs to, shape [tokens], int8
    offsets: NDArray[np.int64]  # where each row starts, and the end of the last, shape [rows + 1], int64
    # class numbers (int64) or numbers to be predicted (float32), shape [rows]; shape [0] in rows to predict
    labels: NDArray[np.int64] | NDArray[np.float32]
    index: NDArray[np.int64]  # row number of each row in its source, shape [rows], int64
    source: str  # the given rows they come from: train, validation, test or predict
    truncated: int  # how many rows were cut

    def __len__(self) -> int:
        return len(self.index)

    def rows(self) -> Iterator[bytes]:
        """Return the token ids of each row, as bytes."""
        ids = self.ids.tobytes()
        return (ids[start:end] for start, end in pairwise((self.offsets * self.ids.itemsize).tolist()))

    @property
    def lengths(self) -> NDArray[np.int64]:
        """Tokens of each row, shape [rows]."""
        return np.diff(self.offsets)


@dataclass(frozen=True, slots=True, eq=False)
class TokenizedTask:
    """A task as the model sees it: a folder of arrays that are mapped into memory."""

    folder: Path  # the folder of its files; its name is the hash of its content
    train: TokenizedSplit  # the training rows
    validation: TokenizedSplit  # the validation rows
    test: TokenizedSplit | None  # the test rows, if there are any
    kind: str  # classification or regression
    label_names: tuple[str, ...] | None  # the classes in the order of their numbers; None for regression
    pad_id: int  # the token id that fills a batch
    padding_side: str  # right or left
    vocabulary: int  # how many token ids the tokenizer knows
    max_length: int  # the longest input allowed: the recipe's, or the model's where that is less
    dropped: int  # rows and lines of the sources that were left out

    @classmethod
    def open(cls, folder: str | Path) -> "TokenizedTask":
        """Map a tokenised task into memory."""
        folder = Path(folder)
        try:
            meta = json.loads((folder / "meta.json").read_text(encoding="utf-8"))
            splits = {name: _open_split(folder, name, known) for name, known in meta.pop("splits").items()}
        except (OSError, ValueError, KeyError) as error:
            raise StorageError(
                f"the tokenised rows in {folder} cannot be read ({error}); delete the folder."
            ) from error
        names = meta.pop("label_names")
        return cls(
            folder=folder,
            train=splits["train"],
            validation=splits["validation"],
            test=splits.get("test"),
            label_names=None if names is None else tuple(names),
            **meta,
        )

    @property
    def splits(self) -> dict[str, TokenizedSplit]:
        """The splits by name: train, validation and, where there are test rows, test."""
        found = {"train": self.train, "validation": self.validation}
        return found if self.test is None else {**found, "test": self.test}

    @property
    def truncated(self) -> dict[str, int]:
        """How many rows of each split were cut."""
        return {name: split.truncated for name, split in self.splits.items()}

    @property
    def repeated(self) -> dict[str, int]:
        """How many validation and test rows are, to the model, also training rows."""
        seen = set(self.train.rows())
        return {
            name: sum(row in seen for row in split.rows()) for name, split in self.splits.items() if name != "train"
        }

    @property
    def max_tokens(self) -> int:
        """Tokens of the longest row of all splits."""
        return max(int(split.lengths.max()) for split in self.splits.values())

    @property
    def digest(self) -> str:
        """Hash of what the model sees: every row's token ids and label."""
        total = hashlib.sha256()
        for name, split in self.splits.items():
            total.update(name.encode() + split.ids.tobytes() + split.offsets.tobytes() + split.labels.tobytes())
        return total.hexdigest()[:16]

    def facts(self) -> TaskFacts:
        """Return what a report says about the rows."""
        counts = None
        if (names := self.label_names) is not None:
            counts = {
                name: tuple(np.bincount(split.labels, minlength=len(names)).tolist())
                for name, split in self.splits.items()
            }
        return TaskFacts(
            digest=self.digest,
            kind=self.kind,
            rows={name: len(split) for name, split in self.splits.items()},
            label_names=names,
            class_counts=counts,
            truncated=self.truncated,
            repeated=self.repeated,
            dropped=self.dropped,
            max_length=self.max_length,
            max_tokens=self.max_tokens,
        )


def tokenize(task: Task, model: str, max_length: int, cache: Path | None = None) -> TokenizedTask:
    """Load and tokenise a task's rows, or find them in the cache."""
    rows = load_rows(task)
    tokenizer = load_tokenizer(model)
    length = min(max_length, tokenizer.limit or max_length)
    name = content_hash([CACHE_FORMAT, task.id, _digest(rows), tokenizer.fingerprint, length])
    folder = (default_cache() if cache is None else cache) / name
    if not (folder / "meta.json").is_file():
        _write(folder, task, rows, tokenizer, length)
    return TokenizedTask.open(folder)


def tokenize_rows(rows: Rows, tokenizer: Tokenizer) -> TokenizedSplit:
    """Tokenise rows for prediction, in memory."""
    return _tokenized(rows, tokenizer, tokenizer.limit or NO_LIMIT)


def default_cache() -> Path:
    """Return the cache's folder: SEEDWISE_CACHE, or seedwise in the user's cache folder."""
    if named := os.environ.get("SEEDWISE_CACHE"):
        return Path(named)
    home = os.environ.get("XDG_CACHE_HOME")
    return (Path(home) if home else Path.home() / ".cache") / "seedwise"


def _digest(rows: TaskRows) -> str:
    """Hash everything of the rows that the tokenised task depends on."""
    total = hashlib.sha256(canonical_json([rows.label_names, rows.dropped]).encode())
    for split in (rows.train, rows.validation, rows.test):
        content = split and [split.texts, split.pairs, split.labels, split.index, split.source]
        total.update(canonical_json(content).encode())
    return total.hexdigest()


def _tokenized(rows: Rows, tokenizer: Tokenizer, length: int) -> TokenizedSplit:
    encoded = encode(tokenizer, rows.texts, rows.pairs, max_length=length)
    labels: NDArray[np.int64] | NDArray[np.float32] = np.asarray(rows.labels, dtype=np.int64)
    if any(isinstance(label, float) for label in rows.labels):
        labels = np.asarray(rows.labels, dtype=np.float32)
    return TokenizedSplit(
        ids=encoded.ids,
        type_ids=encoded.type_ids,
        offsets=encoded.offsets,
        labels=labels,
        index=np.asarray(rows.index, dtype=np.int64),
        source=rows.source,
        truncated=encoded.truncated,
    )


def _write(folder: Path, task: Task, rows: TaskRows, tokenizer: Tokenizer, length: int) -> None:
    """Write the folder aside and move it into place, so that it is there whole or not at all."""
    given = {"train": rows.train, "validation": rows.validation, "test": rows.test}
    splits = {name: _tokenized(split, tokenizer, length) for name, split in given.items() if split is not None}
    meta = {
        "kind": task.kind,
        "label_names": rows.label_names,
        "pad_id": tokenizer.pad_id,
        "padding_side": tokenizer.padding_side,
        "vocabulary": tokenizer.vocabulary,
        "max_length": length,
        "dropped": rows.dropped,
        "splits": {name: {"source": split.source, "truncated": split.truncated} for name, split in splits.items()},
    }
    aside = folder.with_name(f".{folder.name}-{uuid.uuid4().hex}")
    try:
        aside.mkdir(parents=True)
        for name, split in splits.items():
            for column in _COLUMNS:
                if (array := getattr(split, column)) is not None:
                    np.save(aside / f"{name}.{column}.npy", array, allow_pickle=False)
        (aside / "meta.json").write_text(json.dumps(meta, indent=1), encoding="utf-8")
        _move_into_place(aside, folder)
    except OSError as error:
        raise StorageError(
            f"the tokenised rows cannot be written to {folder} ({error.strerror}); set SEEDWISE_CACHE to a folder with room."
        ) from error
    finally:
        shutil.rmtree(aside, ignore_errors=True)


_COLUMNS = ("ids", "type_ids", "offsets", "labels", "index")


def _move_into_place(aside: Path, folder: Path) -> None:
    """Rename the folder; another process that was faster wrote the same."""
    try:
        aside.replace(folder)
    except OSError:
        if not (folder / "meta.json").is_file():
            raise


def _open_split(folder: Path, name: str, known: dict[str, Any]) -> TokenizedSplit:
    arrays = {
        column: np.load(folder / f"{name}.{column}.npy", mmap_mode="r", allow_pickle=False)
        for column in _COLUMNS
        if column != "type_ids" or (folder / f"{name}.type_ids.npy").is_file()
    }
    return TokenizedSplit(**{"type_ids": None, **arrays, **known})
