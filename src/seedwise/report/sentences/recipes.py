"""Which recipe is better: what a verdict says, and which recipe is best on each task?"""

from collections.abc import Sequence

from seedwise.analysis.analysis import Analysis
from seedwise.analysis.headline import Headline
from seedwise.analysis.verdicts import Answer, Needed, Verdict
from seedwise.errors import UnknownError
from seedwise.report.sentences.words import score
from seedwise.stats.compare.means import MeanTest
from seedwise.values.labels import metric_words

__all__ = ["p_words", "recipe_sentences", "verdict_sentence"]


def recipe_sentences(analysis: Analysis) -> list[str]:
    """For each task with several recipes, return which has the best mean and which others are worse."""
    sentences = []
    for task in dict.fromkeys(cell.task.name for cell in analysis.cells):
        if sum(cell.task.name == task for cell in analysis.cells) < 2:
            continue
        try:
            sentences.append(_headline(task, analysis.headline(task)))
        except UnknownError as error:
            sentences.append(f"{task}: it cannot be said which recipe is best: {error}")
    return sentences


def verdict_sentence(verdict: Verdict) -> str:
    """Return what the comparison of two recipes says: the answer, its test, and what would tell more."""
    pair = f"{verdict.a} and {verdict.b}"
    if verdict.answer is Answer.NOT_SEPARABLE:
        return f"No winner can be named: {verdict.reason}."
    if verdict.answer is Answer.SAME_SCORES:
        said = f"{pair} score the same, so there is no difference"
    elif verdict.better is not None:
        said = f"{verdict.better} is better: {p_words(verdict)}"
    elif verdict.answer is Answer.WITHIN_MARGIN:
        many = "" if verdict.comparisons == 1 else f", corrected for {verdict.comparisons} comparisons (Bonferroni)"
        said = f"{pair} are equal within ±{verdict.margin:g}: two one-sided tests, p = {verdict.p_margin:.2g}{many}"
    else:
        said = f"{pair} cannot be told apart: {p_words(verdict)}{_needed(verdict.needed)}"
    holds = f" This holds for {' and '.join(verdict.holds_for)} alone." if verdict.holds_for else ""
    return f"{said}.{holds}"


def p_words(verdict: Verdict) -> str:
    """Return a verdict's test and p-value in words."""
    if verdict.test is MeanTest.IDENTICAL:
        return "their scores are equal"
    if verdict.comparisons == 1:
        return f"{verdict.test}, p = {verdict.p:.2g}"
    return f"{verdict.test}, p = {verdict.p_corrected:.2g}, corrected for {verdict.comparisons} comparisons (Holm)"


def _needed(needed: Needed | None) -> str:
    if needed is None:
        return ""
    if needed.reason:
        return f"; {needed.reason}"
    if needed.n_each is not None:
        seeds = f"{needed.n_each} seeds each"
    else:
        seeds = f"{needed.times or 1:.1f} times as many seeds of every kind"
    return f"; if the difference is as large as it looks, {seeds} would show it with 80% power"


def _headline(task: str, found: Headline) -> str:
    best = found.best
    said = (
        f"{task}: {best.recipe} has the best mean {metric_words(best.metric, best.split)}, {score(best.mean)} ± "
        f"{best.sd:.3f} ({best.n} trials)"
    )
    alone = len(found.worse) > 1 and not (found.open or found.better or found.inseparable or found.left_out)
    parts = []
    if found.worse:
        parts.append("all others are worse" if alone else f"worse: {_names(found.worse)}")
    if found.open:
        parts.append(f"not told apart from it: {_names(found.open)}")
    if found.better:
        parts.append(f"better on the seeds that both were run with: {_names(found.better)}")
    parts += [f"not comparable with it: {_names([v])}, because {v.reason}" for v in found.inseparable]
    without = "".join(f" {name} is left out: {why or 'it cannot be compared.'}" for name, why in found.left_out.items())
    return f"{said}; {'; '.join(parts)}{_how(found)}.{without}"


def _names(verdicts: Sequence[Verdict]) -> str:
    return ", ".join(verdict.b for verdict in verdicts)


def _how(found: Headline) -> str:
    """Say by which test the others are worse or not; nothing where no test was made."""
    verdicts = [v for v in (*found.worse, *found.open, *found.better, *found.inseparable) if v.test is not None]
    if not verdicts:
        return ""
    if len(verdicts) == 1:
        return f" ({p_words(verdicts[0])})"
    tests = " or ".join(dict.fromkeys(_test_words(verdict) for verdict in verdicts))
    count = max(verdict.comparisons for verdict in verdicts)
    return f" ({tests}; at the 5 % level after Holm's correction for {count} comparisons)"


def _test_words(verdict: Verdict) -> str:
    return "equal scores" if verdict.test is MeanTest.IDENTICAL else str(verdict.test)
