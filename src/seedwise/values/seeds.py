"""Which three numbers decide everything random in one fine-tuning?

``init`` draws the new parameters, ``order`` the permutation of the training rows in every epoch, ``dropout`` every
dropout mask. The streams are independent; in both papers, and by default here, dropout follows the order seed.
"""

from collections.abc import Iterable
from dataclasses import asdict, dataclass
from typing import Any

from seedwise.errors import RequestError
from seedwise.values.checks import check_count, check_fields

__all__ = ["Seeds"]


@dataclass(frozen=True, slots=True)
class Seeds:
    """The seeds of one trial: three independent named streams.

    Args:
        init: Seed of the new parameters (the head); a whole number of at least 0. The papers' WI.
        order: Seed of the order of the training rows; a whole number of at least 0. The papers' DO.
        dropout: Seed of the dropout masks; by default the order seed's number, as in both papers.

    Raises:
        RequestError: A seed is negative or not a whole number.

    Example:
        >>> Seeds(init=3, order=7)
        Seeds(init=3, order=7, dropout=7)
        >>> Seeds.from_json(Seeds(1, 2, 3).to_json()) == Seeds(1, 2, 3)
        True
    """

    init: int
    order: int
    dropout: int = None  # type: ignore[assignment]  # filled in below, so that readers always see a number

    def __post_init__(self) -> None:
        if self.dropout is None:
            object.__setattr__(self, "dropout", self.order)
        for stream in ("init", "order", "dropout"):
            check_count(f"the {stream} seed", getattr(self, stream), least=0)

    @classmethod
    def grid(cls, init: int | Iterable[int], order: int | Iterable[int]) -> tuple["Seeds", ...]:
        """Cross every init seed with every order seed, row by row (Dodge et al. 2020, section 4).

        Args:
            init: The init seeds, or how many: N stands for 1..N.
            order: The order seeds, or how many.

        Returns:
            One Seeds for each cell of the grid.

        Example:
            >>> [(s.init, s.order) for s in Seeds.grid(init=2, order=2)]
            [(1, 1), (1, 2), (2, 1), (2, 2)]
        """
        rows, columns = _numbers("init", init), _numbers("order", order)
        return tuple(cls(row, column) for row in rows for column in columns)

    @classmethod
    def paired(cls, n: int | Iterable[int]) -> tuple["Seeds", ...]:
        """Give each trial its own init and order seed: (1, 1), (2, 2), ...

        Args:
            n: How many trials, or the numbers to use.

        Returns:
            One Seeds for each trial; no two share a seed.

        Example:
            >>> [(s.init, s.order) for s in Seeds.paired(3)]
            [(1, 1), (2, 2), (3, 3)]
        """
        return tuple(cls(number, number) for number in _numbers("the number of seeds (n)", n))

    def to_json(self) -> dict[str, int]:
        """Return the three numbers as plain JSON."""
        return asdict(self)

    @classmethod
    def from_json(cls, content: dict[str, Any]) -> "Seeds":
        """Build Seeds from what ``to_json`` returned."""
        check_fields("seeds", content, cls)
        return cls(**content)


def _numbers(name: str, given: int | Iterable[int]) -> tuple[int, ...]:
    if not isinstance(given, Iterable) or isinstance(given, str):
        check_count(name, given)
        return tuple(range(1, given + 1))
    numbers = tuple(given)
    if not numbers or len(set(numbers)) != len(numbers):
        raise RequestError(f"{name} must hold at least one seed and none twice, not {list(numbers)!r}; drop the extra.")
    return numbers
