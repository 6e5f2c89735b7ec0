"""How are the user's own rows read: CSV, TSV, JSON Lines or Parquet, told by the file's ending?"""

import csv
import gzip
import io
import itertools
import logging
import math
import re
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import polars as pl

from seedwise.data.source import RawLabel, SourceRows, as_label, as_text
from seedwise.errors import DataError
from seedwise.values.checks import did_you_mean, parse_json
from seedwise.values.task import Task

__all__ = ["ENDINGS", "infer_kind", "read_columns", "read_files", "select_rows"]

logger = logging.getLogger(__name__)

ENDINGS = (".csv", ".tsv", ".jsonl", ".ndjson", ".json", ".parquet")
"""The endings that are read; all but the last also with ``.gz`` after them."""


def read_files(task: Task, split: str) -> SourceRows:
    """Read one split of a task made by `Task.files`."""
    path = Path(getattr(task, split))
    return select_rows(read_columns(path), path, text=task.text, text_pair=task.text_pair, label=task.label)


def select_rows(
    columns: dict[str, list[Any]], path: Path, *, text: str, text_pair: str | None = None, label: str | None = None
) -> SourceRows:
    """Take the text columns of a file, and its label column if one is named."""
    texts = [as_text(value, text, path) for value in _column(columns, text, path)]
    pairs = None
    if text_pair is not None:
        pairs = [as_text(value, text_pair, path) for value in _column(columns, text_pair, path)]
    labels: list[RawLabel] = []
    if label is not None:
        labels = [as_label(value, label, path) for value in _column(columns, label, path)]
    if not texts:
        raise DataError(f"the file {path} must have rows, but it is empty; give one with at least one row.")
    return SourceRows(path.name, texts, pairs, labels, list(range(len(texts))), label_column=label or "label")


def read_columns(path: Path) -> dict[str, list[Any]]:
    """Read a file's columns; values of CSV and TSV files are text, or None where a line ends early.

    A blank line is a row only in a file of one column.
    """
    ending = path.name.lower().removesuffix(".gz").rpartition(".")[2]
    readers: dict[str, Callable[[bytes, Path], dict[str, list[Any]]]] = {
        "csv": _read_csv,
        "tsv": _read_tsv,
        "jsonl": _read_json,
        "ndjson": _read_json,
        "json": _read_json,
        "parquet": _read_parquet,
    }
    if ending not in readers:
        raise DataError(f"the file {path} must end in one of {', '.join(ENDINGS)}; rename or convert it.")
    try:
        content = path.read_bytes()
        if path.suffix.lower() == ".gz":
            content = gzip.decompress(content)
    except (OSError, EOFError, zlib.error) as error:
        if not path.exists():
            raise DataError(f"the file {path} does not exist; check the path.") from error
        raise DataError(f"the file {path} cannot be read ({error}); check the file.") from error
    columns = readers[ending](content, path) if content.strip() else {}
    if not columns:
        raise DataError(f"the file {path} must have rows, but it is empty; give one with at least one row.")
    return columns


def infer_kind(path: str | Path, label: str) -> str:
    """Tell a task's kind from its labels: numbers with a fraction are regression, text and whole numbers classification."""
    path = Path(path)
    labels = (as_label(value, label, path) for value in _column(read_columns(path), label, path))
    try:
        numbers = [float(value) for value in labels if value is not None]
    except (ValueError, OverflowError):  # text, or a whole number larger than every float
        return "classification"
    fractions = (number for number in numbers if math.isfinite(number) and not number.is_integer())
    return "classification" if next(fractions, None) is None else "regression"


def _column(columns: dict[str, list[Any]], name: str, path: Path) -> list[Any]:
    if name not in columns:
        raise DataError(f"{path} has no column {name!r}{did_you_mean(name, columns)}; it has {', '.join(columns)}.")
    return columns[name]


def _read_csv(content: bytes, path: Path) -> dict[str, list[Any]]:
    # NOTE: not polars, which refuses a file where a quote stands inside an unquoted field: 5" pipe,1
    before = csv.field_size_limit(2**31 - 1)  # the limit is the process's; a document may be longer than 131,072
    try:
        lines = list(csv.reader(io.StringIO(_decode(content, path), newline=""), strict=True))
    except csv.Error as error:
        raise DataError(f"the file {path} must be CSV, but: {error}; check the quotes and the last line.") from error
    finally:
        csv.field_size_limit(before)
    return _table(lines, path)


def _read_tsv(content: bytes, path: Path) -> dict[str, list[Any]]:
    """Read tab-separated lines; quotes are part of the text unless every one of them encloses a field."""
    text = _decode(content, path)
    if '"' not in text or '"' in _QUOTED_FIELD.sub("", text):
        lines = [line.removesuffix("\r") for line in text.removesuffix("\n").split("\n")]
        return _table([line.split("\t") if line else [] for line in lines], path)
    try:
        lines_of_fields = list(csv.reader(io.StringIO(text, newline=""), delimiter="\t", strict=True))
    except csv.Error as error:
        raise DataError(f"the file {path} must be TSV, but: {error}; check the quotes and the last line.") from error
    return _table(lines_of_fields, path)


_QUOTED_FIELD = re.compile(r'(?:(?<=[\t\n])|\A)"[^"]*(?:""[^"]*)*"(?=[\t\r\n]|\Z)')


def _table(lines: list[list[str]], path: Path) -> dict[str, list[Any]]:
    """Turn a header and lines of fields into columns; without a header there are none."""
    header, *rows = list(itertools.dropwhile(lambda line: not line, lines)) or [[]]
    rows = [row for row in rows if row or len(header) == 1]
    if len(set(header)) < len(header):
        twice = next(name for name in header if header.count(name) > 1)
        raise DataError(f"the columns of {path} must have different names, but {twice!r} is there twice; rename one.")
    for number, row in enumerate(rows):
        if len(row) > len(header):
            raise DataError(
                f"row {number} of {path} (the first row is 0, a header not counted) must have {len(header)} fields as "
                f"the header has, not {len(row)}; quote fields that hold the separator."
            )
    return {name: [row[place] if place < len(row) else None for row in rows] for place, name in enumerate(header)}


def _read_json(content: bytes, path: Path) -> dict[str, list[Any]]:
    """Read one JSON object a line, or one array of objects."""
    text = _decode(content, path)
    whole = text.lstrip().startswith("[")
    rows: list[Any] = []
    lines = [text] if whole else text.split("\n")
    for number, line in enumerate(lines, start=1):
        if not line.strip():
            continue
        row = parse_json(line, f"{path}" if whole else f"line {number} of {path}", "write one object a line")
        rows.extend(row if whole else [row])
    if not all(isinstance(row, dict) for row in rows):
        raise DataError(f"{path} must hold one JSON object a line, with the columns' names as keys; convert it.")
    names = dict.fromkeys(name for row in rows for name in row)
    return {name: [row.get(name) for row in rows] for name in names}


def _read_parquet(content: bytes, path: Path) -> dict[str, list[Any]]:
    try:
        frame = pl.read_parquet(io.BytesIO(content))
    except (pl.exceptions.PolarsError, OSError) as error:
        raise DataError(f"the file {path} must be Parquet, but: {error}; write it again.") from error
    return {column.name: column.to_list() for column in frame.iter_columns()}


def _decode(content: bytes, path: Path) -> str:
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise DataError(
            f"the file {path} must be UTF-8 text, but {error.reason} at byte {error.start}; save it as UTF-8."
        ) from error
