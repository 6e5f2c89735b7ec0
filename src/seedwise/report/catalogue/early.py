"""Which figures show trials that were stopped early?"""

from seedwise.charts import correlation, density, early, expected, grid
from seedwise.report.catalogue.entry import CatalogueEntry, Scope

__all__ = ["EARLY_ENTRIES"]

EARLY_ENTRIES = (
    CatalogueEntry(
        Scope.EARLY,
        "early-scores",
        "scores when trials were judged",
        "Validation score of every trial when the stopping rule judged it, the best at the left, and where those that went on "
        "ended (Dodge et al. 2020, section 5).",
        lambda analysis, of: early.draw_judged(early.judged_data(analysis, of.cell)),
    ),
    CatalogueEntry(
        Scope.EARLY,
        "early-expected-best",
        "expected best early score",
        "Expected score of the best of n trials when they are judged, with the band that holds it for all n at once (Lourie et "
        "al. 2024). It tells nothing of final scores.",
        lambda analysis, of: expected.draw_expected(early.early_band_data(analysis, of.cell)),
    ),
    CatalogueEntry(
        Scope.EARLY,
        "early-spearman",
        "rank correlation before trials are judged",
        "Spearman correlation over trials of the best score so far between all pairs of evaluations up to the one that judged "
        "them (after Dodge et al. 2020, figure 5).",
        lambda analysis, of: correlation.draw_correlation(early.early_correlation_data(analysis, of.cell)),
    ),
    CatalogueEntry(
        Scope.EARLY,
        "early-grid",
        "grid of early scores",
        "Scores when trials were judged, by init seed (rows) and order seed (columns), with their summaries (after Zhang et al. "
        "2021, figures 9 and 10).",
        lambda analysis, of: grid.draw_grid(early.early_grid_data(analysis, of.cell)),
    ),
    CatalogueEntry(
        Scope.EARLY,
        "early-spread-by-seed",
        "spread of early scores by seed",
        "Kernel density of the standard deviations of early scores of all init seeds and of all order seeds (after Dodge et al. "
        "2020, figure 8).",
        lambda analysis, of: density.draw_density(early.early_spread_data(analysis, of.cell)),
    ),
)
