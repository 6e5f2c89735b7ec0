"""Which rows train, which validate and which test?"""

from dataclasses import dataclass

from seedwise.errors import RequestError
from seedwise.values.checks import check_count, check_fraction, check_switch

__all__ = ["Splits"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Splits:
    """How rows are divided into training, validation and test rows, with a seed of their own.

    Given validation and test rows are used unchanged, unless a field below says otherwise.

    Args:
        seed: Seed of every draw of rows; part of the task, never of a trial.
        train_size: Keep only this many training rows (few-sample studies); all by default.
        validation_size: Set aside this many (or this share of the) training rows for validation. Validation rows given
            as well then become the test rows, as in the 1k tasks of Zhang et al. (2021). Without given validation
            rows and without this field, a fifth of the training rows is set aside.
        test_size: Set aside this many (or this share of the) training rows for testing.
        halve_validation: Split the given validation rows in halves, validation and test (Zhang et al. 2021, sec. 3).

    Raises:
        RequestError: A size is out of range, or two fields contradict each other.
    """

    seed: int = 0
    train_size: int | None = None
    validation_size: int | float | None = None
    test_size: int | float | None = None
    halve_validation: bool = False

    def __post_init__(self) -> None:
        check_count("the split seed", self.seed, least=0)
        if self.train_size is not None:
            check_count("train_size", self.train_size, least=2)
        for name in ("validation_size", "test_size"):
            size = getattr(self, name)
            if isinstance(size, float):
                check_fraction(name, size, one=False, remedy="a whole number counts rows, a fraction is a share")
            elif size is not None:
                check_count(name, size)
        check_switch("halve_validation", self.halve_validation)
        if self.halve_validation and (self.validation_size is not None or self.test_size is not None):
            raise RequestError(
                "halve_validation makes both validation and test rows, so validation_size and test_size must be left "
                f"out, not {self.validation_size!r} and {self.test_size!r}; drop one of the two."
            )
