"""Is a sequence classifier of any family trained alike: head drawn, curve repeated, paused and resumed, handed out?"""

import numpy as np
import pytest
import torch
import transformers
from transformers import AutoModel, AutoModelForSequenceClassification, AutoTokenizer

from families import BERT_LIKE, FAMILIES, IDS, save_family, save_tokenizer
from seedwise import RequestError, Seeds, Trial
from seedwise.data.rows import load_rows
from seedwise.data.tokens import tokenize
from seedwise.executors.workers.export import export_model
from seedwise.training.checkpoint import load_checkpoint, save_checkpoint, save_weights
from seedwise.training.loop import begin, train
from seedwise.training.model import load_model
from seedwise.training.plain import predict
from seedwise.training.randomness import normal
from tolerances import SEVERAL_LAYERS
from toys import toy_recipe, toy_task

pytestmark = pytest.mark.slow  # trains every family of encoders


@pytest.fixture(scope="module", params=FAMILIES)
def family(request):
    return FAMILIES[request.param]


@pytest.fixture(scope="module")
def folder(family, tmp_path_factory):
    return save_family(tmp_path_factory.mktemp("family"), family)


@pytest.fixture(scope="module")
def task(tmp_path_factory):
    return toy_task(tmp_path_factory.mktemp("rows"), rows=24, test=False)


@pytest.fixture(scope="module")
def trial(folder, task):
    """Four steps, scored after two and after four."""
    recipe = toy_recipe(folder, num_train_steps=4, evaluations="every 2 steps", warmup_ratio=0.0, dropout=0.3)
    return Trial(task, recipe, Seeds(1, 1))


@pytest.fixture(scope="module")
def data(trial):
    return tokenize(trial.task, trial.recipe.model, trial.recipe.max_length)


@pytest.fixture(scope="module")
def curve(trial, data):
    return list(train(begin(trial, data)))


def with_recipe(trial, **changes):
    return Trial(trial.task, trial.recipe.with_changes(**changes), trial.seeds)


def test_the_head_is_drawn_and_the_rest_is_what_was_pretrained(folder, trial, data):
    model, drawn = load_model(trial.recipe, label_names=data.label_names, init_seed=1, pad_id=data.pad_id)
    pretrained = dict(AutoModel.from_pretrained(folder, dtype=torch.float32).named_parameters())
    std = getattr(model.config, "initializer_range", None) or 0.02
    head = {name: parameter for name, parameter in model.named_parameters() if name in drawn}
    assert any(parameter.dim() == 2 for parameter in head.values())
    for name, parameter in model.named_parameters():
        if name not in head:
            assert torch.equal(parameter, pretrained[name.removeprefix(f"{model.base_model_prefix}.")]), name
        elif name.endswith("bias"):
            assert not parameter.any(), name
        elif parameter.dim() == 2:
            assert torch.equal(parameter, normal(1, name, tuple(parameter.shape), std)), name
        else:
            assert torch.equal(parameter, torch.ones_like(parameter)), name  # a normalisation's weight
    assert not set(head) & {f"{model.base_model_prefix}.{name}" for name in pretrained}


def test_the_head_has_the_names_of_its_family(family, trial, data):
    _, drawn = load_model(trial.recipe, label_names=data.label_names, init_seed=1, pad_id=data.pad_id)
    assert {name.removesuffix(".weight").removesuffix(".bias") for name in drawn} == set(family.head.split())


def test_the_head_depends_on_the_init_seed_alone(trial, data):
    def head(seed):
        model, drawn = load_model(trial.recipe, label_names=data.label_names, init_seed=seed, pad_id=data.pad_id)
        return {name: p for name, p in model.named_parameters() if name in drawn and p.dim() == 2}

    first, again, other = head(1), head(1), head(2)
    assert all(torch.equal(first[name], again[name]) for name in first)
    assert not any(torch.equal(first[name], other[name]) for name in first)


def test_without_dropout_training_computes_what_evaluation_does(trial, data):
    model = begin(with_recipe(trial, dropout=0.0), data).model
    ids = torch.from_numpy(data.train.ids[: data.train.offsets[1]].astype("int64"))[None]
    with torch.no_grad():
        outputs = [model.train(mode)(input_ids=ids).logits for mode in (True, True, False)]
    assert torch.equal(outputs[0], outputs[1])
    assert torch.allclose(outputs[0], outputs[2], atol=SEVERAL_LAYERS)


def test_dropout_matters(trial, data, curve):
    without = list(train(begin(with_recipe(trial, dropout=0.0), data), 1))
    assert without[0].loss != curve[0].loss


def test_every_loss_and_score_is_finite(curve):
    assert [m.step for m in curve] == [1, 2, 3, 4]
    numbers = [m.loss for m in curve] + [value for m in curve if m.metrics for value in m.metrics.values()]
    assert torch.tensor(numbers).isfinite().all()
    assert [m.step for m in curve if m.metrics] == [2, 4]


def test_training_changes_what_is_predicted(trial, data):
    training = begin(trial, data)
    before = predict(training.model, data.validation, data)
    list(train(training, 2))
    assert not (before == predict(training.model, data.validation, data)).any()


def test_the_same_seeds_give_the_same_curve(trial, data, curve):
    assert list(train(begin(trial, data))) == curve


@pytest.mark.parametrize("seeds", [Seeds(2, 1, 1), Seeds(1, 2, 1), Seeds(1, 1, 2)], ids=["init", "order", "dropout"])
def test_another_seed_gives_another_curve(trial, data, curve, seeds):
    other = list(train(begin(Trial(trial.task, trial.recipe, seeds), data)))
    assert [m.loss for m in other] != [m.loss for m in curve]


def test_a_paused_trial_resumes_bit_for_bit(trial, data, curve, tmp_path):
    first = begin(trial, data)
    found = list(train(first, 3))
    save_checkpoint(first, tmp_path / "c.safetensors")
    second = load_checkpoint(trial, data, tmp_path / "c.safetensors")
    assert found + list(train(second)) == curve
    whole = begin(trial, data)
    list(train(whole))
    assert all(torch.equal(a, b) for a, b in zip(whole.model.parameters(), second.model.parameters(), strict=True))


def test_padding_changes_no_prediction(trial, data):
    """A row alone and the same row beside a longer one."""
    model = begin(trial, data).model
    together = predict(model, data.validation, data)
    lengths = data.validation.lengths
    row = int(lengths.argmin())
    start = int(data.validation.offsets[row])
    ids = torch.from_numpy(data.validation.ids[start : start + int(lengths[row])].astype("int64"))[None]
    types = {}
    if data.validation.type_ids is not None:
        types = {
            "token_type_ids": torch.from_numpy(data.validation.type_ids[start : start + ids.shape[1]].astype("int64"))[
                None
            ]
        }
    with torch.no_grad():
        alone = model.eval()(input_ids=ids, attention_mask=torch.ones_like(ids), **types).logits
    assert torch.allclose(alone[0], torch.from_numpy(together[row]), atol=SEVERAL_LAYERS)


@pytest.mark.parametrize("label", ["label", "value"], ids=["classes", "regression"])
def test_a_model_that_was_paused_is_handed_out_and_predicts_texts_as_when_it_was_best(trial, label, tmp_path):
    kind = "classification" if label == "label" else "regression"
    chosen = toy_task(tmp_path / "rows", rows=24, test=False, label=label, kind=kind)
    trial = Trial(chosen, trial.recipe, trial.seeds)
    data = tokenize(chosen, trial.recipe.model, trial.recipe.max_length)
    first = begin(trial, data)
    list(train(first, 3))
    save_checkpoint(first, tmp_path / "c.safetensors")
    second = load_checkpoint(trial, data, tmp_path / "c.safetensors")
    list(train(second))
    save_weights(second, tmp_path / "best.safetensors")

    export_model(trial, data.folder, tmp_path / "best.safetensors", tmp_path / "best", {"README.md": "A card."})

    model = AutoModelForSequenceClassification.from_pretrained(tmp_path / "best", dtype=torch.float32).eval()
    assert np.array_equal(predict(model, data.validation, data), second.best.logits)
    tokenizer = AutoTokenizer.from_pretrained(tmp_path / "best")
    given = tokenizer(list(load_rows(chosen).validation.texts), padding=True, truncation=True, return_tensors="pt")
    with torch.no_grad():
        assert torch.allclose(model(**given).logits, torch.from_numpy(second.best.logits), atol=SEVERAL_LAYERS)
    assert kind == "regression" or model.config.id2label == {0: "bad", 1: "good"}


def test_a_head_in_the_checkpoint_is_replaced(tmp_path, task):
    config = transformers.BertConfig(**IDS, **BERT_LIKE, num_labels=3)
    transformers.BertForSequenceClassification(config).save_pretrained(tmp_path)
    save_tokenizer(tmp_path, FAMILIES["BERT"])
    trial = Trial(task, toy_recipe(tmp_path), Seeds(1, 1))
    model = begin(trial, tokenize(task, trial.recipe.model, 32)).model
    assert torch.equal(model.classifier.weight, normal(1, "classifier.weight", (2, 16), 0.02))


def test_a_dropout_rate_that_no_config_knows_is_refused(tmp_path, monkeypatch):
    transformers.BertModel(transformers.BertConfig(**IDS, **BERT_LIKE)).save_pretrained(tmp_path)
    monkeypatch.setattr("seedwise.training.model._DROPOUT_FIELDS", ())
    recipe = toy_recipe(tmp_path, dropout=0.2)
    with pytest.raises(
        RequestError, match=r"dropout cannot be set to 0\.2 .* leave dropout out to keep the model's own\."
    ):
        load_model(recipe, label_names=("a", "b"), init_seed=1)
