"""Which cell of a study is meant, and which rows of a table do its cells fill?"""

from collections.abc import Callable, Mapping, Sequence

from seedwise.analysis.cell import Cell
from seedwise.errors import RequestError
from seedwise.values.checks import check_choice, did_you_mean
from seedwise.values.choice import DesignRecord

__all__ = ["arm_rows", "chosen_cell"]


def chosen_cell(
    cells: Sequence[Cell], name_of: Callable[[Cell], str], task: str | None = None, recipe: str | None = None
) -> Cell:
    """Return the one cell that has this task and this recipe, each by name, the recipe also by id; None: any."""
    found = list(cells)
    if task is not None:
        check_choice("task", task, sorted({cell.task.name for cell in found}))
        found = [cell for cell in found if cell.task.name == task]
    if recipe is not None:
        names = list(dict.fromkeys(map(name_of, found)))
        if recipe not in (*names, *(cell.recipe.id for cell in found)):
            listed = ", ".join(map(repr, names))  # a name may hold commas
            raise RequestError(f"recipe must be one of {listed}, not {recipe!r}{did_you_mean(recipe, names)}.")
        found = [cell for cell in found if recipe in (name_of(cell), cell.recipe.id)]
    if not found:
        raise RequestError("the study has no trials; run it first.")
    if len(found) > 1:
        what = "task" if task is None and len({cell.task.name for cell in found}) > 1 else "recipe"
        names = list(dict.fromkeys(cell.task.name if what == "task" else name_of(cell) for cell in found))
        listed = ", ".join(map(repr, names))
        raise RequestError(f"{what} must be one of {listed}, because the study has {len(names)}; name one.")
    return found[0]


def arm_rows(
    cells: Sequence[Cell], name_of: Callable[[Cell], str], design: DesignRecord | None
) -> Mapping[str, Mapping[str, Cell]]:
    """Return the cells of each recipe, or of each arm of the design, by the task's id.

    Two arms that chose the same recipe on a task have the same cell there.
    """
    by_key = {(cell.task.id, cell.recipe.id): cell for cell in cells}
    named: list[tuple[str, Cell]] = []
    if design is not None and design.stage == "report":
        chosen = [(arm, (task, recipe.id)) for (arm, task), recipe in design.chosen.items()]
        order = design.design.names.index
        named = [(arm, by_key[key]) for arm, key in sorted(chosen, key=lambda own: order(own[0])) if key in by_key]
    mine = {id(cell) for _, cell in named}
    named += [(name_of(cell), cell) for cell in cells if id(cell) not in mine]
    rows: dict[str, dict[str, Cell]] = {}
    for name, cell in named:
        rows.setdefault(name, {})[cell.task.id] = cell
    return rows
