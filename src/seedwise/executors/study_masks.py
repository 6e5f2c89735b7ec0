"""Which dropout masks do the trials of a study get? One kind for all, as equal seeds are compared with each other."""

from collections.abc import Sequence
from typing import NamedTuple

from seedwise.engines.engine import ENGINES, PACKED, PLAIN, Engine
from seedwise.executors.base import Job, Remaining
from seedwise.values.facts import Environment
from seedwise.values.masks import Masks

__all__ = ["StudyMasks", "cell_of", "masks_of", "study_masks", "with_masks"]


class StudyMasks(NamedTuple):
    """Masks of a study."""

    kinds: dict[tuple[str, str], Masks]  # the kind by task id and recipe id
    on_record: frozenset[Masks]  # which kinds its trials on record have
    said: tuple[str, ...]  # what its user should know, in sentences


def study_masks(remaining: Sequence[Remaining], wanted: Masks, device: str) -> StudyMasks:
    """Decide on the masks of a study's trials.

    A task and recipe with trials on record goes on with theirs. All others get one kind: the library's where a trial on
    record has it, else hashed where one has that, else the library's where packed cannot train one of them, else what is
    wanted. What packed cannot train has the library's masks in any case.
    """
    kinds = {cell_of(item): kind for item in remaining if (kind := masks_of(item.environment)) is not None}
    new, on_record = [item for item in remaining if cell_of(item) not in kinds], frozenset(kinds.values())
    kind = Masks.LIBRARY if Masks.LIBRARY in on_record else Masks.HASHED if on_record else wanted
    unable: list[tuple[Remaining, str]] = []
    if kind is Masks.HASHED:
        reasons = [(item, PACKED.reason_against(item.trial.recipe, device)) for item in new]
        unable = [(item, reason) for item, reason in reasons if reason is not None]
    if unable and not on_record:
        kind = Masks.LIBRARY
    kinds |= {cell_of(item): kind for item in new} | {cell_of(item): Masks.LIBRARY for item, _ in unable}
    said = _sentences(unable, on_record, wanted) if any(item.steps for item in remaining) else ()
    return StudyMasks(kinds, on_record, said)


def masks_of(environment: Environment) -> Masks | None:
    """Return which masks a trial with this environment was trained with; None of one that never ran."""
    if not environment.is_known:
        return None
    return ENGINES.get(environment.engine or PLAIN.name, PACKED).masks  # an engine of a newer version hashes, too


def with_masks(engine: Engine, masks: Masks | None) -> Engine:
    """Return an engine, or in its place one that draws the masks that are needed."""
    if masks in (None, engine.masks):
        return engine
    return PLAIN if masks is Masks.LIBRARY else PACKED


def cell_of(item: Remaining | Job) -> tuple[str, str]:
    """Return the ids of task and recipe."""
    return item.trial.task.id, item.trial.recipe.id


def _sentences(unable: list[tuple[Remaining, str]], on_record: frozenset[Masks], wanted: Masks) -> tuple[str, ...]:
    """Say where trials get other masks than wanted, and why."""
    names = [(f"{item.trial.recipe.model_name} on {item.trial.task.name}", reason) for item, reason in unable]
    if len(on_record) == len(Masks):
        two = "trials on record have two kinds of dropout masks: each task and recipe goes on with its own"
        return (f"{two}, and new ones take the library's, with the plain engine.",)
    if on_record == {Masks.HASHED}:
        differ = tuple(
            f"{name} runs on the plain engine ({reason}), so its dropout masks differ from those of the trials on record: "
            "paired seeds do not share masks."
            for name, reason in names
        )
        goes_on = "the study began with hashed dropout masks, which plain does not draw: its trials go on with packed."
        return (*((goes_on,) if wanted is Masks.LIBRARY else ()), *differ)
    if on_record and wanted is Masks.HASHED:
        return ("all trials run on the plain engine, as the study began with the library's own dropout masks.",)
    if names:
        name, reason = names[0]
        return (
            f"all trials run on the plain engine, so that they share dropout masks: {name} has no other ({reason}).",
        )
    return ()
