"""Tiny random models of every family of encoders, saved without a head as pretrained ones are; they know the toy words."""

from pathlib import Path
from typing import NamedTuple

import torch
import transformers
from tokenizers import Tokenizer, models, pre_tokenizers, processors
from transformers import AutoModel, PreTrainedTokenizerFast

from toys import BAD, GOOD, PLAIN

SPECIAL = {"pad_token": "[PAD]", "unk_token": "[UNK]", "cls_token": "[CLS]", "sep_token": "[SEP]", "eos_token": "[EOS]"}
WORDS = [*SPECIAL.values(), *PLAIN, *GOOD, *BAD]
IDS = {"vocab_size": len(WORDS), "pad_token_id": 0, "bos_token_id": 2, "eos_token_id": 4}
BERT_LIKE = {
    "hidden_size": 16,
    "num_hidden_layers": 2,
    "num_attention_heads": 2,
    "intermediate_size": 32,
    "max_position_embeddings": 64,
}


class Family(NamedTuple):
    """How a tiny model of a family is made, what is new in its classifier, and how its tokenizer marks a text."""

    config: str
    fields: dict
    head: str  # the parameters of a sequence classifier that pretraining does not give, without .weight and .bias
    template: str = "[CLS] $A [SEP]"
    types: bool = False
    padding_side: str = "right"


FAMILIES = {
    "BERT": Family("BertConfig", BERT_LIKE, "classifier", types=True),
    "RoBERTa": Family("RobertaConfig", BERT_LIKE, "classifier.dense classifier.out_proj"),
    "XLM-R": Family("XLMRobertaConfig", BERT_LIKE, "classifier.dense classifier.out_proj"),
    "DistilBERT": Family(
        "DistilBertConfig",
        {"dim": 16, "n_layers": 2, "n_heads": 2, "hidden_dim": 32, "max_position_embeddings": 64},
        "pre_classifier classifier",
    ),
    "ELECTRA": Family(
        "ElectraConfig", {**BERT_LIKE, "embedding_size": 8}, "classifier.dense classifier.out_proj", types=True
    ),
    "ALBERT": Family("AlbertConfig", {**BERT_LIKE, "embedding_size": 8}, "classifier", types=True),
    "DeBERTa-v3": Family(
        "DebertaV2Config",
        {
            **BERT_LIKE,
            "relative_attention": True,
            "pos_att_type": ["p2c", "c2p"],
            "position_buckets": 16,
            "share_att_key": True,
            "norm_rel_ebd": "layer_norm",
            "position_biased_input": False,
            "type_vocab_size": 0,
        },
        "pooler.dense classifier",
        types=True,
    ),
    "MPNet": Family("MPNetConfig", BERT_LIKE, "classifier.dense classifier.out_proj"),
    "XLNet": Family(
        "XLNetConfig",
        {"d_model": 16, "n_layer": 2, "n_head": 2, "d_inner": 32},
        "sequence_summary.summary logits_proj",
        template="$A [SEP] [CLS]:2",
        types=True,
        padding_side="left",
    ),
    "BART": Family(
        "BartConfig",
        {
            "d_model": 16,
            **dict.fromkeys(["encoder_layers", "decoder_layers"], 1),
            **dict.fromkeys(["encoder_attention_heads", "decoder_attention_heads"], 2),
            **dict.fromkeys(["encoder_ffn_dim", "decoder_ffn_dim"], 32),
            "max_position_embeddings": 64,
            "decoder_start_token_id": 4,
            "forced_eos_token_id": 4,
        },
        "classification_head.dense classification_head.out_proj",
        template="[CLS] $A [EOS]",
    ),
    "T5": Family(
        "T5Config",
        {"d_model": 16, "d_kv": 8, "d_ff": 32, "num_layers": 1, "num_heads": 2, "decoder_start_token_id": 0},
        "classification_head.dense classification_head.out_proj",
        template="$A [EOS]",
    ),
    "GPT-2": Family("GPT2Config", {"n_embd": 16, "n_layer": 2, "n_head": 2, "n_positions": 64}, "score", template="$A"),
    "Llama": Family("LlamaConfig", {**BERT_LIKE, "num_key_value_heads": 1}, "score", template="$A"),
    "ModernBERT": Family(
        "ModernBertConfig",
        {**BERT_LIKE, "cls_token_id": 2, "sep_token_id": 3, "local_attention": 8, "global_attn_every_n_layers": 2},
        "head.dense head.norm classifier",
    ),
}


def save_family(folder: Path, family: Family) -> Path:
    """Save a random model of a family, without a head, and its tokenizer."""
    config = getattr(transformers, family.config)(**IDS, **family.fields)
    with torch.random.fork_rng():
        torch.manual_seed(0)
        AutoModel.from_config(config).save_pretrained(folder)
    save_tokenizer(folder, family)
    return folder


def save_tokenizer(folder: Path, family: Family) -> None:
    """Save a tokenizer of the toy words that marks a text as the family does."""
    inner = Tokenizer(models.WordLevel({word: i for i, word in enumerate(WORDS)}, unk_token="[UNK]"))
    inner.pre_tokenizer = pre_tokenizers.Whitespace()
    if family.template != "$A":
        marks = [(word, WORDS.index(word)) for word in SPECIAL.values()]
        inner.post_processor = processors.TemplateProcessing(single=family.template, special_tokens=marks)
    names = ["input_ids", *(["token_type_ids"] if family.types else []), "attention_mask"]
    PreTrainedTokenizerFast(
        tokenizer_object=inner,
        model_max_length=32,
        padding_side=family.padding_side,
        model_input_names=names,
        **SPECIAL,
    ).save_pretrained(folder)
