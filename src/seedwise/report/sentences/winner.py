"""How good is the winner, and what should one expect of choosing it?"""

from seedwise.analysis.analysis import Analysis
from seedwise.analysis.cell import Cell
from seedwise.analysis.summary import CellSummary, left_out_words
from seedwise.errors import UnknownError
from seedwise.report.sentences.words import interval, score, seed_words, signed
from seedwise.stats.best.gap import SelectionGap
from seedwise.values.labels import metric_words

__all__ = ["expectation", "winner"]


def winner(analysis: Analysis, cell: Cell, summary: CellSummary) -> str:
    """Tell which trial is the winner, its scores and its cost."""
    if summary.winner is None or summary.best is None:
        return f"No trial of {cell.task.name} is complete yet."
    what = metric_words(cell.task.metric)
    cost = f" It cost {summary.cost:.1f} full trainings instead of {summary.started}." if summary.stopped else ""
    test = ""
    if summary.test is not None:
        test = f" On test rows, which did not choose it, it scores {score(summary.test)}{_over_rows(analysis, cell)}."
    crashed = f" ({summary.failed} of them crashed or diverged)" if summary.failed else ""
    return (
        f"The best of {summary.started} trials{crashed} reached a {what} of {score(summary.best)} "
        f"({seed_words(summary.winner.trial.seeds, cell.facts)}).{test}{cost}"
    )


def _over_rows(analysis: Analysis, cell: Cell) -> str:
    """Tell between what the winner's test score may lie, were it scored on other rows; nothing where that is not known."""
    try:
        found = analysis.test_interval(cell)
    except UnknownError:
        return ""
    return f" {interval(found)} ({found.confidence:.0%}, over the {cell.facts.rows['test']:,} rows)"


def expectation(analysis: Analysis, cell: Cell) -> str:
    """Tell what whoever picks the best by validation should expect, and what flatters the validation score."""
    left_out = left_out_words(cell, "test")
    whose = f" (Test scores are those of {left_out}.)" if left_out else ""
    try:
        flatters = _gap(analysis.gap(cell), cell)
    except UnknownError:  # too few trials that did not fail
        found = analysis.expected_test(cell)
        flatters = _expected(len(found.n), float(found.test_mean[-1]), float(found.validation_mean[-1])) + "."
    fall = analysis.fall_of_test(cell)
    falls = ""
    if fall.fall_lower > 0:
        falls = f" More than {fall.n} trials lower the expected test score: the choice then fits the validation rows."
    return f"{flatters}{falls}{whose}"


def _expected(n: int, test: float, validation: float) -> str:
    return (
        f"Whoever picks the best of {n} such trials by validation should expect {score(test)} on new rows and "
        f"{score(validation)} on the validation rows"
    )


def _gap(found: SelectionGap, cell: Cell) -> str:
    """Tell the gap beside its own numbers, and the two parts that it is the sum of."""
    whole, trials, rest = found.gap, found.among_trials, found.among_evaluations
    splits = "the two sets of rows not being equally hard"
    if len(cell.curves.fractions) > 1:
        splits = f"choosing among each trial's evaluations and {splits}"
    words = [f"{signed(part.estimate)} [{signed(part.lower)}, {signed(part.upper)}]" for part in (whole, trials, rest)]
    rounded = round(whole.estimate, 3)  # as `signed` writes it
    looks = "looks better" if rounded > 0 else "looks worse" if rounded < 0 else "and test look alike"
    return (
        f"{_expected(found.n, found.test, found.validation)}. Validation {looks}: "
        f"{words[0]} ({whole.confidence:.0%}, over seeds), of which {words[1]} is from choosing among trials and {words[2]} from "
        f"{splits}."
    )
