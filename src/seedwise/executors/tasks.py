"""What is known of the tasks that trials learn? Their rows as tokens, once for all workers, and facts about them."""

from dataclasses import replace
from pathlib import Path

from seedwise.values.facts import TaskFacts
from seedwise.values.recipe import Recipe
from seedwise.values.rows import SPLITS, Targets
from seedwise.values.task import Task
from seedwise.values.trial import Trial

__all__ = ["PreparedTasks"]


class PreparedTasks:
    """Tasks as tokens, for the models of the recipes that they were prepared for."""

    def __init__(self, folders: dict[tuple[str, str], Path] | None = None) -> None:
        self._folders = {} if folders is None else folders
        self._rows: dict[tuple[str, str, int], tuple[Path, TaskFacts]] = {}  # by task, model and length
        self._checked: set[str] = set()  # recipes that fit their models

    def prepare(self, task: Task, recipe: Recipe) -> TaskFacts:
        """Tokenise a task's rows for a recipe's model, once, and return what is known of them."""
        if recipe.id not in self._checked:
            _check_fit(recipe)
            self._checked.add(recipe.id)
        key = (task.id, recipe.model, recipe.max_length)
        if key not in self._rows:
            self._rows[key] = _tokenized(task, recipe)
        self._folders[task.id, recipe.id], facts = self._rows[key]
        return facts

    def targets(self, task: Task, recipe: Recipe) -> Targets:
        """Return the labels of a prepared task's validation and test rows."""
        from seedwise.data.tokens import TokenizedTask

        splits = TokenizedTask.open(self._folders[task.id, recipe.id]).splits
        return Targets(**{name: splits[name].labels.astype("float32") for name in SPLITS if name in splits})

    def folder(self, trial: Trial) -> Path:
        """Return where the tokens of a trial's task lie."""
        return self._folders[trial.task.id, trial.recipe.id]


def _check_fit(recipe: Recipe) -> None:
    """Refuse a recipe that does not fit its model; no weights are read."""
    from seedwise.data.pretrained import check_model, check_start

    check_model(recipe.model)
    if recipe.start_from is not None:
        check_start(recipe.model, recipe.start_from)
    if recipe.needs_layers:
        from seedwise.training.model import check_switches

        check_switches(recipe)


def _tokenized(task: Task, recipe: Recipe) -> tuple[Path, TaskFacts]:
    """Return where a task's tokenised rows lie, and what is known of them."""
    from seedwise.data.pretrained import depth
    from seedwise.data.tokens import tokenize
    from seedwise.training.metrics import baselines

    data = tokenize(task, recipe.model, recipe.max_length)
    classes = None if data.label_names is None else len(data.label_names)
    guesses = baselines(data.kind, data.validation.labels, classes)
    return data.folder, replace(data.facts(), baselines=guesses, blocks=depth(recipe.model))
