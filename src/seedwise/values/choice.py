"""Which of an arm's candidates is chosen, and what does a study keep of its design and its choices?"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from seedwise.values.arm import Arm, Candidate
from seedwise.values.checks import check_choice, check_fields, check_kind
from seedwise.values.design import STAGES, Design
from seedwise.values.recipe import Recipe

__all__ = ["DesignRecord", "choose", "objection"]


def choose(scores: Sequence[Sequence[float]], *, greater_is_better: bool = True) -> int | None:
    """Return the index of the candidate with the best mean score, the first if several are equal; None without a finite score.

    Candidates with nan scores rank below those without; the more nan, the lower.

    Example:
        >>> choose([[0.6, 0.8], [0.7, 0.9], [0.9, float("nan")]])
        1
    """
    ranks = []
    for place, found in enumerate(scores):
        finite = [score for score in found if math.isfinite(score)]
        if finite:
            mean = math.fsum(finite) / len(finite)
            ranks.append((len(found) - len(finite), -mean if greater_is_better else mean, place))
    return min(ranks)[2] if ranks else None


def objection(candidate: Candidate, *, own_steps: int, blocks: int | None = None) -> str | None:
    """Return why a candidate does not fit its task or its model; None if it fits.

    Only runs longer than the arm's own are tried (Zhang et al. 2021, sec. 6): one of equal steps would be the same run
    under another id.

    Example:
        >>> objection(Candidate({"num_train_steps": 200}, Recipe(model="m", num_train_steps=200)), own_steps=234)
        'steps = 200 is not longer than the run of 234 steps that it is compared with'
    """
    steps, layers = candidate.values.get("num_train_steps"), candidate.values.get("reinit_layers", 0)
    if steps is not None and steps <= own_steps:
        return f"steps = {steps} is not longer than the run of {own_steps} steps that it is compared with"
    if blocks is not None and layers > blocks:
        return f"L = {layers} is more than the model's {blocks} blocks"
    return None


@dataclass(frozen=True, slots=True, kw_only=True)
class DesignRecord:
    """What a study keeps of the design it belongs to."""

    design: Design  # the design
    stage: str = "report"  # which of its stages this study is: intermediate, tuning or report
    # (Arm's name, task's id) -> the arm's recipe in the report; those without a search have "chosen" theirs
    chosen: Mapping[tuple[str, str], Recipe] = field(default_factory=dict)

    def __post_init__(self) -> None:
        check_kind("the record's design", self.design, Design)
        check_choice("the stage", self.stage, STAGES)

    def is_of(self, other: "DesignRecord") -> bool:
        """Whether both are the same stage of designs that train the same; their wording may differ."""
        ours, theirs = self.design, other.design
        same = (ours.arms, ours.intermediate) == (theirs.arms, theirs.intermediate)
        return self.stage == other.stage and same

    def label(self, task_id: str, recipe_id: str) -> str | None:
        """Return what a recipe is called on a task; see `labels`."""
        return self.labels().get((task_id, recipe_id))

    def labels(self) -> dict[tuple[str, str], str]:
        """Return (task's id, recipe's id) -> arm's name; while tuning, with the searched values: ``Re-init, L = 3``.

        If two arms have the same recipe, its label has both names.
        """
        found: dict[tuple[str, str], str] = {}
        for arm in self.design.arms:
            for key, words in self._labels_of(arm):
                found[key] = f"{found[key]} = {words}" if key in found else words
        return found

    def _labels_of(self, arm: Arm) -> list[tuple[tuple[str, str], str]]:
        task = arm.task.id
        if self.stage == "report":
            recipe = self.chosen.get((arm.name, task))
            return [] if recipe is None else [((task, recipe.id), arm.name)]
        if self.stage == "tuning" and arm.search:
            found = self.design.candidates(arm, self.chosen) or ()
            return [((task, candidate.recipe.id), f"{arm.name}, {candidate.words}") for candidate in found]
        return []

    def to_json(self) -> dict[str, Any]:
        """Return the record as plain JSON."""
        chosen = [{"arm": arm, "task": task, "recipe": r.to_json()} for (arm, task), r in self.chosen.items()]
        return {"design": self.design.to_json(), "stage": self.stage, "chosen": chosen}

    @classmethod
    def from_json(cls, content: dict[str, Any]) -> "DesignRecord":
        """Build a record from what ``to_json`` returned."""
        check_fields("the design's record", content, cls)
        chosen = {(c["arm"], c["task"]): Recipe.from_json(c["recipe"]) for c in content.get("chosen", ())}
        return cls(design=Design.from_json(content["design"]), stage=content["stage"], chosen=chosen)
