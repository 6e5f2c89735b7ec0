"""What does a folder of Hugging Face runs hold: one row for each evaluation in every ``trainer_state.json``?

A run is a folder with a ``trainer_state.json`` of its own or in its ``checkpoint-N`` folders. Of several, that of the
latest step is read. Each row has the columns ``folder`` and ``folder1``, ``folder2`` ... (the parts of its path), step,
epoch, train_loss (the one that was logged last before the evaluation) and whatever the evaluation logged (``eval_...``).
"""

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from seedwise.errors import DataError, RequestError
from seedwise.importing.reading import Table
from seedwise.values.checks import parse_json

__all__ = ["STATE_FILE", "read_trainer_states"]

STATE_FILE = "trainer_state.json"

Row = dict[str, Any]


def read_trainer_states(folder: Path, pattern: str | None = None) -> Table:
    """Read every run below a folder."""
    expression = _compiled(pattern)
    states = _latest_states(folder)
    rows: list[Row] = []
    runs: list[str] = []
    for run, (path, state) in states.items():
        name = run.relative_to(folder).as_posix()
        name = folder.resolve().name if name == "." else name
        found = _evaluations(state, path)
        described = _described(name, expression)
        rows += [{**described, **row} for row in found]
        runs += [name] * len(found)
    names = dict.fromkeys(name for row in rows for name in row)
    return Table(folder.name or str(folder), {name: [row.get(name) for row in rows] for name in names}, runs)


def _compiled(pattern: str | None) -> "re.Pattern[str] | None":
    if pattern is None:
        return None
    try:
        expression = re.compile(pattern)
    except re.error as error:
        raise RequestError(
            f"pattern must be a regular expression, not {pattern!r} ({error}); for example 'seed(?P<init>[0-9]+)'."
        ) from error
    if not expression.groupindex:
        raise RequestError(
            f"pattern must have named groups, not {pattern!r}; for example 'seed(?P<init>[0-9]+)' makes the column init."
        )
    return expression


def _latest_states(folder: Path) -> dict[Path, tuple[Path, Row]]:
    """Return the most complete state of every run, in the order of their paths."""
    states: dict[Path, tuple[Path, Row]] = {}
    paths = sorted(folder.rglob(STATE_FILE), key=lambda path: _natural(path.parent.as_posix()))
    for path in paths:
        state = _read_state(path)
        run = path.parent.parent if re.fullmatch(r"checkpoint-\d+", path.parent.name) else path.parent
        if run not in states or _progress(state) > _progress(states[run][1]):
            states[run] = (path, state)
    if not states:
        raise DataError(
            f"{folder} must hold at least one {STATE_FILE}, but there is none in it; name a folder of runs."
        )
    return states


def _read_state(path: Path) -> Row:
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise DataError(f"the file {path} cannot be read ({error}); check the file.") from error
    state = parse_json(text, f"the file {path}", "write it again")
    log = state.get("log_history") if isinstance(state, dict) else None
    if not isinstance(log, list) or not all(isinstance(entry, dict) for entry in log):
        raise DataError(f"the file {path} must have a list log_history, but has none; leave it out.")
    return dict(state)


def _progress(state: Row) -> tuple[float, int]:
    step = state.get("global_step")
    return (step if isinstance(step, int | float) else 0, len(state["log_history"]))


def _evaluations(state: Row, path: Path) -> list[Row]:
    """Return one row for each step with an evaluation.

    What is evaluated again at the end of a run is of the best checkpoint where that was loaded, so of two evaluations at
    one step the first counts.
    """
    rows: dict[Any, Row] = {}
    loss = None
    for entry in state["log_history"]:
        if "loss" in entry:
            loss = entry["loss"]
        scores = {key: value for key, value in entry.items() if key.startswith("eval_")}
        if not scores:
            continue
        step = entry.get("step")
        if step not in rows:
            rows[step] = {"step": step, "epoch": entry.get("epoch"), "train_loss": loss}
            loss = None
        rows[step] = {**scores, **rows[step]}
    if not rows:
        raise DataError(f"the file {path} must log evaluations (eval_...), but has none; leave its folder out.")
    return list(rows.values())


def _described(name: str, expression: "re.Pattern[str] | None") -> Mapping[str, str | None]:
    parts = {f"folder{number}": part for number, part in enumerate(name.split("/"), start=1)}
    if expression is None:
        return {"folder": name, **parts}
    found = expression.search(name)
    if found is None:
        raise RequestError(
            f"pattern must fit the path of every run, but {expression.pattern!r} does not fit {name!r}; change it."
        )
    return {"folder": name, **parts, **found.groupdict()}


def _natural(text: str) -> list[tuple[int, int | str]]:
    """Sort seed-2 before seed-10."""
    return [(0, int(part)) if part.isdecimal() else (1, part) for part in re.split(r"(\d+)", text)]
