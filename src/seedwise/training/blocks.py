"""Where is each parameter in an encoder: below its Transformer blocks, in one of them, or above?

Blocks are found by structure, not by name: the outermost lists of like modules that are as long as the
model's depth in its config. An encoder-decoder is one stack, the encoder's blocks below the decoder's.
"""

import re
from typing import Any

from torch import nn
from transformers import PreTrainedModel

from seedwise.errors import RequestError

__all__ = ["blocks", "heights", "pooler"]

_DEPTHS = ("num_hidden_layers", "encoder_layers", "decoder_layers", "num_decoder_layers")
# Read by every block, wherever registered; the last is the normalisation of DeBERTa's relative positions.
_EMBEDDING = re.compile(r"embed|shared\.|rel_|relative|wte\.|wpe\.|mask_emb|^deberta\.encoder\.LayerNorm")


def blocks(model: PreTrainedModel, need: str) -> list[str]:
    """Return the names of the Transformer blocks, from the bottom up."""
    depths = {getattr(model.config, name, None) for name in _DEPTHS} - {None}
    base = f"{model.base_model_prefix}."
    found: list[str] = []
    for name, module in model.named_modules():
        inner = any(name.startswith(f"{block}.") for block in found)
        if name.startswith(base) and not inner and _is_stack(module, depths):
            found += [f"{name}.{i}" for i in range(len(module))]
    if not found:
        raise RequestError(
            f"{need} needs Transformer blocks with weights of their own, but those of {model.config.model_type} are "
            f"shared or not known here; leave {need} out for this model."
        )
    return found


def heights(model: PreTrainedModel, names: list[str]) -> dict[str, int]:
    """Return the height of each parameter: 0 in the embeddings, k in block k, one more above all blocks.

    Parameters between two blocks, such as an encoder's last normalisation below its decoder, belong to the lower one.
    """
    top, base = len(names) + 1, f"{model.base_model_prefix}."
    found, passed = {}, 0
    for name, _ in model.named_parameters():
        height = next((k for k, block in enumerate(names, start=1) if name.startswith(f"{block}.")), None)
        passed = passed if height is None else height
        if height is None and name.startswith(base):
            height = 0 if _EMBEDDING.search(name) else passed if passed < len(names) else top
        found[name] = top if height is None else height
    return found


def pooler(model: PreTrainedModel) -> list[str]:
    """Return the names of the pretrained pooler's parameters; none if the whole head is new."""
    prefix = f"{model.base_model_prefix}.pooler."
    return [name for name, _ in model.named_parameters() if name.startswith(prefix)]


def _is_stack(module: nn.Module, depths: set[Any]) -> bool:
    """Whether a module is the list of Transformer blocks: as many modules of one class as the model has layers."""
    if not isinstance(module, nn.ModuleList) or len(module) not in depths:
        return False
    alike = len({type(block) for block in module}) == 1 and not isinstance(module[0], nn.ModuleList)
    return alike and all(sum(p.dim() >= 2 for p in block.parameters()) >= 4 for block in module)
