"""What are the results in plain sentences, the ones a reader takes home?"""

import math

from seedwise.analysis.analysis import Analysis
from seedwise.analysis.cell import Cell
from seedwise.analysis.early import BestRules, trusted_from
from seedwise.analysis.findings import Refusal
from seedwise.analysis.seeds import FailedTrials
from seedwise.analysis.summary import CellSummary, summarize
from seedwise.caveats import row_caveats, score_caveats
from seedwise.charts.style import metric_words
from seedwise.stats.components import VarianceComponents
from seedwise.stats.selection import Fall, SelectedTest

__all__ = ["caveats", "score", "verdict"]

FEW = 5
"""With fewer trials than these at their end, nothing is said about their distribution."""


def score(value: float | None) -> str:
    """Return a score for a sentence: three digits after the point, or a dash.

    Example:
        >>> score(0.61), score(None)
        ('0.610', '–')
    """
    return "–" if value is None or not math.isfinite(value) else f"{value:.3f}"


def verdict(analysis: Analysis, cell: Cell) -> list[str]:
    """Return what is known of one cell, the most important first.

    Args:
        analysis: The analysis.
        cell: One of its cells.
    """
    summary = summarize(cell)
    sentences = [_winner(cell, summary)]
    if int(cell.ended.sum()) >= FEW:
        found = (
            _expectation(analysis.find("expected_test", cell), analysis.find("fall_of_test", cell)),
            _typical(cell, analysis.find("expected_best", cell)),
            _variance(analysis.find("variance", cell)),
            _failures(analysis.find("failed", cell)),
            _ranking(cell, analysis.find("spearman", cell)),
            _stopping(analysis.find("stopping", cell)),
        )
        sentences += [sentence for sentence in found if sentence]
    return sentences


def caveats(cell: Cell) -> list[str]:
    """Return what to know before believing the scores."""
    summary = summarize(cell)
    notes = row_caveats(cell.facts) + score_caveats(cell.task, summary.best, summary.baseline)
    if summary.winner is not None and summary.test is None:
        notes.append("there are no test rows, so nobody knows how much of the best score is luck.")
    if summary.open:
        notes.append(f"{summary.open} of {len(cell.records)} trials are not finished yet.")
    if any(record.evaluations for record in cell.records) and cell.curves.note:
        notes.append(f"{cell.curves.note}.")
    return notes


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


def _expectation(found: SelectedTest | Refusal, fall: Fall | Refusal) -> str:
    if isinstance(found, Refusal):
        return ""
    test, gap = float(found.test_mean[-1]), float(found.gap[-1])
    sentence = (
        f"Whoever picks the best of {int(found.n[-1])} such trials by validation should expect {score(test)} on new rows: "
        f"the validation score promises {gap:.3f} too much."
        if gap > 0
        else f"Whoever picks the best of {int(found.n[-1])} such trials by validation should expect {score(test)} on new rows."
    )
    if not isinstance(fall, Refusal) and fall.fall_lower > 0:
        sentence += (
            f" More than {fall.n} trials lower the expected test score: the choice then fits the validation rows."
        )
    return sentence


def _typical(cell: Cell, found: dict[str, object] | Refusal) -> str:
    if isinstance(found, Refusal):
        return ""
    final = cell.final()
    return (
        f"A single trial scores {score(float(final.mean()))} ± {final.std(ddof=1):.3f} (mean and standard deviation of "
        f"{len(final)} trials), between {score(float(final.min()))} and {score(float(final.max()))}."
    )


def _variance(found: VarianceComponents | Refusal) -> str:
    if isinstance(found, Refusal) or not math.isfinite(float(found.share[0])):
        return ""
    names = {"init": "the init seed", "order": "the order seed", "dropout": "the dropout seed"}
    parts = [
        f"{names[factor]} explains {100 * found.share[i]:.0f} % [{100 * found.share_lower[i]:.0f}, "
        f"{100 * found.share_upper[i]:.0f}]"
        for i, factor in enumerate(found.factors[:-1])
    ]
    rest = f"the remaining {100 * found.share[-1]:.0f} % are their interaction and everything else"
    text = ", ".join(parts)
    return f"{text[0].upper()}{text[1:]} of the variance ({found.confidence:.0%} intervals); {rest}."


def _failures(found: FailedTrials | Refusal) -> str:
    if isinstance(found, Refusal):
        return ""
    share = found.share
    where = "without a score" if found.threshold is None else f"at or below {found.threshold:.2f}, where guessing is"
    return (
        f"{share.failed} of {share.n} trials failed ({where}): {_percent(share.share)} % "
        f"[{_percent(share.lower)}, {_percent(share.upper)}]."
    )


def _percent(share: float) -> str:
    return f"{100 * share:.1f}" if 0.0005 < share < 0.01 else f"{100 * share:.0f}"


def _ranking(cell: Cell, found: object) -> str:
    if isinstance(found, Refusal) or len(cell.curves.fractions) < 3:
        return ""
    share = trusted_from(found, cell)  # type: ignore[arg-type]
    if share is None or share >= 1:
        return "Early scores do not tell the final ranking: only at the end is its correlation surely above 0.8."
    return f"The ranking can be trusted after {100 * share:.0f} % of a run: from there on its rank correlation with the end is surely above 0.8."


def _stopping(found: BestRules | Refusal) -> str:
    if isinstance(found, Refusal):
        return ""
    rules, budget = found.rules, min(10, found.trials)
    place = [i for i, b in enumerate(rules.budget) if b == budget]
    if not place or not math.isfinite(float(found.full[place[0]])):
        return ""
    i = place[0]
    if rules.p[i] == rules.t[i]:
        return f"For {budget} full trainings' worth of compute, stopping early would not have paid."
    equal = float(found.equal_budget[i])
    saving = f"; what {budget} full trainings give costs {equal:.0f} with stopping" if equal < budget else ""
    return (
        f"{budget} full trainings' worth of compute are best spent by starting {rules.t[i]}, judging after "
        f"{100 * rules.f[i]:.0f} % and keeping {rules.p[i]}: expect {score(float(rules.mean[i]))} instead of "
        f"{score(float(found.full[i]))}{saving}."
    )
