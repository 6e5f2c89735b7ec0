"""Is a trial that is put aside after any step, with any switch, the trial that was never put aside, to the bit?"""

from dataclasses import replace

import numpy as np
import pytest
import torch
from safetensors import safe_open

from seedwise import Seeds, Trial
from seedwise.executors.workers.export import export_model
from seedwise.training.checkpoint import load_checkpoint, save_checkpoint, save_weights, step_of
from seedwise.training.loop import begin, train
from seedwise.values.recipe import TRACKED

STEPS = 8
SWITCHES = {
    "re-init": {"reinit_layers": 1, "reinit_pooler": True},
    "layer-wise rates": {"layerwise_lr_decay": 0.7},
    "decay towards the start": {"pretrained_weight_decay": 0.5},
    "mixout": {"mixout": 0.4},
    "freezing": {"freeze_layers": 1},
    "distances": {"track": "distance"},
    "gradient norm and bias": {"track": "gradient_norm,bias_ratio", "bias_correction": False},
    "LoRA": {"lora_rank": 2},
    "a starting point": {"start_from": "finished"},
    "many together": {
        "mixout": 0.3,
        "reinit_layers": 1,
        "reinit_pooler": True,
        "layerwise_lr_decay": 0.8,
        "pretrained_weight_decay": 0.2,
        "track": TRACKED,
    },
    "many together, from a starting point": {
        "start_from": "finished",
        "freeze_layers": 1,
        "mixout": 0.3,
        "layerwise_lr_decay": 0.8,
        "pretrained_weight_decay": 0.2,
        "bias_correction": False,
        "track": TRACKED,
    },
    "LoRA with rates and tracking": {"lora_rank": 2, "layerwise_lr_decay": 0.8, "track": TRACKED},
}


@pytest.fixture(scope="module")
def finished(trial, data, tmp_path_factory):
    """The folder of a model that was trained before."""
    folder = tmp_path_factory.mktemp("finished")
    training = begin(trial, data)
    list(train(training, 4))
    save_weights(training, folder / "w.safetensors")
    export_model(trial, data.folder, folder / "w.safetensors", folder / "model", {})
    return folder / "model"


@pytest.fixture(params=SWITCHES)
def switched(request, task, recipe, finished):
    """Eight steps with dropout, scored after 3, 6 and 8."""
    if "lora_rank" in SWITCHES[request.param]:
        pytest.importorskip("peft", reason="needs the extra [lora]")
    chosen = replace(recipe, num_train_steps=STEPS, evaluations="every 3 steps")
    chosen = replace(chosen, **SWITCHES[request.param])
    return Trial(task, replace(chosen, start_from=str(finished)) if chosen.start_from else chosen, Seeds(1, 1))


def outcome(training, measured):
    """All that a trial leaves, with every weight and logit."""
    best = training.best
    weights = {name: p.detach() for name, p in training.model.named_parameters()}
    return measured, training.fingerprint, (best.step, best.score), weights, best.weights, best.logits


def assert_same(found, expected):
    for a, b in zip(found[:3], expected[:3], strict=True):
        assert a == b
    for a, b in zip(found[3:5], expected[3:5], strict=True):
        assert a.keys() == b.keys()
        assert all(torch.equal(a[name], b[name]) for name in a)
    assert np.array_equal(found[5], expected[5])


def undisturbed(trial, data):
    training = begin(trial, data)
    return outcome(training, list(train(training)))


def test_put_aside_after_every_single_step_it_is_the_same_trial(switched, data, tmp_path):
    path = tmp_path / "c.safetensors"
    training, measured = begin(switched, data), []
    for step in range(1, STEPS + 1):
        measured += train(training, step)
        if step < STEPS:
            save_checkpoint(training, path)
            resumed = load_checkpoint(switched, data, path)
            assert resumed.pending == training.pending
            assert step_of(path) == (step, step - step % 3)
            training = resumed
    assert_same(outcome(training, measured), undisturbed(switched, data))


def test_what_is_frozen_takes_no_place_in_a_checkpoint(task, recipe, data, tmp_path):
    for name, freeze in (("all", 0), ("few", 2)):
        training = begin(Trial(task, replace(recipe, freeze_layers=freeze), Seeds(1, 1)), data)
        list(train(training, 4))
        save_checkpoint(training, tmp_path / name)
    with safe_open(tmp_path / "few", framework="pt") as file:
        assert {key for key in file.keys() if "encoder" in key or "embeddings" in key} == set()  # noqa: SIM118
    assert (tmp_path / "few").stat().st_size < 0.2 * (tmp_path / "all").stat().st_size
