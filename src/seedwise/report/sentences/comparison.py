"""What is there to say of two recipes on one task, line by line?"""

import math

from seedwise.analysis.recipes import MEANINGFUL, RecipeComparison
from seedwise.analysis.verdicts import Answer, Verdict
from seedwise.report.sentences.recipes import verdict_sentence
from seedwise.report.sentences.words import score
from seedwise.stats.compare.means import MeanTest
from seedwise.stats.compare.stability import FailedShareDifference
from seedwise.values.labels import metric_words

__all__ = ["LOOKING_AGAIN", "comparison_lines"]

_NEARLY = 0.2
"""Of almost stochastic order: below this bound two equal recipes are called unequal about as rarely as by a test at 5 %."""
SEEN = 0.1
"""Failures of fewer trials than this are taken for rare enough not to turn a comparison of means."""
FEW = 0.2
"""Where fewer trials fail than this, the interval of a ratio of spreads holds in as few as 84 % of studies."""
LOOKING_AGAIN = (
    "adding seeds until p < 0.05 makes wrong answers more than twice as frequent; --sequential, and `seedwise gate` on fresh seeds, "
    "may look again and again"
)


def comparison_lines(found: RecipeComparison) -> list[str]:
    """Return the verdict, what it rests on, and in what else the recipes differ."""
    verdict, improvement = found.verdict, found.improvement
    of = "the seeds that both have" if verdict.paired else "all trials"
    lines = [
        f"{verdict.task}, {metric_words(verdict.metric, verdict.split)}",
        f"  {verdict_sentence(verdict)}",
        f"  A  {verdict.a}: {verdict.mean_a:.4f} ± {verdict.sd_a:.4f} (mean ± sd of {verdict.n_a} trials)",
        f"  B  {verdict.b}: {verdict.mean_b:.4f} ± {verdict.sd_b:.4f} (of {verdict.n_b})",
        *(f"  of {sentence}" for sentence in verdict.left_out),
    ]
    if verdict.test is not None:
        lines.append(f"  A minus B over {of} (positive: A is better): {verdict.difference:+.4f} {_ends(verdict)}")
        if verdict.test is MeanTest.SEQUENTIAL:
            lines.append("  the answer and this interval hold however often one looks; what follows holds for one look")
        elif verdict.answer is Answer.NOT_TOLD_APART:
            lines.append(f"  {LOOKING_AGAIN}")
        lines += [f"  {sentence}" for sentence in _rows(found)]
    if improvement is not None:
        meaningful = found.meaningfully_better
        matters = "" if meaningful is None else f"; at least {MEANINGFUL:.2f} for {meaningful}, which is meaningful"
        ends = f"[{improvement.lower:.2f}, {improvement.upper:.2f}]"
        lines.append(f"  a trial of A beats one of B with probability {improvement.estimate:.2f} {ends}{matters}")
    if found.stochastic_order is not None:
        first, second = (verdict.a, verdict.b) if verdict.difference > 0 else (verdict.b, verdict.a)
        epsilon = found.stochastic_order.epsilon
        nearly = epsilon < _NEARLY and verdict.better == first
        words = "better at nearly every quantile" if nearly else "not shown to be better at nearly every quantile"
        lines.append(f"  almost stochastic order of {first} over {second}: epsilon {epsilon:.2f}, {words}")
    lines += [f"  {sentence}" for sentence in _failures(found)]
    if found.spread is not None:
        ratio = found.spread
        sides = [side for side in (found.hurdle_a, found.hurdle_b) if side is not None]
        rough = "; rough, since few trials fail" if any(0 < side.failed.share < FEW for side in sides) else ""
        lines.append(
            f"  sd of A over sd of B: {ratio.ratio:.2f} [{ratio.lower:.2f}, {ratio.upper:.2f}], p = {ratio.p:.2g}{rough}"
        )
    return lines


def _failures(found: RecipeComparison) -> list[str]:
    """Say how often either recipe fails, what its other trials score, and that failures may have stayed unseen."""
    if found.failed is None:
        return []
    sentences = [f"failed, by the best validation score, A minus B: {_share(found.failed)}"]
    if found.failed_at_the_end is not None and found.failed_at_the_end != found.failed:
        sentences.append(f"failed, by the last validation score, A minus B: {_share(found.failed_at_the_end)}")
    sides = [side for side in (found.hurdle_a, found.hurdle_b) if side is not None]
    if len(sides) == 2 and any(side.failed.failed for side in sides):
        rest = [f"{score(side.mean.estimate)} [{score(side.mean.lower)}, {score(side.mean.upper)}]" for side in sides]
        sentences.append(f"trials that did not fail score on validation rows: A {rest[0]}, B {rest[1]}")
    unseen = max((side.failed.upper for side in sides if not side.failed.failed), default=0.0)
    if unseen > SEEN:
        sentences.append(
            f"failures that no trial has shown yet (up to {100 * unseen:.0f} % of trials may fail) would change means and spreads"
        )
    return sentences


def _rows(found: RecipeComparison) -> list[str]:
    """Say whether the verdict, which is of the rows that were scored, holds on new ones."""
    verdict, rows = found.verdict, found.new_rows
    if rows is None:
        return [
            f"all of this holds for these {verdict.split} rows; what holds on new ones is not known: {found.new_rows_reason}"
        ]
    ends = f"[{rows.lower:+.4f}, {rows.upper:+.4f}], p = {rows.p_corrected:.2g}"
    told = "not told apart" if rows.better is None else f"{rows.better} is better"
    return [f"on new rows, with {rows.rows} rows taken for chance as well as the seeds: {told}, A minus B {ends}"]


def _ends(verdict: Verdict) -> str:
    """Return the interval that the answer goes by."""
    if not math.isfinite(verdict.corrected_lower):
        return "(too few trials for an interval)"
    if verdict.comparisons == 1:
        level = f"{verdict.confidence:.0%}"
    else:
        level = f"{verdict.confidence:.0%}, corrected for {verdict.comparisons} comparisons"
    return f"[{verdict.corrected_lower:+.4f}, {verdict.corrected_upper:+.4f}] ({level})"


def _share(found: FailedShareDifference) -> str:
    ends = f"[{100 * found.lower:+.0f}, {100 * found.upper:+.0f}]"
    return f"{100 * found.difference:+.0f} % {ends}, p = {found.p:.2g}"
