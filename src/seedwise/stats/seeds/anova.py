"""Are some seeds better than others, or are the best and the worst of many only luck?"""

from collections.abc import Iterable, Iterator
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import stats

from seedwise.stats.checks import check_labels, label_array, one_count, score_array, seeded

__all__ = ["BestWorst", "OneWay", "best_against_worst", "one_way"]

Floats = NDArray[np.float64]

AT_ONCE = 4_000_000
"""How many permuted scores are held at once: 32 MB."""


class BestWorst(NamedTuple):
    """The best and the worst level of a factor, and whether they differ by more than the picking explains.

    Args:
        best: Label of the level with the best mean.
        worst: Label of the level with the worst mean.
        best_mean: Its mean score.
        worst_mean: Its mean score.
        n_best: How many trials the best level has.
        n_worst: How many trials the worst level has.
        f: F statistic of the one-way analysis of variance between the trials of the two; at least 0.
        p: Its p-value as published, in [0, 1]; it takes no account of the two having been picked, so that it is small
            even where no level is better than another: below 0.05 for about 73 % of 15 x 15 grids of pure noise.
        corrected_p: Part of the permutations, each with its own best and worst, with an f as large, in (0, 1].
        permutations: How many permutations were drawn.
    """

    best: Any
    worst: Any
    best_mean: float
    worst_mean: float
    n_best: int
    n_worst: int
    f: float
    p: float
    corrected_p: float
    permutations: int


class OneWay(NamedTuple):
    """The one-way analysis of variance of all levels.

    Args:
        f: F statistic, at least 0.
        p: Its p-value, in [0, 1].
        df_between: Degrees of freedom between levels.
        df_within: Degrees of freedom within levels.
    """

    f: float
    p: float
    df_between: int
    df_within: int


def best_against_worst(
    scores: ArrayLike,
    levels: Iterable[Any],
    *,
    within: Iterable[Any] | None = None,
    permutations: int = 10_000,
    seed: int = 0,
    greater_is_better: bool = True,
) -> BestWorst:
    """Return the test between the best and the worst level, as published and corrected for their having been picked.

    The published test compares the trials of the two levels as if they had been named beforehand. The corrected one
    permutes the scores between the levels, picks the best and the worst of every permutation anew, and counts how often
    f is as large: p = (count + 1) / (permutations + 1).

    Args:
        scores: One score a trial, shape (n,).
        levels: One label a trial, such as its init seed, shape (n,); each at least twice.
        within: One label a trial of the other factor, such as its order seed, shape (n,). Each label's mean is then
            taken off and scores are permuted among trials with the same label only, which is right in a grid whatever
            effect that factor has. None permutes them freely, which supposes that nothing else differs between the
            trials and finds little where something does.
        permutations: How many permutations are drawn; time and n * permutations go together.
        seed: Seed of the permutations.
        greater_is_better: Whether a greater score is better; False for a loss.

    Returns:
        The two levels, the published p-value and the corrected one.

    Raises:
        ValueError: There are fewer than two levels, a level has one trial, or ``within`` leaves nothing to permute.

    Reference:
        Dodge et al. (2020), section 4.2 and table 4; the correction is ours.

    Example:
        >>> rng = np.random.default_rng(0)
        >>> init = np.repeat(np.arange(20), 20)
        >>> nothing = best_against_worst(rng.normal(size=400), init, permutations=999)
        >>> nothing.p < 0.05 < nothing.corrected_p
        True
    """
    permutations = one_count("permutations", permutations)
    values = score_array("scores", scores, least=4)
    codes = _check_levels(values, levels)
    blocks = np.zeros(len(values), np.intp) if within is None else label_array("within", within, len(values))
    if len(np.unique(blocks * (codes.max() + 1) + codes)) == len(np.unique(blocks)):
        raise ValueError(
            "within must hold trials of several levels under one label, but each label has a single level, so nothing "
            "can be permuted; cross the two seeds, or leave within out."
        )
    signed = values if greater_is_better else -values
    n = np.bincount(codes)
    by_level = np.argsort(codes, kind="stable")
    f, best, worst = (found[0] for found in _extremes(_centred(signed)[None, by_level], n))
    centred = _centred(signed, blocks)
    least = _extremes(centred[None, by_level], n)[0] * (1 - 1e-9)  # equal f differ in the last digits
    count = sum(
        int(np.sum(_extremes(permuted, n)[0] >= least))
        for permuted in _permuted(centred, codes, blocks, permutations, seeded(seed))
    )
    names, means = (
        np.unique(check_labels("levels", levels, len(values))).tolist(),
        np.bincount(codes, weights=values) / n,
    )
    return BestWorst(
        best=names[best],
        worst=names[worst],
        best_mean=float(means[best]),
        worst_mean=float(means[worst]),
        n_best=int(n[best]),
        n_worst=int(n[worst]),
        f=float(f),
        p=float(stats.f.sf(f, 1, n[best] + n[worst] - 2)),
        corrected_p=(count + 1) / (permutations + 1),
        permutations=permutations,
    )


def one_way(scores: ArrayLike, levels: Iterable[Any]) -> OneWay:
    """Return the one-way analysis of variance of all levels, which picks none of them.

    Args:
        scores: One score a trial, shape (n,).
        levels: One label a trial, shape (n,); at least two labels, each at least twice.

    Returns:
        F, its p-value and its degrees of freedom.

    Raises:
        ValueError: There are fewer than two levels, or a level has one trial.

    Example:
        >>> one_way([1, 2, 3, 4], ["a", "a", "b", "b"])
        OneWay(f=8.0, p=0.105..., df_between=1, df_within=2)
    """
    values = score_array("scores", scores, least=4)
    codes = _check_levels(values, levels)
    values = _centred(values)
    n = np.bincount(codes)
    means = np.bincount(codes, weights=values) / n
    between, within = float((n * means**2).sum()), float(((values - means[codes]) ** 2).sum())
    df = len(n) - 1, len(values) - len(n)
    f = float(_ratio(np.array([between / df[0]]), np.array([within / df[1]]))[0])
    return OneWay(f, float(stats.f.sf(f, *df)), *df)


def _check_levels(values: Floats, levels: Iterable[Any]) -> NDArray[np.intp]:
    codes = label_array("levels", levels, len(values))
    n = np.bincount(codes)
    if len(n) < 2:
        raise ValueError(f"levels must hold at least two labels, not one for all {len(values)} trials; run more seeds.")
    if n.min() < 2:
        raise ValueError(
            f"levels must hold each label at least twice, but {np.sum(n == 1)} of {len(n)} labels have one trial; cross "
            "the seeds (a grid) instead of pairing them."
        )
    return codes


def _centred(values: Floats, blocks: NDArray[np.intp] | None = None) -> Floats:
    """Return scores around their mean, or their block's, exactly 0 where all are equal."""
    shifted = values - values[0]
    if blocks is None:
        return np.asarray(shifted - shifted.mean())
    return np.asarray(shifted - (np.bincount(blocks, weights=shifted) / np.bincount(blocks))[blocks])


def _permuted(
    values: Floats, codes: NDArray[np.intp], blocks: NDArray[np.intp], permutations: int, generator: np.random.Generator
) -> Iterator[Floats]:
    """Yield scores permuted within blocks, in the order of the levels, shape (some permutations, n)."""
    by_block = np.argsort(blocks, kind="stable")
    by_level = np.argsort(codes[by_block], kind="stable")
    ends = np.cumsum(np.bincount(blocks))
    rows = max(1, AT_ONCE // len(values))
    for first in range(0, permutations, rows):
        chunk = np.tile(values[by_block], (min(rows, permutations - first), 1))
        for start, end in zip([0, *ends[:-1]], ends, strict=True):
            chunk[:, start:end] = generator.permuted(chunk[:, start:end], axis=1)
        yield chunk[:, by_level]


def _extremes(grouped: Floats, n: NDArray[np.int64]) -> tuple[Floats, NDArray[np.intp], NDArray[np.intp]]:
    """Return F between the best and the worst level of each row, and which they are."""
    starts = np.cumsum(n) - n
    sums = np.add.reduceat(grouped, starts, axis=1)
    means = sums / n
    inner = np.add.reduceat(grouped**2, starts, axis=1) - sums * means  # (rows, levels) squares around the level's mean
    best, worst = means.argmax(axis=1), means.argmin(axis=1)
    rows = np.arange(len(grouped))
    pair = n[best] + n[worst]
    between = (means[rows, best] - means[rows, worst]) ** 2 * n[best] * n[worst] / pair
    within = np.maximum(inner[rows, best] + inner[rows, worst], 0)
    return _ratio(between, within / (pair - 2)), best, worst


def _ratio(between: Floats, within: Floats) -> Floats:
    """Return F: 0 where nothing differs, infinite where levels differ and trials within them do not."""
    infinite = np.where(between > 0, np.inf, 0.0)
    return np.divide(between, within, out=infinite, where=within > 0)
