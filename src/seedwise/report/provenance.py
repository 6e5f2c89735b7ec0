"""What would somebody need to repeat the study?"""

import shlex
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from seedwise.analysis.analysis import Analysis
from seedwise.values.choice import DesignRecord
from seedwise.values.facts import ImportSource
from seedwise.values.imported import AnyRecipe, AnyTask
from seedwise.values.recipe import Recipe
from seedwise.values.record import TrialRecord
from seedwise.values.seeds import Seeds
from seedwise.values.stopping import StoppingRule
from seedwise.values.task import Task

__all__ = ["commands", "made_with", "recipe_names", "seeds_words", "settings"]


def settings(values: Iterable[Any]) -> list[tuple[str, ...]]:
    """Return the fields of several tasks or recipes as rows of a table: name, then one value for each."""
    contents: list[Mapping[str, Any]] = [value.to_json() for value in values]
    names = dict.fromkeys(name for content in contents for name in content)
    return [(name, *(_word(content.get(name)) for content in contents)) for name in names]


def recipe_names(analysis: Analysis) -> dict[str, str]:
    """Return each recipe's name by its id, with the tasks added where recipes share a name or one has several."""
    found: dict[str, dict[str, list[str]]] = {}  # recipe -> its name -> the tasks
    for cell in analysis.cells:
        found.setdefault(cell.recipe.id, {}).setdefault(analysis.recipe_name(cell), []).append(cell.task.name)
    used = [label for mine in found.values() for label in mine]
    return {
        key: "; ".join(
            label if len(mine) == 1 and used.count(label) == 1 else f"{label} ({', '.join(tasks)})"
            for label, tasks in mine.items()
        )
        for key, mine in found.items()
    }


def made_with(analysis: Analysis) -> list[tuple[str, str]]:
    """Return what the trials ran with: versions, devices, threads; several values where they differ."""
    found: dict[str, dict[str, None]] = {}
    for record in analysis.trials:
        for name, value in record.environment.to_json().items():
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


def commands(analysis: Analysis, folder: str) -> list[str]:
    """Return the commands that make the study again; none where the command line cannot say it."""
    if analysis.design is not None:
        return _design_command(analysis.design, folder)
    groups: dict[tuple[AnyRecipe, tuple[Seeds, ...]], list[AnyTask]] = {}
    for cell in analysis.cells:
        key = cell.recipe, tuple(record.trial.seeds for record in sorted(cell.records, key=_by_seeds))
        groups.setdefault(key, []).append(cell.task)
    lines = [_command(folder, tasks, recipe, seeds, analysis.rule) for (recipe, seeds), tasks in groups.items()]
    if None in lines or (analysis.rule is not None and len({len(seeds) for _, seeds in groups}) > 1):
        return _import_command(analysis, folder)
    return [f"{line} --extend" if i else str(line) for i, line in enumerate(lines)]


def _command(
    folder: str, tasks: Sequence[AnyTask], recipe: AnyRecipe, seeds: Sequence[Seeds], rule: StoppingRule | None
) -> str | None:
    how = _trial_words(seeds, rule)
    words = ["seedwise", "run", folder]
    for task in tasks:
        if not isinstance(task, Task) or not isinstance(recipe, Recipe) or how is None:
            return None
        words += _task_words(task)
    return shlex.join([*words, *_recipe_words(recipe), *(how or [])]) if isinstance(recipe, Recipe) else None


def _design_command(record: DesignRecord, folder: str) -> list[str]:
    """Return the command of a design; a single stage is part of it."""
    design = record.design
    scale = [] if design.scale == "full" else ["--scale", design.scale]
    return [shlex.join(["seedwise", "run", folder, "--design", design.name, *scale])]


def _by_seeds(record: TrialRecord) -> tuple[int, int, int]:
    seeds = record.trial.seeds
    return seeds.init, seeds.order, seeds.dropout


def _import_command(analysis: Analysis, folder: str) -> list[str]:
    """Return how the runs were imported, where one command did it."""
    sources = [cell.facts.imported for cell in analysis.cells]
    first = sources[0] if sources else None
    if first is None or not first.files or any(source != first for source in sources):
        return []
    file, *beside = first.files
    words = ["seedwise", "import", file, folder, *(word for name in beside for word in ("--with", name))]
    words += [word for field, column in first.mapping.items() for word in ("--map", f"{field}={column}")]
    return [shlex.join([*words, *_import_options(first)])]


def _import_options(source: ImportSource) -> list[str]:
    scores = (
        [f"{task}={score}" for task, score in source.baseline.items()]
        if isinstance(source.baseline, Mapping)
        else [str(source.baseline)]
    )
    words = [word for score in scores for word in ("--baseline", score)]
    words += ["--pattern", source.pattern] if source.pattern else []
    lower = source.lower_is_better
    words += [] if lower is None else ["--lower-is-better" if lower else "--no-lower-is-better"]
    return words + (["--all-complete"] if source.all_complete else [])


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


def _trial_words(seeds: Sequence[Seeds], rule: StoppingRule | None) -> list[str] | None:
    if set(seeds) == set(Seeds.paired(len(seeds))):
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
