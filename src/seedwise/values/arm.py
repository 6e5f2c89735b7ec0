"""What is one arm of a design, and which recipes does it choose among?"""

import itertools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, fields
from typing import Any, NamedTuple

from seedwise.errors import RequestError
from seedwise.values.checks import check_fields, check_keys, check_kind, check_text
from seedwise.values.recipe import Recipe
from seedwise.values.seeds import Seeds
from seedwise.values.task import Task

__all__ = ["Arm", "Candidate", "Intermediate"]


class Candidate(NamedTuple):
    """One of the recipes that an arm chooses among."""

    values: Mapping[str, Any]  # searched field -> this candidate's value; empty where the arm has nothing to choose
    recipe: Recipe  # the whole recipe

    @property
    def words(self) -> str:
        """The searched values for a table, as ``L = 3``."""
        return ", ".join(f"{_LETTERS.get(name, name)} = {_value_words(value)}" for name, value in self.values.items())


@dataclass(frozen=True, slots=True, kw_only=True)
class Arm:
    """One way of fine-tuning on one task; the arms of one name on several tasks are one row of a table.

    Args:
        name: Its name in tables, such as Standard, Re-init or LLRD.
        task: What is learnt.
        recipe: The recipe, except for the searched fields.
        search: Recipe field -> the values to try; with several fields, every combination is a candidate. Empty if
            there is nothing to choose.
        after: Name of an arm on the same task, whose choice this arm starts from.
        seeds: Seeds of the report.
        tuning_seeds: Seeds of the choice; only with a search.

    Raises:
        RequestError: A field breaks its rule.

    Example:
        >>> arm = Arm(name="Re-init", task=Task.glue("rte"), recipe=Recipe(model="m"), search={"reinit_layers": (1, 2)},
        ...           seeds=Seeds.paired(20), tuning_seeds=Seeds.paired(range(101, 109)))
        >>> [candidate.words for candidate in arm.candidates()]
        ['L = 1', 'L = 2']
    """

    name: str
    task: Task
    recipe: Recipe
    search: Mapping[str, tuple[Any, ...]] = field(default_factory=dict)
    after: str | None = None
    seeds: tuple[Seeds, ...]
    tuning_seeds: tuple[Seeds, ...] = ()

    def __post_init__(self) -> None:
        check_text("the arm's name", self.name)
        check_kind(f"the task of arm {self.name!r}", self.task, Task)
        check_kind(f"the recipe of arm {self.name!r}", self.recipe, Recipe)
        if self.after is not None:
            check_text(f"'after' of arm {self.name!r}", self.after)
        object.__setattr__(self, "seeds", _checked_seeds(f"the seeds of arm {self.name!r}", self.seeds))
        if bool(self.search) != bool(self.tuning_seeds):
            raise RequestError(
                f"arm {self.name!r} must have both a search and tuning seeds, or neither, not "
                f"{'a search' if self.search else 'tuning seeds'} alone; add what is missing."
            )
        if self.search:
            tuning = _checked_seeds(f"the tuning seeds of arm {self.name!r}", self.tuning_seeds)
            object.__setattr__(self, "tuning_seeds", tuning)
            object.__setattr__(self, "search", _checked_search(self.name, self.search))
            recipes = [candidate.recipe for candidate in self.candidates()]
            if len(set(recipes)) < len(recipes):
                raise RequestError(f"the search of arm {self.name!r} must hold no candidate twice; drop the extra.")

    def candidates(self, taken: Mapping[str, Any] | None = None) -> tuple[Candidate, ...]:
        """Return the recipes that the arm chooses among, in the order of its search; just one if there is no search.

        Args:
            taken: Field -> value chosen by the arm that this one comes after.

        Raises:
            RequestError: A searched value breaks its field's rule.
        """
        start = self.recipe.with_changes(**(taken or {}))
        found = []
        for values in itertools.product(*self.search.values()):
            named = dict(zip(self.search, values, strict=True))
            try:
                found.append(Candidate(named, start.with_changes(**named)))
            except RequestError as error:
                raise RequestError(f"a candidate of arm {self.name!r} cannot be: {error}") from error
        return tuple(found)

    def to_json(self) -> dict[str, Any]:
        """Return the arm as plain JSON."""
        return {
            "name": self.name,
            "task": self.task.to_json(),
            "recipe": self.recipe.to_json(),
            "search": {name: list(values) for name, values in self.search.items()},
            "after": self.after,
            "seeds": [seeds.to_json() for seeds in self.seeds],
            "tuning_seeds": [seeds.to_json() for seeds in self.tuning_seeds],
        }

    @classmethod
    def from_json(cls, content: dict[str, Any]) -> "Arm":
        """Build an arm from what ``to_json`` returned."""
        check_fields("the arm", content, cls)
        return cls(
            name=content["name"],
            task=Task.from_json(content["task"]),
            recipe=Recipe.from_json(content["recipe"]),
            search={name: tuple(values) for name, values in content.get("search", {}).items()},
            after=content.get("after"),
            seeds=tuple(Seeds.from_json(seeds) for seeds in content["seeds"]),
            tuning_seeds=tuple(Seeds.from_json(seeds) for seeds in content.get("tuning_seeds", ())),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Intermediate:
    """The larger task that a model is trained on first (Phang et al. 2018), once for all arms that start from it."""

    task: Task  # what is learnt first
    recipe: Recipe  # how
    seeds: tuple[Seeds, ...]  # with which seeds; the best of them by validation is the starting point

    def __post_init__(self) -> None:
        check_kind("the intermediate task", self.task, Task)
        check_kind("the intermediate task's recipe", self.recipe, Recipe)
        object.__setattr__(self, "seeds", _checked_seeds("the intermediate task's seeds", self.seeds))

    def to_json(self) -> dict[str, Any]:
        """Return the intermediate task as plain JSON."""
        return {
            "task": self.task.to_json(),
            "recipe": self.recipe.to_json(),
            "seeds": [seeds.to_json() for seeds in self.seeds],
        }

    @classmethod
    def from_json(cls, content: dict[str, Any]) -> "Intermediate":
        """Build it from what ``to_json`` returned."""
        check_fields("the intermediate task", content, cls)
        seeds = tuple(Seeds.from_json(seeds) for seeds in content["seeds"])
        return cls(task=Task.from_json(content["task"]), recipe=Recipe.from_json(content["recipe"]), seeds=seeds)


def _checked_seeds(name: str, seeds: Sequence[Seeds]) -> tuple[Seeds, ...]:
    found = tuple(seeds)
    for one in found:
        check_kind(f"each of {name}", one, Seeds)
    if not found or len(set(found)) < len(found):
        raise RequestError(f"{name} must be at least one, and none twice, not {len(found)}; Seeds.paired(20) makes 20.")
    return found


def _checked_search(name: str, search: Mapping[str, Sequence[Any]]) -> dict[str, tuple[Any, ...]]:
    check_keys(f"the search of arm {name!r}", search, tuple(f.name for f in fields(Recipe)))
    for key, values in search.items():
        if not isinstance(values, list | tuple) or not values:
            raise RequestError(
                f"the search of arm {name!r} must list at least one candidate for {key}, not {values!r}; add values."
            )
    return {key: tuple(values) for key, values in search.items()}


def _value_words(value: Any) -> str:
    return f"{value:g}" if isinstance(value, float) else str(value)


_LETTERS = {
    "reinit_layers": "L",
    "mixout": "p",
    "weight_decay": "λ",
    "pretrained_weight_decay": "λ",
    "layerwise_lr_decay": "decay",
    "learning_rate": "learning rate",
    "num_train_steps": "steps",
    "num_train_epochs": "epochs",
}
"""The papers' letters for what they search, or plain words."""
