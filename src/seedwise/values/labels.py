"""What are recipes and metrics called, so that a reader knows and tells them apart?"""

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from seedwise.values.choice import DesignRecord
from seedwise.values.imported import AnyRecipe, AnyTrial
from seedwise.values.recipe import Recipe

__all__ = ["cell_labels", "metric_words", "recipe_labels"]

_METRICS = {
    "acc": "accuracy",
    "accuracy_f1": "accuracy and F1",
    "acc_and_f1": "accuracy and F1",
    "f1": "F1",
    "matthews": "Matthews correlation",
    "mcc": "Matthews correlation",
    "pearson": "Pearson correlation",
    "spearman": "Spearman correlation",
    "spearmanr": "Spearman correlation",
    "pearson_spearman": "mean of Pearson and Spearman",
}


def cell_labels(trials: Iterable[AnyTrial], design: DesignRecord | None = None) -> dict[tuple[str, str], str]:
    """Return a label for each recipe on each task, by the task's and the recipe's id; no two of one task are alike."""
    cells = {(trial.task.id, trial.recipe.id): trial for trial in trials}
    named = {} if design is None else design.labels()
    labels = recipe_labels([trial.recipe for key, trial in cells.items() if key not in named])
    return {key: named.get(key) or labels[trial.recipe.id] for key, trial in cells.items()}


def recipe_labels(recipes: Sequence[AnyRecipe]) -> dict[str, str]:
    """Return a label for each recipe, by its id: the model's name, and the fields in which recipes of one model differ.

    Example:
        >>> from seedwise.values.recipe import Recipe
        >>> slow, fast = Recipe(model="a/bert"), Recipe(model="a/bert", learning_rate=1e-4)
        >>> list(recipe_labels([slow, fast]).values())
        ['bert, learning_rate=2e-05', 'bert, learning_rate=0.0001']
        >>> list(recipe_labels([slow, slow.with_changes(mixout=0.5)]).values())
        ['bert', 'bert, mixout=0.5']
        >>> list(recipe_labels([slow]).values())
        ['bert']
    """
    distinct = {recipe.id: recipe for recipe in recipes}
    labels: dict[str, str] = {}
    for key, recipe in distinct.items():
        twins = [_fields(other) for other in distinct.values() if other.model_name == recipe.model_name]
        fields = [f"{name}={value}" for name, value in _fields(recipe).items() if _differs(name, value, twins)]
        labels[key] = ", ".join([recipe.model_name, *fields])
    return labels


def metric_words(metric: str, split: str = "validation") -> str:
    """Return how an axis names a metric, also one of imported runs.

    Example:
        >>> metric_words("accuracy_f1"), metric_words("val_mcc", "test")
        ('validation accuracy and F1', 'test Matthews correlation')
    """
    plain = re.sub(r"^(val|eval|dev|validation|test)_(?=.)", "", metric)
    return f"{split} {_METRICS.get(plain.lower(), plain.replace('_', ' '))}"


def _fields(recipe: AnyRecipe) -> dict[str, Any]:
    """Return the recipe's fields without switches that are off; an imported recipe has the fields that are known."""
    if isinstance(recipe, Recipe):
        return recipe.switched_on()
    content = recipe.to_json()
    return {**content.pop("settings", {}), **content}


def _differs(name: str, value: Any, twins: Sequence[Mapping[str, Any]]) -> bool:
    return any(other.get(name) != value for other in twins)
