"""How good is the winner, and what should one expect of choosing it?"""

from seedwise.analysis.analysis import Analysis
from seedwise.analysis.cell import Cell
from seedwise.analysis.summary import CellSummary
from seedwise.report.sentences.words import score
from seedwise.values.labels import metric_words

__all__ = ["expectation", "winner"]

HARDLY = 0.0005
"""An optimism below this is not reported."""


def winner(cell: Cell, summary: CellSummary) -> str:
    """Tell which trial is the winner, its scores and its cost."""
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


def expectation(analysis: Analysis, cell: Cell) -> str:
    """Tell what whoever picks the best by validation should expect."""
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
