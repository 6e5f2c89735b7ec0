"""What is there to say of several tasks together?"""

from seedwise.analysis.analysis import Analysis
from seedwise.analysis.over_tasks import OverTasks
from seedwise.errors import UnknownError
from seedwise.report.sentences.words import score
from seedwise.stats.tasks.friedman import RecipeRanks

__all__ = ["task_sentences"]

_LEVEL = 0.05
_NAMED = 6
"""Of more recipes only the best few are named."""


def task_sentences(analysis: Analysis) -> list[str]:
    """Return what each recipe scores over tasks, and whether the tasks rank the recipes alike; nothing of one task."""
    try:
        found = analysis.over_tasks()
    except UnknownError:
        return []
    return [_middle(found), *([] if found.ranks is None else [_ranking(found, found.ranks)])]


def _middle(found: OverTasks) -> str:
    best = sorted(found.recipes, key=lambda one: -one.interquartile_mean.estimate)
    alone = len(best) == 1
    told = [
        f"{score(one.interquartile_mean.estimate)} [{score(one.interquartile_mean.lower)}, "
        f"{score(one.interquartile_mean.upper)}]{'' if alone else f' ({one.recipe})'}"
        for one in best[:_NAMED]
    ]
    more = f" and {len(best) - _NAMED} more" if len(best) > _NAMED else ""
    return (
        f"Over {' and '.join(found.tasks) if len(found.tasks) == 2 else ', '.join(found.tasks)}, on a scale from the constant guess "
        f"(0) to a perfect score (1), the middle half of all trials has a mean of {', '.join(told)}{more}, with 95% intervals for "
        "these tasks and other seeds."
    )


def _ranking(found: OverTasks, ranks: RecipeRanks) -> str:
    count = len(found.tasks)
    if ranks.least_p >= _LEVEL:
        return (
            f"Whether the same recipe would be best on other tasks cannot be told: by chance alone, {count} tasks rank "
            f"{len(found.recipes)} recipes alike with p = {ranks.least_p:.2g} (Friedman's test)."
        )
    pairs = [
        f"{found.recipes[better].recipe} above {found.recipes[worse].recipe}"
        for better in range(len(found.recipes))
        for worse in range(len(found.recipes))
        if ranks.mean_rank[better] < ranks.mean_rank[worse] and ranks.pair_p[better, worse] < _LEVEL
    ]
    which = f": they rank {', '.join(pairs)}" if pairs and ranks.p < _LEVEL else ""
    verdict = "do rank the recipes alike" if ranks.p < _LEVEL else "do not clearly rank the recipes alike"
    return f"The {count} tasks {verdict}{which} (Friedman's test over tasks, p = {ranks.p:.2g})."
