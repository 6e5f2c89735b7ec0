"""Which encoders can the fast engines train, and what are their parts called?

BERT, RoBERTa, XLM-RoBERTa, ELECTRA, DistilBERT and MPNet are one architecture: embeddings, then blocks of attention and
feed-forward layers, each normalised after its residual, then a head that reads the first token alone. They differ in
names, in the head, and in few details, which are what an `Architecture` says.
"""

from dataclasses import dataclass
from typing import Any

from transformers.activations import ACT2FN

__all__ = ["Architecture", "Block", "Dense", "Dropout", "architecture", "objection"]


@dataclass(frozen=True, slots=True)
class Block:
    """The names of one block's modules, and where its numbers are dropped."""

    query: str
    key: str
    value: str
    out: str  # projection out of the heads
    attention_norm: str  # normalisation after the attention's residual
    up: str
    down: str
    norm: str  # normalisation after the feed-forward layer's residual


@dataclass(frozen=True, slots=True)
class Dense:
    """A linear layer of the head and what follows it: tanh, gelu, relu or nothing."""

    name: str
    activation: str | None = None


@dataclass(frozen=True, slots=True)
class Dropout:
    """A dropout in the head, with probability p."""

    p: float


@dataclass(frozen=True, slots=True)
class Architecture:
    """The parts of one model, by the names of its modules."""

    heads: int  # attention heads
    width: int  # numbers that a token is made of
    embedding: int  # numbers that it is made of before the projection
    inner: int  # numbers inside the feed-forward layer
    activation: str  # of the feed-forward layer, by the library's name
    eps: float  # added to the variance in every normalisation
    hidden_dropout: float  # probability after the embeddings, and after the feed-forward layer of each block
    output_dropout: float  # probability after each attention's projection
    attention_dropout: float  # probability of the attention's weights
    words: str
    positions: str
    types: str | None  # the embedding of the text that a token belongs to; None where the model has none
    projection: str | None  # from the embeddings to the encoder, where their widths differ
    embedding_norm: str  # normalisation of the embeddings
    relative: str | None  # the embedding of relative positions that MPNet's heads add; None elsewhere
    first_position: int  # the row of the position embedding that the first token takes
    blocks: tuple[Block, ...]  # from the bottom up
    head: tuple[Dense | Dropout, ...]  # what becomes of the first token


def objection(config: Any) -> str | None:
    """Return why a model of this config cannot be trained here; None if it can."""
    if config.model_type not in _FAMILIES:
        return f"{config.model_type} is none of {', '.join(_FAMILIES)}"
    for field, usual in (
        ("is_decoder", False),
        ("add_cross_attention", False),
        ("position_embedding_type", "absolute"),
    ):
        if getattr(config, field, usual) not in (usual, None):
            return f"its {field} is {getattr(config, field)}"
    activation = getattr(config, "hidden_act", None) or getattr(config, "activation", None)
    if activation not in ACT2FN:
        return f"its activation {activation} is not known"
    return None


def architecture(config: Any) -> Architecture:
    """Describe the sequence classifier of a config without an ``objection``."""
    return _FAMILIES[config.model_type](config)


def _bert(config: Any) -> Architecture:
    head = (
        Dense("bert.pooler.dense", "tanh"),
        Dropout(_first(config.classifier_dropout, config.hidden_dropout_prob)),
        Dense("classifier"),
    )
    return _like_bert(config, "bert", head)


def _roberta(config: Any) -> Architecture:
    return _like_bert(config, "roberta", _dense_head(config, "tanh"), first_position=config.pad_token_id + 1)


def _electra(config: Any) -> Architecture:
    projects = config.embedding_size != config.hidden_size
    return _like_bert(
        config, "electra", _dense_head(config, "gelu"), projection="electra.embeddings_project" if projects else None
    )


def _mpnet(config: Any) -> Architecture:
    return _like_bert(
        config,
        "mpnet",
        _dense_head(config, "tanh"),
        first_position=2,  # the library counts from a padding token of number 1, whatever the config says
        types=None,
        relative="mpnet.encoder.relative_attention_bias",
        parts="attn.q attn.k attn.v attn.o LayerNorm".split(),
    )


def _distilbert(config: Any) -> Architecture:
    names = "attention.q_lin attention.k_lin attention.v_lin attention.out_lin sa_layer_norm ffn.lin1 ffn.lin2".split()
    layers = [f"distilbert.transformer.layer.{k}" for k in range(config.n_layers)]
    return Architecture(
        heads=config.n_heads,
        width=config.dim,
        embedding=config.dim,
        inner=config.hidden_dim,
        activation=config.activation,
        eps=1e-12,
        hidden_dropout=config.dropout,
        output_dropout=0.0,
        attention_dropout=config.attention_dropout,
        words="distilbert.embeddings.word_embeddings",
        positions="distilbert.embeddings.position_embeddings",
        types=None,
        projection=None,
        embedding_norm="distilbert.embeddings.LayerNorm",
        relative=None,
        first_position=0,
        blocks=tuple(Block(*(f"{layer}.{name}" for name in [*names, "output_layer_norm"])) for layer in layers),
        head=(Dense("pre_classifier", "relu"), Dropout(config.seq_classif_dropout), Dense("classifier")),
    )


def _like_bert(
    config: Any,
    base: str,
    head: tuple[Dense | Dropout, ...],
    *,
    first_position: int = 0,
    types: str | None = "token_type_embeddings",
    projection: str | None = None,
    relative: str | None = None,
    parts: list[str] | None = None,
) -> Architecture:
    """Describe a model whose modules have BERT's names, except in the attention."""
    attention = parts or ["self.query", "self.key", "self.value", "output.dense", "output.LayerNorm"]
    names = [*(f"attention.{name}" for name in attention), "intermediate.dense", "output.dense", "output.LayerNorm"]
    layers = [f"{base}.encoder.layer.{k}" for k in range(config.num_hidden_layers)]
    return Architecture(
        heads=config.num_attention_heads,
        width=config.hidden_size,
        embedding=getattr(config, "embedding_size", None) or config.hidden_size,
        inner=config.intermediate_size,
        activation=config.hidden_act,
        eps=config.layer_norm_eps,
        hidden_dropout=config.hidden_dropout_prob,
        output_dropout=config.hidden_dropout_prob,
        attention_dropout=config.attention_probs_dropout_prob,
        words=f"{base}.embeddings.word_embeddings",
        positions=f"{base}.embeddings.position_embeddings",
        types=types and f"{base}.embeddings.{types}",
        projection=projection,
        embedding_norm=f"{base}.embeddings.LayerNorm",
        relative=relative,
        first_position=first_position,
        blocks=tuple(Block(*(f"{layer}.{name}" for name in names)) for layer in layers),
        head=head,
    )


def _dense_head(config: Any, activation: str) -> tuple[Dense | Dropout, ...]:
    p = _first(getattr(config, "classifier_dropout", None), config.hidden_dropout_prob)
    return (Dropout(p), Dense("classifier.dense", activation), Dropout(p), Dense("classifier.out_proj"))


def _first(value: float | None, otherwise: float) -> float:
    return otherwise if value is None else value


_FAMILIES = {
    "bert": _bert,
    "roberta": _roberta,
    "xlm-roberta": _roberta,
    "electra": _electra,
    "distilbert": _distilbert,
    "mpnet": _mpnet,
}
