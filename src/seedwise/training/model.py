"""Which model is fine-tuned: pretrained weights, and a head drawn by the trial's init seed."""

from typing import Any, cast

import torch
from torch import nn
from transformers import AutoConfig, AutoModelForSequenceClassification, PreTrainedModel
from transformers.utils import logging as transformers_logging

from seedwise.data.embedded import resolve_model
from seedwise.data.pretrained import not_loaded
from seedwise.errors import RequestError
from seedwise.recipe import Recipe
from seedwise.training.randomness import normal

__all__ = ["load_model", "new_parameters"]

# What architectures call their dropout rates: BERT and its kin, ALBERT, BART, DistilBERT, GPT-2, GPT-Neo, ModernBERT,
# XLNet, T5.
_DROPOUT_FIELDS = (
    "hidden_dropout_prob attention_probs_dropout_prob classifier_dropout dropout attention_dropout activation_dropout "
    "seq_classif_dropout resid_pdrop embd_pdrop attn_pdrop embedding_dropout mlp_dropout summary_last_dropout "
    "classif_dropout dropout_rate pooler_dropout hidden_dropout summary_first_dropout "
    "classifier_dropout_prob resid_dropout embed_dropout emb_pdrop"
).split()


def load_model(
    recipe: Recipe, *, label_names: tuple[str, ...] | None, init_seed: int, pad_id: int | None = None
) -> PreTrainedModel:
    """Load a sequence classifier in float32 and draw its new parameters anew.

    The head is always drawn by the init seed, also where the checkpoint already holds one.

    Args:
        recipe: Names the model and the dropout rate.
        label_names: The class names, or None for regression.
        init_seed: The trial's init seed.
        pad_id: The tokenizer's padding token, which decoders need to find the last token.

    Raises:
        RequestError: The model cannot be found or loaded.
    """
    transformers_logging.disable_progress_bar()
    path = resolve_model(recipe.model)
    verbosity = transformers_logging.get_verbosity()
    transformers_logging.set_verbosity_error()  # a new head is what we want, not worth a warning
    try:
        config = AutoConfig.from_pretrained(path, **_label_fields(label_names))
        _set_dropout(config, recipe)
        if pad_id is not None and getattr(config, "pad_token_id", None) is None:
            config.pad_token_id = pad_id
        with torch.random.fork_rng(devices=[]):  # the library draws a head of its own, which is replaced below
            model, info = AutoModelForSequenceClassification.from_pretrained(
                path,
                config=config,
                dtype=torch.float32,
                use_safetensors=True,
                ignore_mismatched_sizes=True,  # a head of another number of labels; other mismatches are refused below
                output_loading_info=True,
            )
    except RequestError:
        raise
    except (OSError, ValueError) as error:
        raise not_loaded(recipe.model, error) from error
    finally:
        transformers_logging.set_verbosity(verbosity)
    head = new_parameters(model, missing=info["missing_keys"])
    wrong = {key[0] if isinstance(key, tuple) else key for key in info["mismatched_keys"]} - set(head)
    if wrong:
        raise RequestError(f"the model {recipe.model} has weights of another shape than its config: {sorted(wrong)}.")
    _draw(model, head, init_seed)
    return cast("PreTrainedModel", model)


def new_parameters(model: PreTrainedModel, *, missing: Any = ()) -> dict[str, nn.Parameter]:
    """Return the parameters that pretraining did not give: those outside the base model, and the missing ones.

    Args:
        model: A sequence classifier.
        missing: Names of further parameters that its checkpoint does not hold.
    """
    prefix = f"{model.base_model_prefix}."
    return {
        name: parameter
        for name, parameter in model.named_parameters()
        if not name.startswith(prefix) or name in set(missing)
    }


def _draw(model: PreTrainedModel, head: dict[str, nn.Parameter], init_seed: int) -> None:
    """Draw weights from N(0, 0.02^2) or the model's own width; biases are 0 and normalisation weights 1."""
    std = float(getattr(model.config, "initializer_range", None) or 0.02)
    with torch.no_grad():
        for name, parameter in head.items():
            if name.endswith("bias"):
                parameter.zero_()
            elif parameter.dim() < 2:
                parameter.fill_(1.0)
            else:
                parameter.copy_(normal(init_seed, name, tuple(parameter.shape), std))


def _label_fields(label_names: tuple[str, ...] | None) -> dict[str, Any]:
    if label_names is None:
        return {"num_labels": 1, "problem_type": "regression"}
    return {
        "num_labels": len(label_names),
        "id2label": dict(enumerate(label_names)),
        "label2id": {name: i for i, name in enumerate(label_names)},
        "problem_type": "single_label_classification",
    }


def _set_dropout(config: Any, recipe: Recipe) -> None:
    if recipe.dropout is None:
        return
    known = [name for name in _DROPOUT_FIELDS if hasattr(config, name)]
    if not known:
        raise RequestError(
            f"dropout cannot be set to {recipe.dropout:g} for {recipe.model}: its config names no dropout rate that is "
            "known here; leave dropout out to keep the model's own."
        )
    for name in known:
        setattr(config, name, recipe.dropout)
