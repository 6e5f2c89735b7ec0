"""What do many scores say? Statistics on arrays, with numpy and scipy alone: ``sw.stats.expected_best`` and its kin."""

import importlib
from typing import Any

_HOMES = {
    "adam": "update_bias",
    "best.bands": "BestBand CdfBand best_quantile_band cdf_band expected_best_band",
    "best.expected_best": "ExpectedBest best_quantile best_weights expected_best",
    "best.gap": "SelectionGap selection_gap",
    "best.selection": "Fall SelectedTest best_number bootstrap_selected expected_selected falls_after",
    "compare.distribution_free": "mann_whitney permutation wilcoxon",
    "compare.effects": "difference probability_of_improvement",
    "compare.mean_difference": "CrossedDifference crossed_difference",
    "compare.means": "MeanComparison MeanTest compare_means",
    "compare.multiplicity": "adjust combine",
    "compare.power": "SeedsNeeded detectable growth_needed power seeds_needed",
    "compare.printed": "difference_of_summaries",
    "compare.sequential": "SequentialDifference SequentialLooks sequential_difference sequential_looks",
    "compare.stability": "FailedShareDifference VarianceRatio failed_share_difference variance_ratio",
    "compare.stochastic_order": "StochasticOrder almost_stochastic_order",
    "compare.tests": "Comparison EqualToBest equal_to_best paired student welch",
    "correlation": "EvaluationCorrelation best_so_far earliest_trusted evaluation_correlation",
    "failures": "Clustering FailedByLevel FailedShare clustering failed_by failed_share is_failed",
    "items.disagreement": "Disagreement SpreadOfFlips disagreement spread_of_flips",
    "items.ensemble": "EnsembleGrowth ensemble_growth ensemble_outputs",
    "items.sampling": "RowsError paired_interval row_score_interval rows_error",
    "items.scores": "row_scores",
    "intervals": "Interval correlation_interval mean_interval proportion_interval quantile_interval",
    "kernel_density": "density",
    "seeds.anova": "BestWorst OneWay best_against_worst one_way",
    "seeds.components": "VarianceComponents variance_components",
    "seeds.crossed": "CrossedMean crossed_mean crossed_share",
    "seeds.quantile": "crossed_quantile",
    "seeds.ranks": "SeedRanks seed_ranks",
    "seeds.spread": "LevelSummary SeedSpread level_summary seed_spread",
    "stopping.exact": "StoppedBest result_quantile stopping_result",
    "stopping.gain": "GainInterval gain_interval",
    "stopping.planning": "Plan best_rules error_reduction full_trainings planning_table",
    "stopping.seed_aware": "SeedAwareBest seed_aware_stopping",
    "stopping.simulation": "HalvedBest SimulatedBest simulate_stopping successive_halving",
    "tasks.friedman": "RecipeRanks recipe_ranks",
    "tasks.interquartile": "interquartile_mean",
    "tasks.profile": "PerformanceProfile performance_profile",
}
_HOME_OF = {name: home for home, names in _HOMES.items() for name in names.split()}

__all__ = sorted(_HOME_OF)


def __getattr__(name: str) -> Any:
    """Load a statistic on first use: most need scipy.stats, which takes more than a second."""
    if name not in _HOME_OF:
        raise AttributeError(f"module 'seedwise.stats' has no attribute {name!r}")
    return getattr(importlib.import_module(f"seedwise.stats.{_HOME_OF[name]}"), name)


def __dir__() -> list[str]:
    return __all__
