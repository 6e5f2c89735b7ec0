"""One toy model and task for all tests of the training."""

from pathlib import Path

import pytest

from seedwise import Recipe, Seeds, Task, Trial
from seedwise.data.tokens import TokenizedTask, tokenize
from toys import toy_model, toy_recipe, toy_task


@pytest.fixture(scope="session")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return toy_model(tmp_path_factory.mktemp("model"))


@pytest.fixture(scope="session")
def task(tmp_path_factory: pytest.TempPathFactory) -> Task:
    return toy_task(tmp_path_factory.mktemp("task"))


@pytest.fixture(scope="session")
def recipe(model: Path) -> Recipe:
    return toy_recipe(model)


@pytest.fixture(scope="session")
def data(task: Task, recipe: Recipe) -> TokenizedTask:
    return tokenize(task, recipe.model, recipe.max_length)


@pytest.fixture(scope="session")
def trial(task: Task, recipe: Recipe) -> Trial:
    return Trial(task, recipe, Seeds(1, 1))
