"""How does ``seedwise compare`` put two recipes side by side?"""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

from cyclopts import Parameter

import seedwise as sw
from seedwise.cli.arguments import Folder, Json, TaskName
from seedwise.cli.console import print_json
from seedwise.errors import RequestError

if TYPE_CHECKING:  # the statistics load on first use
    from seedwise.analysis.recipes import RecipeComparison

__all__ = ["compare"]

LEVEL = 0.05
_TESTS = {
    "student": "Student's t, one-sided: A better than B (Zhang et al. 2021)",
    "welch": "Welch's t",
    "mann_whitney": "Mann-Whitney U",
    "permutation": "permutation of the means",
    "paired": "paired t, by seed",
    "wilcoxon": "Wilcoxon signed rank, by seed",
    "crossed": "t with the variance of shared seeds counted",
}


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
    format: Literal["text", "markdown", "latex", "csv", "json"] = "text",  # noqa: A002 - the flag's name
    json: Json = False,
) -> None:
    """Compare two recipes of a study, or two studies, by every test that their seeds allow."""
    found, adjusted = _compared(folder, a, b, task=task, split=split)
    if json or format == "json":
        from seedwise.analysis.answers import plain

        print_json([{**plain(one), "p_over_tasks": p} for one, p in zip(found, adjusted, strict=True)])
    elif format == "text":
        for one, p in zip(found, adjusted, strict=True):
            print("\n".join(_lines(one, p, len(found))), end="\n\n")
    else:
        from seedwise.tables import table
        from seedwise.tables.comparison import comparison_table

        write = {"markdown": table.to_markdown, "latex": table.to_latex, "csv": table.to_csv}[format]
        print(write(comparison_table(found, adjusted)), end="")


def _compared(
    folder: Path, a: str | None, b: str | None, *, task: str | None, split: str | None
) -> "tuple[list[RecipeComparison], list[float]]":
    """Compare A with B on every task that both were run on, and correct the p-values for the number of tasks."""
    from seedwise.analysis.recipes import compare_over_tasks

    if a is None:
        with sw.Study.open(folder) as study:
            a, b = _both_recipes(sw.Analysis(study), folder)
    with sw.Study.open(folder) as study, sw.Study.open(folder if b else Path(a)) as other:
        first, second = sw.Analysis(study), sw.Analysis(other)
        if b is None:
            _check_one_recipe(first, folder)
            _check_one_recipe(second, Path(a))
        labels = (a, b) if b else (folder.resolve().name, Path(a).resolve().name)
        wanted = (a, b) if b else (None, None)
        found = [
            first.compare(first.cell(name, wanted[0]), second.cell(name, wanted[1]), labels=labels, split=split)
            for name in _shared_tasks(first, second, folder, a, task)
        ]
    return found, [float(p) for p in compare_over_tasks(found)]


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


def _lines(found: "RecipeComparison", adjusted: float, tasks: int) -> list[str]:
    from seedwise.values.labels import metric_words

    difference, improvement, failed = found.difference, found.improvement, found.failed
    level = f"{difference.confidence:.0%}"
    lines = [
        f"{found.task}, {metric_words(found.metric, found.split)}",
        f"  A  {found.a}: {found.mean_a:.4f} ± {found.sd_a:.4f} (mean ± sd of {found.n_a} trials)",
        f"  B  {found.b}: {found.mean_b:.4f} ± {found.sd_b:.4f} (of {found.n_b})",
        f"  A minus B (positive: A is better): {difference.estimate:+.4f} [{difference.lower:+.4f}, {difference.upper:+.4f}] ({level})",
        f"  a trial of A beats one of B with probability {improvement.estimate:.2f} [{improvement.lower:.2f}, {improvement.upper:.2f}]",
    ]
    if failed is not None:
        lines.append(
            f"  failed by validation score, A minus B: {100 * failed.difference:+.0f} % [{100 * failed.lower:+.0f}, "
            f"{100 * failed.upper:+.0f}], Fisher's exact p = {failed.p:.2g}"
        )
    if found.spread is not None:
        ratio = found.spread
        lines.append(
            f"  sd of A over sd of B: {ratio.ratio:.2f} [{ratio.lower:.2f}, {ratio.upper:.2f}], Brown-Forsythe p = {ratio.p:.2g}"
        )
    lines += [f"  {_TESTS[name]}: p = {test.p:.2g}" for name, test in found.tests.items()]
    return [*lines, f"  {_conclusion(found, adjusted, tasks)}"]


def _conclusion(found: "RecipeComparison", adjusted: float, tasks: int) -> str:
    corrected = f", corrected for {tasks} tasks (Holm)" if tasks > 1 else ""
    p = f"{_TESTS[found.decisive]}, p = {adjusted:.2g}{corrected}"
    if adjusted < LEVEL:
        better = found.a if found.difference.estimate > 0 else found.b
        return f"{better} is better: {p}."
    needed = found.more_seeds
    if needed is None:
        return f"the two cannot be told apart: {p}; more init and order seeds would help."
    how = (
        needed.reason
        if needed.n_each is None
        else f"if the difference is as large as it looks, {needed.n_each} seeds each would show it with {needed.power:.0%} power."
    )
    return f"the two cannot be told apart: {p}; {how}"
