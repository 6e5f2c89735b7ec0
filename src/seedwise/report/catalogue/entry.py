"""What says a figure of the catalogue about itself?"""

from collections.abc import Callable, Mapping, Sequence
from enum import Enum
from types import MappingProxyType
from typing import Any, NamedTuple

from seedwise.analysis.analysis import Analysis
from seedwise.analysis.cell import Cell

__all__ = ["CatalogueEntry", "Scope", "Subject"]


class Scope(Enum):
    """What a figure shows."""

    CELL = "one task and recipe"
    EARLY = "one task and recipe whose trials were stopped early"
    RECIPES = "the recipes of one task"
    TASKS = "all recipes on all tasks"
    LENGTHS = "the recipes of one task, which train for different lengths"
    ADAM = "a study with a recipe that leaves Adam's bias correction out, or tracks its ratio"
    DEPTHS = "the candidates of an arm that searches the number of re-initialised layers"
    CANDIDATES = "the candidates of an arm that searches something else"
    OWN_LENGTHS = "the arms that search their length of training"


class Subject(NamedTuple):
    """The data that one figure shows."""

    prefix: str  # the start of its file name
    cells: Mapping[str, Cell]  # the cells by the name of their series; those of `Scope.OWN_LENGTHS` are in lines
    words: Mapping[str, str] = MappingProxyType({})  # what stands in the caption's braces
    ending: str = ""  # what its file name ends with, after the kind
    lines: Mapping[str, Sequence[Cell]] = MappingProxyType({})  # the cells of each line, by its name

    @property
    def cell(self) -> Cell:
        """The one cell, or the first."""
        return next(iter(self.cells.values()))


class CatalogueEntry(NamedTuple):
    """One kind of figure."""

    scope: Scope
    kind: str  # its name in designs and file names
    title: str
    caption: str
    draw: Callable[[Analysis, Subject], Any]  # raises `UnknownError` if the trials do not allow it
    tracked: str = ""  # only for recipes that track this
