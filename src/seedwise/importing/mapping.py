"""Which column is which field: ``FIELD=COLUMN`` and its other forms?

```
init=seed                      a column
score=val_mcc,val_acc          of each task the first of these columns that has a value in it
score=curves.matched           a value inside a nested one; a list is a curve
score=acc_*                    a column for each evaluation; what stands for * is the step
score:f1=eval_f1               a metric's own name; the first score decides
recipe=:baseline               the same value for every row
```
"""

import re
from collections.abc import Iterable, Mapping
from typing import NamedTuple

from seedwise.errors import RequestError
from seedwise.importing.reading import Table
from seedwise.values.checks import did_you_mean

__all__ = ["FIELDS", "SEEDS", "Fields", "Source", "parse", "resolve"]

SEEDS = ("init", "order", "dropout")
FIELDS = ("task", "recipe", *SEEDS, "step", "epoch", "score", "train_loss", "validation_loss", "test_score")
"""What a run can say of itself."""

NAMED = ("score", "test_score")
"""Fields that there may be several of, each with a name."""

_OBVIOUS = {
    "task": ("task", "task_name", "dataset", "data"),
    "recipe": ("recipe", "method", "model", "model_name", "config", "algorithm"),
    "init": ("init", "init_seed", "weight_init", "wi", "seed", "random_seed"),
    "order": ("order", "data_order", "data_seed", "order_seed", "do"),
    "step": ("step", "steps", "global_step", "training_step"),
    "epoch": ("epoch", "epochs"),
    "score": (
        *("score", "val_acc", "val_accuracy", "eval_accuracy", "valid_accuracy", "accuracy", "acc", "eval_acc"),
        *(
            "eval_f1",
            "val_f1",
            "f1",
            "eval_matthews_correlation",
            "eval_pearson",
            "val_score",
            "final_val",
            "eval_loss",
        ),
    ),
}
"""Names that columns often have; used for nothing but the command that a refusal suggests."""


class Source(NamedTuple):
    """Where a field comes from."""

    field: str  # the field
    name: str | None  # the metric's name, if one was given
    text: str  # what was written
    constant: str | None = None  # the value of every row, if it is one
    columns: tuple[str, ...] = ()  # the column, or several of which the first with a value counts
    steps: tuple[int, ...] = ()  # where each evaluation has a column of its own: their steps

    @property
    def key(self) -> str:
        """The field as it was written, with its name."""
        return self.field if self.name is None else f"{self.field}:{self.name}"


class Fields(NamedTuple):
    """Where every field of a table comes from."""

    one: Mapping[str, Source]  # the fields of which there is one
    scores: tuple[Source, ...]  # the validation metrics; the first decides
    tests: tuple[Source, ...]  # the test metrics
    guessed: tuple[str, ...]  # fields that are not mapped but have a column of their name

    @property
    def all(self) -> tuple[Source, ...]:
        """Every source, in the order of the fields."""
        return tuple(sorted((*self.one.values(), *self.scores, *self.tests), key=lambda s: FIELDS.index(s.field)))


def parse(texts: Iterable[str]) -> dict[str, str]:
    """Read ``FIELD=COLUMN`` texts."""
    found: dict[str, str] = {}
    for text in texts:
        field, equals, column = (part.strip() for part in text.partition("="))
        if not equals or not field or not column:
            raise RequestError(f"--map must read FIELD=COLUMN, not {text!r}; for example init=seed.")
        if field in found:
            way_out = "give each a name, as in score:f1=COLUMN" if field in NAMED else "drop one of them"
            raise RequestError(f"--map must name {field} once, not as {found[field]!r} and {column!r}; {way_out}.")
        found[field] = column
    return found


def resolve(mapping: Mapping[str, str], table: Table, file: str = "FILE") -> Fields:
    """Find the columns that a mapping means."""
    sources = [_source(key, text, table) for key, text in mapping.items()]
    mapped = {source.field for source in sources}
    if "epoch" in mapped:
        mapped.add("step")
    guessed = tuple(field for field in FIELDS if field not in mapped and field in table.columns)
    sources += [Source(field, None, field, columns=(field,)) for field in guessed]
    fields = Fields(
        one={source.field: source for source in sources if source.field not in NAMED},
        scores=tuple(source for source in sources if source.field == "score"),
        tests=tuple(source for source in sources if source.field == "test_score"),
        guessed=guessed,
    )
    missing = [f for f in ("task", "recipe", "score") if f not in {source.field for source in sources}]
    if missing:
        raise RequestError(
            f"each of task, recipe and score needs a column, but none of {table.name} is mapped to {' or '.join(missing)}; its "
            f"columns are {', '.join(table.columns)}: try `{_suggestion(mapping, fields, table, file)}`."
        )
    return fields


def _source(key: str, text: str, table: Table) -> Source:
    field, colon, name = key.partition(":")
    if field not in FIELDS:
        raise RequestError(f"--map has no field {field!r}{did_you_mean(field, FIELDS)}; it has {', '.join(FIELDS)}.")
    if colon and (field not in NAMED or not name):
        raise RequestError(f"--map must name a metric only with {' and '.join(NAMED)}, not {key!r}; write {field}.")
    source = Source(field, name or None, text)
    if text in table.columns:
        return source._replace(columns=(text,))
    if text.startswith(":"):
        if not text[1:].strip():
            raise RequestError(f"--map {field}=:VALUE must have a value, not {text!r}; write {field}=:name.")
        return source._replace(constant=text[1:].strip())
    if "*" in text:
        return _starred(source, table)
    columns = tuple(part.strip() for part in text.split(","))
    for column in columns:
        if column not in table.columns:
            raise table.missing(column)
    return source._replace(columns=columns)


def _starred(source: Source, table: Table) -> Source:
    """Find the columns of a star and their steps; where these count 0, 1, 2 ..., the first evaluation is step 1."""
    pattern = re.compile(r"(\d+)".join(re.escape(part) for part in source.text.split("*")))
    found = {column: match[1] for column in table.columns if (match := pattern.fullmatch(column))}
    if source.text.count("*") != 1 or not found:
        raise RequestError(
            f"{source.text!r} must fit columns of {table.name} with a number for one *, but fits none; it has "
            f"{', '.join(table.columns)}."
        )
    ordered = sorted(found, key=lambda column: int(found[column]))
    numbers = [int(found[column]) for column in ordered]
    from_zero = numbers == list(range(len(numbers)))
    steps = tuple(number + from_zero for number in numbers)
    return source._replace(columns=tuple(ordered), steps=steps)


def _suggestion(mapping: Mapping[str, str], fields: Fields, table: Table, file: str) -> str:
    """Return a command that could be meant."""
    given = dict(mapping)
    lower = {column.lower(): column for column in table.columns}
    known = {*fields.one, *(("score",) if fields.scores else ())}
    known |= {"step"} if "epoch" in known else {"epoch"} if "step" in known or "step" in lower else set()
    for field, names in _OBVIOUS.items():
        column = next((lower[name] for name in names if name in lower), None)
        if field not in known and column is not None:
            given[field] = column
    for field in ("task", "recipe"):
        if field not in fields.one:
            given.setdefault(field, ":NAME")
    if not fields.scores:
        given.setdefault("score", "COLUMN")
    return " ".join([f"seedwise import {file} DIR", *(f"--map {key}={text}" for key, text in given.items())])
