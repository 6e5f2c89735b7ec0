"""Does LoRA train small matrices beside weights that keep every bit, and is what is handed out a plain model?"""

import json
import sys
from dataclasses import replace

import numpy as np
import pytest
import torch
from safetensors import safe_open
from transformers import AutoModelForSequenceClassification

from families import FAMILIES, save_family
from seedwise import LocalExecutor, RequestError, Seeds, Trial
from seedwise.data.tokens import tokenize
from seedwise.executors.workers.export import export_model
from seedwise.training.adapters import merge_lora
from seedwise.training.checkpoint import save_weights
from seedwise.training.loop import begin, train
from seedwise.training.model import check_switches, load_model
from seedwise.training.plain import predict
from seedwise.training.randomness import normal
from tolerances import SEVERAL_LAYERS
from toys import toy_recipe

pytestmark = pytest.mark.slow  # trains with LoRA

pytest.importorskip("peft", reason="needs the extra [lora]")

QUERY = "bert.encoder.layer.0.attention.self.query"
NEW = {"bert.pooler.dense.weight", "bert.pooler.dense.bias", "classifier.weight", "classifier.bias"}


@pytest.fixture(scope="module")
def plain(task, recipe):
    return Trial(task, replace(recipe, warmup_ratio=0.0, num_train_steps=9, evaluations="every 3 steps"), Seeds(1, 1))


@pytest.fixture(scope="module")
def lora(plain):
    return with_switches(plain, lora_rank=4)


def with_switches(trial, **switches):
    return replace(trial, recipe=replace(trial.recipe, **switches))


def loaded(recipe, init_seed=1):
    return load_model(recipe, label_names=("bad", "good"), init_seed=init_seed).model


def parameters(model):
    """Every parameter by the name that it has without LoRA; the matrices keep theirs."""
    return {name.replace(".base_layer.", "."): p.detach().clone() for name, p in model.named_parameters()}


def test_matrices_stand_beside_query_and_value_of_a_bert(lora):
    found = {name for name, _ in loaded(lora.recipe).named_parameters() if "lora" in name}
    assert found == {
        f"bert.encoder.layer.{i}.attention.self.{target}.lora_{matrix}.default.weight"
        for i in range(2)
        for target in ("query", "value")
        for matrix in "AB"
    }


def test_the_pretrained_weights_keep_every_bit(lora, data):
    training = begin(lora, data)
    before = parameters(training.model)
    list(train(training))
    after = parameters(training.model)
    moved = {name for name in before if not torch.equal(before[name], after[name])}
    assert moved == NEW | {name for name in before if ".lora_" in name}
    assert set(training.parameters) == moved


def test_the_matrices_are_drawn_by_the_init_seed_and_the_product_is_zero(lora):
    first, again, other = (parameters(loaded(lora.recipe, seed)) for seed in (1, 1, 2))
    for name in [name for name in first if ".lora_A." in name]:
        assert torch.equal(first[name], again[name])
        assert not torch.equal(first[name], other[name])
        assert torch.equal(first[name], normal(1, name, (4, 32), (3 * 32) ** -0.5))
        assert not first[name.replace("lora_A", "lora_B")].any()


def test_the_head_of_a_seed_is_the_same_with_and_without_lora(plain, lora):
    without, with_lora = parameters(loaded(plain.recipe)), parameters(loaded(lora.recipe))
    assert all(torch.equal(without[name], with_lora[name]) for name in without)


def test_the_first_loss_is_that_without_lora(plain, lora, data):
    assert next(train(begin(lora, data))).loss == next(train(begin(plain, data))).loss


def test_the_second_loss_is_another(plain, lora, data):
    losses = [[m.loss for m in train(begin(trial, data), 2)] for trial in (plain, lora)]
    assert losses[0][1] != losses[1][1]


def test_drawing_leaves_the_global_generator_alone(lora):
    before = torch.random.get_rng_state()
    loaded(lora.recipe)
    assert torch.equal(before, torch.random.get_rng_state())


@pytest.mark.parametrize(("rank", "alpha"), [(4, 16.0), (2, 3.0), (8, 0.5)])
def test_the_product_is_scaled_by_alpha_over_rank(plain, rank, alpha):
    model = loaded(replace(plain.recipe, lora_rank=rank, lora_alpha=alpha))
    layer = model.get_submodule(QUERY)
    a, b, w = layer.lora_A["default"].weight, layer.lora_B["default"].weight, layer.base_layer.weight
    with torch.no_grad():
        b.copy_(normal(9, "b", tuple(b.shape), 1.0))
        expected = (w + alpha / rank * b @ a).clone()
    merge_lora(model)
    torch.testing.assert_close(model.get_submodule(QUERY).weight.detach(), expected)


def test_a_merged_model_says_what_the_trained_one_said(lora, data):
    training = begin(lora, data)
    list(train(training, 3))
    before = predict(training.model, data.validation, data)
    merge_lora(training.model)
    assert not any("lora" in name or "base_layer" in name for name, _ in training.model.named_modules())
    np.testing.assert_allclose(predict(training.model, data.validation, data), before, atol=SEVERAL_LAYERS)


def test_the_folder_handed_out_is_a_plain_model_with_the_logits_of_the_trained_one(plain, lora, data, tmp_path):
    training = begin(lora, data)
    list(train(training))
    save_weights(training, tmp_path / "w.safetensors")
    export_model(lora, data.folder, tmp_path / "w.safetensors", tmp_path / "best", {})
    with safe_open(tmp_path / "best" / "model.safetensors", framework="pt") as file:
        assert set(file.keys()) == set(parameters(loaded(plain.recipe)))
    assert "peft" not in json.dumps(json.loads((tmp_path / "best" / "config.json").read_text()))
    assert not list((tmp_path / "best").glob("adapter*"))
    model = AutoModelForSequenceClassification.from_pretrained(tmp_path / "best", dtype=torch.float32)
    np.testing.assert_allclose(predict(model, data.validation, data), training.best.logits, atol=SEVERAL_LAYERS)


def test_named_targets_alone_get_matrices(plain):
    model = loaded(replace(plain.recipe, lora_rank=2, lora_targets="key, attention.output.dense"))
    found = {name.partition(".lora_")[0] for name, _ in model.named_parameters() if ".lora_" in name}
    assert found == {
        f"bert.encoder.layer.{i}.attention.{end}" for i in range(2) for end in ("self.key", "output.dense")
    }


def test_a_head_that_bears_a_target_name_is_trained_itself(tmp_path):
    model = loaded(toy_recipe(save_family(tmp_path, FAMILIES["RoBERTa"]), lora_rank=2, lora_targets="dense"))
    head = {name: p for name, p in model.named_parameters() if name.startswith("classifier.")}
    assert set(head) == {f"classifier.{layer}.{kind}" for layer in ("dense", "out_proj") for kind in ("weight", "bias")}
    assert all(p.requires_grad for p in head.values())


def test_a_new_pooler_that_bears_a_target_name_is_trained_too(plain):
    """The toy checkpoint has no pooler: frozen at what was drawn it would stay random."""
    model = loaded(replace(plain.recipe, lora_rank=2, lora_targets="dense"))
    trained = {name for name, p in model.named_parameters() if p.requires_grad and ".lora_" not in name}
    assert trained == {name.replace("bert.pooler.dense.", "bert.pooler.dense.base_layer.") for name in NEW}


# One linear layer of each family's blocks; XLNet's attention has none.
TARGETS = {
    "BERT": "query",
    "RoBERTa": "query",
    "XLM-R": "query",
    "DistilBERT": "q_lin",
    "ELECTRA": "query",
    "ALBERT": "query",
    "DeBERTa-v3": "query_proj",
    "MPNet": "attn.q",
    "XLNet": "layer_1",
    "BART": "q_proj",
    "T5": "q",
    "GPT-2": "c_attn",
    "Llama": "q_proj",
    "ModernBERT": "Wqkv",
}


@pytest.mark.parametrize("name", FAMILIES)
def test_every_family_trains_matrices_and_nothing_that_is_frozen(tmp_path, task, name):
    folder = save_family(tmp_path / "model", FAMILIES[name])
    recipe = toy_recipe(folder, lora_rank=2, lora_targets=TARGETS[name], num_train_steps=2, warmup_ratio=0.0)
    trial = Trial(task, recipe, Seeds(1, 1))
    training = begin(trial, tokenize(task, recipe.model, recipe.max_length))
    frozen = {name: p.detach().clone() for name, p in training.model.named_parameters() if not p.requires_grad}
    before = {name: p.detach().clone() for name, p in training.parameters.items()}
    list(train(training))
    after = dict(training.model.named_parameters())
    assert all(torch.equal(after[name], value) for name, value in frozen.items())
    assert all(not torch.equal(after[name], value) for name, value in before.items() if ".lora_B." in name)


REFUSED = [
    ("BERT", "quary", "not quary; name some of query, key, value, dense."),
    ("BERT", ("query", "classifier"), "not classifier; name some of query, key, value, dense."),
    ("BERT", ("query", "vlue", "LayerNorm"), "not vlue, LayerNorm; name some of query, key, value, dense."),
    ("BERT", ("uery",), "not uery; name some of query, key, value, dense."),
    ("GPT-2", "query", "not query; name some of c_attn, c_proj, c_fc."),
]


@pytest.mark.parametrize(("name", "targets", "words"), REFUSED, ids=lambda part: str(part)[:20])
def test_targets_that_are_not_there_are_refused_with_those_that_are(tmp_path, name, targets, words):
    folder = save_family(tmp_path, FAMILIES[name])
    with pytest.raises(RequestError) as refusal:
        check_switches(toy_recipe(folder, lora_rank=2, lora_targets=targets))
    assert str(refusal.value) == f"lora_targets must be names of linear layers of {folder}, {words}"


@pytest.mark.parametrize("name", FAMILIES)
def test_without_targets_every_family_gets_matrices_in_its_blocks_alone(tmp_path, name):
    recipe = toy_recipe(save_family(tmp_path, FAMILIES[name]), lora_rank=2)
    model, drawn = load_model(recipe, label_names=("a", "b"), init_seed=1)
    matrices = [parameter for parameter in drawn if ".lora_" in parameter]
    assert matrices
    assert all(parameter.startswith(f"{model.base_model_prefix}.") for parameter in matrices)
    assert {parameter for parameter, p in model.named_parameters() if p.requires_grad} == drawn


@pytest.mark.parametrize("when", ["asked", "loaded"])
def test_without_peft_the_extra_is_named(task, lora, monkeypatch, when):
    monkeypatch.setitem(sys.modules, "peft", None)
    with pytest.raises(RequestError) as refusal:
        LocalExecutor("plain", workers=1).prepare(task, lora.recipe) if when == "asked" else loaded(lora.recipe)
    assert str(refusal.value) == (
        "lora_rank = 4 needs the package peft, which is not installed; run `pip install 'seedwise[lora]'`, or set "
        "lora_rank to 0."
    )


def test_without_peft_everything_else_is_trained(plain, data, monkeypatch):
    monkeypatch.setitem(sys.modules, "peft", None)
    training = begin(plain, data)
    list(train(training, 1))
    merge_lora(training.model)
    assert training.step == 1
