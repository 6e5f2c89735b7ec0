"""What does a study say whose trials were stopped early: of all of them up to then, and of those that went on?"""

import math
from collections.abc import Iterator

from seedwise.analysis.analysis import Analysis
from seedwise.analysis.cell import Cell
from seedwise.analysis.early import ScoresOfKept, StoppedEarly
from seedwise.analysis.stopping import trusted_from
from seedwise.errors import UnknownError
from seedwise.report.sentences.spread import low, typical, variance
from seedwise.report.sentences.words import percent, score

__all__ = ["early_sentences"]

_FEW = 5


def early_sentences(analysis: Analysis, cell: Cell) -> Iterator[str]:
    """Return what is known of trials that were stopped early; nothing of a study that stopped none."""
    try:
        found, early = analysis.stopped_early(cell), analysis.early(cell)
    except UnknownError:
        return
    after = f"After {100 * found.until:.0f} % of a run"
    yield _kept(found)
    yield (
        f"{after}, when they were judged, {len(early.full(1))} trials have a score. What follows is of these early scores: how "
        f"the {found.stopped} that were stopped would have ended is not known."
    )
    if len(early.full(1)) < _FEW:
        return
    for tell in (_typical, low, variance, _guessing, _ranking):
        try:
            sentence = tell(analysis, early)
        except UnknownError:
            continue
        if sentence:
            yield f"{after}: {sentence[0].lower()}{sentence[1:]}"


def _kept(found: StoppedEarly) -> str:
    """Tell how the trials end that went on, and where the winner stood among all."""
    if found.validation is None:
        return ""
    many = (
        f"The {found.validation.n} trials that went on ended"
        if found.validation.n > 1
        else "The trial that went on ended"
    )
    test = "" if found.test is None else f", and at {_scores(found.test)} on test rows"
    place = ""
    if found.place_of_winner is not None:
        place = f" The winner was number {found.place_of_winner} of {found.started} when they were judged, with {score(found.early_of_winner)}."
    return (
        f"{many} at {_scores(found.validation)} on validation rows{test}. They were chosen for their early scores, so "
        f"a trial that nobody chose should not be expected to score as much.{place}"
    )


def _scores(found: ScoresOfKept) -> str:
    if found.sd is None:
        return score(found.mean)
    return f"{score(found.mean)} ± {found.sd:.3f} (between {score(found.lowest)} and {score(found.highest)})"


def _typical(analysis: Analysis, early: Cell) -> str:
    best = analysis.expected_best(early)
    band = ""
    if best.lower is not None and best.upper is not None:
        band = f" [{score(float(best.lower[-1]))}, {score(float(best.upper[-1]))}]"
    return f"{typical(analysis, early)} The best of {best.n[-1]} is expected at {score(float(best.mean[-1]))}{band}."


def _guessing(analysis: Analysis, early: Cell) -> str:
    found = analysis.failed(early)
    if found.threshold is None:
        return ""
    share = found.share
    side = "at or below" if early.greater_is_better else "at or above"
    sentence = (
        f"{share.failed} of {share.n} trials were no better than guessing ({side} {found.threshold:.2f}): {percent(share.share)} % "
        f"[{percent(share.lower)}, {percent(share.upper)}]"
    )
    if not share.failed:
        return f"{sentence}."
    mean = analysis.hurdle(early).mean
    return (
        f"{sentence}; some might have learnt later. The others score {score(mean.estimate)} [{score(mean.lower)}, "
        f"{score(mean.upper)}] on average."
    )


def _ranking(analysis: Analysis, early: Cell) -> str:
    """Tell from when on trials rank as when they were judged, which says nothing of their rank at the end."""
    if len(early.curves.fractions) < 3:
        return ""
    share = trusted_from(analysis.correlation(early), early)
    if share is None or not math.isfinite(share) or share >= early.curves.fractions[-1]:
        return ""
    return (
        f"trials rank much as they did after {100 * share:.0f} % (rank correlation above 0.8 with 95 % confidence); how all of them "
        "would rank at the end is not known."
    )
