"""Is the memory that a trial is expected to take about what it takes?"""

import gc
import json
from itertools import accumulate

import pytest
from torch.profiler import ProfilerActivity, profile

from seedwise import Seeds, Trial
from seedwise.data.tokens import tokenize
from seedwise.engines import memory
from seedwise.engines.engine import FUSED
from seedwise.engines.memory import bytes_per_trial, is_out_of_memory, widest
from seedwise.engines.stack import Stack
from toys import toy_model, toy_recipe, toy_task


def peak(trial, data, width, folder):
    """The most bytes that torch's tensors hold at once in training a stack of this width: counted, not read off the process."""
    gc.collect()  # what is freed below must have been allocated there
    with profile(activities=[ProfilerActivity.CPU], profile_memory=True, acc_events=True) as profiled:
        stack = Stack(together=64)
        for seed in range(width):
            stack.join(FUSED.begin(Trial(trial.task, trial.recipe, Seeds(seed, seed)), data))
        for _ in range(2):
            stack.step()
    profiled.export_chrome_trace(str(folder / "trace.json"))
    events = json.loads((folder / "trace.json").read_text())["traceEvents"]
    moved = sorted((event["ts"], event["args"]["Bytes"]) for event in events if event.get("name") == "[memory]")
    return max(accumulate(count for _, count in moved))


@pytest.fixture(scope="module")
def trial(tmp_path_factory):
    folder = tmp_path_factory.mktemp("memory")
    model = toy_model(folder / "model", hidden=384, layers=4)
    recipe = toy_recipe(model, num_train_steps=8, evaluations="every 2 steps", batch_size=16)
    return Trial(toy_task(folder / "task"), recipe, Seeds(1, 1))


@pytest.mark.slow
def test_the_estimate_is_about_what_a_trial_takes(trial, tmp_path):
    data = tokenize(trial.task, trial.recipe.model, trial.recipe.max_length)
    measured = (peak(trial, data, 3, tmp_path) - peak(trial, data, 1, tmp_path)) / 2
    # A quarter: an estimate counts the copies of parameters and activations, not each temporary tensor of a step.
    assert bytes_per_trial(trial.recipe, data) == pytest.approx(measured, rel=0.25)


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
