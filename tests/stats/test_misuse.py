"""A wrong argument of any statistic is refused by us, in one sentence: no number, and no word from inside numpy."""

import inspect
import warnings
from pathlib import Path

import numpy as np
import pytest

import seedwise as sw
from seedwise.stats.correlation import evaluation_correlation
from seedwise.stats.stopping.planning import planning_table

SCORES = [0.70, 0.72, 0.71, 0.74, 0.55, 0.69]
OTHERS = [0.68, 0.69, 0.70, 0.66, 0.60, 0.71]
SEEDS = [1, 1, 1, 2, 2, 2]
ORDERS = [1, 2, 3, 1, 2, 3]
FAILED = [True, False, False, True, True, False]
CURVES = [[0.5, 0.6], [0.6, 0.7], [0.5, 0.9], [0.7, 0.8], [0.5, 0.5], [0.6, 0.8]]
FRACTIONS = [0.5, 1.0]
PLAN = planning_table(CURVES, FRACTIONS, [2])
FACTORS = {"init": SEEDS, "order": ORDERS}

RIGHT = {
    "adjust": {"p_values": [0.01, 0.2], "method": "holm"},
    "almost_stochastic_order": {"a": SCORES, "b": OTHERS, "confidence": 0.9, "repeats": 50, "seed": 0},
    "best_against_worst": {"scores": SCORES, "levels": SEEDS, "within": ORDERS, "permutations": 99, "seed": 0},
    "best_quantile": {"scores": SCORES, "n": [1, 2], "q": 0.5},
    "best_quantile_band": {"scores": SCORES, "n": [1], "q": 0.5, "support": (0.0, 1.0), "confidence": 0.9},
    "best_so_far": {"scores": CURVES},
    "best_weights": {"size": 5, "n": [2], "replacement": True},
    "bootstrap_selected": {"validation": SCORES, "test": OTHERS, "n": [2], "repeats": 50, "seed": 0},
    "cdf_band": {"size": 5, "confidence": 0.9, "kind": "equal_tailed"},
    "clustering": {"failed": FAILED, "levels": SEEDS, "permutations": 99, "seed": 0},
    "combine": {"p_values": [0.1, 0.2], "method": "stouffer", "weights": [1.0, 2.0]},
    "compare_means": {"a": SCORES, "b": OTHERS, "factors_a": FACTORS, "factors_b": FACTORS, "confidence": 0.9},
    "correlation_interval": {"r": 0.5, "n": 10, "confidence": 0.9, "method": "pearson"},
    "crossed_difference": {"a": SCORES, "b": OTHERS, "factors_a": FACTORS, "factors_b": FACTORS, "confidence": 0.9},
    "crossed_mean": {"scores": SCORES, "factors": FACTORS, "confidence": 0.9},
    "crossed_share": {"failed": FAILED, "factors": FACTORS, "confidence": 0.9},
    "density": {"scores": SCORES, "at": [0.5]},
    "detectable": {"a": SCORES, "b": OTHERS, "power": 0.8, "level": 0.05, "alternative": "greater"},
    "difference": {"a": SCORES, "b": OTHERS, "confidence": 0.9, "repeats": 100, "seed": 0},
    "difference_of_summaries": {"a": (0.7, 0.1, 5), "b": (0.6, 0.1, 5), "confidence": 0.9},
    "earliest_trusted": {"correlation": evaluation_correlation(CURVES), "at_least": 0.8},
    "equal_to_best": {"groups": {"a": SCORES, "b": OTHERS}, "level": 0.05},
    "error_reduction": {"best_mean": [0.8], "full_mean": [0.7], "perfect": 1.0},
    "evaluation_correlation": {"best_so_far": CURVES, "method": "spearman", "confidence": 0.9},
    "expected_best": {"scores": SCORES, "n": [1, 2]},
    "expected_best_band": {"scores": SCORES, "n": [1], "support": (0.0, 1.0), "confidence": 0.9},
    "expected_selected": {"validation": SCORES, "test": OTHERS, "n": [2]},
    "failed_by": {"failed": FAILED, "levels": SEEDS, "confidence": 0.9},
    "failed_share": {"failed": FAILED, "confidence": 0.9},
    "failed_share_difference": {
        "failed_a": FAILED,
        "failed_b": FAILED[::-1],
        "factors_a": FACTORS,
        "factors_b": FACTORS,
        "confidence": 0.9,
    },
    "falls_after": {"validation": SCORES, "test": OTHERS, "most": 5, "repeats": 50, "seed": 0},
    "gain_interval": {"best_so_far": CURVES, "fractions": FRACTIONS, "budgets": [1], "repeats": 2, "seed": 0},
    "growth_needed": {"difference": 0.1, "se": 0.1, "df": 8.0, "power": 0.8, "level": 0.05},
    "is_failed": {"scores": SCORES, "baseline": 0.5, "margin": 0.02},
    "level_summary": {"scores": SCORES, "levels": SEEDS},
    "mann_whitney": {"a": SCORES, "b": OTHERS, "alternative": "greater"},
    "mean_interval": {"scores": SCORES, "confidence": 0.9},
    "one_way": {"scores": SCORES, "levels": SEEDS},
    "paired": {"a": SCORES, "b": OTHERS, "alternative": "greater"},
    "permutation": {"a": SCORES, "b": OTHERS, "alternative": "greater", "permutations": 99, "seed": 0},
    "planning_table": {"best_so_far": CURVES, "fractions": FRACTIONS, "budgets": [1, 2], "most_started": 6},
    "power": {"difference": 0.1, "sd_a": 0.1, "sd_b": 0.1, "n_a": 5, "n_b": 5, "level": 0.05, "alternative": "less"},
    "probability_of_improvement": {"a": SCORES, "b": OTHERS, "confidence": 0.9},
    "proportion_interval": {"count": 1, "n": 5, "confidence": 0.9},
    "interquartile_mean": {"scores": [SCORES, OTHERS], "confidence": 0.9, "repeats": 50, "seed": 0},
    "performance_profile": {"scores": [SCORES, OTHERS], "at": [0.6], "confidence": 0.9, "repeats": 50, "seed": 0},
    "recipe_ranks": {"scores": [SCORES, OTHERS], "level": 0.05, "permutations": 99, "seed": 0},
    "seed_aware_stopping": {
        "best_so_far": CURVES,
        "fractions": FRACTIONS,
        "init": SEEDS,
        "order": ORDERS,
        "budget": 3,
        "draws": 100,
        "seed": 0,
    },
    "seed_ranks": {"scores": [SCORES, OTHERS], "permutations": 99, "seed": 0},
    "seed_spread": {"scores": SCORES, "init": SEEDS, "order": ORDERS},
    "seeds_needed": {"a": SCORES, "b": OTHERS, "power": 0.8, "level": 0.05, "alternative": "two-sided", "most": 1000},
    "simulate_stopping": {"early": SCORES, "final": [0.8] * 6, "t": 3, "p": 1, "draws": 100, "seed": 0},
    "stopping_result": {"early": SCORES, "final": [0.8] * 6, "t": 3, "p": 1},
    "student": {"a": SCORES, "b": OTHERS, "alternative": "greater"},
    "successive_halving": {
        "best_so_far": CURVES,
        "fractions": FRACTIONS,
        "budget": 2,
        "eta": 2,
        "draws": 100,
        "seed": 0,
    },
    "update_bias": {"step": [1, 2], "beta1": 0.9, "beta2": 0.999},
    "variance_components": {"scores": SCORES, "factors": FACTORS, "confidence": 0.9, "repeats": 50, "seed": 0},
    "variance_ratio": {"a": SCORES, "b": OTHERS, "confidence": 0.9},
    "welch": {"a": SCORES, "b": OTHERS, "alternative": "greater"},
    "wilcoxon": {"a": SCORES, "b": OTHERS, "alternative": "greater"},
}
"""A right call of each statistic that takes numbers; the rest takes what another one returned."""

TAKES_A_RESULT = {"best_number", "best_rules", "full_trainings", "result_quantile"}

WORDS = {"method", "alternative", "kind"}
NUMBERS = {"q", "confidence", "level", "power", "at_least", "margin", "perfect", "budget", "eta", "beta1", "beta2"}
NUMBERS |= {"r", "difference", "sd_a", "sd_b", "se", "df", "baseline"}
COUNTS = {"n", "n_a", "n_b", "size", "permutations", "rounds", "repeats", "draws", "most", "most_started", "t", "p"}
COUNTS |= {"count", "step", "budgets"}
LABELS = {"levels", "within", "init", "order"}
OTHER = {"support", "factors", "factors_a", "factors_b", "groups", "correlation", "replacement", "plan"}

WRONG_NUMBERS = ["a", object(), [0.1, 0.2], float("inf"), 1j]
WRONG_COUNTS = ["a", object(), -1, 1.5, float("nan"), float("inf"), 1e30, 10**30, [], [[1]], 1j]
WRONG_LABELS = [
    5,
    [1, 2],
    [[1]] * 6,
    [1, 1, 1, 2, 2, float("nan")],
    [1, 1, 1, 2, 2, None],
    [1, 1, 1, 2, 2, "2"],
    "112233",
]
WRONG_SCORES = ["a", ["a", "b", "c"], [], 0.5, [[0.5], [0.6, 0.7]], [float("inf")] * 6, [1j] * 6, object()]
WRONG_SCORES += [np.zeros((2, 2, 2))]
WRONG_SEEDS = ["a", -1, 1.5, object()]


def _wrong(name):
    if name in WORDS:
        return ["nothing", 5, None, ["holm"]]
    if name == "seed":
        return WRONG_SEEDS
    for names, values in ((NUMBERS, WRONG_NUMBERS), (COUNTS, WRONG_COUNTS), (LABELS, WRONG_LABELS)):
        if name in names:
            return values
    return [] if name in OTHER else WRONG_SCORES


RIGHT_AFTER_ALL = {("is_failed", "scores", str([float("inf")] * 6))}  # a trial without a score failed
RIGHT_AFTER_ALL |= {("error_reduction", name, "0.5") for name in ("best_mean", "full_mean")}
RIGHT_AFTER_ALL |= {("planning_table", "budgets", str(given)) for given in (1.5, 1e30, 10**30, [[1]])}

CASES = [
    pytest.param(function, name, value, id=f"{function}-{name}-{number}")
    for function, right in RIGHT.items()
    for name in right
    for number, value in enumerate(_wrong(name))
    if (function, name, str(value)) not in RIGHT_AFTER_ALL
]


def test_every_statistic_is_here():
    functions = {name for name in sw.stats.__all__ if inspect.isfunction(getattr(sw.stats, name))}
    assert functions >= set(RIGHT) | TAKES_A_RESULT


@pytest.mark.parametrize("function", RIGHT)
def test_the_right_call_is_answered(function):
    getattr(sw.stats, function)(**RIGHT[function])


@pytest.mark.parametrize(("function", "name", "value"), CASES)
def test_a_wrong_argument_is_refused_in_our_words(function, name, value):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        with pytest.raises(ValueError, match=r"\.$") as caught:
            getattr(sw.stats, function)(**{**RIGHT[function], name: value})
    assert Path(caught.traceback[-1].path).parent.is_relative_to(Path(sw.stats.__file__).parent)
