"""What represents the task, recipe and trial of an imported run, when only names and scores are known?

They have everything that the analysis reads from a `Task`, `Recipe` or `Trial`, but cannot be run.
"""

import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any, ClassVar, TypeAlias

from seedwise.errors import RequestError
from seedwise.values.checks import check_fields, check_switch, check_text
from seedwise.values.identity import canonical_json, content_hash
from seedwise.values.recipe import Recipe
from seedwise.values.task import Task
from seedwise.values.trial import Trial, TrialOf

__all__ = [
    "AnyRecipe",
    "AnyTask",
    "AnyTrial",
    "ImportedRecipe",
    "ImportedTask",
    "ImportedTrial",
    "greater_is_better",
    "recipe_from_json",
    "task_from_json",
]

SOURCE = "imported"

SMALL_IS_GOOD = frozenset("loss error err perplexity ppl mse rmse mae wer cer nll entropy distance brier".split())
"""Words in the names of metrics of which less is better."""


def greater_is_better(metric: str) -> bool:
    """Guess from a metric's name whether higher is better.

    Example:
        >>> greater_is_better("val_acc"), greater_is_better("validation_loss"), greater_is_better("error_rate")
        (True, False, False)
    """
    return SMALL_IS_GOOD.isdisjoint(re.split(r"[^a-z]+", metric.lower()))


@dataclass(frozen=True, slots=True)
class ImportedTask:
    """The task of imported runs.

    Example:
        >>> ImportedTask("RTE", "accuracy").is_better(0.7, than=0.6)
        True
    """

    name: str  # a short name for tables and figures
    metric: str  # the name of the metric that decides
    greater_is_better: bool = True  # whether more of it is better

    source: ClassVar[str] = SOURCE

    def __post_init__(self) -> None:
        check_text("the task's name", self.name)
        check_text("the task's metric", self.metric)
        check_switch("greater_is_better", self.greater_is_better)

    @property
    def id(self) -> str:
        """The hash of the task's content."""
        return content_hash(self.to_json())

    def is_better(self, score: float, *, than: float) -> bool:
        """Whether one score in the task's metric is better than another."""
        return score > than if self.greater_is_better else score < than

    def to_json(self) -> dict[str, Any]:
        """Return the task as plain JSON."""
        return {"source": SOURCE, **asdict(self)}

    @classmethod
    def from_json(cls, content: dict[str, Any]) -> "ImportedTask":
        """Build a task from what ``to_json`` returned."""
        return cls(**_without_source("the task", content, cls))


@dataclass(frozen=True, slots=True)
class ImportedRecipe:
    """The recipe of imported runs.

    Example:
        >>> ImportedRecipe("reinit", {"learning_rate": 2e-5}).model_name
        'reinit'
    """

    name: str  # a short name for tables and figures: a method, a model
    settings: Mapping[str, Any] = field(default_factory=dict)  # what else is known of it, as plain JSON

    source: ClassVar[str] = SOURCE

    def __post_init__(self) -> None:
        check_text("the recipe's name", self.name)
        try:
            canonical_json(dict(self.settings))
        except (TypeError, ValueError) as error:
            raise RequestError(
                f"the recipe's settings must be plain JSON, but: {error}; leave that one out."
            ) from error

    def __hash__(self) -> int:
        return hash(self.id)

    @property
    def id(self) -> str:
        """The hash of the recipe's content."""
        return content_hash(self.to_json())

    @property
    def model_name(self) -> str:
        """The name, for tables and titles."""
        return self.name

    def to_json(self) -> dict[str, Any]:
        """Return the recipe as plain JSON."""
        return {"source": SOURCE, "name": self.name, "settings": dict(self.settings)}

    @classmethod
    def from_json(cls, content: dict[str, Any]) -> "ImportedRecipe":
        """Build a recipe from what ``to_json`` returned."""
        return cls(**_without_source("the recipe", content, cls))


class ImportedTrial(TrialOf[ImportedTask, ImportedRecipe]):
    """One imported run: task x recipe x seeds, as far as they are known.

    Example:
        >>> from seedwise.values.seeds import Seeds
        >>> trial = ImportedTrial(ImportedTask("RTE", "accuracy"), ImportedRecipe("plain"), Seeds(1, 2))
        >>> ImportedTrial.from_json(trial.to_json()) == trial
        True
    """

    __slots__ = ()
    is_imported = True
    kinds = (ImportedTask, ImportedRecipe)


AnyTask: TypeAlias = Task | ImportedTask
AnyRecipe: TypeAlias = Recipe | ImportedRecipe
AnyTrial: TypeAlias = Trial | ImportedTrial


def task_from_json(content: dict[str, Any]) -> AnyTask:
    """Build a task of either kind from what its ``to_json`` returned."""
    return ImportedTask.from_json(content) if content.get("source") == SOURCE else Task.from_json(content)


def recipe_from_json(content: dict[str, Any]) -> AnyRecipe:
    """Build a recipe of either kind from what its ``to_json`` returned."""
    return ImportedRecipe.from_json(content) if content.get("source") == SOURCE else Recipe.from_json(content)


def _without_source(what: str, content: dict[str, Any], kind: type) -> dict[str, Any]:
    rest = {key: value for key, value in content.items() if key != "source"}
    check_fields(what, rest, kind)
    return rest
