"""What is a recipe called, so that a reader tells the study's recipes apart?"""

from collections.abc import Mapping, Sequence
from typing import Any

from seedwise.imported import AnyRecipe

__all__ = ["recipe_labels"]


def recipe_labels(recipes: Sequence[AnyRecipe]) -> dict[str, str]:
    """Return a label for each recipe, by its id: the model's name, and the fields in which recipes of one model differ.

    Example:
        >>> from seedwise.recipe import Recipe
        >>> slow, fast = Recipe(model="a/bert"), Recipe(model="a/bert", learning_rate=1e-4)
        >>> list(recipe_labels([slow, fast]).values())
        ['bert, learning_rate=2e-05', 'bert, learning_rate=0.0001']
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


def _fields(recipe: AnyRecipe) -> dict[str, Any]:
    """Return the recipe's fields; what is known of somebody else's recipe counts as its fields."""
    content = recipe.to_json()
    return {**content.pop("settings", {}), **content}


def _differs(name: str, value: Any, twins: Sequence[Mapping[str, Any]]) -> bool:
    return any(other.get(name) != value for other in twins)
