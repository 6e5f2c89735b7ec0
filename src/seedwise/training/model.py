"""Which model is fine-tuned? Where its weights come from, which the init seed draws, and which are trained."""

from collections.abc import Iterable
from pathlib import Path
from typing import Any, NamedTuple, cast

import torch
from safetensors import safe_open
from transformers import (
    MODEL_FOR_SEQUENCE_CLASSIFICATION_MAPPING,
    AutoConfig,
    AutoModelForSequenceClassification,
    PreTrainedModel,
)
from transformers.utils import logging as transformers_logging

from seedwise.data.pretrained import not_loaded, resolve_model, start_folder
from seedwise.errors import RequestError
from seedwise.training.adapters import add_lora
from seedwise.training.blocks import blocks, heights, pooler
from seedwise.training.randomness import normal
from seedwise.values.recipe import Recipe

__all__ = ["LoadedModel", "check_switches", "load_model"]

# What architectures call their dropout rates: BERT and its kin, ALBERT, BART, DistilBERT, GPT-2, GPT-Neo, ModernBERT,
# XLNet, T5.
_DROPOUT_FIELDS = (
    "hidden_dropout_prob attention_probs_dropout_prob classifier_dropout dropout attention_dropout activation_dropout "
    "seq_classif_dropout resid_pdrop embd_pdrop attn_pdrop embedding_dropout mlp_dropout summary_last_dropout "
    "classif_dropout dropout_rate pooler_dropout hidden_dropout summary_first_dropout "
    "classifier_dropout_prob resid_dropout embed_dropout emb_pdrop"
).split()


class LoadedModel(NamedTuple):
    """A model at its start."""

    model: PreTrainedModel  # the sequence classifier, on the CPU, in float32
    # the names of the parameters that pretraining did not give, or whose values were not taken over: drawn by the
    # init seed
    drawn: frozenset[str]


def load_model(
    recipe: Recipe, *, label_names: tuple[str, ...] | None, init_seed: int, pad_id: int | None = None
) -> LoadedModel:
    """Load a sequence classifier in float32, draw its new parameters, and freeze what is not trained.

    The head is always drawn by the init seed, also where the checkpoint already holds one; each parameter has a draw of
    its own, so that a seed's head is the same whatever else is drawn.
    """
    config = _config(recipe, label_names)
    if pad_id is not None and getattr(config, "pad_token_id", None) is None:
        config.pad_token_id = pad_id
    model, info = _pretrained(recipe, config)
    drawn = _new_parameters(model, info["missing_keys"])
    _check_weights(model, recipe, drawn, info["mismatched_keys"])
    drawn |= _reinitialized(model, recipe)
    frozen = _frozen(model, recipe)
    _check_effect(model, recipe, drawn, frozen)
    _draw(model, drawn, init_seed)
    matrices = add_lora(model, recipe, init_seed) if recipe.lora_rank else []
    for name, parameter in model.named_parameters():
        own = name.replace(".base_layer.", ".")  # its name before LoRA put a matrix beside it
        new = own in drawn or name in matrices
        parameter.requires_grad_(new or not (recipe.lora_rank or name in frozen))
    return LoadedModel(model, drawn | frozenset(matrices))


def check_switches(recipe: Recipe) -> None:
    """Refuse switches that do not fit the recipe's model, before training and without reading weights."""
    if recipe.start_from is not None:
        model, info = _pretrained(recipe, _config(recipe, ("no", "yes")), _unread(start_folder(recipe.start_from)))
        _check_weights(model, recipe, _new_parameters(model, info["missing_keys"]), info["mismatched_keys"])
    with torch.device("meta"):
        model = AutoModelForSequenceClassification.from_config(_config(recipe, label_names=("no", "yes")))
        drawn = _new_parameters(model, ()) | _reinitialized(model, recipe)
        _check_effect(model, recipe, drawn, _frozen(model, recipe))
        if recipe.layerwise_lr_decay != 1:
            blocks(model, "layerwise_lr_decay")
        if "distance" in recipe.track:
            blocks(model, "track = distance")
    if recipe.lora_rank:
        add_lora(model.to_empty(device="cpu"), recipe, init_seed=0)


def _config(recipe: Recipe, label_names: tuple[str, ...] | None) -> Any:
    try:
        config = AutoConfig.from_pretrained(resolve_model(recipe.model), **_label_fields(label_names))
    except (OSError, ValueError) as error:
        raise not_loaded(recipe.model, error) from error
    _set_dropout(config, recipe)
    return config


def _pretrained(
    recipe: Recipe, config: Any, weights: dict[str, torch.Tensor] | None = None
) -> tuple[PreTrainedModel, dict[str, Any]]:
    """Load the weights that the recipe starts from, or use those given, and return which were missing or misshapen."""
    source = start_folder(recipe.start_from) if recipe.start_from else resolve_model(recipe.model)
    transformers_logging.disable_progress_bar()
    verbosity = transformers_logging.get_verbosity()
    transformers_logging.set_verbosity_error()  # a new head is intended, so no warning
    try:
        with torch.random.fork_rng(devices=[]):  # the library draws its own head, which is replaced
            # The auto class needs a name, and the model's own class takes weights only without one.
            kind: Any = (
                MODEL_FOR_SEQUENCE_CLASSIFICATION_MAPPING[type(config)]
                if weights
                else AutoModelForSequenceClassification
            )
            model, info = kind.from_pretrained(
                None if weights else source,
                config=config,
                state_dict=weights,
                dtype=torch.float32,
                use_safetensors=True,
                ignore_mismatched_sizes=True,  # a head of another number of labels; other mismatches are refused
                output_loading_info=True,
            )
    except (OSError, ValueError) as error:
        raise not_loaded(recipe.start_from or recipe.model, error) from error
    finally:
        transformers_logging.set_verbosity(verbosity)
    return cast("PreTrainedModel", model), info


def _new_parameters(model: PreTrainedModel, missing: Iterable[str]) -> frozenset[str]:
    """Return the parameters of the head (outside the base model) and those missing from the checkpoint."""
    prefix, absent = f"{model.base_model_prefix}.", set(missing)
    names = (name for name, _ in model.named_parameters())
    return frozenset(name for name in names if not name.startswith(prefix) or name in absent)


def _unread(folder: str) -> dict[str, torch.Tensor] | None:
    """Return a folder's weights by name, with their shapes but no values: unwritten memory is free."""
    files = sorted(Path(folder).glob("*.safetensors"))  # none for a name on the hub, which has to be fetched anyway
    found: dict[str, torch.Tensor] = {}
    for path in files:
        with safe_open(path, framework="pt") as file:
            found |= {name: torch.empty(file.get_slice(name).get_shape()) for name in file.keys()}  # noqa: SIM118 - no mapping
    return found or None


def _check_weights(
    model: PreTrainedModel, recipe: Recipe, drawn: Iterable[str], misshapen: Iterable[tuple[str, Any, Any]]
) -> None:
    """Refuse an encoder whose shape contradicts its config, and a starting point that is not a whole encoder."""
    drawn, start = frozenset(drawn), recipe.start_from
    for name, given, ours in sorted(misshapen, key=lambda entry: entry[0]):
        if name in drawn:  # the head of another task
            continue
        if start is None:
            raise RequestError(
                f"the model {recipe.model} must have weights of the shapes in its config, but {name} has {tuple(given)} "
                f"in place of {tuple(ours)}; fetch or save the model anew."
            )
        raise RequestError(
            f"start_from must fit the model {recipe.model}, whose {name} is of shape {tuple(ours)}, but {start} has one "
            f"of {tuple(given)}; start from a model that was trained from the same one."
        )
    prefix, spared = f"{model.base_model_prefix}.", pooler(model)
    absent = sorted(name for name in drawn if name.startswith(prefix) and name not in spared)
    if start is not None and absent:
        raise RequestError(
            f"start_from must lead to a whole encoder, but {start} lacks {len(absent)} of its weights, such as "
            f"{absent[0]}; save the model there anew with save_pretrained."
        )


def _reinitialized(model: PreTrainedModel, recipe: Recipe) -> frozenset[str]:
    """Return the pretrained parameters that are drawn anew: the top blocks and the pooler (Zhang et al. 2021, sec. 5)."""
    found = pooler(model) if recipe.reinit_pooler else []
    if count := recipe.reinit_layers:
        names = blocks(model, "reinit_layers")
        _check_depth("reinit_layers", count, len(names), recipe)
        top = tuple(f"{name}." for name in names[-count:])
        found = [*found, *(name for name, _ in model.named_parameters() if name.startswith(top))]
    return frozenset(found)


def _frozen(model: PreTrainedModel, recipe: Recipe) -> frozenset[str]:
    """Return the frozen parameters: the embeddings and as many bottom blocks as the recipe says."""
    if not recipe.freeze_layers:
        return frozenset()
    names = blocks(model, "freeze_layers")
    _check_depth("freeze_layers", recipe.freeze_layers, len(names), recipe)
    if recipe.freeze_layers + recipe.reinit_layers > len(names):
        raise RequestError(
            f"freeze_layers = {recipe.freeze_layers} and reinit_layers = {recipe.reinit_layers} contradict each other: "
            f"{recipe.model} has {len(names)} blocks, so that some would be drawn anew and never trained; lower one."
        )
    return frozenset(name for name, height in heights(model, names).items() if height <= recipe.freeze_layers)


def _check_effect(model: PreTrainedModel, recipe: Recipe, drawn: frozenset[str], frozen: frozenset[str]) -> None:
    """Refuse switches that act on pretrained weights if freezing and re-init leave none of them to train."""
    kept = [p for name, p in model.named_parameters() if name not in drawn and name not in frozen]
    idle = {}
    if not kept:
        idle["mixout"] = (0, "is trained that could be mixed with its starting value")
    if not any(p.dim() >= 2 for p in kept):  # the decay spares biases and normalisation weights
        idle["pretrained_weight_decay"] = (0, "that decays is trained and could move away from its starting value")
    if recipe.freeze_layers and recipe.freeze_layers == len(blocks(model, "freeze_layers")):
        idle["layerwise_lr_decay"] = (1, "is trained below the head and the pooler, which learn at the full rate")
    for field, (off, reason) in idle.items():
        if (value := getattr(recipe, field)) != off:
            raise RequestError(
                f"{field} = {value} and freeze_layers = {recipe.freeze_layers} contradict each other: no pretrained "
                f"weight of {recipe.model} {reason}; lower freeze_layers, or set {field} to {off}."
            )


def _check_depth(field: str, count: int, depth: int, recipe: Recipe) -> None:
    if count > depth:
        raise RequestError(
            f"{field} must be at most {depth}, the number of blocks of {recipe.model}, not {count}; give {depth} or fewer."
        )


def _draw(model: PreTrainedModel, names: Iterable[str], init_seed: int) -> None:
    """Draw weights from N(0, 0.02^2) or the model's own width; biases are 0 and normalisation weights 1."""
    std = float(getattr(model.config, "initializer_range", None) or getattr(model.config, "init_std", None) or 0.02)
    parameters = dict(model.named_parameters())
    with torch.no_grad():
        for name in names:
            parameter = parameters[name]
            if parameter.dim() >= 2:  # also those that XLNet calls a bias
                parameter.copy_(normal(init_seed, name, tuple(parameter.shape), std))
            elif name.endswith("bias"):
                parameter.zero_()
            else:
                parameter.fill_(1.0)


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
