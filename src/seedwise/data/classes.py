"""What does a label mean: which class, or which number?

A class is named by text. Whole numbers name classes by their digits, so that 1, 1.0 and "1" are one class in whatever
format they were saved. The classes are numbered in sorted order, whole numbers by value.
"""

import math
import re
from collections.abc import Sequence
from decimal import Decimal

from seedwise.data.source import RawLabel, SourceRows, row_name
from seedwise.errors import DataError
from seedwise.values.task import CLASSIFICATION_METRICS, REGRESSION_METRICS

__all__ = ["check_spread", "class_name", "class_names", "encode_classes", "encode_numbers", "listed"]

_WHOLE_NUMBER = re.compile(r"(-?(?:0|[1-9][0-9]*))(?:\.0*)?")
_AT_MOST_LISTED = 10


def class_name(label: RawLabel) -> str:
    """Return the name of the class that a label means.

    Example:
        >>> [class_name(label) for label in (1, 1.0, "1.0", True, "yes")]
        ['1', '1', '1', 'true', 'yes']
    """
    if isinstance(label, bool):
        return str(label).lower()
    written = str(label)
    whole = _WHOLE_NUMBER.fullmatch(written)
    if whole is None:
        return written
    return "0" if whole[1] == "-0" else whole[1]


def class_names(rows: SourceRows, *, metric: str) -> tuple[str, ...]:
    """Return the names of the training rows' classes in order."""
    names = {class_name(label) for label in rows.labels if not _is_missing(label)}
    if len(names) < 2:
        alone = ", ".join(map(repr, names)) or "none"
        raise DataError(
            f"{rows.place} must have labels of at least two classes, not {alone} alone; check the label column "
            f"{rows.label_column!r}."
        )
    if all(_WHOLE_NUMBER.fullmatch(name) for name in names):
        return tuple(sorted(names, key=Decimal))  # int refuses thousands of digits
    fractions = [name for name in names if not _WHOLE_NUMBER.fullmatch(name)]
    if all(_number(name) is not None for name in names):
        raise DataError(
            f"the labels of {rows.place} (column {rows.label_column!r}) must be text or whole numbers for classification "
            f"by metric {metric}, not {min(fractions)}; make the task a regression, whose metrics are "
            f"{_named(REGRESSION_METRICS)}, or write the classes as text."
        )
    return tuple(sorted(names))


def encode_classes(rows: SourceRows, label_names: tuple[str, ...], *, what: str) -> list[int]:
    """Return the number of each row's class."""
    _check_present(rows, [_is_missing(label) for label in rows.labels])
    numbers = {name: number for number, name in enumerate(label_names)}
    named = [class_name(label) for label in rows.labels]
    if unknown := sorted(set(named) - set(numbers)):
        raise DataError(
            f"the labels of {rows.place} must be among {what} ({listed(label_names)}), not {listed(unknown)}; "
            "check the label column, or add training rows with these labels."
        )
    return [numbers[name] for name in named]


def encode_numbers(rows: SourceRows, *, metric: str) -> list[float]:
    """Return each row's label as a number."""
    _check_present(rows, [label is None for label in rows.labels])
    numbers: list[float] = []
    for index, label in zip(rows.index, rows.labels, strict=True):
        number = _number(label)
        if number is None or not math.isfinite(number):
            raise DataError(
                f"a regression label (column {rows.label_column!r}, metric {metric}) must be a finite number, not "
                f"{label!r} in {row_name(index)} of {rows.place}; mend the row, or make the task a classification, whose "
                f"metrics are {_named(CLASSIFICATION_METRICS)}."
            )
        numbers.append(number)
    return numbers


def check_spread(rows: SourceRows, numbers: Sequence[float]) -> None:
    """Refuse training rows whose labels are all the same number: there is nothing to learn."""
    if len(set(numbers)) < 2:
        raise DataError(
            f"the regression labels of {rows.place} must differ, but all are {numbers[0]:g}; check the label column "
            f"{rows.label_column!r}."
        )


def _is_missing(label: RawLabel) -> bool:
    """Whether a row has no class; in a column of whole numbers a missing one is saved as nan."""
    return label is None or (isinstance(label, float) and math.isnan(label))


def _check_present(rows: SourceRows, absent: Sequence[bool]) -> None:
    missing = [index for index, is_absent in zip(rows.index, absent, strict=True) if is_absent]
    if missing:
        count = "1 row has" if len(missing) == 1 else f"{len(missing)} rows have"
        raise DataError(
            f"every row of {rows.place} must have a label, but {count} none, the first is {row_name(missing[0])}; "
            "fill the labels in or delete the rows."
        )


def _number(label: RawLabel) -> float | None:
    if isinstance(label, bool) or label is None:
        return None
    try:
        return float(label)
    except (ValueError, OverflowError):
        return None


def _named(metrics: Sequence[str]) -> str:
    return f"{', '.join(metrics[:-1])} and {metrics[-1]}"


def listed(names: Sequence[str]) -> str:
    """List names for a message, not more than a few."""
    shown = ", ".join(map(repr, names[:_AT_MOST_LISTED]))
    return shown if len(names) <= _AT_MOST_LISTED else f"{shown} and {len(names) - _AT_MOST_LISTED} more"
