"""Which dropout masks do the trials of a study get? One kind for all, as equal seeds are compared with each other.

The library's own model draws masks of its own; all faster paths share masks that are hashes of their place.
"""

from collections.abc import Sequence
from typing import NamedTuple

from seedwise.executors.base import Job, Remaining, masks_of
from seedwise.executors.layout import reason_against

__all__ = ["Masks", "cell_of", "path_for", "study_masks"]


class Masks(NamedTuple):
    """Masks of a study.

    Args:
        kinds: library or hashed, by task id and recipe id.
        on_record: Which kinds its trials on record have.
        said: What its user had better know, in sentences.
    """

    kinds: dict[tuple[str, str], str]
    on_record: frozenset[str]
    said: tuple[str, ...]


def study_masks(work: Sequence[Remaining], wanted: str, device: str) -> Masks:
    """Decide on the masks of a study's trials.

    A task and recipe with trials on record goes on with theirs. All others get one kind: the library's where a trial on
    record has it, else hashed where one has that, else the library's where one of them can take no fast path, else what is
    wanted. What can take no fast path has the library's masks in any case.

    Args:
        work: All work of the study, also what has ended.
        wanted: library or hashed, where the study leaves it open.
        device: Where it is trained.
    """
    kinds = {cell_of(item): kind for item in work if (kind := masks_of(item.origin)) is not None}
    new, on_record = [item for item in work if cell_of(item) not in kinds], frozenset(kinds.values())
    kind = "library" if "library" in on_record else "hashed" if on_record else wanted
    unable: list[tuple[Remaining, str]] = []
    if kind == "hashed":
        reasons = [(item, reason_against("packed", item.trial.recipe, device)) for item in new]
        unable = [(item, reason) for item, reason in reasons if reason is not None]
    if unable and not on_record:
        kind = "library"
    kinds |= {cell_of(item): kind for item in new} | {cell_of(item): "library" for item, _ in unable}
    said = _sentences(unable, on_record, wanted) if any(item.steps for item in work) else ()
    return Masks(kinds, on_record, said)


def path_for(job: Job, path: str) -> str:
    """Return a path, or in its place the one that has the masks that a job must have."""
    if job.masks is None or job.masks == masks_of({"path": path}):
        return path
    return "plain" if job.masks == "library" else "packed"


def cell_of(item: Remaining | Job) -> tuple[str, str]:
    """Return the ids of task and recipe."""
    return item.trial.task.id, item.trial.recipe.id


def _sentences(unable: list[tuple[Remaining, str]], on_record: frozenset[str], wanted: str) -> tuple[str, ...]:
    """Say where trials get other masks than wanted, and why."""
    names = [(f"{item.trial.recipe.model_name} on {item.trial.task.name}", reason) for item, reason in unable]
    if on_record == {"library", "hashed"}:
        two = "trials on record have two kinds of dropout masks: each task and recipe goes on with its own"
        return (f"{two}, and new ones take the library's, on the plain path.",)
    if on_record == {"hashed"}:
        differ = tuple(
            f"{name} takes the plain path ({reason}), so its dropout masks differ from those of the trials on record: "
            "paired seeds do not share masks."
            for name, reason in names
        )
        goes_on = "the study began with the dropout masks of the fast paths: its trials go on packed."
        return (*((goes_on,) if wanted == "library" else ()), *differ)
    if on_record and wanted == "hashed":
        return ("all trials take the plain path, as the study began with the library's own dropout masks.",)
    if names:
        name, reason = names[0]
        return (f"all trials take the plain path, so that they share dropout masks: {name} has no other ({reason}).",)
    return ()
