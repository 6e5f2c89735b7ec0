"""How is a trial's curve kept (losses, evaluations, tracked values), and does a replay equal it?

Losses and tracked values are kept alike: one row an evaluation interval, float32. Every function asks one open
connection, inside its caller's transaction.
"""

from collections.abc import Mapping, Sequence
from itertools import pairwise
from sqlite3 import Connection
from typing import Any

import numpy as np
from numpy.typing import NDArray

from seedwise.errors import RequestError
from seedwise.store.encoding import differs, metrics_from_text, metrics_to_text, pack, to_float32, unpack
from seedwise.store.schema import version_of
from seedwise.values.trial import Measurement

__all__ = [
    "Losses",
    "Tracked",
    "check_steps",
    "evaluation_of",
    "first_difference",
    "insert_interval",
    "last_step",
    "read_losses",
    "read_tracked",
]

Losses = NDArray[np.float32]
"""One training loss per optimiser step, from step 1."""

Tracked = Mapping[str, NDArray[np.float32]]
"""What was tracked beside the loss, by name, (steps, values a step); row i is step i + 1, nan where it is not known."""


def check_steps(measurements: Sequence[Measurement]) -> None:
    """Refuse what would leave a curve with holes or with an end that no evaluation marks."""
    if not measurements:
        raise RequestError("measurements must hold at least one evaluation, not nothing; wait for the next one.")
    for before, after in pairwise(measurements):
        if after.step != before.step + 1:
            raise RequestError(f"steps must be consecutive, not {after.step} after {before.step}; give each one once.")
    if measurements[-1].metrics is None:
        last = measurements[-1].step
        raise RequestError(f"the last step must be an evaluation, but {last} has no metrics; wait for the next one.")


def insert_interval(connection: Connection, trial_id: str, interval: Sequence[Measurement]) -> None:
    """Insert the steps after one evaluation up to the next, which is the last of them."""
    end = interval[-1]
    losses = pack(to_float32([measurement.loss for measurement in interval]))
    connection.execute("INSERT INTO measurements VALUES (?, ?, ?, ?)", (trial_id, interval[0].step, end.step, losses))
    connection.execute(
        "INSERT INTO evaluations VALUES (?, ?, ?, ?)",
        (trial_id, end.step, repr(float(end.loss)), metrics_to_text(end.metrics or {})),
    )
    for name in dict.fromkeys(name for measurement in interval for name in measurement.tracked or ()):
        _insert_tracked(connection, trial_id, name, interval)


def _insert_tracked(connection: Connection, trial_id: str, name: str, interval: Sequence[Measurement]) -> None:
    """Insert one tracked quantity, nan at steps without it; refuse another number of values than before."""
    query = "SELECT width FROM tracked WHERE trial = ? AND name = ? LIMIT 1"
    stored = connection.execute(query, (trial_id, name)).fetchone()
    values = [(measurement.tracked or {}).get(name) for measurement in interval]
    width = stored[0] if stored else next(len(found) for found in values if found is not None)
    if wrong := [len(found) for found in values if found is not None and len(found) != width]:
        raise RequestError(
            f"tracked {name!r} must have {width} values at every step, as at the first, not {wrong[0]}; keep their number."
        )
    table = np.array([[np.nan] * width if found is None else found for found in values], np.float64)
    connection.execute(
        "INSERT INTO tracked VALUES (?, ?, ?, ?, ?, ?)",
        (trial_id, name, interval[0].step, interval[-1].step, width, pack(to_float32(table))),
    )


def read_losses(connection: Connection, trial_id: str) -> Losses:
    """Return the losses of every stored step; none where the trial is unknown."""
    rows = connection.execute("SELECT losses FROM measurements WHERE trial = ? ORDER BY last_step", (trial_id,))
    parts = [unpack(blob) for (blob,) in rows]
    return np.concatenate(parts) if parts else np.zeros(0, np.float32)


def read_tracked(connection: Connection, trial_id: str) -> Tracked:
    """Return every tracked quantity by name, (steps, width); nan at steps where it is not known."""
    found: dict[str, NDArray[np.float32]] = {}
    if version_of(connection) < 2:  # it had no table of them
        return found
    steps = last_step(connection, trial_id)
    query = "SELECT name, first_step, last_step, width, vals FROM tracked WHERE trial = ? ORDER BY name, last_step"
    for name, first, last, width, blob in connection.execute(query, (trial_id,)):
        table = found.setdefault(name, np.full((steps, width), np.nan, np.float32))
        table[first - 1 : last] = unpack(blob).reshape(-1, width)
    return found


def last_step(connection: Connection, trial_id: str) -> int:
    """Return the step up to which a trial is stored, 0 before the first."""
    query = "SELECT max(last_step) FROM measurements WHERE trial = ?"
    (step,) = connection.execute(query, (trial_id,)).fetchone()
    return step or 0


def evaluation_of(row: tuple[Any, ...]) -> Measurement:
    """Turn (trial, step, loss, metrics) of the table of evaluations into a value."""
    _, step, loss, metrics = row
    return Measurement(step, float(loss), metrics_from_text(metrics))


def first_difference(connection: Connection, trial_id: str, replayed: Sequence[Measurement]) -> str | None:
    """Return a sentence on the first replayed step that differs from the stored one, with both values."""
    losses, tracked = read_losses(connection, trial_id), read_tracked(connection, trial_id)
    query = "SELECT trial, step, loss, metrics FROM evaluations WHERE trial = ? AND step BETWEEN ? AND ?"
    rows = connection.execute(query, (trial_id, replayed[0].step, replayed[-1].step))
    evaluations = {evaluation.step: evaluation for evaluation in map(evaluation_of, rows)}
    for measurement, loss in zip(replayed, to_float32([m.loss for m in replayed]).tolist(), strict=True):
        stored = losses[measurement.step - 1].item()
        if differs(stored, loss):
            return f"step {measurement.step}: the loss was {stored!r} and is {loss!r} in a replay"
        known = evaluations.get(measurement.step)
        sentence = _metrics_difference(known and known.metrics, measurement.metrics)
        sentence = sentence or _tracked_difference(tracked, measurement)
        if sentence:
            return f"step {measurement.step}: {sentence}"
    return None


def _metrics_difference(stored: Any, replayed: Any) -> str | None:
    """Compare two evaluations of one step, either of which may be missing."""
    if (stored is None) != (replayed is None):
        return "it was evaluated in only one of the stored run and a replay"
    for name in stored or {}:
        if name not in replayed or differs(stored[name], float(replayed[name])):
            return f"{name} was {stored[name]!r} and is {replayed.get(name)!r} in a replay"
    return None


def _tracked_difference(stored: Tracked, replayed: Measurement) -> str | None:
    """Compare the tracked values of one step."""
    tracked = replayed.tracked or {}
    for name in dict.fromkeys((*stored, *tracked)):
        before = stored[name][replayed.step - 1].tolist() if name in stored else []
        now = to_float32(tracked.get(name, [np.nan] * len(before))).tolist()
        if len(before) != len(now):
            return f"{name} had {len(before)} values and has {len(now)} in a replay"
        for i, (one, other) in enumerate(zip(before, now, strict=True)):
            if differs(one, other):
                place = f" {i + 1}" if len(now) > 1 else ""
                return f"{name}{place} was {one!r} and is {other!r} in a replay"
    return None
