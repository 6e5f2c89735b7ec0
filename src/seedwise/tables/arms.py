"""Which tables does a study with a design have: its arms beside the published ones, and what each of them chose?"""

import math
from collections.abc import Callable, Sequence
from typing import NamedTuple

from seedwise.analysis.analysis import Analysis
from seedwise.analysis.arms import ArmScore, arm_scores
from seedwise.analysis.choices import Choice, choices
from seedwise.analysis.verdicts import Verdict
from seedwise.papers.numbers import PUBLISHED, PublishedScores
from seedwise.stats.compare.printed import difference_of_summaries
from seedwise.stats.intervals import Interval
from seedwise.tables.departures import departures, plain_task, published_task
from seedwise.tables.reasons import Reasons
from seedwise.tables.table import Kind, Table, Value
from seedwise.values.design import Design
from seedwise.values.imported import AnyTask

__all__ = ["arms_table", "candidates_table", "published_scores", "task_words", "tuning_table"]

_NONE = "no arm chooses anything; give one a search."


def published_scores(design: Design) -> PublishedScores | None:
    """Return the published table that a design's results belong beside; None where there is none."""
    return PUBLISHED.get(design.published or "")


def task_words(design: Design, task: AnyTask) -> str:
    """Return what to call a task where published tasks stand beside it.

    Example:
        >>> from seedwise.values.arm import Arm
        >>> from seedwise.values.recipe import Recipe
        >>> from seedwise.values.seeds import Seeds
        >>> from seedwise.values.task import Task
        >>> arm = Arm(name="a", task=Task.embedded("entailment"), recipe=Recipe(model="m"), seeds=Seeds.paired(2))
        >>> design = Design(name="d", title="t", arms=(arm,), stands_for={"entailment": "RTE"})
        >>> task_words(design, arm.task)
        'entailment (for RTE)'
    """
    other = design.stands_for.get(task.name)
    if other is None or plain_task(other) == plain_task(task.name):
        return task.name
    return f"{task.name} (for {other})"


def arms_table(analysis: Analysis) -> Table:
    """Return every arm's score, and its difference to the one it is held against, beside the published ones.

    Without a published table, or where it has none of the tasks, ours stand alone.
    """
    design = None if analysis.design is None else analysis.design.design
    paper = None if design is None else published_scores(design)
    found = arm_scores(analysis, None if paper is None else paper.against)
    reasons = Reasons()
    for score in found:
        if score.reason:
            reasons.add(f"{score.task.name}, {score.arm}", score.reason)
    if design is None or paper is None or not any(_published(paper, design, score) for score in found):
        beside = None
    else:
        beside = _Beside(paper, design)
    columns = _columns(found, beside)
    caption = "Mean ± standard deviation of n trials, and the difference to another arm with its 95% interval."
    notes = list(reasons.notes())
    if beside is not None:
        caption = (
            f"This study beside {beside.paper.source}, where each mean is of {beside.paper.n} seeds on {beside.paper.split} rows. "
            f"{caption} That of a published difference is Welch's, computed from what was printed. As published: the interval excludes "
            "0 on the same side; neither: both include it. Bold by the paper's rule: the best mean, or not significantly worse by a one-tailed "
            "Student's t-test, which knows neither of shared seeds nor of the other comparisons; the table of verdicts is stricter."
        )
        notes += [*beside.paper.notes, *departures(beside.paper, beside.design)]
    splits = dict.fromkeys(f"{score.task.name}: {score.split}" for score in found)
    return Table(
        "arms" if beside is None else "published",
        f"{caption} Rows scored here: {', '.join(splits)}.",
        tuple(column.name for column in columns),
        tuple(column.kind for column in columns),
        tuple(tuple(column.value(score) for column in columns) for score in found),
        notes=tuple(notes),
    )


def tuning_table(analysis: Analysis) -> Table:
    """Return what each arm chose on each task, and whether the choice could as well have been the next one."""
    found = choices(analysis)
    rows = tuple(_choice_row(choice) for choice in found)
    notes = [_NONE] if not found else []
    for choice in found:
        if choice.chosen is None:
            notes.append(f"{choice.task.name}, {choice.arm}: nothing is chosen yet.")
        if any(tried.missing for tried in choice.ranked[:2]):
            notes.append(f"{choice.task.name}, {choice.arm}: trials without a score, so the difference is not told.")
        if choice.left_out and choice.tried:
            words = ", ".join(choice.left_out)
            notes.append(f"{choice.task.name}, {choice.arm}: without scores, so not chosen among: {words}.")
    if any(choice.against_next is not None for choice in found):
        notes.append(
            "Whoever picks the best of several sees it luckier than it is: the interval takes no account of that, and the table of "
            "results rests on other seeds."
        )
    return Table(
        "tuning",
        "What each arm chose by the mean validation score on the tuning seeds, which have no part in any other table: the "
        "chosen candidate, the next best, and the difference of their means with its 95% interval.",
        ("task", "arm", "candidates", "chosen", "mean ± sd", "next best", "next, mean ± sd", "better by", "separable?"),
        ("text", "text", "text", "text", "spread", "text", "spread", "interval", "text"),
        rows,
        notes=tuple(notes),
    )


def candidates_table(analysis: Analysis) -> Table:
    """Return the mean validation score of every candidate on the tuning seeds, ranked as the choice does; bold is what was chosen."""
    rows: list[tuple[Value, ...]] = []
    notes: list[str] = []
    bold = set()
    found = choices(analysis)
    for choice in found:
        for tried in choice.ranked:
            if tried.words == choice.chosen:
                bold |= {(len(rows), 2), (len(rows), 4)}
            n = len(tried.scores)
            ends = float(tried.scores.min()), float(tried.scores.max())
            rows.append((choice.task.name, choice.arm, tried.words, n, (tried.mean, tried.sd, n), *ends))
            if tried.missing:
                notes.append(
                    f"{choice.task.name}, {choice.arm}, {tried.words}: {tried.missing} of {n + tried.missing} trials have no score, "
                    "so it comes after those where all have one."
                )
    return Table(
        "candidates",
        "Validation scores of every candidate on the tuning seeds, the best mean first; bold: chosen.",
        ("task", "arm", "candidate", "seeds", "mean ± sd", "min", "max"),
        ("text", "text", "text", "count", "spread", "score", "score"),
        tuple(rows),
        frozenset(bold),
        tuple(notes) if found else (_NONE,),
    )


class _Column(NamedTuple):
    """One column of the table of arms."""

    name: str
    kind: Kind
    value: Callable[[ArmScore], Value]


class _Beside(NamedTuple):
    """What stands beside the arms."""

    paper: PublishedScores
    design: Design

    def spread(self, score: ArmScore, arm: str | None = None) -> tuple[float, float, int] | None:
        """Return the published mean, standard deviation and number of an arm on the score's task."""
        found = _published(self.paper, self.design, score if arm is None else score._replace(arm=arm))
        return None if found is None else (*found, self.paper.n)

    def difference(self, score: ArmScore) -> Interval | None:
        """Return the published difference of an arm to the one that it is held against."""
        mine, other = self.spread(score), None if score.against is None else self.spread(score, score.against)
        return None if mine is None or other is None else difference_of_summaries(mine, other)


def _columns(found: Sequence[ArmScore], beside: _Beside | None) -> list[_Column]:
    columns = [
        _Column("task", "text", lambda one: one.task.name if beside is None else task_words(beside.design, one.task)),
        _Column("arm", "text", lambda one: one.arm),
        _Column("here", "spread", lambda one: None if one.mean is None else (one.mean, float(one.sd or 0.0), one.n)),
        _Column("n", "count", lambda one: one.n or None),
    ]
    others = {one.against for one in found if one.against is not None}
    to = f" to {next(iter(others))}" if len(others) == 1 else ""
    if len(others) > 1:
        columns.append(_Column("held against", "text", lambda one: one.against))
    if others:
        columns.append(_Column(f"difference{to}", "interval", lambda one: _ends(_difference(one))))
    if beside is not None:
        columns.append(_Column("published", "printed", beside.spread))
    if beside is not None and others:
        columns += [
            _Column("published difference", "interval", lambda one: _ends(beside.difference(one))),
            _Column("bold by the paper's rule", "text", lambda one: {True: "yes", False: "no", None: None}[one.bold]),
            _Column("as published?", "text", lambda one: _agreement(_difference(one), beside.difference(one))),
        ]
    return columns


def _difference(score: ArmScore) -> Interval | None:
    """Return the difference with its interval, each comparison alone, as the paper's stand in its table."""
    return None if score.verdict is None or score.verdict.test is None else _alone(score.verdict)


def _alone(verdict: Verdict) -> Interval | None:
    if not math.isfinite(verdict.lower):
        return None
    return Interval(verdict.difference, verdict.lower, verdict.upper, verdict.confidence)


def _published(paper: PublishedScores, design: Design, score: ArmScore) -> tuple[float, float] | None:
    task = published_task(design, score.task)  # a name alone says nothing: anybody may call a task RTE
    return next((spread for name, spread in paper.rows.get(score.arm, {}).items() if plain_task(name) == task), None)


def _agreement(here: Interval | None, published: Interval | None) -> str | None:
    """Say whether the difference here is what was published, as far as both intervals tell."""
    if here is None or published is None:
        return None
    ours, theirs = _sign(here), _sign(published)
    if theirs == 0:
        return "yes, neither" if ours == 0 else f"no, {'better' if ours > 0 else 'worse'} here"
    if ours == 0:
        return "not shown here"
    return "yes" if ours == theirs else "no, the other way"


def _sign(interval: Interval) -> int:
    return int(interval.lower > 0) - int(interval.upper < 0)


def _ends(interval: Interval | None) -> Value:
    return None if interval is None else (interval.estimate, interval.lower, interval.upper)


def _choice_row(choice: Choice) -> tuple[Value, ...]:
    mine = next((tried for tried in choice.ranked if tried.words == choice.chosen), None)
    others = [
        tried for tried in choice.ranked if choice.chosen not in (None, tried.words)
    ]  # before the choice there is no next
    next_best = next(iter(others), None)
    spreads = [None if tried is None else (tried.mean, tried.sd, len(tried.scores)) for tried in (mine, next_best)]
    seeds = sorted({len(tried.scores) for tried in choice.tried})
    verdict = choice.against_next
    difference = None if verdict is None or verdict.test is None else _alone(verdict)
    separable = None if difference is None else ("yes" if _sign(difference) > 0 else "no")
    return (
        *(choice.task.name, choice.arm, f"{len(choice.tried)} × {_counts(seeds)} seeds" if seeds else None),
        *(choice.chosen, spreads[0], None if next_best is None else next_best.words, spreads[1]),
        *(_ends(difference), separable),
    )


def _counts(counts: Sequence[int]) -> str:
    return " or ".join(map(str, counts))
