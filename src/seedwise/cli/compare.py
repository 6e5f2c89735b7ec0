"""How does ``seedwise compare`` put two recipes side by side?"""

import math
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

from cyclopts import Parameter

import seedwise as sw
from seedwise.cli.arguments import Folder, Json, TaskName
from seedwise.cli.console import print_json
from seedwise.errors import RequestError, UnknownError

if TYPE_CHECKING:  # the statistics load on first use
    from seedwise.analysis.cell import Cell
    from seedwise.analysis.recipes import RecipeComparison
    from seedwise.analysis.verdicts import Verdict

__all__ = ["compare"]

GATED = (
    "some of these trials were run by `seedwise gate`, which stopped when its answer was certain; this test does not allow for "
    "that: take the gate's answer, or --sequential"
)


def compare(
    folder: Folder,
    a: Annotated[
        str | None,
        Parameter(help="A recipe of the study, or another study's folder; not needed where the study has two recipes."),
    ] = None,
    b: Annotated[str | None, Parameter(help="The study's recipe to compare it with.")] = None,
    *,
    task: TaskName = None,
    split: Annotated[
        Literal["test", "validation"] | None,
        Parameter(help="The scores to compare; test by default, if every trial has them."),
    ] = None,
    margin: Annotated[
        float | None,
        Parameter(help="Means that differ by less than this, in the unit of the scores, count as equal."),
    ] = None,
    sequential: Annotated[
        bool, Parameter(negative="", help="By a test that keeps its error rate however often one looks and adds seeds.")
    ] = False,
    format: Literal["text", "markdown", "latex", "csv", "json"] = "text",  # noqa: A002 - the flag's name
    json: Json = False,
) -> None:
    """Compare two recipes of a study, or two studies: one verdict a task, by the test that the seeds allow."""
    if margin is not None and not 0 < margin < math.inf:
        raise RequestError(f"--margin must be a number above 0, not {margin:g}; it is in the unit of the scores.")
    found, reasons = _compared(folder, a, b, task=task, split=split, margin=margin, sequential=sequential)
    if json or format == "json":
        from seedwise.analysis.answers import plain

        print_json([*(plain(one) for one in found), *({"task": name, "reason": why} for name, why in reasons.items())])
    elif format == "text":
        from seedwise.report.sentences.comparison import comparison_lines

        gated = set() if sequential else _gated_tasks(folder, found)
        for one in found:
            note = [f"  {GATED}"] if one.verdict.task in gated else []
            print("\n".join([*comparison_lines(one), *note]), end="\n\n")
        for name, why in reasons.items():
            print(f"{name}: cannot be compared: {why}\n")
    else:
        from seedwise.tables import table
        from seedwise.tables.comparison import comparison_table

        write = {"markdown": table.to_markdown, "latex": table.to_latex, "csv": table.to_csv}[format]
        made = comparison_table(found)
        left_out = (f"{name} cannot be compared: {why}" for name, why in reasons.items())
        print(write(made._replace(notes=(*made.notes, *left_out))), end="")
        for name, why in reasons.items() if format == "csv" else ():  # a CSV has no notes
            print(f"{name} cannot be compared: {why}", file=sys.stderr)


def _compared(
    folder: Path, a: str | None, b: str | None, *, task: str | None, **how: Any
) -> "tuple[list[RecipeComparison], dict[str, str]]":
    """Compare A with B on every task that both were run on; return why a task allows no comparison, too."""
    from seedwise.analysis.recipes import beside
    from seedwise.analysis.verdicts import corrected

    if a is None:
        with sw.Study.open(folder) as study:
            a, b = _both_recipes(sw.Analysis(study), folder)
    with sw.Study.open(folder) as study, sw.Study.open(folder if b else Path(a)) as other:
        first, second = sw.Analysis(study), sw.Analysis(other)
        if b is None:
            _check_one_recipe(first, folder)
            _check_one_recipe(second, Path(a))
        if a == b or (b is None and folder.resolve() == Path(a).resolve()):
            raise RequestError(f"compare needs two recipes or two studies, but both are {a}; name another one.")
        labels = (a, b) if b else (folder.resolve().name, Path(a).resolve().name)
        wanted = (a, b) if b else (None, None)
        verdicts: list[Verdict] = []
        pairs: list[tuple[Cell, Cell]] = []
        reasons: dict[str, str] = {}
        for name in _shared_tasks(first, second, folder, a, task):
            cells = first.cell(name, wanted[0]), (first if b else second).cell(name, wanted[1])
            try:
                verdicts.append(first.verdict(*cells, labels=labels, **how))
                pairs.append(cells)
            except UnknownError as error:  # one task that cannot be compared ends nothing
                reasons[name] = str(error)
        if not verdicts:
            raise UnknownError(next(iter(reasons.values())))
        if b is None:  # recipes of one study are corrected for all of its pairs already
            verdicts = corrected(verdicts)
        return [beside(*cells, verdict) for cells, verdict in zip(pairs, verdicts, strict=True)], reasons


def _gated_tasks(folder: Path, found: "Sequence[RecipeComparison]") -> set[str]:
    """Return the tasks on which a gate of the folder's study has run pairs of the two recipes."""
    from seedwise.study.gate import gates_in

    with sw.Study.open(folder) as study:
        gates, labels = gates_in(study.store), sw.Analysis(study).labels
        tasks = {task.name: task.id for task in study.tasks}
    return {
        verdict.task
        for verdict in (one.verdict for one in found)
        for gate in gates
        if gate.task == tasks[verdict.task]
        and {verdict.a, verdict.b} == {labels[gate.task, recipe] for recipe in gate.recipes}
    }


def _both_recipes(analysis: "sw.Analysis", folder: Path) -> tuple[str, str]:
    """Return the two recipes of a study; refuse one that has more or fewer."""
    names = analysis.recipe_names
    if len(names) != 2:
        raise RequestError(
            f"compare needs two recipes, or another study; {folder} has {', '.join(map(repr, names))}: name two of its "
            "recipes, or another study's folder."
        )
    return names[0], names[1]


def _check_one_recipe(analysis: "sw.Analysis", folder: Path) -> None:
    if len(analysis.recipe_names) > 1:
        named = ", ".join(map(repr, analysis.recipe_names))
        raise RequestError(
            f"studies are compared where each has one recipe, but {folder} has {len(analysis.recipe_names)} ({named}); compare two of "
            f"these with `seedwise compare {folder} A B`."
        )


def _shared_tasks(
    first: "sw.Analysis", second: "sw.Analysis", folder: Path, other: str, task: str | None
) -> Sequence[str]:
    if task is not None:
        return [task]
    names = {cell.task.name for cell in second.cells}
    shared = [name for name in dict.fromkeys(cell.task.name for cell in first.cells) if name in names]
    if not shared:
        raise RequestError(
            f"{folder} and {other} must have a task in common, but have none; compare studies of one task."
        )
    return shared
