"""Which recipe is best on each task?"""

from seedwise.analysis.analysis import Analysis
from seedwise.analysis.seeds import is_crossed
from seedwise.errors import UnknownError
from seedwise.report.sentences.words import score
from seedwise.values.labels import metric_words

__all__ = ["recipe_sentences"]


def recipe_sentences(analysis: Analysis) -> list[str]:
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
