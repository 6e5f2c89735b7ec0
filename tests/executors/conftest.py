"""A toy study that workers can run in seconds."""

from pathlib import Path

import pytest

from seedwise import Recipe, Task
from toys import toy_model, toy_recipe, toy_task


@pytest.fixture(scope="session")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return toy_model(tmp_path_factory.mktemp("model"))


@pytest.fixture(scope="session")
def task(tmp_path_factory: pytest.TempPathFactory) -> Task:
    return toy_task(tmp_path_factory.mktemp("task"))


@pytest.fixture(scope="session")
def recipe(model: Path) -> Recipe:
    return toy_recipe(model, evaluations="10 per run")
