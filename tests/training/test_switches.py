"""What do re-init and freezing touch, and is everything else the same to the bit?"""

from dataclasses import replace

import numpy as np
import pytest
import torch
from scipy import stats
from transformers import AutoModel

from families import BERT_LIKE, FAMILIES, save_family
from seedwise import RequestError, Seeds, Trial
from seedwise.data.tokens import tokenize
from seedwise.training.loop import begin, train
from seedwise.training.model import check_switches, load_model
from seedwise.training.randomness import normal
from toys import toy_recipe

pytestmark = pytest.mark.slow  # trains with each switch

TOP = "bert.encoder.layer.2."
POOLER = {"bert.pooler.dense.weight", "bert.pooler.dense.bias"}
HEAD = {"classifier.weight", "classifier.bias"}


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A BERT of three blocks with a pooler, 64 wide so that what is drawn can be tested for its distribution.

    What is biased or normalised begins elsewhere than at 0 and 1, as it does after pretraining.
    """
    wide = {"hidden_size": 64, "intermediate_size": 128, "num_hidden_layers": 3, "num_attention_heads": 2}
    family = FAMILIES["BERT"]._replace(fields={**BERT_LIKE, **wide})
    folder = save_family(tmp_path_factory.mktemp("three"), family)
    model = AutoModel.from_pretrained(folder)
    with torch.no_grad():
        for i, parameter in enumerate(model.parameters()):
            if parameter.dim() == 1:
                parameter.add_(0.01 * (i + 1))
    model.save_pretrained(folder)
    return folder


def loaded(folder, init_seed=1, **switches):
    """The parameters that a trial begins with, by name."""
    model = load_model(toy_recipe(folder, **switches), label_names=("bad", "good"), init_seed=init_seed).model
    return {name: p.detach() for name, p in model.named_parameters()}


def changed(a, b):
    """The names of the parameters that differ in any bit."""
    assert a.keys() == b.keys()
    return {name for name in a if not torch.equal(a[name], b[name])}


@pytest.mark.parametrize("count", [1, 2, 3])
def test_reinit_changes_the_top_blocks_and_no_other_bit(folder, count):
    plain = loaded(folder)
    top = tuple(f"bert.encoder.layer.{i}." for i in range(3 - count, 3))
    assert changed(plain, loaded(folder, reinit_layers=count)) == {name for name in plain if name.startswith(top)}


def test_reinit_of_the_pooler_changes_the_pooler_and_no_other_bit(folder):
    assert changed(loaded(folder), loaded(folder, reinit_pooler=True)) == POOLER


def test_both_together_change_what_each_changes(folder):
    expected = changed(loaded(folder), loaded(folder, reinit_layers=1)) | POOLER
    assert changed(loaded(folder), loaded(folder, reinit_layers=1, reinit_pooler=True)) == expected


def test_the_head_of_a_seed_is_the_same_with_and_without_reinit(folder):
    plain, anew = loaded(folder, 5), loaded(folder, 5, reinit_layers=3, reinit_pooler=True)
    assert all(torch.equal(plain[name], anew[name]) for name in HEAD)
    assert torch.equal(anew["classifier.weight"], normal(5, "classifier.weight", (2, 64), 0.02))


def test_a_block_is_drawn_alike_whatever_else_is_drawn(folder):
    few, many = loaded(folder, reinit_layers=1), loaded(folder, reinit_layers=3, reinit_pooler=True)
    assert all(torch.equal(few[name], many[name]) for name in few if name.startswith(TOP))


def test_what_is_drawn_is_normal_and_normalisations_begin_at_one_and_zero(folder):
    drawn = {name: p for name, p in loaded(folder, reinit_layers=1, reinit_pooler=True).items() if name.startswith(TOP)}
    matrices = {name: p for name, p in drawn.items() if p.dim() == 2}
    assert len(matrices) == 6
    for name, parameter in matrices.items():
        assert stats.kstest(parameter.numpy().ravel() / 0.02, "norm").pvalue > 1e-4, name
    for name, parameter in drawn.items():
        if name not in matrices:
            expected = 1.0 if name.endswith("LayerNorm.weight") else 0.0
            assert torch.equal(parameter, torch.full_like(parameter, expected)), name


def test_the_pooler_is_drawn_as_bert_was(folder):
    found = loaded(folder, reinit_pooler=True)
    assert stats.kstest(found["bert.pooler.dense.weight"].numpy().ravel() / 0.02, "norm").pvalue > 1e-4
    assert not found["bert.pooler.dense.bias"].any()


def test_two_matrices_of_a_block_are_drawn_independently(folder):
    found = loaded(folder, reinit_layers=2)
    pairs = [
        (found[f"bert.encoder.layer.{i}.attention.self.query.weight"], found[f"bert.encoder.layer.{j}.{rest}"])
        for i, j, rest in ((1, 2, "attention.self.query.weight"), (2, 2, "attention.self.key.weight"))
    ]
    for a, b in pairs:
        correlation = np.corrcoef(a.numpy().ravel(), b.numpy().ravel())[0, 1]
        assert abs(correlation) < 5 / np.sqrt(a.numel())


def test_the_init_seed_alone_decides_what_is_drawn(folder):
    first = loaded(folder, 1, reinit_layers=1)
    assert not changed(first, loaded(folder, 1, reinit_layers=1))
    matrices = {name for name, p in first.items() if name.startswith(TOP) and p.dim() == 2}
    assert changed(first, loaded(folder, 2, reinit_layers=1)) == matrices | {"classifier.weight"}


def test_the_fingerprint_of_the_init_seed_tells_what_reinit_drew(folder, task):
    plain = Trial(task, toy_recipe(folder), Seeds(1, 1))
    anew = replace(plain, recipe=replace(plain.recipe, reinit_layers=1))
    data = tokenize(task, plain.recipe.model, plain.recipe.max_length)
    assert begin(plain, data).fingerprint["init"] != begin(anew, data).fingerprint["init"]


# Of two blocks, the upper one.
TOP_OF = {
    "BERT": "bert.encoder.layer.1.",
    "RoBERTa": "roberta.encoder.layer.1.",
    "XLM-R": "roberta.encoder.layer.1.",
    "DistilBERT": "distilbert.transformer.layer.1.",
    "ELECTRA": "electra.encoder.layer.1.",
    "DeBERTa-v3": "deberta.encoder.layer.1.",
    "MPNet": "mpnet.encoder.layer.1.",
    "XLNet": "transformer.layer.1.",
    "BART": "model.decoder.layers.0.",
    "T5": "transformer.decoder.block.0.",
    "GPT-2": "transformer.h.1.",
    "Llama": "model.layers.1.",
    "ModernBERT": "model.layers.1.",
}


@pytest.fixture(scope="module")
def family_folder(tmp_path_factory):
    """Saves a family once, when it is first asked for."""
    saved = {}

    def save(name):
        if name not in saved:
            saved[name] = save_family(tmp_path_factory.mktemp("family"), FAMILIES[name])
        return saved[name]

    return save


@pytest.mark.parametrize("name", TOP_OF)
def test_the_top_block_of_every_family_is_drawn_anew(family_folder, name):
    """Its matrices change; biases and normalisations of these models stand at 0 and 1 already."""
    folder = family_folder(name)
    plain, anew = loaded(folder), loaded(folder, reinit_layers=1, reinit_pooler=True)
    pooler = {"bert.pooler.dense.weight"} if name == "BERT" else set()
    matrices = {parameter for parameter, p in plain.items() if parameter.startswith(TOP_OF[name]) and p.dim() >= 2}
    assert len(matrices) >= 4
    assert changed(plain, anew) == matrices | pooler


def test_families_whose_top_block_is_not_listed_share_their_blocks():
    assert set(FAMILIES) - set(TOP_OF) == {"ALBERT"}


@pytest.mark.parametrize(
    ("switch", "need"),
    [
        ({"reinit_layers": 1}, "reinit_layers"),
        ({"freeze_layers": 1}, "freeze_layers"),
        ({"layerwise_lr_decay": 0.9}, "layerwise_lr_decay"),
        ({"track": "distance"}, "track = distance"),
    ],
    ids=["reinit", "freeze", "rates", "distance"],
)
def test_switches_that_name_blocks_are_refused_where_they_are_shared(family_folder, switch, need):
    with pytest.raises(RequestError) as refusal:
        check_switches(toy_recipe(family_folder("ALBERT"), **switch))
    assert str(refusal.value) == (
        f"{need} needs Transformer blocks with weights of their own, but those of albert are shared or not known here; "
        f"leave {need} out for this model."
    )


def test_the_pooler_of_shared_blocks_can_be_drawn_anew(family_folder):
    folder = family_folder("ALBERT")
    assert changed(loaded(folder), loaded(folder, reinit_pooler=True)) == {"albert.pooler.weight"}


@pytest.mark.parametrize("field", ["reinit_layers", "freeze_layers"])
def test_more_blocks_than_the_model_has_are_refused_with_their_number(folder, field):
    recipe = toy_recipe(folder, **{field: 4})
    for ask in (lambda: check_switches(recipe), lambda: loaded(folder, **{field: 4})):
        with pytest.raises(RequestError) as refusal:
            ask()
        assert str(refusal.value) == (
            f"{field} must be at most 3, the number of blocks of {folder}, not 4; give 3 or fewer."
        )


def test_as_many_blocks_as_the_model_has_are_taken(folder):
    check_switches(toy_recipe(folder, reinit_layers=3))
    check_switches(toy_recipe(folder, freeze_layers=3))


def test_blocks_that_are_frozen_and_drawn_anew_are_refused(folder):
    with pytest.raises(RequestError) as refusal:
        check_switches(toy_recipe(folder, freeze_layers=2, reinit_layers=2))
    assert str(refusal.value) == (
        f"freeze_layers = 2 and reinit_layers = 2 contradict each other: {folder} has 3 blocks, so that some would be "
        "drawn anew and never trained; lower one."
    )
    check_switches(toy_recipe(folder, freeze_layers=1, reinit_layers=2))


NOTHING_LEFT = {
    "mixout": (0.3, 0, "is trained that could be mixed with its starting value"),
    "pretrained_weight_decay": (0.1, 0, "that decays is trained and could move away from its starting value"),
    "layerwise_lr_decay": (0.9, 1, "is trained below the head and the pooler, which learn at the full rate"),
}


@pytest.mark.parametrize(
    ("field", "others"),
    [
        *[(field, {"freeze_layers": 2}) for field in NOTHING_LEFT],
        *[(field, {"freeze_layers": 1, "reinit_layers": 1}) for field in ("mixout", "pretrained_weight_decay")],
    ],
    ids=str,
)
def test_a_switch_that_freezing_leaves_nothing_to_act_on_is_refused(family_folder, field, others):
    folder, (value, off, reason) = family_folder("RoBERTa"), NOTHING_LEFT[field]
    switches = {field: value, **others}
    for ask in (lambda: check_switches(toy_recipe(folder, **switches)), lambda: loaded(folder, **switches)):
        with pytest.raises(RequestError) as refusal:
            ask()
        assert str(refusal.value) == (
            f"{field} = {value} and freeze_layers = {others['freeze_layers']} contradict each other: no pretrained "
            f"weight of {folder} {reason}; lower freeze_layers, or set {field} to {off}."
        )


def test_normalisation_weights_can_be_mixed_but_do_not_decay(family_folder):
    """Above its blocks GPT-2 has one normalisation, which pretraining gave."""
    check_switches(toy_recipe(family_folder("GPT-2"), freeze_layers=2, mixout=0.3))
    with pytest.raises(RequestError, match=r"pretrained_weight_decay = 0\.1 and freeze_layers = 2 contradict"):
        check_switches(toy_recipe(family_folder("GPT-2"), freeze_layers=2, pretrained_weight_decay=0.1))


def test_a_pretrained_pooler_can_be_held_near_its_start_unless_it_is_drawn_anew(folder):
    check_switches(toy_recipe(folder, freeze_layers=3, mixout=0.3, pretrained_weight_decay=0.1))
    with pytest.raises(RequestError, match=r"mixout = 0\.3 and freeze_layers = 3 contradict each other"):
        check_switches(toy_recipe(folder, freeze_layers=3, mixout=0.3, reinit_pooler=True))


def test_frozen_parameters_keep_every_bit_and_have_no_moments(folder, task):
    trial = Trial(task, toy_recipe(folder, freeze_layers=2, num_train_epochs=1, weight_decay=0.1), Seeds(1, 1))
    training = begin(trial, tokenize(task, trial.recipe.model, trial.recipe.max_length))
    before = {name: p.detach().clone() for name, p in training.model.named_parameters()}
    list(train(training))
    after = {name: p.detach() for name, p in training.model.named_parameters()}
    frozen = {
        name
        for name in before
        if name.startswith(("bert.embeddings.", "bert.encoder.layer.0.", "bert.encoder.layer.1."))
    }
    assert len(frozen) == 5 + 2 * 16
    assert not changed(before, after) & frozen
    assert {name for name in before if name.startswith(TOP)} <= changed(before, after)
    kept = {name.removeprefix("exp_avg.") for name in training.optimizer.moments() if name.startswith("exp_avg.")}
    assert kept == set(training.parameters) == set(before) - frozen


def test_freezing_every_block_trains_pooler_and_head(folder):
    model = load_model(toy_recipe(folder, freeze_layers=3), label_names=("bad", "good"), init_seed=1).model
    assert {name for name, p in model.named_parameters() if p.requires_grad} == POOLER | HEAD


def test_relative_positions_that_every_block_reads_are_frozen_with_the_embeddings(family_folder):
    recipe = toy_recipe(family_folder("DeBERTa-v3"), freeze_layers=1)
    model = load_model(recipe, label_names=("bad", "good"), init_seed=1).model
    trained = {name for name, p in model.named_parameters() if p.requires_grad}
    assert all(name.startswith(("deberta.encoder.layer.1.", "pooler.", "classifier.")) for name in trained)


def test_freezing_changes_no_weight_at_the_start(folder):
    assert not changed(loaded(folder), loaded(folder, freeze_layers=2))
