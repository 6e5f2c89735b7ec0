"""When is a trial scored on the validation rows?"""

import math
import re
from dataclasses import dataclass

from seedwise.errors import RequestError
from seedwise.values.checks import check_choice, check_count

__all__ = ["Evaluations"]

_EVALUATIONS = re.compile(r"(?:(?P<count>\d+) )?per (?P<unit>epoch|run)|every (?P<steps>\d+) steps?")


@dataclass(frozen=True, slots=True)
class Evaluations:
    """When a trial is scored on the validation rows; the last step is always scored.

    Args:
        count: How many evaluations per unit, or how many steps apart when the unit is steps; at least 1.
        unit: epoch, run or steps.

    Raises:
        RequestError: The count is below 1 or the unit is unknown.

    Example:
        >>> Evaluations.parse("10 per epoch")
        Evaluations(count=10, unit='epoch')
        >>> str(Evaluations.parse("every 100 steps"))
        'every 100 steps'
        >>> Evaluations.parse("per epoch").at(steps_per_epoch=4, steps=12)
        (4, 8, 12)
    """

    count: int
    unit: str

    def __post_init__(self) -> None:
        check_count("the number of evaluations", self.count)
        check_choice("the unit of evaluations", self.unit, ("epoch", "run", "steps"))

    @classmethod
    def parse(cls, text: str) -> "Evaluations":
        """Read ``10 per epoch``, ``10 per run``, ``per epoch`` or ``every 100 steps``."""
        match = _EVALUATIONS.fullmatch(text.strip()) if isinstance(text, str) else None
        if match is None:
            raise RequestError(
                f"evaluations must read '10 per epoch', '10 per run', 'per epoch' or 'every 100 steps', not {text!r}; "
                "write it in one of these forms."
            )
        if match["steps"]:
            return cls(int(match["steps"]), "steps")
        return cls(int(match["count"] or 1), match["unit"])

    def at(self, steps_per_epoch: int, steps: int) -> tuple[int, ...]:
        """Return the steps after which a run of this length is scored, ascending, without repeats.

        Args:
            steps_per_epoch: Optimiser steps in one epoch.
            steps: Optimiser steps in the whole run.
        """
        if self.unit == "steps":
            found = range(self.count, steps + 1, self.count)
        else:
            span = steps_per_epoch if self.unit == "epoch" else steps
            wanted = math.ceil(steps / span * self.count)
            found = (round(i * span / self.count) for i in range(1, wanted + 1))  # type: ignore[assignment]
        return tuple(sorted({step for step in found if 0 < step < steps} | {steps}))

    def __str__(self) -> str:
        return f"every {self.count} steps" if self.unit == "steps" else f"{self.count} per {self.unit}"
