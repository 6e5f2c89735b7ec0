"""Which tables does a study with a design have: its arms beside the published ones, and what each of them chose?"""

from collections.abc import Sequence

from seedwise.analysis.analysis import Analysis
from seedwise.analysis.arms import ArmScore, arm_scores
from seedwise.analysis.choices import Choice, choices
from seedwise.charts.cell_rows import Reasons
from seedwise.charts.published import PUBLISHED, PublishedScores
from seedwise.charts.tables import Kind, Table, Value
from seedwise.design import Design
from seedwise.imported import AnyTask
from seedwise.stats.intervals import Interval
from seedwise.stats.summaries import difference_of_summaries

__all__ = ["arms_table", "candidates_table", "published_scores", "stands_for_words", "tuning_table"]

_NONE = "no arm chooses anything; give one a search."


def published_scores(design: Design) -> PublishedScores | None:
    """Return the published table that a design's results belong beside; None where there is none."""
    return PUBLISHED.get(design.published or "")


def stands_for_words(design: Design, task: AnyTask) -> str:
    """Return what to call a task where published tasks stand beside it.

    Example:
        >>> from seedwise.arm import Arm
        >>> from seedwise.recipe import Recipe
        >>> from seedwise.seeds import Seeds
        >>> from seedwise.task import Task
        >>> arm = Arm(name="a", task=Task.embedded("entailment"), recipe=Recipe(model="m"), seeds=Seeds.paired(2))
        >>> design = Design(name="d", title="t", arms=(arm,), stands_for={"entailment": "RTE"})
        >>> stands_for_words(design, arm.task)
        'entailment (stands for RTE)'
    """
    other = design.stands_for.get(task.name)
    if other is None or _plain(other) == _plain(task.name):
        return task.name
    return f"{task.name} (stands for {other})"


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
    known = paper is not None and design is not None and any(_published(paper, design, score) for score in found)
    rows = tuple(_arm_row(score, design, paper if known else None) for score in found)
    header: tuple[str, ...] = ("task", "arm", "here, mean ± sd", "n", "held against", "difference here")
    kinds: tuple[Kind, ...] = ("text", "text", "spread", "count", "text", "interval")
    notes = list(reasons.notes())
    caption = (
        "Mean ± standard deviation of the scores of n trials, and the difference to another arm with its 95% interval."
    )
    if known and paper is not None and design is not None:
        header += ("published, mean ± sd", "difference published", "as published?")
        kinds += ("spread", "interval", "text")
        caption = (
            f"This study beside {paper.source} (means of {paper.n} seeds, {paper.split} rows): mean ± standard deviation, and "
            "the difference to another arm with its 95% interval; of the published one it is Welch's, from what was printed."
        )
        notes += [*paper.notes, *_scale_notes(design)]
    splits = dict.fromkeys(f"{score.task.name}: {score.split}" for score in found)
    caption += f" Rows scored here: {', '.join(splits)}."
    return Table("published" if known else "arms", caption, header, kinds, rows, notes=tuple(notes))


def tuning_table(analysis: Analysis) -> Table:
    """Return what each arm chose on each task, and whether the choice could as well have been the next one."""
    found = choices(analysis)
    rows = tuple(_choice_row(choice) for choice in found)
    notes = [_NONE] if not found else []
    for choice in found:
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
        (
            "task",
            "arm",
            "candidates",
            "seeds",
            "chosen",
            "mean ± sd",
            "next best",
            "next, mean ± sd",
            "better by",
            "separable?",
        ),
        ("text", "text", "count", "text", "text", "spread", "text", "spread", "interval", "text"),
        rows,
        notes=tuple(notes),
    )


def candidates_table(analysis: Analysis) -> Table:
    """Return the mean validation score of every candidate on the tuning seeds, the best first; bold is what was chosen."""
    rows: list[tuple[Value, ...]] = []
    bold = set()
    found = choices(analysis)
    for choice in found:
        for tried in choice.tried:
            if tried.words == choice.chosen:
                bold |= {(len(rows), 2), (len(rows), 4)}
            n = len(tried.scores)
            ends = float(tried.scores.min()), float(tried.scores.max())
            rows.append((choice.task.name, choice.arm, tried.words, n, (tried.mean, tried.sd, n), *ends))
    return Table(
        "candidates",
        "Validation scores of every candidate on the tuning seeds, the best mean first; bold: chosen.",
        ("task", "arm", "candidate", "seeds", "mean ± sd", "min", "max"),
        ("text", "text", "text", "count", "spread", "score", "score"),
        tuple(rows),
        frozenset(bold),
        () if found else (_NONE,),
    )


def _arm_row(score: ArmScore, design: Design | None, paper: PublishedScores | None) -> tuple[Value, ...]:
    here = None if score.mean is None else (score.mean, float(score.sd or 0.0), score.n)
    difference = None if score.comparison is None else score.comparison.difference
    name = score.task.name if design is None else stands_for_words(design, score.task)
    row: tuple[Value, ...] = (name, score.arm, here, score.n or None, score.against, _ends(difference))
    if paper is None or design is None:
        return row
    mine = _published(paper, design, score)
    other = None if score.against is None else _published(paper, design, score._replace(arm=score.against))
    theirs = None if mine is None or other is None else difference_of_summaries((*mine, paper.n), (*other, paper.n))
    spread = None if mine is None else (*mine, paper.n)
    return (*row, spread, _ends(theirs), _agreement(difference, theirs))


def _published(paper: PublishedScores, design: Design, score: ArmScore) -> tuple[float, float] | None:
    task = design.stands_for.get(score.task.name, score.task.name)
    named = {_plain(name): spread for name, spread in paper.rows.get(score.arm, {}).items()}
    return named.get(_plain(task))


def _agreement(here: Interval | None, published: Interval | None) -> str | None:
    """Say whether the difference here is what was published, as far as both intervals tell."""
    if here is None or published is None:
        return None
    ours, theirs = _sign(here), _sign(published)
    if theirs == 0:
        return "yes, no difference shown" if ours == 0 else f"no, {'better' if ours > 0 else 'worse'} here"
    if ours == 0:
        return "not shown here"
    return "yes" if ours == theirs else "no, the other way round"


def _sign(interval: Interval) -> int:
    return int(interval.lower > 0) - int(interval.upper < 0)


def _ends(interval: Interval | None) -> Value:
    return None if interval is None else (interval.estimate, interval.lower, interval.upper)


def _choice_row(choice: Choice) -> tuple[Value, ...]:
    mine = next((tried for tried in choice.tried if tried.words == choice.chosen), None)
    next_best = next((tried for tried in choice.tried if tried.words != choice.chosen), None)
    spreads = [None if tried is None else (tried.mean, tried.sd, len(tried.scores)) for tried in (mine, next_best)]
    seeds = sorted({len(tried.scores) for tried in choice.tried})
    difference = None if choice.against_next is None else choice.against_next.difference
    separable = None if difference is None else ("yes" if _sign(difference) > 0 else "no")
    return (
        *(choice.task.name, choice.arm, len(choice.tried) or None, _counts(seeds)),
        *(choice.chosen, spreads[0], None if next_best is None else next_best.words, spreads[1]),
        *(_ends(difference), separable),
    )


def _counts(counts: Sequence[int]) -> str | None:
    return " or ".join(map(str, counts)) or None


def _scale_notes(design: Design) -> list[str]:
    replaced = {name: other for name, other in design.stands_for.items() if _plain(name) != _plain(other)}
    notes = []
    if replaced:
        pairs = ", ".join(f"{name} for {other}" for name, other in replaced.items())
        notes.append(
            f"Other tasks stand for the published ones: {pairs}. Their scores cannot be compared, at most the signs of differences."
        )
    if design.scale != "full":
        notes.append("At small scale model, rows, seeds and steps are far from the published ones.")
    return notes


def _plain(task: str) -> str:
    return "".join(letter for letter in task.lower() if letter.isalnum()).removeprefix("glue").replace("sst2", "sst")
