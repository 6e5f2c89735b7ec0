"""What does a study remember of a gate: two recipes compared on fresh seeds, pair by pair, until the answer is certain?"""

from collections.abc import Iterable
from dataclasses import asdict, dataclass
from typing import Any

from seedwise.errors import RequestError
from seedwise.values.checks import check_choice, check_count, check_fields, check_fraction
from seedwise.values.seeds import Seeds

__all__ = ["GATE", "GateSeeds"]

GATE = "gate"
"""The kind of event by which a study remembers seeds that a gate has set aside."""


@dataclass(frozen=True, slots=True, kw_only=True)
class GateSeeds:
    """Seeds that one gate has set aside, each for one trial of either recipe, before any of them was trained.

    Args:
        task: The task's id.
        recipes: The ids of the two recipes, in either order.
        split: Whose scores are compared: test or validation.
        confidence: Chance that the gate's interval holds the true difference at every look, in (0, 1).
        first: The first seed; init, order and dropout seed of a trial are one number.
        last: The last seed.

    Example:
        >>> aside = GateSeeds(task="t", recipes=("a", "b"), split="test", confidence=0.95, first=21, last=28)
        >>> aside.seeds[0], len(aside.seeds), aside.is_of("t", ("b", "a"))
        (Seeds(init=21, order=21, dropout=21), 8, True)
        >>> GateSeeds.from_json(aside.to_json()) == aside
        True
    """

    task: str
    recipes: tuple[str, str]
    split: str
    confidence: float
    first: int
    last: int

    def __post_init__(self) -> None:
        check_choice("split", self.split, ("test", "validation"))
        check_fraction("confidence", self.confidence, one=False, remedy="0.95 is usual")
        check_count("the first seed", self.first, least=0)
        check_count("the last seed", self.last, least=self.first)
        if len(set(self.recipes)) != 2:
            raise RequestError(f"a gate needs two recipes that differ, not {self.recipes!r}; name another.")

    @property
    def seeds(self) -> tuple[Seeds, ...]:
        """The seeds, in the order in which their pairs are looked at."""
        return Seeds.paired(range(self.first, self.last + 1))

    def is_of(self, task: str, recipes: Iterable[str]) -> bool:
        """Whether the gate is of this task and these two recipes, in either order."""
        return self.task == task and set(self.recipes) == set(recipes)

    def to_json(self) -> dict[str, Any]:
        """Return the seeds as plain JSON."""
        return asdict(self)

    @classmethod
    def from_json(cls, content: dict[str, Any]) -> "GateSeeds":
        """Build them from what ``to_json`` returned."""
        check_fields("the gate's seeds", content, cls)
        return cls(**{**content, "recipes": tuple(content["recipes"])})
