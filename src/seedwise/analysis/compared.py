"""Which trials of two recipes are compared, and can their seeds tell the recipes apart at all?"""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from seedwise.analysis.cell import Cell
from seedwise.analysis.seeds import fixed_seeds
from seedwise.analysis.summary import left_out_words
from seedwise.errors import UnknownError

__all__ = ["Compared", "common_split", "compared_trials", "held_fixed", "left_out"]

Floats = NDArray[np.float64]
Indices = NDArray[np.intp]
LEAST = 3
"""Two recipes are compared on this many trials each, or more: of two, where trials fail, a t-test errs in 8 % at 5 %."""
PAIRED_LEAST = 5
"""Fewer common seeds than these are not compared pairwise."""
PAIRED_SHARE = 0.8
"""Trials are compared pairwise where at least this share of either recipe's has a partner: leaving out more loses more than
pairs gain. The rule goes by the seeds alone, never by the scores."""


class Compared(NamedTuple):
    """The trials of two recipes that are compared, as places among their cells' records."""

    split: str  # whether scores are of the test or the validation rows
    trials_a: Indices  # (n,)
    trials_b: Indices  # (m,); those of equal place have the same seeds where they are paired
    paired: bool  # whether trials are compared seed by seed
    scores_a: Floats  # (n,)
    scores_b: Floats  # (m,)


def compared_trials(a: Cell, b: Cell, split: str | None = None, *, pairs_alone: bool = False) -> Compared:
    """Return which trials of two recipes are compared: those of the same seeds, or all.

    Args:
        a: The trials of recipe A.
        b: The trials of recipe B.
        split: Whose scores are compared: test or validation; test by default, if all have them.
        pairs_alone: Compare those of the same seeds, however many others there are.

    Raises:
        UnknownError: The tasks differ, or a recipe has too few trials or stopped ones.
    """
    if (a.task.name, a.task.metric) != (b.task.name, b.task.metric):
        raise UnknownError(
            f"A and B must be of one task, not {a.task.name} ({a.task.metric}) and {b.task.name} ({b.task.metric}); "
            "choose it with --task."
        )
    chosen = split or common_split([a, b])
    for cell in (a, b):
        if (count := len(cell.scored(chosen))) < LEAST:
            raise UnknownError(
                f"two recipes are compared on at least {LEAST} trials each, not {count}; run more seeds."
            )
    trials_a, trials_b = a.scored(chosen), b.scored(chosen)
    place = {a.records[i].trial.seeds: i for i in trials_a}
    pairs = [(place[seeds], j) for j in trials_b if (seeds := b.records[j].trial.seeds) in place]
    least = 2 if pairs_alone else max(PAIRED_LEAST, PAIRED_SHARE * max(len(trials_a), len(trials_b)))
    paired = len(pairs) >= least
    scores_a = dict(zip(trials_a.tolist(), a.scores(chosen), strict=True))
    scores_b = dict(zip(trials_b.tolist(), b.scores(chosen), strict=True))
    if paired:
        trials_a, trials_b = (np.array(side, dtype=np.intp) for side in zip(*pairs, strict=True))
    mine, theirs = (
        np.array([scores[i] for i in trials.tolist()])
        for scores, trials in ((scores_a, trials_a), (scores_b, trials_b))
    )
    return Compared(chosen, trials_a, trials_b, paired, mine, theirs)


def common_split(cells: Sequence[Cell]) -> str:
    """Return test where all trials of the cells that ended, and did not fail, have a test score, else validation."""
    try:
        for cell in cells:
            cell.scored("test")
    except UnknownError:
        return "validation"
    return "test"


def held_fixed(a: Cell, b: Cell, chosen: Compared, labels: tuple[str, str]) -> tuple[tuple[str, ...], str]:
    """Return the seeds that the answer holds for, or why the seeds allow no answer."""
    sides = [fixed_seeds(cell, trials) for cell, trials in ((a, chosen.trials_a), (b, chosen.trials_b))]
    words = []
    for stream in dict.fromkeys((*sides[0], *sides[1])):
        own, other = (side.get(stream) for side in sides)
        if own != other:
            have = [
                f"{label} has {f'{stream} seed {seed} alone' if seed is not None else f'several {stream} seeds'}"
                for label, seed in zip(labels, (own, other), strict=True)
            ]
            return (), (
                f"{' and '.join(have)}, so that the difference may be the seed's as well as the recipe's; run both with "
                f"several {stream} seeds, or with the same one"
            )
        words.append(f"{stream} seed {own}")
    return tuple(words), ""


def left_out(a: Cell, b: Cell, chosen: Compared, labels: tuple[str, str]) -> tuple[str, ...]:
    """Return which trials are not compared, and why; and which crashed, and count with what they had scored before."""
    sentences = []
    for cell, trials, label in zip((a, b), (chosen.trials_a, chosen.trials_b), labels, strict=True):
        if words := left_out_words(cell, chosen.split):
            sentences.append(f"{label}: {words}")
        alone = len(cell.scored(chosen.split)) - len(trials)
        if alone:
            other = labels[1] if label == labels[0] else labels[0]
            sentences.append(f"{label}: {alone} with seeds that {other} was not run with")
        if chosen.split == "validation" and (crashed := int(cell.failed[trials].sum())):
            sentences.append(
                f"{label}: {crashed} that crashed or diverged count with their best score before, or the guess's"
            )
    return tuple(sentences)
