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
from seedwise.executors.workers.export import export_model
from seedwise.training.checkpoint import load_checkpoint, save_checkpoint, save_weights
from seedwise.training.loop import begin, train
from seedwise.training.plain import predict
from seedwise.values.recipe import TRACKED
from tolerances import SEVERAL_LAYERS
from toys import toy_recipe, toy_task

pytestmark = pytest.mark.slow  # trains every family

BY_PARAMETER = {
    "reinit_pooler": True,
    "mixout": 0.3,
    "pretrained_weight_decay": 0.1,
    "bias_correction": False,
    "track": ("gradient_norm", "bias_ratio"),
}
BY_BLOCK = {"layerwise_lr_decay": 0.9, "track": TRACKED}
# Of two blocks one is drawn anew or frozen, never both, so that mixout and the decay have the other to act on.
SWITCHES = {
    "reinit": {**BY_PARAMETER, **BY_BLOCK, "reinit_layers": 1},
    "freezing": {**BY_PARAMETER, **BY_BLOCK, "freeze_layers": 1},
    "lora": {**BY_BLOCK, "lora_rank": 2},
}
SHARED = {"parameters": BY_PARAMETER, "lora": {"lora_rank": 2, "track": ("gradient_norm", "bias_ratio")}}  # ALBERT
CASES = [(name, how) for name in FAMILIES for how in (SHARED if name == "ALBERT" else SWITCHES)]


@pytest.fixture(scope="module", params=CASES, ids=" ".join)
def case(request):
    """A family's name, and the switches that are on."""
    name, how = request.param
    if how == "lora":
        pytest.importorskip("peft", reason="needs the extra [lora]")
    return name, (SHARED if name == "ALBERT" else SWITCHES)[how]


@pytest.fixture(scope="module")
def folder(case, tmp_path_factory):
    return save_family(tmp_path_factory.mktemp("family"), FAMILIES[case[0]])


@pytest.fixture(scope="module")
def intermediate(case, tmp_path_factory):
    """A model of the same size that was fine-tuned for three classes."""
    place, family = tmp_path_factory.mktemp("intermediate"), FAMILIES[case[0]]
    config = getattr(transformers, family.config)(**IDS, **family.fields, id2label={0: "a", 1: "b", 2: "c"})
    with torch.random.fork_rng():
        torch.manual_seed(1)
        AutoModelForSequenceClassification.from_config(config).save_pretrained(place)
    save_tokenizer(place, family)
    return place


@pytest.fixture(scope="module")
def trial(case, folder, intermediate, tmp_path_factory):
    """Four steps, scored after two and after four, that start from the intermediate model."""
    steps = {"num_train_steps": 4, "evaluations": "every 2 steps", "warmup_ratio": 0.0}
    recipe = toy_recipe(folder, start_from=str(intermediate), **steps, **case[1])
    return Trial(toy_task(tmp_path_factory.mktemp("rows"), rows=24, test=False), recipe, Seeds(1, 1))


@pytest.fixture(scope="module")
def data(trial):
    return tokenize(trial.task, trial.recipe.model, trial.recipe.max_length)


@pytest.fixture(scope="module")
def whole(trial, data):
    """A training to the end, what its parameters began with, and its curve."""
    training = begin(trial, data)
    before = {name: p.detach().clone() for name, p in training.parameters.items()}
    return training, before, list(train(training))


def test_every_step_is_finite_and_tracked(trial, whole):
    *_, curve = whole
    assert [m.step for m in curve if m.metrics is not None and "accuracy" in m.metrics] == [2, 4]
    for measurement in curve:
        assert set(measurement.tracked) == set(trial.recipe.track)
        numbers = [measurement.loss, *(value for values in measurement.tracked.values() for value in values)]
        assert np.isfinite(numbers).all()


def test_what_is_trained_moves(whole):
    training, before, _ = whole
    matrices = [name for name, p in training.parameters.items() if p.dim() == 2]
    moved = [name for name in matrices if not torch.equal(training.parameters[name], before[name])]
    assert len(moved) > 0.8 * len(matrices)  # the rows of a few embeddings are not read at all


def test_mixout_and_the_decay_have_pretrained_matrices_to_act_on(trial, whole):
    training, before, _ = whole
    held = [name for name, value in training.start.items() if value.dim() == 2]
    assert bool(held) == bool(trial.recipe.mixout) == bool(trial.recipe.pretrained_weight_decay)
    assert all(torch.equal(training.start[name], before[name]) for name in held)


@pytest.fixture(scope="module")
def resumed(trial, data, tmp_path_factory):
    """The same trial, put aside after three steps and taken up again, and its curve."""
    path = tmp_path_factory.mktemp("checkpoint") / "c.safetensors"
    first = begin(trial, data)
    found = list(train(first, 3))
    save_checkpoint(first, path)
    second = load_checkpoint(trial, data, path)
    return second, found + list(train(second))


def test_a_paused_trial_resumes_bit_for_bit(whole, resumed):
    (expected, _, curve), (found, again) = whole, resumed
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
    assert np.allclose(predict(model, data.validation, data), training.best.logits, rtol=0, atol=SEVERAL_LAYERS)
