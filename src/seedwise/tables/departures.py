"""In what is a study other than the published one that its results stand beside?"""

from collections.abc import Iterator, Sequence
from dataclasses import fields
from typing import Any

from seedwise.papers.numbers import PublishedScores
from seedwise.values.arm import Arm
from seedwise.values.benchmarks import GLUE, glue_task
from seedwise.values.design import Design
from seedwise.values.imported import AnyTask
from seedwise.values.recipe import Recipe
from seedwise.values.splits import Splits
from seedwise.values.task import Task

__all__ = ["departures", "plain_task", "published_task"]

_NO_SETTING = ("model", "start_from", "track")
"""Fields that are told otherwise, are an arm's own, or change no score."""


def departures(paper: PublishedScores, design: Design) -> list[str]:
    """Return what of a study's tasks, rows, models and settings is other than published, a sentence each."""
    arms = [arm for arm in design.arms if _is_published(paper, design, arm)]
    found = [*_stand_ins(design), *_models(paper, arms), *_rows(design, arms)]
    if design.scale == "full":
        found += _settings(paper, arms)
    else:
        found.append("At small scale model, rows, seeds and steps are far from the published ones.")
    if any(0 in arm.search.get("reinit_layers", ()) for arm in arms):
        found.append("The paper chooses among L = 1 to 6; here L = 0, which draws the pooler alone, may be chosen too.")
    return found


def published_task(design: Design, task: AnyTask) -> str | None:
    """Return which published task one is or stands for, without regard to case and hyphens; None where it is nobody's."""
    other = design.stands_for.get(task.name)
    return None if other is None else plain_task(other)


def plain_task(name: str) -> str:
    """Return a task's name as all who write it otherwise would agree on.

    Example:
        >>> plain_task("glue/STS-B"), plain_task("SST-2 (1k)")
        ('stsb', 'sst1k')
    """
    return "".join(letter for letter in name.lower() if letter.isalnum()).removeprefix("glue").replace("sst2", "sst")


def _is_published(paper: PublishedScores, design: Design, arm: Arm) -> bool:
    return published_task(design, arm.task) in [plain_task(name) for name in paper.rows.get(arm.name, {})]


def _stand_ins(design: Design) -> Iterator[str]:
    replaced = {name: other for name, other in design.stands_for.items() if plain_task(name) != plain_task(other)}
    others = {name: other for name, other in replaced.items() if plain_task(name) + "1k" != plain_task(other)}
    if others:
        pairs = ", ".join(f"{name} for {other}" for name, other in others.items())
        yield f"Other tasks stand for the published ones: {pairs}. Their scores cannot be compared, at most the signs of differences."


def _models(paper: PublishedScores, arms: Sequence[Arm]) -> Iterator[str]:
    pairs = [(paper.models[arm.name], arm.recipe.model_name) for arm in arms]
    other = [(theirs, ours) for theirs, ours in pairs if theirs.lower() != ours.lower()]
    if other:
        theirs, ours = (", ".join(dict.fromkeys(names)) for names in zip(*other, strict=True))
        yield f"Published scores are of {theirs}; here {ours}."


def _rows(design: Design, arms: Sequence[Arm]) -> Iterator[str]:
    for task in {arm.task.id: arm.task for arm in arms}.values():
        protocol = "zhang2021-1k" if design.stands_for[task.name].endswith("(1k)") else "zhang2021"
        if words := _row_words(task, protocol):
            yield f"The rows or the metric of {task.name} are other than published: {', '.join(words)}."


def _row_words(task: Task, protocol: str) -> list[str]:
    """Return where a task of GLUE departs from a protocol; of stand-ins it is told otherwise."""
    if task.source not in ("glue", "hub") or task.name not in GLUE:
        return []
    published = glue_task(task.name, protocol)
    pairs: list[tuple[str, Any, Any]] = [("metric", task.metric, published.metric)]
    pairs += [(f.name, getattr(task.splits, f.name), getattr(published.splits, f.name)) for f in fields(Splits)]
    return [_pair(*pair) for pair in pairs if pair[1] != pair[2] and pair[0] != "seed"]  # nobody published a seed


def _settings(paper: PublishedScores, arms: Sequence[Arm]) -> Iterator[str]:
    """Tell the settings that all arms of a task share and that are not as published: those that differ are what arms are about."""
    found: dict[str, None] = {}
    for task in {arm.task.id: arm.task for arm in arms}.values():
        mine = [arm for arm in arms if arm.task.id == task.id]
        published = [Recipe.preset(paper.presets[arm.name].replace("{task}", task.name), model="any") for arm in mine]
        for name in (f.name for f in fields(Recipe) if f.name not in _NO_SETTING):
            ours = {getattr(arm.recipe, name) for arm in mine}
            theirs = {getattr(recipe, name): None for recipe in published}
            if len(mine) > 1 and len(ours) == 1 and ours != set(theirs) and not any(name in a.search for a in mine):
                found[_pair(name, *ours, *theirs)] = None
    if found:
        yield f"Settings of every arm are other than published: {', '.join(found)}."


def _pair(name: str, ours: Any, *theirs: Any) -> str:
    return f"{name} = {_word(ours)} (published: {' or '.join(map(_word, theirs))})"


def _word(value: Any) -> str:
    return "none" if value is None else f"{value:g}" if isinstance(value, float) else str(value)
