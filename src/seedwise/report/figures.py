"""Which figures does a study's design allow, and what do their captions say?"""

from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

from seedwise.analysis.analysis import Analysis
from seedwise.analysis.cell import Cell
from seedwise.charts import correlation, curves, density, expected, grid, losses, planning, recipes
from seedwise.errors import RequestError

__all__ = ["Figure", "Missing", "cell_figures", "study_figures"]


class Figure(NamedTuple):
    """One figure of the report.

    Args:
        name: What its file is called, without ending.
        caption: What it shows, how that was computed, and whose method it is.
        chart: The Altair chart.
    """

    name: str
    caption: str
    chart: Any


class Missing(NamedTuple):
    """A figure that the study's design does not allow.

    Args:
        name: What it would have been called.
        title: What it would have shown.
        reason: Why it cannot be drawn.
    """

    name: str
    title: str
    reason: str


class _Plan(NamedTuple):
    name: str
    title: str
    caption: str
    draw: Callable[[Analysis, Cell], Any]
