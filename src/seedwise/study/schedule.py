"""Which trial runs next, how far, and which can be dropped? The stopping rule, applied as results arrive.

Everything here is a pure function of what is known about the trials: no store, no clock, no device. The same knowledge
gives the same decision, so a study may be killed and resumed anywhere, with any number of workers.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from seedwise.errors import RequestError
from seedwise.values.checks import check_count, check_fields, check_kind
from seedwise.values.stopping import StoppingRule

__all__ = ["Decision", "Goal", "Progress", "Schedule", "Standing", "fractions"]


class Goal(StrEnum):
    """How far a trial is to be trained."""

    FRACTION = "fraction"
    END = "end"


class Standing(StrEnum):
    """How far a trial has got."""

    BEFORE = "before"  # not yet at fraction f
    JUDGED = "judged"  # at fraction f or beyond, not at the end
    DONE = "done"  # complete, or failed: nothing more to do


@dataclass(frozen=True, slots=True)
class Progress:
    """What the schedule knows about one trial."""

    standing: Standing = Standing.BEFORE  # how far it has come
    early: float | None = None  # best score up to fraction f, larger is better
    running: bool = False  # whether a worker has it now


@dataclass(frozen=True, slots=True)
class Decision:
    """What follows from the progress of all trials."""

    run: tuple[tuple[int, Goal], ...]  # what may start now, most urgent first: positions of trials, each with its goal
    drop: tuple[int, ...]  # positions of judged trials that can no longer be among the p best


@dataclass(frozen=True, slots=True)
class Schedule:
    """The stopping rule over the trials of one task and recipe, in trial order.

    Args:
        rule: How many trials start, where they are judged, how many go on.
        fraction_step: The optimiser step at which trials are judged: the evaluation that fraction f falls on.
        steps: Optimiser steps of the full run.

    Raises:
        RequestError: A field breaks its rule, or trials would be judged after their end.

    Example:
        >>> schedule = Schedule.of(StoppingRule(t=3, f=0.5, p=1), evaluation_steps=(5, 10))
        >>> fresh, judged = Progress(), Progress(Standing.JUDGED, early=0.7)
        >>> schedule.decide([judged, fresh, fresh]).run
        ((1, <Goal.FRACTION: 'fraction'>), (2, <Goal.FRACTION: 'fraction'>))
        >>> schedule.decide([judged, Progress(Standing.JUDGED, 0.6), Progress(Standing.JUDGED, 0.8)]).run
        ((2, <Goal.END: 'end'>),)
    """

    rule: StoppingRule
    fraction_step: int
    steps: int

    def __post_init__(self) -> None:
        check_kind("the schedule's rule", self.rule, StoppingRule)
        check_count("fraction_step", self.fraction_step)
        check_count(
            "steps", self.steps, least=self.fraction_step, remedy=f"trials are judged at step {self.fraction_step}"
        )

    @classmethod
    def of(cls, rule: StoppingRule, evaluation_steps: Sequence[int]) -> "Schedule":
        """Fit a rule to a run: find the evaluation that fraction f falls on.

        Args:
            rule: The stopping rule.
            evaluation_steps: Steps of the evaluations, the last being the end of the run.

        Raises:
            RequestError: No evaluation falls on fraction f; the message says which fractions do.
        """
        steps = evaluation_steps[-1]
        nearest = min(evaluation_steps, key=lambda step: abs(step / steps - rule.f))
        if abs(nearest / steps - rule.f) > _tolerance(steps):
            found = fractions(evaluation_steps)
            where = "the evaluations are at these fractions:"
            if len(found) > 20:
                where = f"of its {len(found)} evaluations the nearest are at these fractions:"
                found = tuple(sorted(sorted(found, key=lambda fraction: abs(fraction - rule.f))[:4]))
            listed = ", ".join(f"{fraction:g}" for fraction in found)
            raise RequestError(f"f (fraction of the run) must fall on an evaluation, not {rule.f:g}; {where} {listed}.")
        return cls(rule, nearest, steps)

    def decide(self, progress: Sequence[Progress]) -> Decision:
        """Decide what runs next and what is dropped.

        A judged trial is promoted as soon as it is certain to be among the p best, and dropped as soon as p others are
        certain to rank above it. Trials rank by their early scores, ties in trial order, those without
        a finite score last. A trial that fails before it is judged, or diverges after it, takes no place.

        Args:
            progress: One entry for each trial of the task and recipe, in trial order.
        """
        judged = sorted(
            (i for i, trial in enumerate(progress) if trial.early is not None), key=lambda i: _standing(progress, i)
        )
        undecided = [i for i, trial in enumerate(progress) if trial.early is None and trial.standing is Standing.BEFORE]
        rank = {i: place for place, i in enumerate(judged)}  # from 0
        promoted, dropped = [], []
        for i in judged:
            if progress[i].standing is not Standing.JUDGED or progress[i].running:
                continue
            if rank[i] >= self.rule.p:
                dropped.append(i)
            elif rank[i] + len(undecided) < self.rule.p:
                promoted.append((i, Goal.END))
        certain = len(judged) + len(undecided) <= self.rule.p or self.fraction_step == self.steps
        goal = Goal.END if certain else Goal.FRACTION
        started = [(i, goal) for i in undecided if not progress[i].running]
        return Decision(run=(*started, *promoted), drop=tuple(sorted(dropped)))

    def to_json(self) -> dict[str, Any]:
        """Return the schedule as plain JSON."""
        return {"rule": self.rule.to_json(), "fraction_step": self.fraction_step, "steps": self.steps}

    @classmethod
    def from_json(cls, content: dict[str, Any]) -> "Schedule":
        """Build a schedule from what ``to_json`` returned."""
        check_fields("the schedule", content, cls)
        return cls(StoppingRule.from_json(content["rule"]), content["fraction_step"], content["steps"])


def fractions(evaluation_steps: Sequence[int]) -> tuple[float, ...]:
    """Return the fractions of the run at which the evaluations lie, to three places, ending in 1.

    Evenly spread evaluations lie at 1/n, 2/n ..., although a step is a whole number.

    Example:
        >>> fractions((23, 47, 70, 94))
        (0.25, 0.5, 0.75, 1.0)
    """
    n, steps = len(evaluation_steps), evaluation_steps[-1]
    found = []
    for i, step in enumerate(evaluation_steps, start=1):
        even = abs(i / n - step / steps) <= _tolerance(steps)
        found.append(round(i / n if even else step / steps, 3))
    return tuple(found)


def _tolerance(steps: int) -> float:
    """A fraction names an evaluation if it rounds to its step, or equals its share as printed, to three places."""
    return max(0.5 / steps, 0.0005) + 1e-9


def _standing(progress: Sequence[Progress], i: int) -> tuple[bool, float, int]:
    early = progress[i].early
    if early is None or not math.isfinite(early):
        return (True, 0.0, i)
    return (False, -early, i)
