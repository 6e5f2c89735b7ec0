"""What should a reader know before believing a score? Sentences for the terminal, the report and the model card."""

from collections.abc import Mapping, Sequence

from seedwise.values.facts import TaskFacts
from seedwise.values.imported import AnyTask
from seedwise.values.record import Event

__all__ = ["repeat_caveats", "row_caveats", "score_caveats"]


def row_caveats(facts: TaskFacts) -> list[str]:
    """Return what is unusual about a task's rows, to read before any score.

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
    """Return a sentence if a score is no better than the best constant guess."""
    if score is None or baseline is None or task.is_better(score, than=baseline):
        return []
    guess = f"is no better than the best constant guess, {baseline:.3f}"
    return [f"the best {task.metric}, {score:.3f}, {guess}; try another learning rate, more epochs or more rows."]


def repeat_caveats(differences: Sequence[Event]) -> list[str]:
    """Return a sentence if restarted trials did not repeat exactly.

    Example:
        >>> repeat_caveats([Event("2026-11-28", "5e19a80c77", "replay differs", "step 2: the loss was 0.5 and is 0.25")])
        ['1 trial did not repeat exactly: in 5e19a80c, replay differs (step 2: the loss was 0.5 and is 0.25). What was stored first is kept; the table of events that `seedwise export` writes tells all.']
    """
    if not differences:
        return []
    trials, first = len({event.trial_id for event in differences}), differences[0]
    start = f"{trials} trial{'' if trials == 1 else 's'} did not repeat exactly: in {(first.trial_id or '?')[:8]}, "
    more = f", and {len(differences) - 1} more" if len(differences) > 1 else ""
    kept = "What was stored first is kept; the table of events that `seedwise export` writes tells all."
    return [f"{start}{first.kind} ({first.detail}){more}. {kept}"]


def _shares(counts: Mapping[str, int], rows: Mapping[str, int]) -> str:
    return ", ".join(f"{count} of {rows[split]} {split} rows" for split, count in counts.items() if count)
