"""Which figures show one task and recipe?"""

from seedwise.charts import budgets, by_step, correlation, curves, density, expected, grid, items, weights
from seedwise.report.catalogue.entry import CatalogueEntry, Scope

__all__ = ["CELL_ENTRIES"]


CELL_ENTRIES = (
    CatalogueEntry(
        Scope.CELL,
        "curves",
        "validation curves",
        "Validation score at every evaluation, of at most 20 trials drawn at random and the winner; dashed grey trials were "
        "stopped early (Dodge et al. 2020, figure 4).",
        lambda analysis, of: curves.draw_curves(curves.curves_data(analysis, of.cell)),
    ),
    CatalogueEntry(
        Scope.CELL,
        "expected-best",
        "expected validation performance",
        "Expected score of the best of n trials, drawn with replacement from those that ran, for each number of "
        "evaluations that counts (Dodge et al. 2020, figure 1).",
        lambda analysis, of: expected.draw_expected(expected.expected_best_data(analysis, of.cell)),
    ),
    CatalogueEntry(
        Scope.CELL,
        "expected-best-band",
        "confidence band of the expected best",
        "Expected score of the best of n trials with the band that holds it for all n at once, from simultaneous bounds on "
        "the distribution of independent trials' scores (Lourie et al. 2024).",
        lambda analysis, of: expected.draw_expected(expected.expected_band_data(analysis, of.cell)),
    ),
    CatalogueEntry(
        Scope.CELL,
        "expected-test",
        "expected test performance",
        "Score on test rows of the trial that validation chooses from n, computed exactly, beside the validation score "
        "that chose it; as far as the gap grows with n, it is the choice's optimism (Zhang et al. 2021, figure 4).",
        lambda analysis, of: expected.draw_expected(expected.expected_test_data(analysis, of.cells)),
    ),
    CatalogueEntry(
        Scope.CELL,
        "grid",
        "grid of init and order seeds",
        "Every trial by its init seed (rows, best mean at the top) and order seed (columns, best mean at the right; Dodge et "
        "al. 2020, figure 2).",
        lambda analysis, of: grid.draw_grid(grid.sorted_grid_data(analysis, of.cell)),
    ),
    CatalogueEntry(
        Scope.CELL,
        "grid-margins",
        "grid with summaries by seed",
        "The same grid in the order of the seeds, with mean, standard deviation, minimum and maximum by row and column "
        "(Zhang et al. 2021, figures 9 and 10).",
        lambda analysis, of: grid.draw_grid(grid.margin_grid_data(analysis, of.cell)),
    ),
    CatalogueEntry(
        Scope.CELL,
        "best-worst-seeds",
        "best and worst seeds",
        "Kernel density of the scores of the best and the worst seed of either kind; marks are single trials (Dodge et al. "
        "2020, figure 3).",
        lambda analysis, of: density.draw_density(density.seed_density_data(analysis, of.cell)),
    ),
    CatalogueEntry(
        Scope.CELL,
        "spread-by-seed",
        "spread by seed",
        "Kernel density of the standard deviations of all init seeds and of all order seeds (Dodge et al. 2020, figure 8).",
        lambda analysis, of: density.draw_density(density.spread_density_data(analysis, of.cell)),
    ),
    CatalogueEntry(
        Scope.CELL,
        "spearman",
        "rank correlation of early and late scores",
        "Spearman correlation over trials of the best score so far between all pairs of evaluations (Dodge et al. 2020, "
        "figure 5).",
        lambda analysis, of: correlation.draw_correlation(correlation.correlation_data(analysis, of.cell)),
    ),
    CatalogueEntry(
        Scope.CELL,
        "pearson",
        "correlation of early and late scores",
        "Pearson correlation over trials of the best score so far between all pairs of evaluations (Dodge et al. 2020, "
        "figure 9).",
        lambda analysis, of: correlation.draw_correlation(correlation.correlation_data(analysis, of.cell, "pearson")),
    ),
    CatalogueEntry(
        Scope.CELL,
        "best-rules",
        "best stopping rule by budget",
        "How many trials to start (t), when to judge them (f) and how many to keep (p), for each budget in full trainings: "
        "the best of all settings, computed exactly (Dodge et al. 2020, figure 6).",
        lambda analysis, of: budgets.draw_rules(budgets.rules_data(analysis, of.cell)),
    ),
    CatalogueEntry(
        Scope.CELL,
        "planned",
        "what a budget is expected to give",
        "Expected result of the best rule for each budget, beside as many full trainings; the same trials chose the rule "
        "(Dodge et al. 2020, section 5).",
        lambda analysis, of: budgets.draw_by_budget(budgets.planned_data(analysis, of.cell)),
    ),
    CatalogueEntry(
        Scope.CELL,
        "error-reduction",
        "what stopping early gains",
        "Relative error reduction of the best rule over spending the budget on full trainings (Dodge et al. 2020, figure 7).",
        lambda analysis, of: budgets.draw_by_budget(budgets.reduction_data(analysis, of.cell)),
    ),
    CatalogueEntry(
        Scope.CELL,
        "rows-right",
        "rows by how many trials get them right",
        "How many rows none, some and all of the complete trials get right, beside what would be expected if every row were "
        "equally hard; rows in the middle flip from seed to seed.",
        lambda analysis, of: items.draw_rows(items.rows_data(analysis, of.cell)),
    ),
    CatalogueEntry(
        Scope.CELL,
        "flips",
        "trials that differ by flips alone, or by more",
        "The complete trials in the order of their accuracies. Shaded: where 95 % of them would lie in each place if trials "
        "differed by nothing but which rows flip at random (after Jordan 2023).",
        lambda analysis, of: items.draw_flips(items.flips_data(analysis, of.cell)),
    ),
    CatalogueEntry(
        Scope.CELL,
        "ensemble-growth",
        "score of ensembles",
        "Mean score of the ensembles of so many of the complete trials, and plus and minus one standard deviation over these "
        "ensembles (shaded); the bar is the interval over rows of the ensemble of all.",
        lambda analysis, of: items.draw_ensemble(items.ensemble_data(analysis, of.cell)),
    ),
    CatalogueEntry(
        Scope.CELL,
        "training-loss",
        "training loss",
        "Mean (line) and range (shaded) of the training loss over all trials, by step (Zhang et al. 2021, figure 3).",
        lambda analysis, of: by_step.draw_losses(by_step.losses_data(analysis, of.cells)),
    ),
    CatalogueEntry(
        Scope.CELL,
        "gradient-norm",
        "norm of the gradient",
        "Mean (line) and range (shaded) of the gradient's L2 norm before clipping over all trials, by step.",
        lambda analysis, of: by_step.draw_losses(by_step.gradients_data(analysis, of.cells)),
        tracked="gradient_norm",
    ),
    CatalogueEntry(
        Scope.CELL,
        "distance",
        "distance from the starting values",
        "L2 distance of each Transformer block from its starting values, in the mean over all trials, by step; the darker the "
        "line, the lower the block in the encoder (after Zhang et al. 2021, figure 7).",
        lambda analysis, of: weights.draw_distances(
            weights.tracked_distances_data(analysis, of.cells), panels="recipe"
        ),
        tracked="distance",
    ),
)
