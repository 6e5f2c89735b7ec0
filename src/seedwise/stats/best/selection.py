"""What does the trial that validation chooses score on the test set, and when do more trials stop helping?

The best of n trials is chosen by its validation score and reported by its test score. The first is optimistic, and with
more trials ever more so; the second may fall, since what is chosen is more and more the luck on the validation rows.
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from seedwise.stats.best.expected_best import best_weights
from seedwise.stats.checks import check_level, count_array, one_count, score_array, seeded

__all__ = ["Fall", "SelectedTest", "best_number", "bootstrap_selected", "expected_selected", "falls_after"]

Floats = NDArray[np.float64]

_TABLE = 500_000
"""Numbers in one table of resampled trials at most: 4 MB."""
_NO_CHANCE = 1e-18
_EACH = 100
"""Curves have every n up to this one; beyond it, n that are about 2 % apart."""


class SelectedTest(NamedTuple):
    """Test score of the trial that is best on validation among n.

    Args:
        n: Numbers of trials, shape (m,), in the order they were asked for.
        test_mean: Mean test score of the chosen trial, shape (m,), in the unit of the scores.
        test_sd: Standard deviation of that test score, shape (m,), at least 0.
        validation_mean: Mean validation score of the chosen trial, shape (m,): the expected validation performance.
        gap: By how much the validation mean looks better than the test mean, shape (m,). Validation minus test; the
            other way round where smaller scores are better. Part of it may be that the two splits are not equally hard.
        optimism: By how much more than for a trial that nobody chose, shape (m,): gap less the gap at n = 1. That part
            is due to the choice.
        replacement: Whether trials are drawn with replacement.
        greater_is_better: Whether the best score is the largest.
    """

    n: NDArray[np.int64]
    test_mean: Floats
    test_sd: Floats
    validation_mean: Floats
    gap: Floats
    optimism: Floats
    replacement: bool
    greater_is_better: bool


class Fall(NamedTuple):
    """After how many trials the expected test score of the chosen one falls, and by how much.

    Args:
        n: Number of trials at the peak of the curve, at least 1.
        lower: Lower end of the interval of n.
        upper: Upper end of the interval of n.
        fall: Test score lost between n and the largest number of trials, at least 0, in the unit of the scores.
        fall_lower: Lower end of the interval of the fall; where it is above 0, the fall is hardly chance.
        fall_upper: Upper end of the interval of the fall.
    """

    n: int
    lower: int
    upper: int
    fall: float
    fall_lower: float
    fall_upper: float


def expected_selected(
    validation: ArrayLike, test: ArrayLike, n: ArrayLike, *, replacement: bool = True, greater_is_better: bool = True
) -> SelectedTest:
    """Return the expected test score of the trial that validation chooses among n, exactly.

    Sum_i w_i test_i, where w are the weights of ``best_weights`` on the ranking by validation. Trials with equal
    validation scores share their weights evenly, as if chosen among at random.

    Args:
        validation: Validation scores of N trials, shape (N,).
        test: Test scores of the same trials, shape (N,).
        n: Numbers of trials among which one is chosen, shape (m,) or one; at most N without replacement.
        replacement: Whether one trial may be drawn twice, as in the papers.
        greater_is_better: Whether the best score is the largest.

    Raises:
        ValueError: The scores are not finite or not of the same trials, or n breaks its rule.

    Reference:
        Zhang et al. (2021), "Revisiting Few-sample BERT Fine-tuning", section 4 and figure 4, there by simulation.

    Example:
        >>> chosen = expected_selected([0.5, 0.6, 0.7], [0.5, 0.6, 0.4], [1, 3], replacement=False)
        >>> chosen.test_mean.round(6), chosen.gap.round(6)
        (array([0.5, 0.4]), array([0.1, 0.3]))
    """
    sign, chosen_by, reported = _pairs(validation, test, greater_is_better=greater_is_better)
    most = None if replacement else chosen_by.size
    counts = count_array("n", n, most=most, why="all trials there are; draw with replacement for more")
    value, group, sizes = np.unique(chosen_by, return_inverse=True, return_counts=True)
    centre = reported.mean()  # the spread about it loses no digits
    apart = (np.bincount(group, (reported - centre) ** k) / sizes for k in (1, 2))
    columns = np.stack([value, *apart], axis=1)  # of each group of equal validation scores, which share its weight
    starts = np.cumsum(sizes) - sizes
    moments = np.array(
        [
            np.add.reduceat(best_weights(chosen_by.size, n, replacement=replacement)[0], starts) @ columns
            for n in counts  # row by row, since a table of N x N would be large
        ]
    )
    validation_mean, apart_mean, apart_square = moments.T
    test_sd = np.sqrt(np.maximum(apart_square - apart_mean**2, 0))
    unchosen = float(chosen_by.mean() - centre)
    found = centre + apart_mean, test_sd, validation_mean
    return _selected(counts, *found, sign, unchosen=unchosen, replacement=replacement)


def bootstrap_selected(
    validation: ArrayLike,
    test: ArrayLike,
    n: ArrayLike,
    *,
    repeats: int = 1000,
    seed: int = 0,
    greater_is_better: bool = True,
) -> SelectedTest:
    """Return what ``expected_selected`` gives, by simulation as published: draw n, choose by validation, report test.

    The n trials of a repeat are the first n of one sequence of draws, so that the curve over n is smooth.

    Args:
        validation: Validation scores of N trials, shape (N,).
        test: Test scores of the same trials, shape (N,).
        n: Numbers of trials that are drawn with replacement, shape (m,) or one.
        repeats: How many times; 1,000 in the paper.
        seed: Seed of the draws.
        greater_is_better: Whether the best score is the largest.

    Raises:
        ValueError: The scores are not finite or not of the same trials, or n or repeats breaks its rule.

    Reference:
        Zhang et al. (2021), section 4 and figure 4.

    Example:
        >>> bootstrap_selected([0.5, 0.6], [0.4, 0.4], [1, 5]).test_mean.round(6)
        array([0.4, 0.4])
    """
    sign, chosen_by, reported = _pairs(validation, test, greater_is_better=greater_is_better)
    counts = count_array("n", n)
    rounds = one_count("repeats", repeats)
    draws = seeded(seed).integers(chosen_by.size, size=(rounds, counts.max()))
    drawn = chosen_by[draws]
    best = np.maximum.accumulate(drawn, axis=1)
    # Where the best was last exceeded. Of equal ones the first drawn stays: draws are exchangeable, so this is random.
    fresh = np.diff(best, axis=1, prepend=-np.inf) > 0
    place = np.maximum.accumulate(np.where(fresh, np.arange(counts.max()), 0), axis=1)
    chosen = np.take_along_axis(draws, place[:, counts - 1], axis=1)  # (repeats, m)
    scores = reported[chosen]
    found = scores.mean(axis=0), scores.std(axis=0), chosen_by[chosen].mean(axis=0)
    unchosen = float(chosen_by.mean() - reported.mean())
    return _selected(counts, *found, sign, unchosen=unchosen, replacement=True)


def best_number(selected: SelectedTest) -> int:
    """Return the number of trials with the highest expected test score; the smallest one of equals.

    Args:
        selected: What ``expected_selected`` or ``bootstrap_selected`` gave for several n.

    Returns:
        One of those n.

    Example:
        >>> best_number(expected_selected([0.5, 0.6, 0.7], [0.5, 0.6, 0.4], [1, 2, 3]))
        1
    """
    sign = 1 if selected.greater_is_better else -1
    order = np.argsort(selected.n)
    return int(selected.n[order][_peak(sign * selected.test_mean[order])])


def falls_after(
    validation: ArrayLike,
    test: ArrayLike,
    most: int,
    *,
    repeats: int = 1000,
    seed: int = 0,
    confidence: float = 0.95,
    greater_is_better: bool = True,
) -> Fall:
    """Return the number of trials after which the expected test score falls, with bootstrap intervals over trials.

    The curve is that of ``expected_selected`` with replacement for n = 1..most (beyond 100 at n that are about 2 % apart, which
    is where the peak may lie). Each repeat draws N trials anew, with
    both their scores, and computes its own curve, whose peak gives the interval of n. The interval of the fall compares
    the observed peak with the largest n on every curve, so that it reaches below 0 where the fall may be chance. (The
    drop from each curve's own peak is never below 0, and would show a fall where there is none.)

    Args:
        validation: Validation scores of N trials, shape (N,); at least 2.
        test: Test scores of the same trials, shape (N,).
        most: The largest number of trials considered, at least 1.
        repeats: Bootstrap samples of the trials.
        seed: Seed of the samples.
        confidence: Confidence of the percentile intervals, in (0, 1).
        greater_is_better: Whether the best score is the largest.

    Raises:
        ValueError: The scores are not finite or not of the same trials, or an argument breaks its rule.

    Reference:
        Zhang et al. (2021), section 4: the expected test performance deteriorates after too many trials.

    Example:
        >>> falls_after([0.5, 0.6, 0.7], [0.5, 0.6, 0.7], 10).fall
        0.0
    """
    _, chosen_by, reported = _pairs(validation, test, least=2, greater_is_better=greater_is_better)
    largest, rounds = one_count("most", most), one_count("repeats", repeats)
    check_level("confidence", confidence)
    counts = _counts(largest)
    observed = _curves(chosen_by, reported, np.ones((1, chosen_by.size), dtype=np.int64), counts)[0]
    peak = int(_peak(observed))
    curves = _resampled(chosen_by, reported, counts, rounds, seed)
    tails = (1 - confidence) / 2, (1 + confidence) / 2
    lower, upper = np.quantile(counts[_peak(curves)], tails, method="inverted_cdf")
    falls = np.quantile(curves[:, peak] - curves[:, -1], tails)
    return Fall(int(counts[peak]), int(lower), int(upper), float(observed[peak] - observed[-1]), *map(float, falls))


def _counts(most: int) -> NDArray[np.int64]:
    """The n of a curve, ascending: all of them, or some where they are many."""
    each = np.arange(1, min(most, _EACH) + 1)
    if most <= _EACH:
        return each
    beyond = np.geomspace(_EACH, most, 1 + round(50 * np.log(most / _EACH))).round()
    return np.unique(np.concatenate([each, beyond])).astype(np.int64)


def _resampled(chosen_by: Floats, reported: Floats, counts: NDArray[np.int64], repeats: int, seed: int) -> Floats:
    """The curves of bootstrap samples of the trials, shape (repeats, n)."""
    size, generator = chosen_by.size, seeded(seed)
    even, block = np.full(size, 1 / size), max(1, _TABLE // size)
    blocks = [min(block, repeats - done) for done in range(0, repeats, block)]
    return np.concatenate(
        [_curves(chosen_by, reported, generator.multinomial(size, even, size=rows), counts) for rows in blocks]
    )


def _curves(chosen_by: Floats, reported: Floats, copies: NDArray[np.int64], counts: NDArray[np.int64]) -> Floats:
    """Expected test score of the chosen of n, shape (R, n); copies (R, N) is how often each trial counts."""
    order = np.argsort(chosen_by)
    _, starts = np.unique(chosen_by[order], return_index=True)
    number = np.add.reduceat(copies[:, order], starts, axis=1)  # (R, groups of equal validation scores)
    total = np.add.reduceat(copies[:, order] * reported[order], starts, axis=1)
    mean = total / np.maximum(number, 1)
    chance = np.cumsum(number, axis=1) / chosen_by.size
    # The sum of (chance_g^n - chance_(g-1)^n) mean_g, by parts: one product and one sum for each n.
    steps = -np.diff(mean, axis=1, append=0)
    curves, likeliest = np.empty((copies.shape[0], counts.size)), chance.max(axis=0)
    power = np.ones_like(chance)
    for k, n in enumerate(counts.tolist()):
        some = slice(np.searchsorted(likeliest, _NO_CHANCE ** (1 / n)), None)  # the groups before have no chance
        power[:, some] = power[:, some] * chance[:, some] if n <= _EACH else chance[:, some] ** n
        curves[:, k] = np.einsum("rg,rg->r", power[:, some], steps[:, some])
    return curves


def _peak(curves: Floats) -> NDArray[np.intp]:
    """Where each curve, shape (..., m), is highest; the first of what is equal but for rounding."""
    highest = curves.max(axis=-1, keepdims=True)
    first: NDArray[np.intp] = np.argmax(np.isclose(curves, highest, rtol=1e-12, atol=1e-15), axis=-1)
    return first


def _pairs(
    validation: ArrayLike, test: ArrayLike, *, least: int = 1, greater_is_better: bool
) -> tuple[int, Floats, Floats]:
    """The sign of the scores and both of them, so that greater is better."""
    sign = 1 if greater_is_better else -1
    chosen_by, reported = score_array("validation", validation, least=least), score_array("test", test, least=least)
    if chosen_by.size != reported.size:
        raise ValueError(
            f"test must hold the same trials as validation, in the same order, not {reported.size} beside "
            f"{chosen_by.size}; leave out trials that lack either."
        )
    return sign, sign * chosen_by, sign * reported


def _selected(
    n: NDArray[np.int64], test: Floats, sd: Floats, validation: Floats, sign: int, *, unchosen: float, replacement: bool
) -> SelectedTest:
    gap = validation - test
    return SelectedTest(n, sign * test, sd, sign * validation, gap, gap - unchosen, replacement, sign == 1)
