"""What does a file of runs hold: CSV, TSV, JSON Lines, JSON or Parquet as columns of values?"""

import csv
import gzip
import io
import math
import zlib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from seedwise.errors import DataError
from seedwise.values.checks import did_you_mean, parse_json

__all__ = ["ENDINGS", "Table", "join", "label_of", "number_of", "read_file"]

ENDINGS = (".csv", ".tsv", ".jsonl", ".ndjson", ".json", ".parquet")
"""The endings that are read; also with ``.gz`` after them."""

MISSING = frozenset({"", "na", "n/a", "null", "none", "-"})
"""Words that stand for a value that is not there; case does not matter."""


@dataclass(frozen=True)
class Table:
    """The rows of a file of runs."""

    name: str  # the file's name, for messages
    columns: Mapping[str, list[Any]]  # column name -> one value for each row
    runs: list[str] | None = None  # which run each row is of, where the file says so by itself

    @property
    def rows(self) -> int:
        """How many rows there are."""
        return len(next(iter(self.columns.values()), []))

    def place(self, row: int) -> str:
        """Say where a row is: the first one is 1, a header is not counted."""
        return f"the run in {self.runs[row]}" if self.runs else f"row {row + 1} of {self.name}"

    def missing(self, column: str) -> DataError:
        """Return the refusal of a column that is not there."""
        listed = ", ".join(self.columns)
        return DataError(f"{self.name} has no column {column!r}{did_you_mean(column, self.columns)}; it has {listed}.")


def read_file(path: Path) -> Table:
    """Read a file; its ending tells its format, whatever the case."""
    ending = path.name.lower().removesuffix(".gz").rpartition(".")[2]
    readers: dict[str, Callable[[bytes, Path], dict[str, list[Any]]]] = {
        "csv": lambda content, at: _read_separated(content, at, ","),
        "tsv": lambda content, at: _read_separated(content, at, "\t"),
        **dict.fromkeys(("jsonl", "ndjson", "json"), _read_rows),
        "parquet": _read_parquet,
    }
    if not path.exists():
        raise DataError(f"the file {path} does not exist; check the path.")
    if ending not in readers:
        listed = ", ".join(ENDINGS)
        raise DataError(
            f"the file {path} must end in one of {listed}, or be a folder of trainer_state.json; rename or convert it."
        )
    content = _content(path)
    columns = readers[ending](content, path) if content.strip() else {}
    table = Table(path.name, columns)
    if not table.rows:
        raise DataError(f"the file {path} must have rows, but it is empty; give one with at least one run.")
    return table


def join(left: Table, right: Table, keys: tuple[str, ...]) -> tuple[Table, int, int]:
    """Put beside each row the columns that only another table has, by equal values of the keys."""
    if not keys:
        raise DataError(
            f"{right.name} must share a mapped column of task, recipe or seeds with {left.name}, but it has "
            f"{', '.join(right.columns)}; rename its columns."
        )
    places: dict[tuple[Any, ...], int] = {}
    for row in range(right.rows):
        key = tuple(label_of(right.columns[name][row]) for name in keys)
        if key in places:
            same = ", ".join(f"{name} {value}" for name, value in zip(keys, key, strict=True))
            raise DataError(
                f"{right.name} must have one row for each run, but rows {places[key] + 1} and {row + 1} are both "
                f"{same}; leave one of them out."
            )
        places[key] = row
    found = [places.get(tuple(label_of(left.columns[name][row]) for name in keys)) for row in range(left.rows)]
    if all(place is None for place in found):
        raise DataError(
            f"no row of {right.name} fits one of {left.name} by {', '.join(keys)}; check that they hold the same runs."
        )
    new = {
        name: [None if place is None else values[place] for place in found]
        for name, values in right.columns.items()
        if name not in left.columns
    }
    unused = right.rows - len({place for place in found if place is not None})
    return Table(left.name, {**left.columns, **new}, left.runs), found.count(None), unused


def label_of(value: Any) -> str | None:
    """Return the text that tells a task, recipe or seed from others; None where there is none.

    Example:
        >>> label_of(" RTE "), label_of(3.0), label_of("3.0"), label_of("")
        ('RTE', '3', '3', None)
    """
    text = value.strip() if isinstance(value, str) else value
    if text is None or text == "" or (isinstance(text, float) and math.isnan(text)):
        return None
    if isinstance(text, float) or (isinstance(text, str) and text.endswith(".0") and text[:-2].isdecimal()):
        number = float(text)
        return str(int(number)) if number.is_integer() else str(number)
    return str(text)


def number_of(value: Any) -> float | None:
    """Return the number that a value is, None where there is none.

    Example:
        >>> number_of("0.5"), number_of("NaN"), number_of(" NA ")
        (0.5, nan, None)
    """
    if value is None or (isinstance(value, str) and value.strip().lower() in MISSING):
        return None
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        raise ValueError(f"{value!r} is no number")  # noqa: TRY004 - it is data, not a mistake in a call
    return float(value)


def _content(path: Path) -> bytes:
    try:
        content = path.read_bytes()
        return gzip.decompress(content) if path.suffix.lower() == ".gz" else content
    except (OSError, EOFError, zlib.error) as error:
        raise DataError(f"the file {path} cannot be read ({error}); check the file.") from error


def _read_separated(content: bytes, path: Path, separator: str) -> dict[str, list[Any]]:
    """Read a header and lines of fields; a blank line is none, and a line that ends early has no values there."""
    text = _decode(content, path)
    first = text.lstrip().partition("\n")[0]
    if separator == "," and "," not in first and ";" in first:
        separator = ";"  # as spreadsheets write CSV where the comma is a decimal point
    try:
        lines = [line for line in csv.reader(io.StringIO(text, newline=""), delimiter=separator) if any(line)]
    except csv.Error as error:
        raise DataError(f"the file {path} cannot be read: {error}; check its quotes.") from error
    header = [name.strip() for name in lines[0]]
    if twice := next((name for name in header if header.count(name) > 1), None):
        raise DataError(f"the columns of {path} must have different names, but {twice!r} is there twice; rename one.")
    for number, line in enumerate(lines[1:], start=1):
        if len(line) > len(header):
            raise DataError(
                f"row {number} of {path.name} must have {len(header)} fields as the header has, not {len(line)}; quote "
                "fields that hold the separator."
            )
    rows = lines[1:]
    return {name: [row[i] if i < len(row) else None for row in rows] for i, name in enumerate(header)}


def _read_rows(content: bytes, path: Path) -> dict[str, list[Any]]:
    """Read one JSON object a line, or one array of objects."""
    text = _decode(content, path)
    if text.lstrip().startswith("["):
        rows = parse_json(text, f"the file {path}", "write it again")
    else:
        lines = enumerate(text.split("\n"), start=1)
        rows = [
            parse_json(line, f"line {number} of {path}", "write it again") for number, line in lines if line.strip()
        ]
    if not all(isinstance(row, dict) for row in rows):
        raise DataError(f"{path} must hold JSON objects, with the columns' names as keys; convert it.")
    return _columns(rows)


def _read_parquet(content: bytes, path: Path) -> dict[str, list[Any]]:
    import polars as pl

    try:
        frame = pl.read_parquet(io.BytesIO(content))
    except (pl.exceptions.PolarsError, OSError) as error:
        reason = str(error).split("\n", 1)[0].rstrip(".:;")
        raise DataError(f"the file {path} must be Parquet, but: {reason}; write it again.") from error
    return _columns(frame.to_dicts())


def _columns(rows: list[dict[str, Any]]) -> dict[str, list[Any]]:
    flat = [dict(_flat(row)) for row in rows]
    names = dict.fromkeys(name for row in flat for name in row)
    return {name: [row.get(name) for row in flat] for name in names}


def _flat(row: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, Any]]:
    """Give what is nested a name with dots: learning_curves.matched."""
    for key, value in row.items():
        if isinstance(value, Mapping):
            yield from _flat(value, f"{prefix}{key}.")
        else:
            yield prefix + key, value


def _decode(content: bytes, path: Path) -> str:
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise DataError(
            f"the file {path} must be UTF-8 text, but {error.reason} at byte {error.start}; save it as UTF-8."
        ) from error
