"""What should somebody know before believing a score? Sentences for the terminal, the report and the model card."""

from collections.abc import Mapping

from seedwise.values.facts import TaskFacts
from seedwise.values.imported import AnyTask

__all__ = ["row_caveats", "score_caveats"]


def row_caveats(facts: TaskFacts) -> list[str]:
    """Return what is unusual about a task's rows; nobody should learn it from a score.

    Args:
        facts: What preparing the task found.

    Example:
        >>> row_caveats(TaskFacts(rows={"train": 90, "test": 10}, repeated={"test": 3}))
        ['3 of 10 test rows are also among the training rows.']
    """
    sentences = []
    if cut := _shares(facts.truncated, facts.rows):
        sentences.append(f"longer than {facts.max_length} tokens and truncated: {cut}.")
    if facts.dropped:
        sentences.append(f"{facts.dropped} rows without a text or a label were left out.")
    if repeated := _shares(facts.repeated, facts.rows):
        sentences.append(f"{repeated} are also among the training rows.")
    return sentences


def score_caveats(task: AnyTask, score: float | None, baseline: float | None) -> list[str]:
    """Return a sentence where a score is no better than the best constant guess.

    Args:
        task: The task, whose metric the score is in.
        score: The best validation score; None where there is none.
        baseline: What the best constant guess scores; None where that is unknown.
    """
    if score is None or baseline is None or task.is_better(score, than=baseline):
        return []
    guess = f"is no better than the best constant guess, {baseline:.3f}"
    return [f"the best {task.metric}, {score:.3f}, {guess}; try another learning rate, more epochs or more rows."]


def _shares(counts: Mapping[str, int], rows: Mapping[str, int]) -> str:
    return ", ".join(f"{count} of {rows[split]} {split} rows" for split, count in counts.items() if count)
