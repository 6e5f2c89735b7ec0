"""How does a figure get a statistic that may have been refused?"""

from typing import Any

from seedwise.analysis.analysis import Analysis
from seedwise.analysis.cell import Cell
from seedwise.analysis.statistics import Refusal
from seedwise.errors import RequestError

__all__ = ["known"]


def known(analysis: Analysis, name: str, cell: Cell) -> Any:
    """Return a statistic of a cell by its name.

    Raises:
        RequestError: It was refused; the message is the refusal's reason.
    """
    found = analysis.find(name, cell)
    if isinstance(found, Refusal):
        raise RequestError(found.reason)
    return found
