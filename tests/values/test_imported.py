"""Are values that stand for imported runs equal by content, plain JSON and back, and kept from being run?"""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from seedwise.errors import RequestError
from seedwise.values.imported import (
    ImportedRecipe,
    ImportedTask,
    ImportedTrial,
    greater_is_better,
    recipe_from_json,
    task_from_json,
)
from seedwise.values.recipe import Recipe
from seedwise.values.record import TrialRecord, own_trial, winner
from seedwise.values.seeds import Seeds
from seedwise.values.task import Task
from seedwise.values.trial import Measurement, TrialState

NAMES = st.text(min_size=1).filter(str.strip)
NUMBERS = st.integers(min_value=0)
SETTINGS = st.dictionaries(st.text(), st.none() | st.integers() | st.text() | st.lists(st.booleans()), max_size=3)
TASKS = st.builds(ImportedTask, NAMES, NAMES, st.booleans())
RECIPES = st.builds(ImportedRecipe, NAMES, SETTINGS)
TRIALS = st.builds(ImportedTrial, TASKS, RECIPES, st.builds(Seeds, NUMBERS, NUMBERS, NUMBERS))


def record(score, seed=1, state=TrialState.COMPLETE, task=None):
    trial = ImportedTrial(task or ImportedTask("RTE", "acc"), ImportedRecipe("plain"), Seeds(seed, seed))
    evaluations = (Measurement(1, float("nan"), {trial.task.metric: score}),)
    return TrialRecord(trial, trial.id, 0, state, evaluations, {}, {}, 0.0, 1, None, 1, None)


@given(TRIALS)
def test_trial_comes_back_equal_through_json(trial):
    back = ImportedTrial.from_json(json.loads(json.dumps(trial.to_json())))
    assert (back, back.id, hash(back)) == (trial, trial.id, hash(trial))


@given(TASKS, RECIPES)
def test_json_tells_imported_values_from_our_own(task, recipe):
    assert task_from_json(task.to_json()) == task
    assert recipe_from_json(recipe.to_json()) == recipe


def test_json_of_our_own_values_stays_ours():
    task, recipe = Task.glue("rte"), Recipe(model="m")
    assert (task_from_json(task.to_json()), recipe_from_json(recipe.to_json())) == (task, recipe)


@pytest.mark.parametrize(
    "change",
    [
        {"task": ImportedTask("MRPC", "acc")},
        {"task": ImportedTask("RTE", "f1")},
        {"task": ImportedTask("RTE", "acc", greater_is_better=False)},
        {"recipe": ImportedRecipe("other")},
        {"recipe": ImportedRecipe("plain", {"learning_rate": 1})},
        {"seeds": Seeds(1, 2)},
    ],
)
def test_other_content_is_another_trial(change):
    fields = {"task": ImportedTask("RTE", "acc"), "recipe": ImportedRecipe("plain"), "seeds": Seeds(1, 1)}
    assert ImportedTrial(**fields).id != ImportedTrial(**{**fields, **change}).id


@pytest.mark.parametrize("metric", ["loss", "eval_loss", "validation_Error", "perplexity", "rmse", "test_mae", "MSE"])
def test_less_is_better_of_what_is_named_so(metric):
    assert not greater_is_better(metric)


@pytest.mark.parametrize("metric", ["accuracy", "val_mcc", "f1", "lossless_share"])
def test_more_is_better_of_everything_else(metric):
    assert greater_is_better(metric)


def test_winner_of_imported_runs_follows_the_direction_of_the_metric():
    loss = ImportedTask("RTE", "loss", greater_is_better=False)
    found = [record(0.3, 1, task=loss), record(0.2, 2, task=loss), record(0.1, 3, TrialState.FAILED, task=loss)]
    assert winner(found, loss).trial.seeds.init == 2
    found = [record(0.3, 1), record(0.2, 2)]
    assert winner(found, found[0].trial.task).trial.seeds.init == 1


def test_imported_trial_cannot_be_run():
    with pytest.raises(RequestError, match=r"was imported and cannot be run; choose another directory"):
        own_trial(record(0.5))


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda: ImportedTask(" ", "acc"), "the task's name must be a non-empty text, not ' '"),
        (lambda: ImportedTask("RTE", None), "the task's metric must be a non-empty text, not None"),
        (lambda: ImportedTask("RTE", "acc", 1), "greater_is_better must be true or false, not 1"),
        (lambda: ImportedRecipe(""), "the recipe's name must be a non-empty text, not ''"),
        (lambda: ImportedRecipe("a", {"b": {1}}), "the recipe's settings must be plain JSON, but: "),
        (lambda: ImportedRecipe("a", {"b": float("nan")}), "the recipe's settings must be plain JSON, but: "),
        (
            lambda: ImportedTrial(Task.glue("rte"), ImportedRecipe("a"), Seeds(1, 1)),
            "the trial's task must be a seedwise.ImportedTask",
        ),
        (
            lambda: ImportedTrial(ImportedTask("RTE", "acc"), Recipe(model="m"), Seeds(1, 1)),
            "the trial's recipe must be a seedwise.ImportedRecipe",
        ),
        (
            lambda: ImportedTask.from_json({"source": "imported", "name": "a", "metrik": "b"}),
            "the task has no key 'metrik'; did you mean 'metric'",
        ),
        (lambda: ImportedRecipe.from_json({"source": "imported"}), "the recipe must have the key 'name'"),
    ],
)
def test_it_is_refused_in_one_sentence(make, words):
    with pytest.raises(RequestError) as refused:
        make()
    assert words in str(refused.value)
    assert str(refused.value).endswith(".")
