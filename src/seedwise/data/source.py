"""What does a source of rows hand over, before anything is checked?"""

import reprlib
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, TypeAlias

from seedwise.errors import DataError

__all__ = ["RawLabel", "RawText", "SourceRows", "as_label", "as_text", "row_name"]

RawText: TypeAlias = str | None
RawLabel: TypeAlias = str | int | float | bool | None


@dataclass(frozen=True, slots=True)
class SourceRows:
    """Columns as they were read, in the source's order; a missing text or label is None."""

    place: str  # the file's name or the hub's, for messages
    texts: list[RawText]  # the texts, or the first of each pair
    pairs: list[RawText] | None  # the second texts; None where the task has single texts
    labels: list[RawLabel]  # the labels as written; empty where the rows were read without labels
    index: list[int]  # row number of each row in the source, from 0, a header not counted
    skipped: int = 0  # lines of the source that are no rows
    label_column: str = "label"  # what the source calls the label's column, for messages

    def __len__(self) -> int:
        return len(self.texts)


def as_text(value: Any, column: str, place: object) -> RawText:
    """Return a value of a text column as text; numbers are written out."""
    if isinstance(value, str):
        _check_whole(value, column, place)
    if value is None or isinstance(value, str):
        return value
    if isinstance(value, bool | int | float | Decimal):
        return str(value)
    raise DataError(f"the column {column!r} of {place} must hold text, not {_described(value)}; name a text column.")


def as_label(value: Any, column: str, place: object) -> RawLabel:
    """Return a value of the label column; a blank one is no label."""
    if isinstance(value, str):
        _check_whole(value, column, place)
        return value if value.strip() else None
    if value is None or isinstance(value, bool | int | float):
        return value
    if isinstance(value, Decimal):
        return float(value)
    raise DataError(
        f"the label column {column!r} of {place} must hold text or numbers, not {_described(value)}; "
        "name a column with one label a row."
    )


def row_name(index: int) -> str:
    """Name a row in a message, so that it is found in the file."""
    return f"row {index} (the first row is 0, a header not counted)"


def _check_whole(text: str, column: str, place: object) -> None:
    """Refuse half a character: JSON can write one (a lone surrogate), but no tokenizer takes it and no file holds it."""
    try:
        text.encode()
    except UnicodeEncodeError as error:
        raise DataError(
            f"the column {column!r} of {place} must hold whole characters, not {text[error.start]!r} as in "
            f"{reprlib.repr(text)}; mend the row."
        ) from error


def _described(value: object) -> str:
    """Describe a value of a wrong type in a few words, however long or deep it is."""
    return f"{type(value).__name__} such as {reprlib.repr(value)}"
