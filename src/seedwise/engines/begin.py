"""How does a trial begin on a fast path, and which trials can?"""

from functools import partial

import torch
from transformers import AutoConfig
from transformers.models.auto.tokenization_auto import get_tokenizer_config

from seedwise.data.pretrained import resolve_model
from seedwise.data.tokens import TokenizedTask
from seedwise.engines import architecture as families
from seedwise.engines.architecture import architecture
from seedwise.engines.batches import Feed
from seedwise.engines.compiled import CompiledEncoder
from seedwise.engines.optimizer import FlatOptimizer
from seedwise.engines.packed import Engine, Packed, TorchEngine
from seedwise.engines.vocabulary import Vocabulary
from seedwise.errors import RequestError
from seedwise.training.loop import Training, assemble
from seedwise.training.masks import mask_fingerprint
from seedwise.training.model import load_model
from seedwise.values.recipe import Recipe
from seedwise.values.trial import Trial

__all__ = ["begin", "reason_against"]

EVALUATION_TOKENS = 2048
"""Tokens in one evaluation batch on a CPU, whose caches hold what is between two layers."""

GPU_EVALUATION_TOKENS = 32768
"""The same on a GPU, which needs many to be busy."""


def reason_against(recipe: Recipe) -> str | None:
    """Return why a recipe's trials cannot take a fast path; None where they can.

    Args:
        recipe: Its model must be one that can be loaded.
    """
    if recipe.lora_rank:
        return "LoRA puts matrices beside the weights"
    model = resolve_model(recipe.model)
    if get_tokenizer_config(model).get("padding_side", "right") != "right":
        return "its tokenizer pads on the left, which moves the positions of tokens"
    return families.reason_against(AutoConfig.from_pretrained(model))


def begin(trial: Trial, data: TokenizedTask, device: torch.device | str = "cpu", *, path: str = "packed") -> Training:
    """Set a trial up at step 0 on a fast path; `seedwise.training.loop.begin` does so on the plain one.

    Args:
        trial: What to train; ``reason_against`` has nothing against its recipe.
        data: The task's tokenised rows.
        device: Where to train.
        path: packed, compiled, or fused for a trial that is to join a stack.

    Raises:
        RequestError: The model cannot be loaded, or cannot take this path.
    """
    recipe, device = trial.recipe, torch.device(device)
    if (reason := reason_against(recipe)) is not None:
        raise RequestError(f"{recipe.model_name} cannot be trained on the path {path}: {reason}; take the plain one.")
    loaded = load_model(recipe, label_names=data.label_names, init_seed=trial.seeds.init, pad_id=data.pad_id)
    model = loaded.model
    parts = architecture(model.config)
    vocabulary = Vocabulary(model, parts.words, data)
    model.to(device)  # type: ignore[arg-type]  # transformers annotates only the decorated overload
    tokens = EVALUATION_TOKENS if device.type == "cpu" else GPU_EVALUATION_TOKENS
    feed = Feed(trial, data, vocabulary.renumber, device, tokens)

    def computation(optimizer: FlatOptimizer) -> Packed:
        def engine() -> Engine:
            if path != "compiled":
                return TorchEngine(parts, model, optimizer, recipe.dtype)
            gradients = {name: p.grad for name, p in optimizer.names.items() if p.grad is not None}
            return CompiledEncoder(parts, dict(model.named_parameters()), gradients)

        return Packed(path, engine, feed, vocabulary, optimizer, data, trial)

    kept = {vocabulary.parameter: torch.from_numpy(vocabulary.kept)}
    optimizer = partial(FlatOptimizer, compiled=path == "compiled")
    training = assemble(trial, data, loaded, optimizer, computation, kept)
    training.fingerprint["dropout"] = mask_fingerprint(trial.seeds.dropout)
    return training
