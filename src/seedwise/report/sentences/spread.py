"""How do scores spread, which seeds explain it, and how many trials failed?"""

import math

import numpy as np

from seedwise.analysis.analysis import Analysis
from seedwise.analysis.cell import Cell
from seedwise.analysis.seeds import FailedTrials, fixed_seeds
from seedwise.errors import UnknownError
from seedwise.report.sentences.words import percent, score

__all__ = ["failures", "low", "typical", "variance"]


def typical(_: Analysis, cell: Cell) -> str:
    """Tell what a single trial scores."""
    final, fixed = cell.final(), fixed_seeds(cell, cell.full())
    held = " and ".join(f"{stream} seed {seed}" for stream, seed in fixed.items())
    alone = f" All have {held}; what is said of a single trial holds for that alone." if held else ""
    return (
        f"The validation score of a single trial is {score(float(final.mean()))} ± {final.std(ddof=1):.3f} (mean and "
        f"standard deviation of {len(final)} trials), between {score(float(final.min()))} and {score(float(final.max()))}."
        f"{alone}"
    )


def variance(analysis: Analysis, cell: Cell) -> str:
    """Tell which share of the variance each seed explains."""
    found = analysis.variance(cell)
    if not math.isfinite(float(found.share[0])):
        return ""
    names = {"init": "the init seed", "order": "the order seed", "dropout": "the dropout seed"}
    if "dropout" not in found.factors and np.array_equal(cell.seeds("dropout"), cell.seeds("order")):
        names["order"] = "the order seed (which dropout follows)"
    parts = [
        f"{names[factor]} explains {100 * found.share[i]:.0f} % [{100 * found.share_lower[i]:.0f}, "
        f"{100 * found.share_upper[i]:.0f}]"
        for i, factor in enumerate(found.factors[:-1])
    ]
    rest = f"the remaining {100 * found.share[-1]:.0f} % are their interaction and everything else"
    text = ", ".join(parts)
    return (
        f"{text[0].upper()}{text[1:]} of the variance ({found.confidence:.0%} intervals, for normal effects); {rest}."
    )


def failures(analysis: Analysis, cell: Cell) -> str:
    """Tell how many trials failed, and what the others score."""
    found = analysis.failed(cell)
    share = found.share
    if found.threshold is None:
        crashed = f"{share.failed} of {share.n} trials crashed or diverged; " if share.failed else ""
        return (
            f"{crashed}how many only guess is not known, because the best constant guess's score is not.".capitalize()
        )
    side = "at or below" if cell.greater_is_better else "at or above"
    margin = f", with a margin of {found.margin:g}" if found.margin else ""
    fell = (
        f" At the last evaluation it was {found.last.failed} of {share.n}." if found.last.failed != share.failed else ""
    )
    return (
        f"{share.failed} of {share.n} trials failed ({side} {found.threshold:.2f}, where guessing is{margin}): "
        f"{percent(share.share)} % [{percent(share.lower)}, {percent(share.upper)}].{fell}{_noise(found)}{_others(analysis, cell)}"
    )


def _noise(found: FailedTrials) -> str:
    """Say so where the best of several scores of a model that answers at random is likely to be beyond the margin."""
    if found.noise is None or found.noise <= found.margin:
        return ""
    return (
        f" Random answers on so few validation rows have a standard deviation of {found.noise:.2f}, more than the margin: trials "
        "that score a little more may have failed as well."
    )


def _others(analysis: Analysis, cell: Cell) -> str:
    if not analysis.failed(cell).share.failed:
        return ""
    try:
        rest = analysis.hurdle(cell)
    except UnknownError:
        return ""
    mean = rest.mean
    return f" The other {rest.n} score {score(mean.estimate)} [{score(mean.lower)}, {score(mean.upper)}] on average."


def low(analysis: Analysis, cell: Cell) -> str:
    """Tell how bad a single run can be."""
    found = analysis.low_quantile(cell)
    worse, end = ("less", found.lower) if cell.greater_is_better else ("more", found.upper)
    ends = ", ".join(score(each) for each in (found.lower, found.upper))
    if math.isinf(end):
        better = found.upper if cell.greater_is_better else found.lower
        ends = f"{score(better)} or {worse}; {found.trials} trials leave open how much {worse}"
    return f"One run in {1 / found.q:.0f} scores {score(found.score)} or {worse} [{ends}]."
