"""Do the switches of a recipe go together in every family: trained, paused and resumed, handed out?

Each by itself is checked against its definition elsewhere; here all that may go together are on at once, and LoRA.
"""

import numpy as np
import pytest
import torch
import transformers
from transformers import AutoModelForSequenceClassification

from families import FAMILIES, IDS, save_family, save_tokenizer
from seedwise import Seeds, Trial
from seedwise.data.tokens import tokenize
from seedwise.executors.export import export_model
from seedwise.training.checkpoint import load_checkpoint, save_checkpoint, save_weights
from seedwise.training.loop import begin, predict, train
from toys import toy_recipe, toy_task

BY_BLOCK = {"reinit_layers": 1, "freeze_layers": 1, "layerwise_lr_decay": 0.9}
BY_PARAMETER = {"reinit_pooler": True, "mixout": 0.3, "pretrained_weight_decay": 0.1, "bias_correction": False}


@pytest.fixture(scope="module", params=FAMILIES)
def name(request):
    return request.param


@pytest.fixture(scope="module")
def folder(name, tmp_path_factory):
    return save_family(tmp_path_factory.mktemp("family"), FAMILIES[name])


@pytest.fixture(scope="module")
def intermediate(name, tmp_path_factory):
    """A model of the same size that was fine-tuned for three classes."""
    place, family = tmp_path_factory.mktemp("intermediate"), FAMILIES[name]
    config = getattr(transformers, family.config)(**IDS, **family.fields, id2label={0: "a", 1: "b", 2: "c"})
    with torch.random.fork_rng():
        torch.manual_seed(1)
        AutoModelForSequenceClassification.from_config(config).save_pretrained(place)
    save_tokenizer(place, family)
    return place


@pytest.fixture(scope="module", params=["all", "lora"])
def trial(request, name, folder, intermediate, tmp_path_factory):
    """Four steps, scored after two and after four, that start from the intermediate model."""
    every = {"start_from": str(intermediate), "track": ("gradient_norm", "bias_ratio")}
    if request.param == "lora":
        switches = {**every, "lora_rank": 2}
    elif name == "ALBERT":  # its blocks share their weights
        switches = every | BY_PARAMETER
    else:
        switches = every | BY_PARAMETER | BY_BLOCK | {"track": ("distance", "gradient_norm", "bias_ratio")}
    recipe = toy_recipe(folder, num_train_steps=4, evaluations="every 2 steps", warmup_ratio=0.0, **switches)
    return Trial(toy_task(tmp_path_factory.mktemp("rows"), rows=24, test=False), recipe, Seeds(1, 1))


@pytest.fixture(scope="module")
def data(trial):
    return tokenize(trial.task, trial.recipe.model, trial.recipe.max_length)


@pytest.fixture(scope="module")
def whole(trial, data):
    """A training to the end, and its curve."""
    training = begin(trial, data)
    return training, list(train(training))


def test_every_step_is_finite_and_tracked(trial, whole):
    _, curve = whole
    for measurement in curve:
        assert set(measurement.tracked) == set(trial.recipe.track)
        numbers = [measurement.loss, *(value for values in measurement.tracked.values() for value in values)]
        assert np.isfinite(numbers).all()


@pytest.fixture
def resumed(trial, data, tmp_path):
    """The same trial, put aside after three steps and taken up again, and its curve."""
    first = begin(trial, data)
    found = list(train(first, 3))
    save_checkpoint(first, tmp_path / "c.safetensors")
    second = load_checkpoint(trial, data, tmp_path / "c.safetensors")
    return second, found + list(train(second))


def test_a_paused_trial_resumes_bit_for_bit(whole, resumed):
    (expected, curve), (found, again) = whole, resumed
    assert again == curve
    assert all(torch.equal(a, b) for a, b in zip(expected.model.parameters(), found.model.parameters(), strict=True))


def test_it_is_handed_out_as_a_plain_model_that_predicts_as_when_it_was_best(trial, data, resumed, tmp_path):
    training, _ = resumed
    save_weights(training, tmp_path / "best.safetensors")

    export_model(trial, data.folder, tmp_path / "best.safetensors", tmp_path / "best", {})

    model, info = AutoModelForSequenceClassification.from_pretrained(
        tmp_path / "best", dtype=torch.float32, output_loading_info=True
    )
    assert not any(info.values())  # no parameter is missing, new, or of another shape
    # LoRA's product is added to the weight before or after it meets the input; that rounds differently.
    assert np.allclose(predict(model, data.validation, data), training.best.logits, rtol=0, atol=1e-6)
