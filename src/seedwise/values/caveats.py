"""What should somebody know before believing a score? Sentences for the terminal, the report and the model card."""

from collections.abc import Mapping
from typing import Any

from seedwise.values.imported import AnyTask

__all__ = ["row_caveats", "score_caveats"]


def row_caveats(facts: Mapping[str, Any]) -> list[str]:
    """Return what is unusual about a task's rows; nobody should learn it from a score.

    Args:
        facts: What preparing the task found: rows, truncated and repeated by split, max_length, dropped.

    Example:
        >>> row_caveats({"rows": {"train": 90, "test": 10}, "repeated": {"test": 3}})
        ['3 of 10 test rows are also among the training rows.']
    """
    sentences = []
    if cut := _shares(facts, "truncated"):
        sentences.append(f"longer than {facts['max_length']} tokens and truncated: {cut}.")
    if facts.get("dropped"):
        sentences.append(f"{facts['dropped']} rows without a text or a label were left out.")
    if repeated := _shares(facts, "repeated"):
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


def _shares(facts: Mapping[str, Any], name: str) -> str:
    return ", ".join(f"{n} of {facts['rows'][split]} {split} rows" for split, n in facts.get(name, {}).items() if n)
