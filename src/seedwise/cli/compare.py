"""How does ``seedwise compare`` put two recipes side by side?"""

import json
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from seedwise.analysis.analysis import Analysis
from seedwise.analysis.answers import plain
from seedwise.analysis.recipes import RecipeComparison, compare_over_tasks
from seedwise.charts.style import metric_words
from seedwise.errors import RequestError
from seedwise.study.study import Study
from seedwise.tables.comparison import comparison_table
from seedwise.tables.table import Table, to_csv, to_latex, to_markdown

__all__ = ["print_comparison"]

LEVEL = 0.05
_TABLES: Mapping[str, Callable[[Table], str]] = {"markdown": to_markdown, "latex": to_latex, "csv": to_csv}
_TESTS = {
    "student": "Student's t, one-sided: A better than B (Zhang et al. 2021)",
    "welch": "Welch's t",
    "mann_whitney": "Mann-Whitney U",
    "permutation": "permutation of the means",
    "paired": "paired t, by seed",
    "wilcoxon": "Wilcoxon signed rank, by seed",
    "crossed": "t with the variance of shared seeds counted",
}


def print_comparison(
    folder: Path, a: str | None, b: str | None, *, task: str | None, split: str | None, form: str
) -> None:
    """Print recipe A against recipe B of a study, or a study against another, on every task that both were run on.

    Args:
        folder: The study's folder.
        a: A recipe of the study, or another study's folder where ``b`` is None; None where the study has two recipes.
        b: Another recipe of the study.
        task: Only this task.
        split: test or validation.
        form: text, markdown, latex, csv or json.
    """
    if a is None:
        with Study.open(folder) as study:
            a, b = _both_recipes(Analysis(study), folder)
    with Study.open(folder) as study, Study.open(folder if b else Path(a)) as other:
        first, second = Analysis(study), Analysis(other)
        if b is None:
            _check_one_recipe(first, folder)
            _check_one_recipe(second, Path(a))
        labels = (a, b) if b else (folder.resolve().name, Path(a).resolve().name)
        wanted = (a, b) if b else (None, None)
        found = [
            first.compare(first.cell(name, wanted[0]), second.cell(name, wanted[1]), labels=labels, split=split)
            for name in _shared_tasks(first, second, folder, a, task)
        ]
    adjusted = [float(p) for p in compare_over_tasks(found)]
    if form == "json":
        content = [{**plain(one), "p_over_tasks": p} for one, p in zip(found, adjusted, strict=True)]
        print(json.dumps(content, indent=2))
    elif form in _TABLES:
        print(_TABLES[form](comparison_table(found, adjusted)), end="")
    else:
        for one, p in zip(found, adjusted, strict=True):
            print("\n".join(_lines(one, p, len(found))), end="\n\n")


def _both_recipes(analysis: Analysis, folder: Path) -> tuple[str, str]:
    """Return the two recipes of a study; refuse one that has more or fewer."""
    names = analysis.recipe_names
    if len(names) != 2:
        raise RequestError(
            f"compare needs two recipes, or another study; {folder} has {', '.join(map(repr, names))}: name two of its "
            "recipes, or another study's folder."
        )
    return names[0], names[1]


def _check_one_recipe(analysis: Analysis, folder: Path) -> None:
    if len(analysis.recipe_names) > 1:
        named = ", ".join(map(repr, analysis.recipe_names))
        raise RequestError(
            f"studies are compared where each has one recipe, but {folder} has {len(analysis.recipe_names)} ({named}); compare two of "
            f"these with `seedwise compare {folder} A B`."
        )


def _shared_tasks(first: Analysis, second: Analysis, folder: Path, other: str, task: str | None) -> Sequence[str]:
    if task is not None:
        return [task]
    names = {cell.task.name for cell in second.cells}
    shared = [name for name in dict.fromkeys(cell.task.name for cell in first.cells) if name in names]
    if not shared:
        raise RequestError(
            f"{folder} and {other} must have a task in common, but have none; compare studies of one task."
        )
    return shared


def _lines(found: RecipeComparison, adjusted: float, tasks: int) -> list[str]:
    difference, improvement, failed = found.difference, found.improvement, found.failed
    level = f"{difference.confidence:.0%}"
    lines = [
        f"{found.task}, {metric_words(found.metric, found.split)}",
        f"  A  {found.a}: {found.mean_a:.4f} ± {found.sd_a:.4f} (mean ± sd of {found.n_a} trials)",
        f"  B  {found.b}: {found.mean_b:.4f} ± {found.sd_b:.4f} (of {found.n_b})",
        f"  A less B, turned so that more is better: {difference.estimate:+.4f} [{difference.lower:+.4f}, {difference.upper:+.4f}] ({level})",
        f"  a trial of A beats one of B with probability {improvement.estimate:.2f} [{improvement.lower:.2f}, {improvement.upper:.2f}]",
    ]
    if failed is not None:
        lines.append(
            f"  failed by validation score, A less B: {100 * failed.difference:+.0f} % [{100 * failed.lower:+.0f}, "
            f"{100 * failed.upper:+.0f}], Fisher's exact p = {failed.p:.2g}"
        )
    if found.spread is not None:
        ratio = found.spread
        lines.append(
            f"  sd of A over sd of B: {ratio.ratio:.2f} [{ratio.lower:.2f}, {ratio.upper:.2f}], Brown-Forsythe p = {ratio.p:.2g}"
        )
    lines += [f"  {_TESTS[name]}: p = {test.p:.2g}" for name, test in found.tests.items()]
    return [*lines, f"  {_conclusion(found, adjusted, tasks)}"]


def _conclusion(found: RecipeComparison, adjusted: float, tasks: int) -> str:
    corrected = f", corrected for {tasks} tasks (Holm)" if tasks > 1 else ""
    p = f"{_TESTS[found.decisive]}, p = {adjusted:.2g}{corrected}"
    if adjusted < LEVEL:
        better = found.a if found.difference.estimate > 0 else found.b
        return f"{better} is better: {p}."
    needed = found.more_seeds
    if needed is None:
        return f"the two cannot be told apart: {p}; more init and order seeds would tell."
    how = (
        needed.reason
        if needed.n_each is None
        else f"if the difference is what it looks like, {needed.n_each} seeds each would show it with {needed.power:.0%} power."
    )
    return f"the two cannot be told apart: {p}; {how}"
