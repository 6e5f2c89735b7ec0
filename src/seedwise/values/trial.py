"""What is a trial, what does it yield, and which states can it be in?"""

import math
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field
from enum import StrEnum
from typing import Any, ClassVar, Generic, Protocol, Self, TypeVar

from seedwise.errors import RequestError
from seedwise.values.checks import check_count, check_fields, check_kind
from seedwise.values.identity import content_hash, json_number, number_of_json
from seedwise.values.recipe import Recipe
from seedwise.values.seeds import Seeds
from seedwise.values.task import Task

__all__ = ["Measurement", "Trial", "TrialOf", "TrialState", "best_evaluation"]


class TrialState(StrEnum):
    """Where a trial stands.

    A paused trial may still continue; a stopped one was judged and will not, unless the study is extended.
    """

    WAITING = "waiting"
    RUNNING = "running"
    PAUSED = "paused"
    STOPPED = "stopped"
    COMPLETE = "complete"
    FAILED = "failed"


class _Part(Protocol):
    """What a trial needs from its task and its recipe."""

    @property
    def id(self) -> str: ...
    def to_json(self) -> dict[str, Any]: ...


TaskT = TypeVar("TaskT", bound=_Part)
RecipeT = TypeVar("RecipeT", bound=_Part)


@dataclass(frozen=True, slots=True)
class TrialOf(Generic[TaskT, RecipeT]):
    """Task x recipe x seeds; a `Trial` can be run; of an ``ImportedTrial`` only names and scores are known.

    They are two classes because a type variable has no default before Python 3.13: `Trial` alone has to mean one's own.
    """

    task: TaskT
    recipe: RecipeT
    seeds: Seeds

    is_imported: ClassVar[bool]
    kinds: ClassVar[tuple[type[Any], type[Any]]]

    def __post_init__(self) -> None:
        task, recipe = self.kinds
        check_kind("the trial's task", self.task, task)
        check_kind("the trial's recipe", self.recipe, recipe)
        check_kind("the trial's seeds", self.seeds, Seeds)

    @property
    def id(self) -> str:
        """The hash of the trial's content: equal trials are one trial, wherever and whenever they run."""
        return content_hash([self.task.id, self.recipe.id, self.seeds.to_json()])

    def to_json(self) -> dict[str, Any]:
        """Return the trial as plain JSON."""
        return {"task": self.task.to_json(), "recipe": self.recipe.to_json(), "seeds": self.seeds.to_json()}

    @classmethod
    def from_json(cls, content: dict[str, Any]) -> Self:
        """Build a trial from what ``to_json`` returned."""
        check_fields("the trial", content, cls)
        task, recipe = cls.kinds
        seeds = Seeds.from_json(content["seeds"])
        return cls(task.from_json(content["task"]), recipe.from_json(content["recipe"]), seeds)


class Trial(TrialOf[Task, Recipe]):
    """One fine-tuning: task x recipe x seeds.

    Args:
        task: What is learnt.
        recipe: How.
        seeds: With which three seeds.

    Raises:
        RequestError: A field has the wrong class.

    Example:
        >>> task = Task.glue("rte")
        >>> a = Trial(task, Recipe.preset("zhang2021", model="m"), Seeds(1, 1))
        >>> b = Trial(task, Recipe.preset("zhang2021", model="m"), Seeds(1, 2))
        >>> a.id == b.id, a.id == Trial.from_json(a.to_json()).id
        (False, True)
    """

    __slots__ = ()
    is_imported = False
    kinds = (Task, Recipe)


@dataclass(frozen=True, slots=True)
class Measurement:
    """What a trial yields after one optimiser step.

    Args:
        step: Optimiser steps done, from 1.
        loss: Mean training loss of the step's rows, before the update; not finite if the trial diverged.
        metrics: Every validation metric, at an evaluation; otherwise None.
        tracked: What else the recipe tracks at every step, by name: distance (one value a block, from the bottom up),
            gradient_norm and bias_ratio (one value each); None where it keeps nothing.

    Raises:
        RequestError: The step is not a whole number of at least 1, or the loss, a metric or a tracked value is not a number.

    Example:
        >>> Measurement(1, 0.7, tracked={"distance": [0.1, 0.2]}).tracked
        {'distance': (0.1, 0.2)}
    """

    step: int
    loss: float
    metrics: Mapping[str, float] | None = field(default=None)
    tracked: Mapping[str, tuple[float, ...]] | None = field(default=None)

    def __post_init__(self) -> None:
        check_count("step", self.step)
        _check_real("loss", self.loss)
        if self.metrics is not None:
            if not isinstance(self.metrics, Mapping):
                raise RequestError(
                    f"metrics must be names and numbers, not {self.metrics!r}; give None where there are none."
                )
            for name, value in self.metrics.items():
                _check_real(f"the metric {name!r}", value)
        if self.tracked is not None:
            object.__setattr__(self, "tracked", _tracked(self.tracked))

    def to_json(self) -> dict[str, Any]:
        """Return the measurement as plain JSON; a number that is not finite becomes a text."""
        content = asdict(self)
        content["loss"] = json_number(self.loss)
        if self.metrics is not None:
            content["metrics"] = {name: json_number(value) for name, value in self.metrics.items()}
        if self.tracked is not None:
            content["tracked"] = {name: [json_number(v) for v in values] for name, values in self.tracked.items()}
        return content

    @classmethod
    def from_json(cls, content: dict[str, Any]) -> "Measurement":
        """Build a measurement from what ``to_json`` returned."""
        check_fields("the measurement", content, cls)
        metrics = content.get("metrics")
        if isinstance(metrics, Mapping):
            metrics = {name: number_of_json(value) for name, value in metrics.items()}
        tracked = content.get("tracked")
        if isinstance(tracked, Mapping):
            tracked = {
                name: [number_of_json(v) for v in values] if isinstance(values, list) else values
                for name, values in tracked.items()
            }
        return cls(content["step"], number_of_json(content["loss"]), metrics, tracked)


def best_evaluation(scores: Iterable[tuple[int, float]], *, greater_is_better: bool = True) -> tuple[int, float] | None:
    """Return the step and score of the best evaluation, the first if several are equal; only finite scores count.

    Example:
        >>> best_evaluation([(10, 0.5), (20, float("nan")), (30, 0.7), (40, 0.7)])
        (30, 0.7)
    """
    best: tuple[int, float] | None = None
    for step, score in scores:
        if not math.isfinite(score):
            continue
        if best is None or (score > best[1] if greater_is_better else score < best[1]):
            best = (step, score)
    return best


def _check_real(name: str, value: object) -> None:
    """Refuse anything but a number; nan and infinity are allowed, since a trial may diverge."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise RequestError(f"{name} must be a number, not {value!r}; nan stands for one that is unknown.")


def _tracked(given: object) -> dict[str, tuple[float, ...]]:
    """Return tracked values as tuples; refuse anything but names, each with at least one number."""
    if not isinstance(given, Mapping):
        raise RequestError(f"tracked must be names and numbers, not {given!r}; give None where there is nothing.")
    for name, values in given.items():
        if not isinstance(values, tuple | list) or not values:
            raise RequestError(
                f"tracked {name!r} must be at least one number in a tuple, not {values!r}; leave the name out without any."
            )
        for value in values:
            _check_real(f"a value of tracked {name!r}", value)
    return {name: tuple(values) for name, values in given.items()}
