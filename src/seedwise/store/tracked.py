"""What did a trial keep of every step beside its loss, and does a replay keep the same?

A recipe may ask for the distance of each block from its starting values, the gradient's norm and the bias of Adam's
update. Each is kept as the losses are: one row an evaluation interval, float32.
"""

from collections.abc import Sequence
from sqlite3 import Connection

import numpy as np
from numpy.typing import NDArray

from seedwise.errors import RequestError
from seedwise.store.base import Tracked
from seedwise.store.encoding import differs, pack, to_float32, unpack
from seedwise.store.schema import version_of
from seedwise.values.trial import Measurement

__all__ = ["insert_tracked", "read_tracked", "tracked_difference"]


def insert_tracked(connection: Connection, trial_id: str, interval: Sequence[Measurement]) -> None:
    """Insert what the steps of one interval tracked, inside the caller's transaction; nan where a step lacks a name.

    Raises:
        RequestError: A name has a different number of values than before.
    """
    names = dict.fromkeys(name for measurement in interval for name in measurement.tracked or ())
    for name in names:
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


def read_tracked(connection: Connection, trial_id: str, steps: int) -> Tracked:
    """Return what a trial tracked, by name, (steps, width); row i is step i + 1, nan where it is not known.

    Args:
        connection: Where to ask, inside the caller's transaction.
        trial_id: Which trial.
        steps: The step up to which it is stored.
    """
    found: dict[str, NDArray[np.float32]] = {}
    if version_of(connection) < 2:  # it had no table of them
        return found
    query = "SELECT name, first_step, last_step, width, vals FROM tracked WHERE trial = ? ORDER BY name, last_step"
    for name, first, last, width, blob in connection.execute(query, (trial_id,)):
        table = found.setdefault(name, np.full((steps, width), np.nan, np.float32))
        table[first - 1 : last] = unpack(blob).reshape(-1, width)
    return found


def tracked_difference(stored: Tracked, replayed: Measurement) -> str | None:
    """Return half a sentence on the first tracked value of a replayed step that differs from the stored one."""
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
