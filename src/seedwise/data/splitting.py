"""Which rows train, which validate and which test?

A draw of rows is a function of the split seed and of what the draw is for, through a counter-based generator: no
global state, the same draw on every machine. Drawn rows stay in the order of their source.
"""

import hashlib
from collections.abc import Mapping, Sequence
from typing import NamedTuple, TypeAlias

import numpy as np
from numpy.typing import NDArray

from seedwise.errors import DataError
from seedwise.values.splits import Splits

__all__ = ["DEFAULT_VALIDATION_SHARE", "Part", "arrange", "draw", "stratified_counts"]

Positions: TypeAlias = NDArray[np.int64]

DEFAULT_VALIDATION_SHARE = 0.2


class Part(NamedTuple):
    """The rows of one split: which given rows they come from, and where they stand there, in ascending order."""

    source: str
    positions: Positions


def arrange(splits: Splits, strata: Mapping[str, Sequence[int]]) -> dict[str, Part]:
    """Say which of the given rows become training, validation and test rows."""
    parts = {split: Part(split, np.arange(len(strata[split]))) for split in strata}
    if splits.halve_validation:
        parts |= _halves(splits, np.asarray(strata["validation"]))
    validation_size = splits.validation_size
    if validation_size is None and "validation" not in strata:
        validation_size = DEFAULT_VALIDATION_SHARE
    elif validation_size is not None and "validation" in strata:
        _check_unclaimed_test(parts, "the given validation rows become the test rows when validation_size is set")
        parts["test"] = parts["validation"]
    if splits.test_size is not None:
        _check_unclaimed_test(parts, "test_size sets test rows aside")
    train = np.asarray(strata["train"])
    pool = parts["train"].positions
    for split, size in (("test", splits.test_size), ("validation", validation_size)):
        if size is not None:
            rows = _rows_aside(split, size, given=len(train), left=len(pool))
            parts[split] = Part("train", draw(pool, rows, train, seed=splits.seed, purpose=split))
            pool = np.setdiff1d(pool, parts[split].positions, assume_unique=True)
    if splits.train_size is not None:
        if splits.train_size > len(pool):
            raise DataError(
                f"train_size must be at most {len(pool)}, the training rows that there are, not {splits.train_size}; "
                "leave it out to train on all of them."
            )
        pool = draw(pool, splits.train_size, train, seed=splits.seed, purpose="train")
    return parts | {"train": Part("train", pool)}


def draw(pool: Positions, size: int, strata: NDArray[np.int64], *, seed: int, purpose: str) -> Positions:
    """Draw rows of the pool without replacement, each stratum in proportion.

    Example:
        >>> draw(np.arange(6), 2, np.array([0, 0, 0, 1, 1, 1]), seed=0, purpose="train").shape
        (2,)
    """
    shuffled = pool[np.argsort(_bits(len(strata), seed, purpose)[pool], kind="stable")]
    names, members = np.unique(strata[shuffled], return_inverse=True)
    counts = stratified_counts(size, np.bincount(members, minlength=len(names)).tolist())
    chosen = [shuffled[members == place][:count] for place, count in enumerate(counts)]
    return np.sort(np.concatenate(chosen)) if chosen else pool[:0]


def stratified_counts(size: int, strata_sizes: Sequence[int]) -> list[int]:
    """Share out a size among strata in proportion, by largest remainders; each count is within one of its share.

    Example:
        >>> stratified_counts(5, [60, 30, 10])
        [3, 2, 0]
    """
    total = sum(strata_sizes)
    shares = [divmod(size * rows, total) for rows in strata_sizes]
    counts = [whole for whole, _ in shares]
    by_remainder = sorted(range(len(shares)), key=lambda place: (-shares[place][1], place))
    for place in by_remainder[: size - sum(counts)]:
        counts[place] += 1
    return counts


def _halves(splits: Splits, strata: NDArray[np.int64]) -> dict[str, Part]:
    """Halve the given validation rows; of an odd number, validation gets one more."""
    if len(strata) < 2:
        raise DataError(f"halve_validation needs at least 2 validation rows, not {len(strata)}; use validation_size.")
    everything = np.arange(len(strata))
    half = draw(everything, (len(strata) + 1) // 2, strata, seed=splits.seed, purpose="halves")
    rest = np.setdiff1d(everything, half, assume_unique=True)
    return {"validation": Part("validation", half), "test": Part("validation", rest)}


def _check_unclaimed_test(parts: Mapping[str, Part], claim: str) -> None:
    if "test" in parts:
        taken = "test rows are given" if parts["test"].source == "test" else "the given validation rows already do so"
        raise DataError(f"only one source may give the test rows: {claim}, but {taken}; leave one of the two out.")


def _rows_aside(split: str, size: float, *, given: int, left: int) -> int:
    """Turn a size into rows, leaving at least one row on either side."""
    rows = int(size * given + 0.5) if isinstance(size, float) else int(size)
    if not 0 < rows < left:
        remedy = f"give {'smaller sizes' if rows else 'more rows'}, or {split} rows of their own"
        raise DataError(
            f"{split}_size must leave at least one {split} and one training row, but {size} of {given} training rows is "
            f"{rows} where {left} are left; {remedy}."
        )
    return rows


def _bits(count: int, seed: int, purpose: str) -> NDArray[np.uint64]:
    """Return 64 random bits for each of the first ``count`` rows; a row's bits depend on seed and purpose alone."""
    key = hashlib.sha256(f"seedwise split {purpose} {seed}".encode()).digest()
    return np.random.Philox(key=int.from_bytes(key[:16], "little")).random_raw(count)
