"""Which figures do a design's choices allow: what was tried on the tuning seeds, and how it scored?"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from seedwise.analysis.analysis import Analysis
from seedwise.analysis.cell import Cell
from seedwise.analysis.choices import Choice, choices
from seedwise.charts import optimizer, recipes, setting
from seedwise.report.figures import Figure, Missing, figure_or_reason, file_name, tracks
from seedwise.report.together import task_prefix

__all__ = ["TUNING_FIGURES", "tuning_figures"]

TUNING_FIGURES: Mapping[str, str] = {
    "reinit": "score by number of re-initialised layers",
    "reinit-distance": "distance from the starting values by number of re-initialised layers",
    "candidates": "score by candidate",
    "length": "score by length of training",
}
"""Kind -> title of every figure of a design's choices."""

_BOXES = {
    "reinit": (
        "Validation scores on {task} by the number L of top blocks drawn anew, on the tuning seeds{beside} "
        "(Zhang et al. 2021, figures 5 and 13)."
    ),
    "candidates": "Validation scores on {task} of every candidate of {arm}, on the tuning seeds{beside}.",
}
_DISTANCES = (
    "Mean L2 distance of each Transformer block from its start on {task}, by the number L of top blocks drawn anew, on the tuning "
    "seeds{beside} (Zhang et al. 2021, figures 7 and 15-18)."
)
_LENGTHS = (
    "Mean and range of the validation scores on {task} by the length of training, on the tuning seeds; an arm's own length is "
    "that of the report, on the report's seeds (Zhang et al. 2021, figures 8 and 14)."
)


def tuning_figures(analysis: Analysis) -> Iterator[Figure | Missing]:
    """Return the figures of what each arm of the study's design chose among; none where there is nothing to choose.

    Args:
        analysis: Of the report, or of the tuning itself.
    """
    found = choices(analysis)
    for task in dict.fromkeys(choice.task.id for choice in found):
        mine = [choice for choice in found if choice.task.id == task and choice.tried]
        for choice in mine:
            if choice.field != "num_train_steps":
                yield from _boxes(analysis, choice)
        if longer := [choice for choice in mine if choice.field == "num_train_steps"]:
            yield _lengths(analysis, longer)


def _boxes(analysis: Analysis, choice: Choice) -> Iterator[Figure | Missing]:
    kind = "reinit" if choice.field == "reinit_layers" else "candidates"
    cells = {tried.words: tried.cell for tried in choice.tried}
    before = _without_search(analysis, choice)
    if before is not None:
        cells = {f"{before[0]}, report's seeds": before[1], **cells}
    beside = f"; {before[0]} on the report's seeds" if before else ""
    caption = _BOXES[kind].format(task=choice.task.name, arm=choice.arm, beside=beside)

    def draw() -> Any:
        data = recipes.recipes_data(analysis, cells)
        return recipes.draw_recipes(data._replace(title=f"{choice.task.name}: what {choice.arm} chose among"))

    ending = file_name(choice.arm)
    name = f"{_prefix(analysis, choice)}-{kind}-{ending}"
    yield figure_or_reason(name, kind, TUNING_FIGURES[kind], caption, draw)
    if kind == "reinit" and all(tracks(cell, "distance") for cell in cells.values()):
        kind, name = "reinit-distance", f"{_prefix(analysis, choice)}-reinit-distance-{ending}"
        caption = _DISTANCES.format(task=choice.task.name, beside=beside)
        yield figure_or_reason(name, kind, TUNING_FIGURES[kind], caption, lambda: _draw_distances(analysis, cells))


def _draw_distances(analysis: Analysis, cells: Mapping[str, Cell]) -> Any:
    return optimizer.draw_distances(optimizer.tracked_distances_data(analysis, cells))


def _lengths(analysis: Analysis, longer: Sequence[Choice]) -> Figure | Missing:
    series = {choice.arm: [*_own_length(analysis, choice), *(one.cell for one in choice.tried)] for choice in longer}

    def draw() -> Any:
        return setting.draw_setting(setting.setting_data(series, setting.STEPS))

    caption = _LENGTHS.format(task=longer[0].task.name)
    name = f"{_prefix(analysis, longer[0])}-length"
    return figure_or_reason(name, "length", TUNING_FIGURES["length"], caption, draw)


def _prefix(analysis: Analysis, choice: Choice) -> str:
    return task_prefix(analysis, choice.tried[0].cell)


def _without_search(analysis: Analysis, choice: Choice) -> tuple[str, Cell] | None:
    """Return the arm that others are seen beside, with its trials: the one that they come after, or else the first.

    None where it has something to choose itself, so that its trials are not of one recipe in all stages.
    """
    design = analysis.design
    if design is None or design.stage != "report":
        return None
    arms = {arm.name: arm for arm in design.design.arms if arm.task.id == choice.task.id}
    name = (arms[choice.arm].after if choice.arm in arms else None) or next(iter(arms), "")
    cell = analysis.rows.get(name, {}).get(choice.task.id)
    return (name, cell) if cell is not None and name in arms and not arms[name].search else None


def _own_length(analysis: Analysis, choice: Choice) -> list[Cell]:
    """Return the report's trials of the same recipe at the length it has without a search, where there are any."""
    arms = () if analysis.design is None else analysis.design.design.arms
    steps = next(arm.recipe.num_train_steps for arm in arms if (arm.name, arm.task) == (choice.arm, choice.task))
    recipe = choice.tried[0].cell.recipe
    lengths = {one.cell.facts.steps for one in choice.tried}
    return [
        cell
        for cell in analysis.cells
        if cell.task.id == choice.task.id
        and cell.recipe == recipe.with_changes(num_train_steps=steps)  # type: ignore[union-attr]
        and cell.facts.steps not in lengths
    ]
