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
OUTPUTS = np.random.default_rng(0).normal(size=(3, 6, 2)).round(2)
OTHER_OUTPUTS = np.random.default_rng(1).normal(size=(2, 6, 2)).round(2)
TARGETS = [0, 1, 0, 1, 1, 0]

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
    "crossed_quantile": {"scores": SCORES, "factors": FACTORS, "q": 0.3, "confidence": 0.9},
    "crossed_share": {"failed": FAILED, "factors": FACTORS, "confidence": 0.9},
    "density": {"scores": SCORES, "at": [0.5]},
    "detectable": {"a": SCORES, "b": OTHERS, "power": 0.8, "level": 0.05, "alternative": "greater"},
    "difference": {"a": SCORES, "b": OTHERS, "confidence": 0.9, "repeats": 100, "seed": 0},
    "difference_of_summaries": {"a": (0.7, 0.1, 5), "b": (0.6, 0.1, 5), "confidence": 0.9},
    "disagreement": {"outputs": OUTPUTS, "targets": TARGETS},
    "earliest_trusted": {"correlation": evaluation_correlation(CURVES), "at_least": 0.8},
    "ensemble_growth": {
        "metric": "f1",
        "outputs": OUTPUTS,
        "targets": TARGETS,
        "members": [1, 2],
        "draws": 2,
        "seed": 0,
    },
    "ensemble_outputs": {"outputs": OUTPUTS},
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
    "paired_interval": {"metric": "accuracy", "a": OUTPUTS, "b": OTHER_OUTPUTS, "targets": TARGETS, "confidence": 0.9},
    "permutation": {"a": SCORES, "b": OTHERS, "alternative": "greater", "permutations": 99, "seed": 0},
    "planning_table": {"best_so_far": CURVES, "fractions": FRACTIONS, "budgets": [1, 2], "most_started": 6},
    "power": {"difference": 0.1, "sd_a": 0.1, "sd_b": 0.1, "n_a": 5, "n_b": 5, "level": 0.05, "alternative": "less"},
    "probability_of_improvement": {"a": SCORES, "b": OTHERS, "confidence": 0.9},
    "proportion_interval": {"count": 1, "n": 5, "confidence": 0.9},
    "interquartile_mean": {"scores": [SCORES, OTHERS], "confidence": 0.9, "repeats": 50, "seed": 0},
    "performance_profile": {"scores": [SCORES, OTHERS], "at": [0.6], "confidence": 0.9, "repeats": 50, "seed": 0},
    "quantile_interval": {"scores": SCORES, "q": 0.5, "confidence": 0.9},
    "recipe_ranks": {"scores": [SCORES, OTHERS], "level": 0.05, "permutations": 99, "seed": 0},
    "row_score_interval": {"metric": "f1", "outputs": OUTPUTS[1], "targets": TARGETS, "confidence": 0.9},
    "row_scores": {"metric": "accuracy", "outputs": OUTPUTS, "targets": TARGETS, "weights": [[1, 1, 2, 0, 1, 1]]},
    "rows_error": {
        "metric": "accuracy",
        "a": OUTPUTS,
        "b": OTHER_OUTPUTS,
        "targets": TARGETS,
        "of_a": 4,
        "of_b": 3,
    },
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
    "selection_gap": {"validation": SCORES, "test": OTHERS, "n": 2, "failed": [True] + [False] * 5, "confidence": 0.9},
    "sequential_difference": {"a": SCORES, "b": OTHERS, "confidence": 0.9},
    "sequential_looks": {"a": SCORES, "b": OTHERS, "confidence": 0.9},
    "simulate_stopping": {"early": SCORES, "final": [0.8] * 6, "t": 3, "p": 1, "draws": 100, "seed": 0},
    "spread_of_flips": {"outputs": OUTPUTS, "targets": TARGETS, "confidence": 0.9},
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

WORDS = {"method", "alternative", "kind", "metric"}
NUMBERS = {"q", "confidence", "level", "power", "at_least", "margin", "perfect", "budget", "eta", "beta1", "beta2"}
NUMBERS |= {"r", "difference", "sd_a", "sd_b", "se", "df", "baseline"}
COUNTS = {"n", "n_a", "n_b", "size", "permutations", "rounds", "repeats", "draws", "most", "most_started", "t", "p"}
COUNTS |= {"count", "step", "budgets", "members", "of_a", "of_b"}
LABELS = {"levels", "within", "init", "order"}
FLAGS = {"failed", "failed_a", "failed_b"}
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
WRONG_OUTPUTS = [*WRONG_SCORES, OUTPUTS[0], OUTPUTS[:, :5], OUTPUTS[..., :1], OUTPUTS.astype(str), OUTPUTS[None]]
WRONG_OUTPUTS += [OUTPUTS[:0], np.full((3, 6, 2), np.nan)]
WRONG_OUTPUT = [*WRONG_SCORES, OUTPUTS, OUTPUTS[1, :5], OUTPUTS[1, :, :1], OUTPUTS[1].astype(str), OUTPUTS[1, :0]]
WRONG_OUTPUT += [np.full((6, 2), np.nan)]
WRONG_TARGETS = [*WRONG_SCORES, TARGETS[:5], [TARGETS], list("010110"), [0, 1, 0, 1, 1, None]]
WRONG_TARGETS += [[0, 1, 0, 1, 1, last] for last in (2, -1, 0.5, float("nan"), "1")]
WRONG_WEIGHTS = [*WRONG_SCORES, [1] * 6, [[1] * 5], [[0] * 6], ["111111"]]
WRONG_WEIGHTS += [[[1] * 5 + [last]] for last in (-1, float("nan"), float("inf"), "1", 1j)]
WRONG_FLAGS = [*WRONG_SCORES, [1, 0, 0, 0, 0, 0], ["True"] * 6, [None] * 6, [[True] * 6]]
WRONG_SEEDS = ["a", -1, 1.5, object()]


KINDS = [
    (WORDS, ["nothing", 5, None, ["holm"]]),
    ({"seed"}, WRONG_SEEDS),
    (NUMBERS, WRONG_NUMBERS),
    (COUNTS, WRONG_COUNTS),
    (LABELS, WRONG_LABELS),
    (FLAGS, WRONG_FLAGS),
    ({"targets"}, WRONG_TARGETS),
    ({"weights"}, WRONG_WEIGHTS),
    (OTHER, []),
]


def _wrong(function, name):
    if name == "outputs" or (name in {"a", "b"} and "targets" in RIGHT[function]):
        return WRONG_OUTPUT if function == "row_score_interval" else WRONG_OUTPUTS
    return next((values for names, values in KINDS if name in names), WRONG_SCORES)


RIGHT_AFTER_ALL = {("is_failed", "scores", str([float("inf")] * 6))}  # a trial without a score failed
RIGHT_AFTER_ALL |= {("error_reduction", name, "0.5") for name in ("best_mean", "full_mean")}
RIGHT_AFTER_ALL |= {("planning_table", "budgets", str(given)) for given in (1.5, 1e30, 10**30, [[1]])}
RIGHT_AFTER_ALL |= {("row_scores", "outputs", str(np.full((3, 6, 2), np.nan)))}  # such trials score nan
RIGHT_AFTER_ALL |= {
    ("ensemble_outputs", "outputs", str(given)) for given in (np.zeros((2, 2, 2)), OUTPUTS[:, :5], OUTPUTS[..., :1])
}

CASES = [
    pytest.param(function, name, value, id=f"{function}-{name}-{number}")
    for function, right in RIGHT.items()
    for name in right
    for number, value in enumerate(_wrong(function, name))
    if (function, name, str(value)) not in RIGHT_AFTER_ALL
]


def test_every_statistic_is_here():
    functions = {name for name in sw.stats.__all__ if inspect.isfunction(getattr(sw.stats, name))}
    assert functions == set(RIGHT) | TAKES_A_RESULT


@pytest.mark.parametrize("function", RIGHT)
def test_the_right_call_is_answered(function):
    getattr(sw.stats, function)(**RIGHT[function])


@pytest.mark.parametrize(("function", "name", "value"), CASES)
def test_a_wrong_argument_is_refused_in_our_words(function, name, value):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        with pytest.raises(ValueError, match=r"\.$") as caught:
            getattr(sw.stats, function)(**{**RIGHT[function], name: value})
    refused_at = caught.traceback[-1]
    assert Path(refused_at.path).parent.is_relative_to(Path(sw.stats.__file__).parent)
    assert (
        str(refused_at.statement).strip().startswith("raise ValueError")
    )  # what numpy raises from C leaves no line of its own
