"""Are the right Transformer blocks found in every family, and is each parameter placed below, in or above them?"""

import pytest
import torch
import transformers
from transformers import AutoModelForSequenceClassification

from families import BERT_LIKE, FAMILIES, IDS, Family
from seedwise import RequestError
from seedwise.data.pretrained import depth
from seedwise.training.blocks import blocks, heights, pooler

# From the bottom up, as each library class spells them.
BLOCKS = {
    "BERT": ["bert.encoder.layer.0", "bert.encoder.layer.1"],
    "RoBERTa": ["roberta.encoder.layer.0", "roberta.encoder.layer.1"],
    "XLM-R": ["roberta.encoder.layer.0", "roberta.encoder.layer.1"],
    "DistilBERT": ["distilbert.transformer.layer.0", "distilbert.transformer.layer.1"],
    "ELECTRA": ["electra.encoder.layer.0", "electra.encoder.layer.1"],
    "DeBERTa-v3": ["deberta.encoder.layer.0", "deberta.encoder.layer.1"],
    "MPNet": ["mpnet.encoder.layer.0", "mpnet.encoder.layer.1"],
    "XLNet": ["transformer.layer.0", "transformer.layer.1"],
    "BART": ["model.encoder.layers.0", "model.decoder.layers.0"],
    "T5": ["transformer.encoder.block.0", "transformer.decoder.block.0"],
    "GPT-2": ["transformer.h.0", "transformer.h.1"],
    "Llama": ["model.layers.0", "model.layers.1"],
    "ModernBERT": ["model.layers.0", "model.layers.1"],
}

# Every parameter that stands in no block: 0 below them all, 3 above the two, or on top of the lower one.
OUTSIDE = {
    "BERT": {0: "bert.embeddings", 3: "bert.pooler classifier"},
    "RoBERTa": {0: "roberta.embeddings", 3: "classifier"},
    "XLM-R": {0: "roberta.embeddings", 3: "classifier"},
    "DistilBERT": {0: "distilbert.embeddings", 3: "pre_classifier classifier"},
    "ELECTRA": {0: "electra.embeddings electra.embeddings_project", 3: "classifier"},
    "DeBERTa-v3": {
        0: "deberta.embeddings deberta.encoder.rel_embeddings deberta.encoder.LayerNorm",
        3: "pooler classifier",
    },
    "MPNet": {0: "mpnet.embeddings mpnet.encoder.relative_attention_bias", 3: "classifier"},
    "XLNet": {0: "transformer.mask_emb transformer.word_embedding", 3: "sequence_summary logits_proj"},
    "BART": {
        0: "model.shared model.encoder.embed_positions model.encoder.layernorm_embedding "
        "model.decoder.embed_positions model.decoder.layernorm_embedding",
        3: "classification_head",
    },
    "T5": {
        0: "transformer.shared",
        1: "transformer.encoder.final_layer_norm",
        3: "transformer.decoder.final_layer_norm classification_head",
    },
    "GPT-2": {0: "transformer.wte transformer.wpe", 3: "transformer.ln_f score"},
    "Llama": {0: "model.embed_tokens", 3: "model.norm score"},
    "ModernBERT": {0: "model.embeddings", 3: "model.final_norm head classifier"},
}


def classifier(family, **fields):
    """A sequence classifier without any numbers in it."""
    config = getattr(transformers, family.config)(**{**IDS, **family.fields, **fields})
    with torch.device("meta"):
        return AutoModelForSequenceClassification.from_config(config)


def test_every_family_is_listed_here():
    assert set(FAMILIES) - {"ALBERT"} == set(BLOCKS) == set(OUTSIDE)


@pytest.mark.parametrize("name", BLOCKS)
def test_the_blocks_are_found_from_the_bottom_up(name):
    assert blocks(classifier(FAMILIES[name]), "reinit_layers") == BLOCKS[name]


@pytest.mark.parametrize("name", BLOCKS)
def test_every_parameter_has_its_height(name):
    model, places = classifier(FAMILIES[name]), {block: k for k, block in enumerate(BLOCKS[name], start=1)}
    places |= {prefix: height for height, prefixes in OUTSIDE[name].items() for prefix in prefixes.split()}
    found = heights(model, BLOCKS[name])
    assert list(found) == [parameter for parameter, _ in model.named_parameters()]
    for parameter, height in found.items():
        (expected,) = {places[prefix] for prefix in places if f"{parameter}.".startswith(f"{prefix}.")}
        assert height == expected, parameter


@pytest.mark.parametrize("name", BLOCKS)
def test_the_depth_that_the_config_tells_is_the_number_of_blocks(name, tmp_path):
    classifier(FAMILIES[name]).config.save_pretrained(tmp_path)
    assert depth(str(tmp_path)) == len(BLOCKS[name])


def test_an_encoder_decoder_is_one_stack_with_the_decoder_on_top():
    model = classifier(FAMILIES["BART"], encoder_layers=3, decoder_layers=2)
    expected = [f"model.encoder.layers.{i}" for i in range(3)] + [f"model.decoder.layers.{i}" for i in range(2)]
    assert blocks(model, "reinit_layers") == expected


def test_many_blocks_are_in_numerical_order():
    found = blocks(classifier(FAMILIES["BERT"], num_hidden_layers=12), "reinit_layers")
    assert found == [f"bert.encoder.layer.{i}" for i in range(12)]


def test_a_single_block_is_found():
    assert blocks(classifier(FAMILIES["BERT"], num_hidden_layers=1), "x") == ["bert.encoder.layer.0"]


def test_blocks_that_are_nowhere_listed_are_refused():
    funnel = Family(
        "FunnelConfig", {"block_sizes": [1, 1], "d_model": 16, "n_head": 2, "d_head": 8, "d_inner": 32}, "classifier"
    )
    with pytest.raises(RequestError, match=r"those of funnel are shared or not known here"):
        blocks(classifier(funnel, bos_token_id=None), "freeze_layers")


@pytest.mark.parametrize("name", FAMILIES)
def test_a_pooler_that_pretraining_gave_is_named_and_one_of_the_head_is_not(name):
    expected = {
        "BERT": ["bert.pooler.dense.weight", "bert.pooler.dense.bias"],
        "ALBERT": ["albert.pooler.weight", "albert.pooler.bias"],
    }
    assert pooler(classifier(FAMILIES[name])) == expected.get(name, [])


def test_a_list_that_is_as_long_as_the_model_is_deep_but_holds_no_blocks_is_passed_over():
    model = classifier(FAMILIES["BERT"])
    model.bert.others = torch.nn.ModuleList([torch.nn.Linear(2, 2), torch.nn.Linear(2, 2)])
    assert blocks(model, "reinit_layers") == BLOCKS["BERT"]
    assert BERT_LIKE["num_hidden_layers"] == len(model.bert.others)
