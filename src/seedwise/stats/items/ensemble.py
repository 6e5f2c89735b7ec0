"""How good is the ensemble of several trials, beside one of them?"""

import math
from itertools import combinations
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from seedwise.stats.checks import count_array, float_array, one_count, seeded
from seedwise.stats.items.scores import AT_ONCE, log_softmax, output_array, scorer

__all__ = ["EnsembleGrowth", "ensemble_growth", "ensemble_outputs"]

Floats = NDArray[np.float64]


class EnsembleGrowth(NamedTuple):
    """How the score of an ensemble grows with its members.

    Args:
        members: Numbers of members, shape (k,).
        mean: Mean score over the ensembles of so many of the trials, shape (k,), in the metric's unit.
        sd: Standard deviation over these ensembles, shape (k,); 0 where there is one ensemble only.
        exact: Whether all ensembles of so many trials were scored, shape (k,); random ones otherwise.
    """

    members: NDArray[np.int64]
    mean: Floats
    sd: Floats
    exact: NDArray[np.bool_]


def ensemble_outputs(outputs: ArrayLike) -> Floats:
    """Return the outputs of the ensemble of all trials: the logarithm of the mean probability, or the mean value.

    Args:
        outputs: Outputs before softmax, shape (trials, rows, classes), or values, shape (trials, rows, 1).

    Returns:
        Outputs that can be scored like a trial's, shape (rows, outputs).

    Raises:
        ValueError: The shape is another one, or an output is not finite.

    Reference:
        Lakshminarayanan, Pritzel and Blundell (2017), "Simple and Scalable Predictive Uncertainty Estimation using Deep
        Ensembles", section 2.4.

    Example:
        >>> np.exp(ensemble_outputs([[[0.0, 0.0]], [[0.0, -np.log(3)]]])).round(3)
        array([[0.625, 0.375]])
    """
    given = _finite(outputs)
    (joined,) = _joined(np.ones((1, len(given))), _shares(given), given.shape[1:])
    return np.asarray(joined)


def ensemble_growth(
    metric: str,
    outputs: ArrayLike,
    targets: ArrayLike,
    members: ArrayLike | None = None,
    *,
    draws: int = 200,
    seed: int = 0,
) -> EnsembleGrowth:
    """Return the mean score of ensembles of 1, 2, 3, ... of the trials.

    Every ensemble of m trials is scored where there are at most as many as draws, as for m = 1 and for all trials;
    otherwise so many random ones, drawn without replacement.

    Args:
        metric: A metric of `row_scores`.
        outputs: Outputs before softmax, shape (trials, rows, classes), or values, shape (trials, rows, 1).
        targets: Class numbers or values, shape (rows,).
        members: Numbers of members; by default 1 to 10, then about ten more up to all trials.
        draws: How many ensembles of each number are scored at most.
        seed: Seed of the draws.

    Returns:
        The mean score and its standard deviation for each number of members.

    Raises:
        ValueError: The metric is unknown, shapes do not fit, a number is larger than that of the trials, or an output
            is not finite.

    Example:
        >>> outputs = np.random.default_rng(0).normal([1.0, 0.0], 2.0, size=(9, 300, 2))
        >>> grown = ensemble_growth("accuracy", outputs, np.zeros(300), [1, 3, 9])
        >>> grown.mean.round(2), grown.exact
        (array([0.63, 0.71, 0.83]), array([ True,  True,  True]))
    """
    given, labels = output_array(_finite(outputs), targets)
    n, shape = len(given), given.shape[1:]
    numbers = _default_members(n) if members is None else count_array("members", members, most=n, why="the trials")
    most = one_count("draws", draws)
    shares, generator = _shares(given), seeded(seed)
    means, sds, exact = [], [], []
    for m in numbers.tolist():
        exact.append(m == 1 or math.comb(n, m) <= most)
        chosen = _all_of(n, m) if exact[-1] else _some_of(n, m, most, generator)
        scores = _scores(metric, chosen, shares, labels, shape)
        means.append(float(scores.mean()))
        sds.append(float(scores.std(ddof=1)) if len(scores) > 1 else 0.0)
    return EnsembleGrowth(numbers, np.array(means), np.array(sds), np.array(exact))


def _finite(outputs: ArrayLike) -> Floats:
    given = float_array("outputs", outputs)
    if given.ndim != 3 or 0 in given.shape:
        raise ValueError(f"outputs must have the shape (trials, rows, outputs), none of them 0, not {given.shape}.")
    if not np.isfinite(given).all():
        raise ValueError("outputs must be finite; leave out trials that diverged, and say so.")
    return given


def _shares(outputs: Floats) -> Floats:
    """Return what an ensemble averages, (trials, rows x outputs)."""
    averaged = np.exp(log_softmax(outputs)) if outputs.shape[2] > 1 else outputs
    return averaged.reshape(len(outputs), -1)


def _scores(metric: str, chosen: Floats, shares: Floats, labels: Floats, shape: tuple[int, ...]) -> Floats:
    """Return the score of every ensemble, given which trials are its members, (ensembles, trials)."""
    at_once, once = max(1, AT_ONCE // shares.shape[1]), np.ones((1, len(labels)))
    parts = [chosen[start : start + at_once] for start in range(0, len(chosen), at_once)]
    return np.concatenate([scorer(metric, _joined(part, shares, shape), labels)(once)[0] for part in parts])


def _joined(chosen: Floats, shares: Floats, shape: tuple[int, ...]) -> Floats:
    """Return the outputs of every ensemble, given which trials are its members, (ensembles, trials)."""
    mean = np.asarray(chosen @ shares / chosen.sum(axis=1, keepdims=True)).reshape(len(chosen), *shape)
    return np.asarray(np.log(np.maximum(mean, np.finfo(np.float64).tiny))) if shape[1] > 1 else mean


def _default_members(n: int) -> NDArray[np.int64]:
    more = np.geomspace(10, n, 11).round() if n > 10 else np.empty(0)
    return np.unique(np.concatenate([np.arange(1, min(n, 10) + 1), more])).astype(np.int64)


def _all_of(n: int, m: int) -> Floats:
    places = np.array(list(combinations(range(n), m)))
    chosen = np.zeros((len(places), n))
    np.put_along_axis(chosen, places, 1.0, axis=1)
    return chosen


def _some_of(n: int, m: int, draws: int, generator: np.random.Generator) -> Floats:
    places = np.argsort(generator.random((draws, n)), axis=1)[:, :m]
    chosen = np.zeros((draws, n))
    np.put_along_axis(chosen, places, 1.0, axis=1)
    return chosen
