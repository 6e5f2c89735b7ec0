"""Does ``start_from`` keep the encoder of a finished model to the bit, with a new head, and refuse one that does not fit?"""

import shutil
from dataclasses import replace

import pytest
import torch
from safetensors.torch import load_file, save_file
from transformers import AutoModelForSequenceClassification, BertConfig, BertForSequenceClassification

from families import BERT_LIKE, FAMILIES, IDS, save_family, save_tokenizer
from seedwise import LocalExecutor, RequestError, Seeds, Trial
from seedwise.data.pretrained import check_start, start_folder
from seedwise.data.tokens import tokenize
from seedwise.executors.workers.export import export_model
from seedwise.training.checkpoint import save_weights
from seedwise.training.loop import begin, train
from seedwise.training.model import check_switches, load_model
from seedwise.training.randomness import normal
from toys import toy_model, toy_recipe

HEAD = {"classifier.weight", "classifier.bias"}


@pytest.fixture(scope="module")
def intermediate(trial, data, tmp_path_factory):
    """A finished model's folder, as a study writes it."""
    folder = tmp_path_factory.mktemp("intermediate")
    training = begin(trial, data)
    list(train(training, 12))
    save_weights(training, folder / "w.safetensors")
    export_model(trial, data.folder, folder / "w.safetensors", folder / "plain", {})
    return folder / "plain"


@pytest.fixture
def study(tmp_path, intermediate):
    """Writes a study's folder with winners in these places below it."""

    def write(*places):
        (tmp_path / "study.db").touch()
        for place in places:
            shutil.copytree(intermediate, tmp_path / place)
        return tmp_path

    return write


def weights(folder):
    return dict(AutoModelForSequenceClassification.from_pretrained(folder, dtype=torch.float32).named_parameters())


def begun(recipe, init_seed=1, label_names=("bad", "good")):
    return dict(load_model(recipe, label_names=label_names, init_seed=init_seed).model.named_parameters())


@pytest.mark.parametrize("init_seed", [1, 2])
def test_the_encoder_is_kept_to_the_bit_and_the_head_is_the_seeds_own(recipe, intermediate, init_seed):
    found, given = begun(replace(recipe, start_from=str(intermediate)), init_seed), weights(intermediate)
    assert {name for name in given if not torch.equal(found[name], given[name])} == HEAD
    assert torch.equal(found["classifier.weight"], normal(init_seed, "classifier.weight", (2, 32), 0.02))
    assert not found["classifier.bias"].any()


def test_it_is_not_where_the_model_itself_begins(recipe, intermediate):
    plain, found = begun(recipe), begun(replace(recipe, start_from=str(intermediate)))
    moved = {name for name in plain if not torch.equal(plain[name], found[name])}
    assert {"bert.pooler.dense.weight", "bert.encoder.layer.0.output.dense.weight"} <= moved
    assert not moved & HEAD


def test_all_seeds_start_from_the_same_encoder(recipe, intermediate):
    chosen = replace(recipe, start_from=str(intermediate))
    first, second = begun(chosen, 1), begun(chosen, 2)
    assert {name for name in first if not torch.equal(first[name], second[name])} == {"classifier.weight"}


def test_a_head_for_other_labels_is_drawn_in_its_own_shape(recipe, intermediate):
    found = begun(replace(recipe, start_from=str(intermediate)), label_names=("a", "b", "c"))
    assert found["classifier.weight"].shape == (3, 32)


def test_regression_starts_from_a_classifier(recipe, intermediate):
    found, given = begun(replace(recipe, start_from=str(intermediate)), label_names=None), weights(intermediate)
    assert found["classifier.weight"].shape == (1, 32)
    assert all(torch.equal(found[name], given[name]) for name in set(given) - HEAD)


def test_a_study_means_its_best_model(recipe, intermediate, study):
    folder = study("best")
    by_study = begun(replace(recipe, start_from=str(folder)))
    by_folder = begun(replace(recipe, start_from=str(intermediate)))
    assert all(torch.equal(by_study[name], by_folder[name]) for name in by_folder)
    assert start_folder(str(folder)) == str(folder / "best")


def test_a_study_with_several_winners_is_refused_with_their_names(study):
    folder = study("best/rte", "best/mrpc")
    with pytest.raises(RequestError) as refusal:
        start_folder(str(folder))
    assert str(refusal.value) == (
        f"start_from must lead to one best model, not to 2 in {folder / 'best'}; name one of "
        f"{folder / 'best' / 'mrpc'}, {folder / 'best' / 'rte'}."
    )
    check_start(str(folder / "best" / "rte"), str(folder / "best" / "mrpc"))


def test_an_unfinished_study_is_refused(study, model):
    folder = study()
    with pytest.raises(RequestError) as refusal:
        check_start(str(model), str(folder))
    assert f"must lead to one best model, not to 0 in {folder / 'best'}; run that study to its end." in str(
        refusal.value
    )


def test_a_folder_without_a_model_is_refused_as_the_starting_point(model, tmp_path):
    with pytest.raises(RequestError, match=r"start_from must be a study or a model's folder, but .* must hold"):
        check_start(str(model), str(tmp_path))


@pytest.mark.parametrize(
    ("fields", "field", "mine", "given"),
    [
        ({"hidden": 48}, "hidden_size", 32, 48),
        ({"layers": 3}, "num_hidden_layers", 2, 3),
    ],
    ids=["width", "depth"],
)
def test_another_size_is_refused_before_anything_runs(task, model, tmp_path, fields, field, mine, given):
    other = toy_model(tmp_path / "other", **fields)
    with pytest.raises(RequestError) as refusal:
        LocalExecutor("plain", workers=1).prepare(task, toy_recipe(model, start_from=str(other)))
    assert str(refusal.value) == (
        f"start_from must fit the model {model}, whose {field} is {mine!r}, but {other} has {given!r}; start from a "
        "model that was trained from the same one."
    )


@pytest.mark.parametrize(
    ("fields", "field"), [({"num_attention_heads": 4}, "num_attention_heads"), ({"vocab_size": 60}, "vocab_size")]
)
def test_weights_that_would_load_but_mean_something_else_are_refused(tmp_path, fields, field):
    """Heads leave no trace in a weight's shape, and a longer list of words is another tokenizer's."""
    folders = [tmp_path / "ours", tmp_path / "other"]
    for folder, changes in zip(folders, ({}, fields), strict=True):
        config = BertConfig(**{**IDS, **BERT_LIKE, **changes})
        BertForSequenceClassification(config).save_pretrained(folder)
        save_tokenizer(folder, FAMILIES["BERT"])
    with pytest.raises(RequestError, match=rf"start_from must fit the model .* whose {field} is"):
        check_start(*map(str, folders))


def test_another_architecture_is_refused(tmp_path):
    folders = [str(save_family(tmp_path / name, FAMILIES[name])) for name in ("BERT", "RoBERTa")]
    with pytest.raises(RequestError, match=r"whose model_type is 'bert', but .* has 'roberta'; start from"):
        check_start(*folders)


def test_fewer_decoder_blocks_are_refused(tmp_path):
    shallow = FAMILIES["BART"]
    folders = [
        str(save_family(tmp_path / str(n), shallow._replace(fields={**shallow.fields, "decoder_layers": n})))
        for n in (2, 1)
    ]
    with pytest.raises(RequestError, match=r"whose decoder_layers is 2, but .* has 1;"):
        check_start(*folders)


@pytest.fixture
def lacking(intermediate, tmp_path):
    """Copies the intermediate model without the weights whose names hold a word."""

    def copy(word):
        folder = shutil.copytree(intermediate, tmp_path / "lacking")
        kept = {name: t for name, t in load_file(folder / "model.safetensors").items() if word not in name}
        save_file(kept, folder / "model.safetensors", {"format": "pt"})
        return folder

    return copy


def test_missing_blocks_are_refused_and_never_drawn_at_random(task, model, lacking):
    folder = lacking("encoder.layer.1.")
    recipe = toy_recipe(model, start_from=str(folder))
    for ask in (lambda: LocalExecutor("plain", workers=1).prepare(task, recipe), lambda: begun(recipe)):
        with pytest.raises(RequestError) as refusal:
            ask()
        assert str(refusal.value) == (
            f"start_from must lead to a whole encoder, but {folder} lacks 16 of its weights, such as "
            "bert.encoder.layer.1.attention.output.LayerNorm.bias; save the model there anew with save_pretrained."
        )


def test_a_missing_pooler_is_drawn(task, model, lacking):
    recipe = toy_recipe(model, start_from=str(lacking("pooler")))
    LocalExecutor("plain", workers=1).prepare(task, recipe)
    drawn = load_model(recipe, label_names=("bad", "good"), init_seed=1).drawn
    assert drawn == HEAD | {"bert.pooler.dense.weight", "bert.pooler.dense.bias"}


@pytest.mark.parametrize(
    ("name", "field", "value", "weight", "ours", "given"),
    [
        ("BERT", "max_position_embeddings", 48, "bert.embeddings.position_embeddings.weight", (64, 16), (48, 16)),
        ("BERT", "type_vocab_size", 3, "bert.embeddings.token_type_embeddings.weight", (2, 16), (3, 16)),
        ("DistilBERT", "hidden_dim", 24, "distilbert.transformer.layer.0.ffn.lin1.bias", (32,), (24,)),
        ("XLNet", "d_inner", 24, "transformer.layer.0.ff.layer_1.bias", (32,), (24,)),
        ("BART", "encoder_ffn_dim", 24, "model.encoder.layers.0.fc1.bias", (32,), (24,)),
    ],
)
def test_weights_of_another_shape_are_refused_before_anything_runs(
    task, tmp_path, name, field, value, weight, ours, given
):
    family = FAMILIES[name]
    model = save_family(tmp_path / "model", family)
    other = save_family(tmp_path / "other", family._replace(fields={**family.fields, field: value}))
    with pytest.raises(RequestError) as refusal:
        LocalExecutor("plain", workers=1).prepare(task, toy_recipe(model, start_from=str(other)))
    assert str(refusal.value) == (
        f"start_from must fit the model {model}, whose {weight} is of shape {ours}, but {other} has one of {given}; start "
        "from a model that was trained from the same one."
    )


@pytest.mark.parametrize("name", FAMILIES)
def test_every_family_may_start_from_its_own_without_a_head(tmp_path, name):
    folder = save_family(tmp_path, FAMILIES[name])
    check_switches(toy_recipe(folder, start_from=str(folder)))


def test_what_is_held_near_the_start_is_held_near_the_starting_point(task, recipe, intermediate):
    chosen = replace(recipe, start_from=str(intermediate), pretrained_weight_decay=0.1, mixout=0.3)
    training = begin(Trial(task, chosen, Seeds(1, 1)), tokenize(task, recipe.model, recipe.max_length))
    given = weights(intermediate)
    assert set(training.start) == set(given) - HEAD
    assert all(torch.equal(value, given[name]) for name, value in training.start.items())


def test_reinit_of_a_starting_point_leaves_the_rest_as_it_is_there(recipe, intermediate):
    found = begun(replace(recipe, start_from=str(intermediate), reinit_layers=1, reinit_pooler=True))
    given = weights(intermediate)
    moved = {name for name in given if not torch.equal(found[name], given[name])}
    assert all(name.startswith(("bert.encoder.layer.1.", "bert.pooler.", "classifier.")) for name in moved)


def test_a_trial_from_a_starting_point_is_another_trial(trial, intermediate):
    other = replace(trial, recipe=replace(trial.recipe, start_from=str(intermediate)))
    assert other.id != trial.id
    assert Trial.from_json(other.to_json()) == other
