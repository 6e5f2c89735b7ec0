"""What does a design compare and choose, and on which seeds?

A design has two stages that share no seed. Arms make their choices on the tuning seeds, by the mean
validation score; what they chose is then reported on fresh seeds.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, fields, replace
from typing import Any

from seedwise.errors import RequestError
from seedwise.values.arm import Arm, Candidate, Intermediate
from seedwise.values.checks import check_choice, check_fields, check_kind, check_text, did_you_mean
from seedwise.values.recipe import Recipe
from seedwise.values.seeds import Seeds
from seedwise.values.task import Task

__all__ = ["INTERMEDIATE", "SCALES", "STAGES", "Design"]

STAGES = ("intermediate", "tuning", "report")
SCALES = ("full", "small")
INTERMEDIATE = "intermediate"
"""What a recipe's start_from says where it means the design's own intermediate task."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Design:
    """A plan of a whole study: its arms, their seeds, and what it shows.

    Args:
        name: Its name in ``seedwise designs``.
        title: The title of its report.
        source: The paper and section it reproduces; empty for your own design.
        question: What it asks, in one sentence.
        arms: Every way of fine-tuning on every task; names are unique within a task.
        intermediate: The task that arms with ``start_from = "intermediate"`` are trained on first.
        shows: Names of the figures and tables that its report promises.
        published: Name of the published table to compare its results with.
        stands_for: Task name -> name of the published task, such as ``RTE`` or ``RTE (1k)``; only for tasks that reproduce one.
        scale: full, or small where rows, seeds and steps are fewer than published.

    Raises:
        RequestError: There is no arm, two are equal, an ``after`` names no arm or forms a circle, or a tuning seed
            is one of the report.
    """

    name: str
    title: str
    arms: tuple[Arm, ...]
    source: str = ""
    question: str = ""
    intermediate: Intermediate | None = None
    shows: tuple[str, ...] = ()
    published: str | None = None
    stands_for: Mapping[str, str] = field(default_factory=dict)
    scale: str = "full"

    def __post_init__(self) -> None:
        check_text("the design's name", self.name)
        check_text("the design's title", self.title)
        check_choice("the design's scale", self.scale, SCALES)
        object.__setattr__(self, "arms", tuple(self.arms))
        object.__setattr__(self, "shows", tuple(self.shows))
        if not self.arms:
            raise RequestError(f"the design {self.name!r} needs at least one arm; add one.")
        for arm in self.arms:
            check_kind("an arm of the design", arm, Arm)
        self._check_arms()
        self._check_seeds()

    def _check_arms(self) -> None:
        names = [(arm.name, arm.task.id) for arm in self.arms]
        for arm in self.arms:
            if names.count((arm.name, arm.task.id)) > 1:
                raise RequestError(
                    f"the design must have one arm {arm.name!r} on task {arm.task.name}, not several; rename one."
                )
            if arm.recipe.start_from == INTERMEDIATE and self.intermediate is None:
                raise RequestError(f"arm {arm.name!r} starts from the intermediate task, but there is none; add it.")
            seen = {arm.name}
            while arm.after is not None:
                arm = self._before(arm)  # noqa: PLW2901 - walks up the chain
                if arm.name in seen:
                    raise RequestError(f"the arms {', '.join(sorted(seen))} come after each other in a circle; cut it.")
                seen.add(arm.name)

    def _before(self, arm: Arm) -> Arm:
        """Return the arm that one comes after."""
        others = {other.name: other for other in self.arms if other.task == arm.task and other.name != arm.name}
        if arm.after not in others:
            raise RequestError(
                f"'after' of arm {arm.name!r} must name another arm on task {arm.task.name}, not {arm.after!r}"
                f"{did_you_mean(arm.after, others)}."
            )
        return others[arm.after]

    def _check_seeds(self) -> None:
        for stream in ("init", "order", "dropout"):
            report, tuning = (
                {getattr(seeds, stream) for arm in self.arms for seeds in given(arm)} for given in (_report, _tuning)
            )
            if shared := sorted(report & tuning):
                raise RequestError(
                    f"the choice and the report must share no seed, but {stream} seed {shared[0]} is in both; take "
                    "other numbers for the tuning seeds."
                )

    @property
    def tasks(self) -> tuple[Task, ...]:
        """The tasks, in the order of their first arm."""
        return tuple({arm.task.id: arm.task for arm in self.arms}.values())

    @property
    def names(self) -> tuple[str, ...]:
        """The arms' names, each once: the rows of the study's table."""
        return tuple(dict.fromkeys(arm.name for arm in self.arms))

    @property
    def words(self) -> str:
        """What identifies the design: its name, scale, models and tasks."""
        models = ", ".join(dict.fromkeys(arm.recipe.model_name for arm in self.arms))
        scale = "" if self.scale == "full" else f" at {self.scale} scale"
        return f"{self.name!r}{scale} (task {', '.join(task.name for task in self.tasks)}; model {models})"

    @property
    def cost(self) -> Mapping[str, int]:
        """Stage -> number of trainings, at most; candidates that do not fit a task or model are left out."""
        intermediate = 0 if self.intermediate is None else len(self.intermediate.seeds)
        tuning = sum(len(arm.candidates()) * len(arm.tuning_seeds) for arm in self.arms)
        return dict(zip(STAGES, (intermediate, tuning, sum(len(arm.seeds) for arm in self.arms)), strict=True))

    def candidates(self, arm: Arm, chosen: Mapping[tuple[str, str], Recipe]) -> tuple[Candidate, ...] | None:
        """Return the candidates of an arm; None until the arm it comes after has chosen.

        Args:
            arm: One of the design's arms.
            chosen: (Arm's name, task's id) -> the recipe that was chosen.
        """
        taken: dict[str, Any] = {}
        before = arm
        while before.after is not None:
            before = self._before(before)
            recipe = chosen.get((before.name, before.task.id))
            if recipe is None:
                return None
            taken = {**{name: getattr(recipe, name) for name in before.search}, **taken}
        return arm.candidates(taken)

    def starting_from(self, folder: str) -> "Design":
        """Return the design with the intermediate study's folder filled in for the arms that start from it."""
        arms = (
            replace(arm, recipe=arm.recipe.with_changes(start_from=folder))
            if arm.recipe.start_from == INTERMEDIATE
            else arm
            for arm in self.arms
        )
        return replace(self, arms=tuple(arms))

    def to_json(self) -> dict[str, Any]:
        """Return the design as plain JSON."""
        content = {f.name: getattr(self, f.name) for f in fields(self)}
        return content | {
            "arms": [arm.to_json() for arm in self.arms],
            "intermediate": None if self.intermediate is None else self.intermediate.to_json(),
            "shows": list(self.shows),
            "stands_for": dict(self.stands_for),
        }

    @classmethod
    def from_json(cls, content: dict[str, Any]) -> "Design":
        """Build a design from what ``to_json`` returned."""
        check_fields("the design", content, cls)
        first = content.get("intermediate")
        made = {
            "arms": tuple(Arm.from_json(arm) for arm in content["arms"]),
            "intermediate": None if first is None else Intermediate.from_json(first),
        }
        return cls(**{**content, **made})


def _report(arm: Arm) -> tuple[Seeds, ...]:
    return arm.seeds


def _tuning(arm: Arm) -> tuple[Seeds, ...]:
    return arm.tuning_seeds
