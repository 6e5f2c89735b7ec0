"""Which recipe is best on a task, after picking it for being best?"""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from seedwise.analysis.recipes import RecipeScore
from seedwise.analysis.verdicts import Answer, Verdict

__all__ = ["Headline", "headline"]


class Headline(NamedTuple):
    """The recipe with the best mean on one task, and what the comparisons with it say of the others.

    All pairs of the study's recipes on all of its tasks were compared, and their p-values corrected together (Holm), so that
    having picked the best is allowed for.
    """

    best: RecipeScore  # the recipe with the best mean
    worse: tuple[Verdict, ...]  # the best against each recipe that is worse
    open: tuple[Verdict, ...]  # the best against each recipe that cannot be told from it
    better: tuple[Verdict, ...]  # the best against recipes that are better on the trials that both have
    inseparable: tuple[Verdict, ...]  # the best against each recipe where the seeds allow no answer
    left_out: Mapping[str, str]  # recipes that are compared with no other, and so cannot be the best, by label; and why

    @property
    def top(self) -> frozenset[str]:
        """Labels of the best and of all recipes that are not worse."""
        return frozenset((self.best.recipe, *(v.b for v in (*self.open, *self.better, *self.inseparable))))


def headline(scores: Sequence[RecipeScore], verdicts: Sequence[Verdict], left_out: Mapping[str, str]) -> Headline:
    """Return the headline of one task from its recipes' scores and the corrected verdicts of all pairs."""
    best = min(scores, key=lambda score: score.rank)
    mine = [v if v.a == best.recipe else turned(v) for v in verdicts if best.recipe in (v.a, v.b)]
    kinds = {Answer.A_BETTER: "worse", Answer.B_BETTER: "better", Answer.NOT_SEPARABLE: "inseparable"}
    found: dict[str, list[Verdict]] = {"worse": [], "open": [], "better": [], "inseparable": []}
    for verdict in mine:
        found[kinds.get(verdict.answer, "open")].append(verdict)
    return Headline(best, **{kind: tuple(some) for kind, some in found.items()}, left_out=left_out)


def turned(verdict: Verdict) -> Verdict:
    """Return the same verdict with A and B exchanged."""
    answers = {Answer.A_BETTER: Answer.B_BETTER, Answer.B_BETTER: Answer.A_BETTER}
    return verdict._replace(
        a=verdict.b,
        b=verdict.a,
        n_a=verdict.n_b,
        n_b=verdict.n_a,
        mean_a=verdict.mean_b,
        mean_b=verdict.mean_a,
        sd_a=verdict.sd_b,
        sd_b=verdict.sd_a,
        difference=-verdict.difference,
        lower=-verdict.upper,
        upper=-verdict.lower,
        corrected_lower=-verdict.corrected_upper,
        corrected_upper=-verdict.corrected_lower,
        answer=answers.get(verdict.answer, verdict.answer),
    )
