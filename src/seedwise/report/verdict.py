"""What are the main results, in plain sentences?"""

import math
from contextlib import suppress

import numpy as np

from seedwise.analysis.analysis import Analysis
from seedwise.analysis.cell import Cell
from seedwise.analysis.seeds import FAILED_MARGIN, is_crossed
from seedwise.analysis.stopping import trusted_from
from seedwise.analysis.summary import CellSummary, summarize
from seedwise.errors import UnknownError
from seedwise.values.caveats import row_caveats, score_caveats
from seedwise.values.labels import metric_words

__all__ = ["caveats", "recipes_verdict", "score", "verdict"]

DISTINCT = 4
"""Curves with fewer different scores than this may be equal by chance."""
FAR = 0.1
"""A validation score this far above the guess is not chance."""
HARDLY = 0.0005
"""An optimism below this is not reported."""
FEW = 5
"""With fewer complete trials than this, nothing is said about their distribution."""


def score(value: float | None) -> str:
    """Return a score for a sentence: three digits after the point, or a dash.

    Example:
        >>> score(0.61), score(None)
        ('0.610', '–')
    """
    return "–" if value is None or not math.isfinite(value) else f"{round(value, 3) + 0.0:.3f}"  # no minus zero


def verdict(analysis: Analysis, cell: Cell) -> list[str]:
    """Return what is known about one cell, the most important first."""
    summary = summarize(cell)
    sentences = [_winner(cell, summary)]
    try:
        cell.full(FEW)
    except UnknownError as error:
        sentences += [f"How scores spread cannot be told: {error}"] if summary.winner is not None else []
    else:
        for tell in (_expectation, _typical, _variance, _failures, _ranking, _stopping):
            with suppress(UnknownError):
                sentences.append(tell(analysis, cell))
    return [sentence for sentence in sentences if sentence]


def recipes_verdict(analysis: Analysis) -> list[str]:
    """For each task with several recipes, return which is best and which others are not clearly worse."""
    sentences = []
    for task in dict.fromkeys(cell.task.name for cell in analysis.cells):
        cells = [cell for cell in analysis.cells if cell.task.name == task]
        if len(cells) < 2:
            continue
        try:
            mine = sorted(analysis.recipe_scores(cells), key=lambda row: row.rank)
        except UnknownError as error:
            sentences.append(f"{task}: it cannot be said which recipe is best: {error}")
            continue
        first, *others = mine
        equal = [row.recipe for row in others if row.top]
        rest = f"; not clearly lower: {', '.join(equal)}" if equal else "; all others are lower"
        shared = any(is_crossed(cell) for cell in analysis.cells if cell.task.name == task)
        independent = ", which takes trials that share seeds for independent" if shared else ""
        sentences.append(
            f"{task}: {first.recipe} has the best mean {metric_words(first.metric, first.split)}, {score(first.mean)} ± "
            f"{first.sd:.3f} ({first.n} trials){rest} (one-tailed Student's t-test as published, p < 0.05{independent}; compare is stricter)."
        )
    return sentences


def caveats(cell: Cell) -> list[str]:
    """Return what to know before believing the scores."""
    summary = summarize(cell)
    notes = row_caveats(cell.facts) + score_caveats(cell.task, summary.best, summary.baseline)
    if summary.winner is not None and summary.test is None:
        notes.append("there are no test rows, so it is unknown how much of the best score is luck.")
    if summary.open:
        notes.append(f"{summary.open} of {len(cell.records)} trials are not finished yet.")
    if any(record.evaluations for record in cell.records) and cell.curves.note:
        notes.append(f"{cell.curves.note}.")
    if any(record.evaluations for record in cell.records) and cell.beyond_bounds:
        notes.append(
            f"scores lie beyond what {metric_words(cell.task.metric)} can be, so that bounds, bands and a failure margin are "
            "not known; divide percentages by 100."
        )
    if twins := _equal_curves(cell):
        notes.append(f"{twins} trials have the same curve as another with different seeds; are they really one run?")
    if strange := _strange_tests(cell):
        notes.append(
            f"{strange} trials score like the guess on test rows though their best validation score is far above it; are the "
            "test scores from another evaluation?"
        )
    if is_crossed(cell):
        notes.append(
            "trials that share a seed are not independent; the band of the expected best and the intervals of correlations and "
            "of a falling test score take them for independent and are somewhat too narrow."
        )
    return notes


def _strange_tests(cell: Cell) -> int:
    """Count trials whose test score cannot be that of their best evaluation."""
    if cell.baseline is None or cell.support is None:
        return 0
    best = np.array([math.nan if record.best is None else record.best[1] for record in cell.records])
    return int(np.sum((best > cell.baseline + FAR) & (cell.test <= cell.baseline + FAILED_MARGIN)))


def _equal_curves(cell: Cell) -> int:
    """Count trials with the same curve as another; curves that hardly move may be equal by chance."""
    curves = [tuple(record.scores) for record in cell.records if len({v for _, v in record.scores}) >= DISTINCT]
    return len(curves) - len(set(curves))


def _winner(cell: Cell, summary: CellSummary) -> str:
    if summary.winner is None or summary.best is None:
        return f"No trial of {cell.task.name} is complete yet."
    seeds, what = summary.winner.trial.seeds, metric_words(cell.task.metric)
    cost = f" It cost {summary.cost:.1f} full trainings instead of {summary.started}." if summary.stopped else ""
    test = ""
    if summary.test is not None:
        test = f" On test rows, which did not choose it, it scores {score(summary.test)}."
    return (
        f"The best of {summary.started} trials reached a {what} of {score(summary.best)} "
        f"(init {seeds.init}, order {seeds.order}).{test}{cost}"
    )


def _expectation(analysis: Analysis, cell: Cell) -> str:
    found, fall = analysis.expected_test(cell), analysis.fall_of_test(cell)
    n, test = int(found.n[-1]), float(found.test_mean[-1])
    optimism = float(found.optimism[-1])
    luck = f"; choosing alone makes the latter {optimism:.3f} too good" if optimism >= HARDLY else ""
    sentence = (
        f"Whoever picks the best of {n} such trials by validation should expect {score(test)} on new rows and "
        f"{score(float(found.validation_mean[-1]))} on the validation rows{luck}."
    )
    if fall.fall_lower > 0:
        sentence += (
            f" More than {fall.n} trials lower the expected test score: the choice then fits the validation rows."
        )
    return sentence


def _typical(_: Analysis, cell: Cell) -> str:
    final = cell.final()
    return (
        f"The validation score of a single trial is {score(float(final.mean()))} ± {final.std(ddof=1):.3f} (mean and "
        f"standard deviation of {len(final)} trials), between {score(float(final.min()))} and {score(float(final.max()))}."
    )


def _variance(analysis: Analysis, cell: Cell) -> str:
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


def _failures(analysis: Analysis, cell: Cell) -> str:
    found = analysis.failed(cell)
    share = found.share
    if found.threshold is None:
        crashed = f"{share.failed} of {share.n} trials crashed or diverged; " if share.failed else ""
        return (
            f"{crashed}how many only guess is not known, because the best constant guess's score is not.".capitalize()
        )
    side = "at or below" if cell.greater_is_better else "at or above"
    fell = (
        f" At the last evaluation it was {found.last.failed} of {share.n}." if found.last.failed != share.failed else ""
    )
    return (
        f"{share.failed} of {share.n} trials failed ({side} {found.threshold:.2f}, where guessing is): "
        f"{_percent(share.share)} % [{_percent(share.lower)}, {_percent(share.upper)}].{fell}"
    )


def _percent(share: float) -> str:
    return f"{100 * share:.1f}" if 0.0005 < share < 0.01 else f"{100 * share:.0f}"


def _ranking(analysis: Analysis, cell: Cell) -> str:
    if len(cell.curves.fractions) < 3:
        return ""
    share = trusted_from(analysis.correlation(cell), cell)
    if share is None or share >= 1:
        return "Early scores do not predict the final ranking: only at the end is the correlation above 0.8 with 95 % confidence."
    return (
        f"Trials can be ranked after {100 * share:.0f} % of a run: from there on the rank correlation with the end is above "
        "0.8 with 95 % confidence."
    )


def _stopping(analysis: Analysis, cell: Cell) -> str:
    found = analysis.best_rules(cell)
    rules, budget = found.rules, min(10, max(1, found.trials // 2))
    place = [i for i, b in enumerate(rules.budget) if b == budget]
    if not place or not math.isfinite(float(found.full[place[0]])):
        return ""
    i = place[0]
    if rules.p[i] == rules.t[i]:
        return f"With a budget of {budget} full trainings, no rule that stops early would have done better on these trials."
    equal = float(found.equal_budget[i])
    saving = f"; what {budget} full trainings give costs {equal:.0f} with stopping" if equal < budget else ""
    return (
        f"On these trials a budget of {budget} full trainings is best spent by starting {rules.t[i]}, judging after "
        f"{100 * rules.f[i]:.0f} % and keeping {rules.p[i]}: expect {score(float(rules.mean[i]))} instead of "
        f"{score(float(found.full[i]))}{saving}. (The same trials chose the rule; plan --interval judges it on others.)"
    )
