"""Does a trial in a stack compute what it computes alone, whoever else is in the stack?"""

import pytest
import torch

from curves import close, curves, split
from seedwise import Recipe, Seeds, Task, Trial
from seedwise.data.tokens import tokenize
from seedwise.engines import stack as stacks
from seedwise.engines.engine import FUSED, PACKED
from seedwise.engines.replay import Recordings
from seedwise.engines.stack import Stack, difference
from seedwise.errors import RequestError
from seedwise.training.checkpoint import load_checkpoint, save_checkpoint
from tolerances import drift
from toys import toy_model, toy_recipe, toy_task

pytestmark = pytest.mark.slow  # whole trainings, beside the plain loop


def run(trainings, steps, **options):
    """Train trials in one stack up to a step; return each one's losses and evaluations."""
    stack = Stack(**options)
    for training in trainings:
        stack.join(training)
    found = [[] for _ in trainings]
    while stack.members:
        for training, measurement in stack.step():
            found[trainings.index(training)].append(measurement)
            if training.step == steps:
                stack.leave(training)
    return [split(own) for own in found]


@pytest.fixture(scope="module")
def toy(tmp_path_factory):
    """A toy model's task, recipe and rows."""
    folder = tmp_path_factory.mktemp("toy")
    task = toy_task(folder / "task")
    recipe = toy_recipe(toy_model(folder / "model"), num_train_steps=24, evaluations="every 4 steps")
    return task, recipe, tokenize(task, recipe.model, recipe.max_length)


DIFFERENT = [
    {"learning_rate": 1e-3, "dropout": 0.2},
    {"bias_correction": False, "weight_decay": 0.1, "max_grad_norm": 0.1},
    {"mixout": 0.5, "pretrained_weight_decay": 0.1, "dropout": 0.0},
    {"num_train_steps": 40, "adam_beta2": 0.99, "warmup_ratio": 0.3, "reinit_pooler": True},
]


def trials_of(toy, seeds=(1, 2, 3, 4)):
    task, recipe, _ = toy
    return [
        Trial(task, recipe.with_changes(**changes), Seeds(seed, seed))
        for seed, changes in zip(seeds, DIFFERENT, strict=True)
    ]


@pytest.fixture(scope="module")
def wide(tmp_path_factory):
    """A task with rows of unequal number and length, and a model so wide that products of another length round otherwise."""
    folder = tmp_path_factory.mktemp("wide")
    task = toy_task(folder / "task", rows=150)
    model = toy_model(folder / "model", hidden=128)
    recipe = toy_recipe(model, num_train_steps=24, batch_size=24, learning_rate=5e-4, evaluations="every 4 steps")
    return task, recipe, tokenize(task, recipe.model, recipe.max_length)


BATCHED = {"together": 64}
"""As on a GPU: all trials of the stack in one product."""


@pytest.mark.parametrize("options", [BATCHED, {**BATCHED, "record": True}], ids=["at once", "replayed"])
def test_recipes_that_differ_in_numbers_share_a_stack_and_keep_their_curves(toy, options):
    trials, data = trials_of(toy), toy[2]
    together = run([FUSED.begin(trial, data) for trial in trials], 24, **options)
    for trial, ours in zip(trials, together, strict=True):
        close(ours, curves(PACKED.begin(trial, data), 24))


def test_on_a_cpu_a_trial_in_a_stack_is_the_packed_trial_bit_for_bit(wide):
    trials, data = trials_of(wide), wide[2]
    together = run([FUSED.begin(trial, data) for trial in trials], 12)
    assert together == [curves(PACKED.begin(trial, data), 12) for trial in trials]


@pytest.mark.parametrize("changes", DIFFERENT, ids=str)
def test_one_seed_does_not_depend_on_the_others(wide, changes):
    task, recipe, data = wide
    one = Trial(task, recipe.with_changes(**changes), Seeds(1, 1))
    company = [[Trial(task, recipe, Seeds(seed, seed)) for seed in others] for others in ([2, 3], [4, 5])]
    first, second = (run([FUSED.begin(trial, data) for trial in (one, *rest)], 12) for rest in company)
    assert first[0] == second[0]
    assert first[1] != second[1]


def test_computed_at_once_it_depends_on_them_by_rounding_alone(wide):
    task, recipe, data = wide
    one = Trial(task, recipe, Seeds(1, 1))
    company = [[Trial(task, recipe, Seeds(seed, seed)) for seed in others] for others in ([2, 3], [4, 5])]
    first, second = (run([FUSED.begin(trial, data) for trial in (one, *rest)], 12, **BATCHED) for rest in company)
    close(first[0], second[0])


def test_its_place_in_the_stack_changes_nothing(wide):
    trials, data = trials_of(wide), wide[2]
    forwards = run([FUSED.begin(trial, data) for trial in trials], 12)
    backwards = run([FUSED.begin(trial, data) for trial in reversed(trials)], 12)
    assert forwards == backwards[::-1]


@pytest.mark.parametrize("options", [{}, BATCHED], ids=["one by one", "at once"])
def test_a_paused_trial_goes_on_in_another_stack_where_it_was(toy, tmp_path, options):
    trials, data = trials_of(toy), toy[2]
    whole = run([FUSED.begin(trial, data) for trial in trials], 24, **options)
    first = [FUSED.begin(trial, data) for trial in trials]
    before = run(first, 9, **options)
    for training in first:
        save_checkpoint(training, tmp_path / f"{training.trial.id}.safetensors")
    survivors = [1, 3]
    again = [
        load_checkpoint(trials[k], data, tmp_path / f"{trials[k].id}.safetensors", begin=FUSED.begin) for k in survivors
    ]
    after = run(again, 24, **options)
    for k, rest in zip(survivors, after, strict=True):
        found = before[k][0] + rest[0], before[k][1] + rest[1]
        close(found, whole[k])
        assert options or found == whole[k]  # one by one, bit for bit


def test_trials_join_and_leave_while_others_train(toy):
    trials, data = trials_of(toy), toy[2]
    alone = [curves(PACKED.begin(trial, data), 24) for trial in trials]
    stack, found = Stack(**BATCHED), {trial.id: [] for trial in trials}
    waiting = [FUSED.begin(trial, data) for trial in trials]
    stack.join(waiting.pop())
    while stack.members:
        for training, measurement in stack.step():
            found[training.trial.id].append(measurement)
            if training.step == 24:
                stack.leave(training)
            elif training.step == 5 and waiting:
                stack.join(waiting.pop())
    for trial, curve in zip(trials, alone, strict=True):
        close(split(found[trial.id]), curve)


@pytest.mark.parametrize(
    "error", [torch.OutOfMemoryError("CUDA"), RuntimeError("DefaultCPUAllocator: can't allocate memory"), MemoryError()]
)
def test_a_stack_without_memory_is_computed_in_pieces(toy, monkeypatch, error):
    trials, data = trials_of(toy), toy[2]
    expected = run([FUSED.begin(trial, data) for trial in trials], 8, **BATCHED)
    forward, widths = stacks.forward, []

    def narrow(parts, weights, stream, noise):
        if noise is not None:
            widths.append(len(stream))
            if len(stream) > 2:
                raise error
        return forward(parts, weights, stream, noise)

    monkeypatch.setattr(stacks, "forward", narrow)
    found = run([FUSED.begin(trial, data) for trial in trials], 8, **BATCHED)
    assert widths[:3] == [4, 2, 2]
    assert max(widths[1:]) == 2
    for ours, theirs in zip(found, expected, strict=True):
        close(ours, theirs)


def test_passes_that_are_replayed_from_the_same_memory_compute_the_same(toy, monkeypatch):
    """What a GPU records reads nothing but the memory that is filled before: here it is run from there."""
    trials, data = trials_of(toy), toy[2]
    shapes = []
    call = Recordings.__call__

    def noting(self, stream, keys):
        found = call(self, stream, keys)
        shapes.append(len(self))
        return found

    monkeypatch.setattr(Recordings, "__call__", noting)
    recorded = run([FUSED.begin(trial, data) for trial in trials], 24, record=True, **BATCHED)
    assert len(shapes) == 24
    assert shapes[-1] <= 3
    for trial, ours in zip(trials, recorded, strict=True):
        close(ours, curves(PACKED.begin(trial, data), 24))


@pytest.mark.gpu
@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA device")
@pytest.mark.parametrize("dtype", ["float32", "bfloat16"])
def test_a_gpu_computes_what_the_cpu_computes(toy, dtype):
    task, recipe, data = toy
    trials = [Trial(task, recipe.with_changes(dtype=dtype), Seeds(seed, seed)) for seed in (1, 2, 3)]
    there = run([FUSED.begin(trial, data, "cuda:0") for trial in trials], 12, device="cuda:0")
    here = run([FUSED.begin(trial, data) for trial in trials], 12)
    for ours, theirs in zip(there, here, strict=True):
        close(
            ours, theirs, tolerance=10 * drift(12) if dtype == "float32" else 0.05
        )  # sums in yet another order; 8 bits


def test_a_diverging_trial_leaves_the_others_alone(toy):
    task, recipe, data = toy
    wild = Trial(task, recipe.with_changes(learning_rate=1e30, max_grad_norm=0.0, warmup_ratio=0.0), Seeds(9, 9))
    calm = [Trial(task, recipe, Seeds(seed, seed)) for seed in (1, 2)]
    found = run([FUSED.begin(trial, data) for trial in (wild, *calm)], 12, **BATCHED)
    assert not all(map(torch.isfinite, map(torch.tensor, found[0][0])))
    for ours, trial in zip(found[1:], calm, strict=True):
        close(ours, curves(PACKED.begin(trial, data), 12))


def test_gradients_may_be_accumulated(toy):
    task, recipe, data = toy
    trials = [
        Trial(task, recipe.with_changes(batch_size=3, gradient_accumulation_steps=parts), Seeds(parts, parts))
        for parts in (1, 2, 3)
    ]
    together = run([FUSED.begin(trial, data) for trial in trials], 12, **BATCHED)
    for ours, trial in zip(together, trials, strict=True):
        close(ours, curves(PACKED.begin(trial, data), 12))


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"batch_size": 4}, "batch_size differs: 8 and 4"),
        ({"freeze_layers": 1}, "freeze_layers differs: 0 and 1"),
        ({"layerwise_lr_decay": 0.9}, "layerwise_lr_decay"),
        ({"dtype": "bfloat16"}, "dtype differs"),
    ],
)
def test_a_stack_says_what_differs(toy, changes, says):
    task, recipe, data = toy
    stack = Stack()
    stack.join(FUSED.begin(Trial(task, recipe, Seeds(1, 1)), data))
    with pytest.raises(RequestError, match=says):
        stack.join(FUSED.begin(Trial(task, recipe.with_changes(**changes), Seeds(2, 2)), data))
    assert len(stack.members) == 1


def test_trials_of_two_tasks_are_not_stacked(toy, tmp_path):
    task, recipe, _ = toy
    other = toy_task(tmp_path, rows=32)
    assert "tasks differ" in difference(Trial(task, recipe, Seeds(1, 1)), Trial(other, recipe, Seeds(1, 1)))


def test_each_family_can_be_stacked_and_does_what_the_plain_loop_does(family, task, reference):
    recipe = toy_recipe(family, num_train_steps=50, learning_rate=5e-4, evaluations="every 10 steps")
    data = tokenize(task, recipe.model, recipe.max_length)
    trials = [Trial(task, recipe, Seeds(seed, seed)) for seed in (1, 2)]
    together = run([FUSED.begin(trial, data) for trial in trials], 50, **BATCHED)
    for ours, trial in zip(together, trials, strict=True):
        close(ours, curves(reference(trial, data)))


def test_whole_trials_of_an_embedded_task_end_at_the_plain_scores(reference):
    task = Task.embedded("acceptability")
    recipe = Recipe(model="embedded", learning_rate=5e-4, num_train_epochs=1, evaluations="2 per epoch")
    data = tokenize(task, recipe.model, recipe.max_length)
    trials = [Trial(task, recipe, Seeds(seed, seed)) for seed in (1, 2)]
    together = run([FUSED.begin(trial, data) for trial in trials], recipe.steps(len(data.train)), **BATCHED)
    for ours, trial in zip(together, trials, strict=True):
        theirs = curves(reference(trial, data))
        assert ours[0] == pytest.approx(theirs[0], abs=10 * drift(len(ours[0])))
        row = 4 / len(data.validation)  # where two logits are equal to rounding, the answer to a row may turn over
        assert ours[1][-1][task.metric] == pytest.approx(theirs[1][-1][task.metric], abs=row)
