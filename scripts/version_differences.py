"""Where do the answers of two versions of seedwise differ?

Answers lie in a folder: answers.json (exit codes and JSON of the commands) and, for each study, a folder of exported tables.
Every figure is compared as text, so that floats are equal bit for bit; what is not is in `ALLOWED`, with the reason.
"""

from __future__ import annotations

import csv
import json
from collections.abc import Iterator
from fnmatch import fnmatchcase
from pathlib import Path, PurePath
from typing import Any, NamedTuple

__all__ = ["ALLOWED", "PLACES", "Differences", "differences"]


class Allowed(NamedTuple):
    """Figures that may differ, and why.

    Args:
        figures: A pattern of their names.
        reason: Why.
        trained: Only where something was trained; in a study that is only opened they are compared.
    """

    figures: str
    reason: str
    trained: bool = True


ALLOWED = (
    Allowed("*trials.*.seconds", "what training took by the clock"),
    Allowed("*analyze.*.seconds", "what training took by the clock, summed"),
    Allowed("*trials.*.attempts", "a trial that was killed or put aside was started again"),
    Allowed("*events.*.time", "when it happened", trained=False),
    Allowed("*trials.*.origin_seedwise", "the version that trained it"),
    Allowed("*bias_ratio*", "it was a closed formula, and is measured on the optimiser's moments since decision 16"),
    Allowed(
        "*predictions.columns",
        "the column label, since decision 17; every other column is compared row by row",
        trained=False,
    ),
    *(
        Allowed(f"*analyze.json.cells.*.{name}.*", "what the single rows say, since decision 17", trained=False)
        for name in ("items", "ensemble", "test_interval")
    ),
    *(
        Allowed(f"*analyze.json.cells.*.{name}*", "new with the verdicts of decision 18", trained=False)
        for name in ("gap", "low_quantile", "hurdle", "early", "same_curve", "failed.noise", "failed.margin")
    ),
    *(
        Allowed(f"*analyze.json.{name}*", "recipes are told apart by verdicts since decision 18", trained=False)
        for name in ("verdicts", "over_tasks", "recipes.*.top", "recipes.*.as_published")
    ),
    Allowed("*compare.json*", "a verdict of one test, since decision 18", trained=False),
    Allowed(
        "*analyze.json.cells.*.expected_test.*",
        "summed in another order, so that the last digits differ",
        trained=False,
    ),
    Allowed("*predictions.*.label", "the labels of rows are kept since decision 17", trained=False),
    Allowed("*.errors", "sentences for people, which may be worded better", trained=False),
)
"""What is not compared."""

SCHEMA = "schema"
"""Kind of the event that a newer version has brought the file up to date; it is left out, so that later events keep their place."""

PLACES = ("*tasks.*.train", "*tasks.*.validation", "*tasks.*.test")
"""Paths of rows, of which the last part alone is compared: the package lies elsewhere."""


class Differences(NamedTuple):
    """What a comparison found.

    Args:
        compared: How many figures were.
        found: One sentence for each that differs, is missing or is too many.
        new_tables: Tables that the reference does not have, which are no difference.
    """

    compared: int
    found: tuple[str, ...]
    new_tables: tuple[str, ...]


def differences(reference: Path, answers: Path, *, trained: bool) -> Differences:
    """Compare a version's answers with the reference's.

    Args:
        reference: Folder of the reference's answers.
        answers: Folder of the version's.
        trained: Whether something was trained in between, so that all of `ALLOWED` holds.
    """
    known, here = dict(_figures(reference)), dict(_figures(answers))
    tables = {name for name in _tables(answers) if name not in set(_tables(reference))}
    allowed = [each.figures for each in ALLOWED if trained or not each.trained]
    found, compared = [], 0
    for figure in dict.fromkeys([*known, *here]):
        if figure.partition(".")[0] in tables or _is_any(figure, allowed):
            continue
        before, now = known.get(figure), here.get(figure)
        compared += 1
        if before != now:
            errors = here.get(figure.removesuffix("code") + "errors", "")
            found.append(f"{figure} is {_words(now)} and was {_words(before)} {errors}".rstrip())
    return Differences(compared, tuple(found), tuple(sorted(tables)))


def _words(value: str | None) -> str:
    return "missing" if value is None else value


def _figures(folder: Path) -> Iterator[tuple[str, str]]:
    """Yield the name and the text of every figure: PLACE/COMMAND.KEY.KEY or PLACE/TABLE.ROW.COLUMN."""
    yield from _leaves("", json.loads((folder / "answers.json").read_text(encoding="utf-8")))
    for name, file in _tables(folder).items():
        with file.open(encoding="utf-8", newline="") as opened:
            columns, *rows = csv.reader(opened)
        if Path(name).name == "events":
            rows = [row for row in rows if row[columns.index("kind")] != SCHEMA]
        yield f"{name}.columns", " ".join(columns)
        yield f"{name}.rows", str(len(rows))
        for i, row in enumerate(rows):
            named = [row[columns.index("name")]] if "name" in columns else []  # what a row of `tracked` is of
            for column, value in zip(columns, row, strict=True):
                figure = ".".join([name, str(i), *named, column])
                yield figure, PurePath(value).name if _is_any(figure, PLACES) else value


def _tables(folder: Path) -> dict[str, Path]:
    return {
        file.relative_to(folder).with_suffix("").as_posix().removeprefix("tables/"): file
        for file in sorted(folder.glob("tables/**/*.csv"))
    }


def _leaves(name: str, content: Any) -> Iterator[tuple[str, str]]:
    """Yield the name and the JSON of every value in which there are no others."""
    entries: dict[Any, Any] = content if isinstance(content, dict) else {}
    if isinstance(content, list):
        entries = dict(enumerate(content))
    if not entries:
        yield name, json.dumps(content)
    for key, value in entries.items():
        yield from _leaves(f"{name}.{key}" if name else str(key), value)


def _is_any(figure: str, patterns: list[str] | tuple[str, ...]) -> bool:
    return any(fnmatchcase(figure, pattern) for pattern in patterns)
