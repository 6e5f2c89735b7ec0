"""Which figures are there, what does each show, and what is its caption?"""

from collections.abc import Mapping

from seedwise.report.catalogue.cells import CELL_ENTRIES
from seedwise.report.catalogue.early import EARLY_ENTRIES
from seedwise.report.catalogue.entry import CatalogueEntry, Scope, Subject
from seedwise.report.catalogue.recipes import RECIPE_ENTRIES

__all__ = ["CATALOGUE", "FIGURES", "CatalogueEntry", "Scope", "Subject"]

CATALOGUE = (*CELL_ENTRIES, *EARLY_ENTRIES, *RECIPE_ENTRIES)
"""Every kind of figure, in the order of a report."""

FIGURES: Mapping[str, str] = {entry.kind: entry.title for entry in CATALOGUE}
"""Kind -> title of every figure."""
