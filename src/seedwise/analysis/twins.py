"""Did seeds make a difference at all, or are some trials one and the same run?"""

import math
from collections.abc import Callable, Iterable, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from seedwise.values.record import TrialRecord

__all__ = ["Twins", "find_twins"]

Numbers = tuple[float | None, ...]
DISTINCT = 3
"""A trial with fewer different numbers on record may equal another by chance: one that only ever guesses has one score, or
two as it changes its guess."""


class Twins(NamedTuple):
    """Trials on record with the very same numbers although their seeds differ."""

    groups: tuple[tuple[int, ...], ...]  # places of the trials that equal each other, the largest group first
    trials: int  # how many trials have an evaluation
    unit: str  # what tells trials apart: seeds, or trials where one init seed has several

    @property
    def repeats(self) -> int:
        """How many trials tell nothing that another does not."""
        return sum(len(group) - 1 for group in self.groups)

    @property
    def prevail(self) -> bool:
        """Whether at least half of the trials are repeats, so that nothing can be said of how trials differ."""
        return bool(self.groups) and 2 * self.repeats >= self.trials

    @property
    def words(self) -> str:
        """How many trials are the same, in a sentence; empty where none are."""
        if not self.groups:
            return ""
        if len(self.groups) == 1:
            same = f"{len(self.groups[0])} of {self.trials} {self.unit} gave the same curve"
        else:
            same = f"{self.trials} {self.unit} gave only {self.trials - self.repeats} different curves"
        return f"{same}: the seed had no effect, or a file was copied."


def find_twins(records: Sequence[TrialRecord], losses_of: Callable[[str], NDArray[np.float32]] | None = None) -> Twins:
    """Return the trials of one task and recipe of which everything on record is equal.

    Everything is all metrics and losses at all evaluations, the test scores and, where they are known, the training losses
    of all steps. Trials with fewer than `DISTINCT` different numbers are not told: they may be equal by chance.

    Args:
        records: The trials, whose seeds differ.
        losses_of: Returns a trial's training loss at every step; not known by default.
    """
    by_curve: dict[tuple[tuple[object, ...], Numbers], list[int]] = {}
    for place, record in enumerate(records):
        if record.evaluations:
            by_curve.setdefault(_curve(record), []).append(place)
    groups: list[tuple[int, ...]] = []
    for (_, numbers), places in by_curve.items():
        by_losses: dict[Numbers, list[int]] = {}
        for place in places if len(places) > 1 else ():  # the losses of most trials need not be read
            losses = () if losses_of is None else losses_of(records[place].id).tolist()
            by_losses.setdefault(_plain(losses), []).append(place)
        groups += [
            tuple(same)
            for losses, same in by_losses.items()
            if len(same) > 1 and len({*numbers, *losses} - {None}) >= DISTINCT
        ]
    inits = {record.trial.seeds.init for record in records}
    return Twins(
        tuple(sorted(groups, key=len, reverse=True)),
        sum(map(len, by_curve.values())),
        "seeds" if len(inits) == len(records) else "trials",
    )


def _curve(record: TrialRecord) -> tuple[tuple[object, ...], Numbers]:
    """The names and the numbers of everything that was measured of a trial: equal ones of equal trials."""
    named = [(e.step, sorted((e.metrics or {}).items())) for e in record.evaluations]
    named.append((0, sorted((record.test_metrics or {}).items())))
    names = tuple((step, *(name for name, _ in metrics)) for step, metrics in named)
    scores = [value for _, metrics in named for _, value in metrics]
    return names, _plain([*scores, *(e.loss for e in record.evaluations)])


def _plain(values: Iterable[float]) -> Numbers:
    """Return finite numbers as they are, and None for each other: two that are not numbers would not be equal."""
    return tuple(value if math.isfinite(value) else None for value in values)
