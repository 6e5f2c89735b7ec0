"""How does LoRA train small matrices beside frozen weights, and how do they become plain weights again?

The matrices are peft's (the extra ``lora``); the trial's init seed draws their starting values.
"""

from typing import Any

import torch
from torch import nn
from transformers import PreTrainedModel
from transformers.pytorch_utils import Conv1D

from seedwise.errors import RequestError
from seedwise.training.randomness import normal
from seedwise.values.recipe import Recipe

__all__ = ["add_lora", "merge_lora"]


def add_lora(model: PreTrainedModel, recipe: Recipe, init_seed: int) -> list[str]:
    """Put low-rank matrices beside the targets in the pretrained model; return the matrices' names.

    The head outside it gets none, for it is trained itself. Where the recipe names no targets they are those that peft
    knows for the architecture, and all linear layers where it knows none. A is normal and B is 0, so that the model
    begins as it was (Hu et al. 2022, section 4.1). A's standard deviation is 1 / sqrt(3 n) for n inputs, that of the
    uniform numbers which peft draws by default.
    """
    try:
        from peft import LoraConfig, inject_adapter_in_model
        from peft.utils import TRANSFORMERS_MODELS_TO_LORA_TARGET_MODULES_MAPPING
    except ImportError as error:
        raise RequestError(
            f"lora_rank = {recipe.lora_rank} needs the package peft, which is not installed; run "
            "`pip install 'seedwise[lora]'`, or set lora_rank to 0."
        ) from error
    layers = _linear_layers(model.base_model)
    unknown = [target for target in recipe.lora_targets if not any(f".{n}".endswith(f".{target}") for n in layers)]
    if unknown:
        last = ", ".join(dict.fromkeys(name.rpartition(".")[2] for name in layers))
        raise RequestError(
            f"lora_targets must be names of linear layers of {recipe.model}, not {', '.join(unknown)}; name some of {last}."
        )
    known = TRANSFORMERS_MODELS_TO_LORA_TARGET_MODULES_MAPPING.get(model.config.model_type)
    scale: Any = recipe.lora_alpha  # peft annotates a whole number, and divides it by the rank
    config = LoraConfig(
        r=recipe.lora_rank,
        lora_alpha=scale,
        lora_dropout=0.0,
        target_modules=list(recipe.lora_targets or known or layers),
        fan_in_fan_out=any(isinstance(module, Conv1D) for module in model.modules()),
    )
    with torch.random.fork_rng(devices=[]):  # peft draws its own matrices, which are replaced below
        inject_adapter_in_model(config, model.base_model)
    matrices = [(name, p) for name, p in model.named_parameters() if ".lora_" in name]
    with torch.no_grad():
        for name, parameter in matrices:
            if ".lora_A." in name:
                std = (3 * parameter.shape[1]) ** -0.5
                parameter.copy_(normal(init_seed, name, tuple(parameter.shape), std))
            else:
                parameter.zero_()
    return [name for name, _ in matrices]


def merge_lora(model: PreTrainedModel) -> None:
    """Add each product of matrices to its weight, and put the plain layers back into the model."""
    for name, module in list(model.named_modules()):
        if hasattr(module, "lora_A") and hasattr(module, "get_base_layer"):
            module.merge()
            parent, _, child = name.rpartition(".")
            setattr(model.get_submodule(parent), child, module.get_base_layer())


def _linear_layers(model: nn.Module) -> list[str]:
    return [name for name, module in model.named_modules() if isinstance(module, nn.Linear | Conv1D)]
