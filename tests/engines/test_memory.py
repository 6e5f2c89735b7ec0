"""Is the memory that a trial is expected to take about what it takes?"""

import subprocess
import sys

import pytest

from seedwise import Seeds, Trial
from seedwise.data.tokens import tokenize
from seedwise.engines import memory
from seedwise.engines.memory import bytes_per_trial, is_out_of_memory, widest
from seedwise.values.identity import canonical_json
from toys import toy_model, toy_recipe, toy_task

GROWTH = """
import json, resource, sys
import torch
from seedwise import Seeds, Trial
from seedwise.data.tokens import TokenizedTask
from seedwise.engines.begin import begin
from seedwise.engines.stack import Stack

torch.set_num_threads(1)
trial, folder, width = Trial.from_json(json.loads(sys.argv[1])), sys.argv[2], int(sys.argv[3])
data, stack = TokenizedTask.open(folder), Stack(together=64)
for seed in range(width):
    stack.join(begin(Trial(trial.task, trial.recipe, Seeds(seed, seed)), data, path="fused"))
for _ in range(4):
    stack.step()
print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024)
"""


def peak(trial, data, width):
    """The most memory that a process takes which trains a stack of this width."""
    command = [sys.executable, "-c", GROWTH, canonical_json(trial.to_json()), str(data.folder), str(width)]
    return int(subprocess.run(command, capture_output=True, text=True, check=True).stdout.split()[-1])


@pytest.fixture(scope="module")
def trial(tmp_path_factory):
    folder = tmp_path_factory.mktemp("memory")
    model = toy_model(folder / "model", hidden=384, layers=4)
    recipe = toy_recipe(model, num_train_steps=8, evaluations="every 2 steps", batch_size=16)
    return Trial(toy_task(folder / "task"), recipe, Seeds(1, 1))


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="the unit of the peak is Linux's")
@pytest.mark.slow
def test_the_estimate_is_about_what_a_trial_takes(trial):
    data = tokenize(trial.task, trial.recipe.model, trial.recipe.max_length)
    measured = (peak(trial, data, 9) - peak(trial, data, 1)) / 8
    assert 0.6 < bytes_per_trial(trial.recipe, data) / measured < 1.8


@pytest.mark.parametrize(
    ("changes", "more"), [({"mixout": 0.5}, 12), ({"pretrained_weight_decay": 0.1}, 4), ({"dtype": "bfloat16"}, 2)]
)
def test_switches_that_copy_parameters_take_more(trial, changes, more):
    data = tokenize(trial.task, trial.recipe.model, trial.recipe.max_length)
    plain, other = (bytes_per_trial(recipe, data) for recipe in (trial.recipe, trial.recipe.with_changes(**changes)))
    assert (other - plain) % more == 0
    assert other > plain


def test_as_many_fit_as_memory_is_free(trial, monkeypatch):
    data = tokenize(trial.task, trial.recipe.model, trial.recipe.max_length)
    one = bytes_per_trial(trial.recipe, data)
    found = []
    for count in (0.5, 3, 30):
        monkeypatch.setattr(memory, "free_bytes", lambda _, count=count: int(count * one / memory.SHARE) + 1)
        found.append(widest(trial.recipe, data))
    assert found == [0, 3, 30]


@pytest.mark.parametrize(
    ("error", "expected"),
    [
        (MemoryError(), True),
        (RuntimeError("[enforce fail at alloc_cpu.cpp] DefaultCPUAllocator: can't allocate memory"), True),
        (RuntimeError("CUDA error: CUBLAS_STATUS_ALLOC_FAILED when calling cublasCreate"), True),
        (RuntimeError("shapes cannot be multiplied"), False),
        (ValueError("can't allocate memory"), False),
    ],
)
def test_lacking_memory_is_told_from_other_errors(error, expected):
    assert is_out_of_memory(error) is expected
