"""How many trials are started, how far does each go, and how many go on to the end?"""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

from seedwise.errors import RequestError
from seedwise.values.checks import check_count, check_fields, check_fraction, check_number

__all__ = ["StoppingRule"]

MOST_STARTED = 200
"""The papers' planning never starts more trials than this for one budget (Dodge et al. 2020, section 5)."""


@dataclass(frozen=True, slots=True)
class StoppingRule:
    """Start t trials, train each to fraction f, keep the p best so far and train those to the end.

    Args:
        t: How many trials are started; at least p.
        f: Fraction of the full run after which a trial is judged, in (0, 1].
        p: How many trials are trained to the end; at least 1.

    Raises:
        RequestError: A number breaks its rule, or t < p.

    Reference:
        Dodge et al. (2020), "Fine-Tuning Pretrained Language Models", section 5.

    Example:
        >>> rule = StoppingRule(t=20, f=0.25, p=5)
        >>> rule.cost(s=1)
        8.75
        >>> StoppingRule.from_json(rule.to_json()) == rule
        True
    """

    t: int
    f: float
    p: int

    def __post_init__(self) -> None:
        check_count("t (trials started)", self.t)
        check_count("p (trials kept)", self.p)
        check_fraction("f (fraction of the run)", self.f, remedy="0.25 stops after a quarter of the run")
        if self.t < self.p:
            raise RequestError(
                f"t (trials started) must be at least p (trials kept), not t = {self.t} with p = {self.p}; "
                f"start {self.p} or more, or keep {self.t} or fewer."
            )

    @classmethod
    def full(cls, t: int) -> "StoppingRule":
        """Return the rule that stops no trial: all t are trained to the end.

        Example:
            >>> StoppingRule.full(4)
            StoppingRule(t=4, f=1.0, p=4)
        """
        return cls(t=t, f=1.0, p=t)

    @classmethod
    def for_budget(cls, b: float, fractions: Sequence[float] = (0.25,)) -> "StoppingRule":
        """Return the paper's rule of thumb for a budget, where no curves of the task exist yet.

        Keep p of about b / 2 trials, judge them after about a quarter of the run, and start as many as that leaves:
        t = (b - p (1 - f)) / f, rounded down, at most 200.

        Args:
            b: Budget in full trainings; at least 1.
            fractions: The fractions of the run that fall on an evaluation; uses the one nearest to 0.25, the later
                of two equally near.

        Returns:
            A rule whose cost is at most b full trainings.

        Raises:
            RequestError: The budget does not pay for one training.

        Reference:
            Dodge et al. (2020), section 5 and figure 6: t well above p, p about half the budget, f of 20 to 30 %.

        Example:
            >>> StoppingRule.for_budget(10)
            StoppingRule(t=25, f=0.25, p=5)
            >>> StoppingRule.for_budget(1)
            StoppingRule(t=1, f=0.25, p=1)
        """
        check_number("the budget", b)
        if b < 1:
            raise RequestError(f"the budget must pay for at least 1 full training, not {b:g}; give 1 or more.")
        if not fractions:
            raise RequestError("fractions must hold at least one fraction of the run, not none; 1 is always one.")
        f = min(fractions, key=lambda fraction: (round(abs(fraction - 0.25), 9), -fraction))
        if f == 1:
            return cls.full(int(b))
        p = max(1, int(b // 2))
        affordable = int((b - p * (1 - f)) / f + 1e-9)  # 1e-9: (1 - 0.7) / 0.3 must count as one whole trial
        return cls(t=max(p, min(affordable, MOST_STARTED)), f=f, p=p)

    @property
    def stops(self) -> bool:
        """Whether the rule can stop a trial at all."""
        return self.t > self.p and self.f < 1

    def cost(self, s: float = 1.0) -> float:
        """Return what the rule costs: (t f + p (1 - f)) s (Dodge et al. 2020, section 5).

        Args:
            s: Cost of one full training, in any unit; 1 counts in full trainings.

        Returns:
            The cost of the whole rule in the unit of s.
        """
        return (self.t * self.f + self.p * (1 - self.f)) * s

    def to_json(self) -> dict[str, float]:
        """Return t, f and p as plain JSON."""
        return asdict(self)

    @classmethod
    def from_json(cls, content: dict[str, Any]) -> "StoppingRule":
        """Build a rule from what ``to_json`` returned."""
        check_fields("the stopping rule", content, cls)
        return cls(**content)
