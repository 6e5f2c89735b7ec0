"""What would somebody need to repeat the study?"""

import shlex
from collections.abc import Iterable, Mapping
from typing import Any

from seedwise.analysis.analysis import Analysis
from seedwise.imported import ImportedTask
from seedwise.recipe import Recipe
from seedwise.seeds import Seeds
from seedwise.task import Task

__all__ = ["command", "made_with", "seeds_words", "settings"]


def settings(values: Iterable[Any]) -> list[tuple[str, ...]]:
    """Return the fields of several tasks or recipes as rows of a table: name, then one value for each.

    Args:
        values: Values with ``to_json``.
    """
    contents: list[Mapping[str, Any]] = [value.to_json() for value in values]
    names = dict.fromkeys(name for content in contents for name in content)
    return [(name, *(_word(content.get(name)) for content in contents)) for name in names]


def made_with(analysis: Analysis) -> list[tuple[str, str]]:
    """Return what the trials ran with: versions, devices, threads; several values where they differ."""
    found: dict[str, dict[str, None]] = {}
    for record in analysis.trials:
        for name, value in record.origin.items():
            found.setdefault(name, {})[str(value)] = None
    return [(name.replace("_", " "), ", ".join(values)) for name, values in found.items()]


def seeds_words(analysis: Analysis) -> str:
    """Return which seeds the trials have, in a sentence."""
    seeds = {record.trial.seeds for record in analysis.trials}
    init, order = sorted({s.init for s in seeds}), sorted({s.order for s in seeds})
    follows = all(s.dropout == s.order for s in seeds)
    dropout = "dropout follows the order seed" if follows else f"dropout {_ranges(sorted({s.dropout for s in seeds}))}"
    crossed = len(seeds) > max(len(init), len(order))
    how = f"{len(seeds)} combinations" if crossed else f"{len(seeds)} trials, each with seeds of its own"
    return f"init {_ranges(init)}, order {_ranges(order)}, {dropout}: {how}."


def command(analysis: Analysis, folder: str) -> str | None:
    """Return the command that runs the study again; None where it was imported, or needs several commands.

    Args:
        analysis: The analysis.
        folder: A name for the study's folder.
    """
    tasks = [cell.task for cell in analysis.cells]
    recipes = {cell.recipe.id: cell.recipe for cell in analysis.cells}
    seeds = [record.trial.seeds for record in analysis.cells[0].records] if analysis.cells else []
    same = all([record.trial.seeds for record in cell.records] == seeds for cell in analysis.cells)
    recipe = next(iter(recipes.values()), None)
    if len(recipes) != 1 or not same or not isinstance(recipe, Recipe):
        return None
    words = ["seedwise", "run", folder]
    for task in tasks:
        if isinstance(task, ImportedTask):
            return None
        words += _task_words(task)
    words += _recipe_words(recipe)
    how = _trial_words(seeds, analysis)
    return None if how is None else shlex.join([*words, *how])


def _task_words(task: Task) -> list[str]:
    if task.source == "embedded":
        words = ["--task", f"embedded/{task.name}"]
    elif task.source == "glue":
        words = ["--task", task.train.rsplit("/", 1)[0]]
    elif task.source == "hub" and "/" not in task.name:
        words = ["--task", f"glue/{task.name}"]
    else:
        words = ["--task", f"hub/{task.name}"] if task.source == "hub" else ["--train", task.train]
        given = {"validation": task.validation, "test": task.test, "text-pair": task.text_pair, "kind": task.kind}
        words += ["--text", task.text, "--label", task.label]
        words += [word for name, value in given.items() if value for word in (f"--{name}", value)]
    words += ["--metric", task.metric]
    splits = task.splits
    sizes = {"train-size": splits.train_size, "validation-size": splits.validation_size, "test-size": splits.test_size}
    words += [word for name, value in sizes.items() if value is not None for word in (f"--{name}", str(value))]
    words += ["--split-seed", str(splits.seed)] if splits.seed else []
    words += ["--halve-validation"] if splits.halve_validation else []
    return words + (["--drop-empty"] if task.drop_empty else [])


def _recipe_words(recipe: Recipe) -> list[str]:
    """Say every field that is not the default; published recipes are told by their fields as well."""
    plain, own = Recipe(model=recipe.model).to_json(), recipe.to_json()
    words = ["--model", recipe.model]
    for name, value in own.items():
        if value != plain[name]:
            words += ["--set", f"{name}={str(value).lower() if isinstance(value, bool) else value}"]
    return words


def _trial_words(seeds: list[Seeds], analysis: Analysis) -> list[str] | None:
    rule = analysis.rule
    if seeds == list(Seeds.paired(len(seeds))):
        words = ["--seeds" if rule is None else "--start", str(len(seeds))]
    else:
        rows, columns = len({s.init for s in seeds}), len({s.order for s in seeds})
        if set(seeds) != set(Seeds.grid(rows, columns)):
            return None
        words = ["--init", str(rows), "--order", str(columns)]
    return words if rule is None else [*words, "--fraction", f"{rule.f:g}", "--keep", str(rule.p)]


def _ranges(numbers: list[int]) -> str:
    """Return numbers as ranges: 1-5, 7."""
    parts: list[list[int]] = []
    for number in numbers:
        if parts and number == parts[-1][-1] + 1:
            parts[-1] = [parts[-1][0], number]
        else:
            parts.append([number])
    return ", ".join("–".join(map(str, dict.fromkeys(part))) for part in parts)


def _word(value: Any) -> str:
    if isinstance(value, Mapping):
        return ", ".join(f"{name} {_word(content)}" for name, content in value.items() if content is not None) or "–"
    return "–" if value is None else str(value)
