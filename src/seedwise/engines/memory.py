"""How many trials fit into a stack? As many as free memory holds, estimated from shapes."""

import os
from pathlib import Path

import numpy as np
import torch
from transformers import AutoConfig, AutoModelForSequenceClassification

from seedwise.data.pretrained import resolve_model
from seedwise.data.tokens import TokenizedTask
from seedwise.engines.architecture import Architecture, architecture
from seedwise.values.recipe import Recipe

__all__ = ["bytes_per_trial", "free_bytes", "is_out_of_memory", "widest"]

_LACKING = ("can't allocate memory", "CUBLAS_STATUS_ALLOC_FAILED", "CUDA out of memory", "CUDA error: out of memory")

SHARE = 0.8
"""What may be filled of the free memory: the rest is for what libraries take, and for what is too small to be counted."""


def widest(recipe: Recipe, data: TokenizedTask, device: torch.device | str = "cpu") -> int:
    """Return how many trials now fit into a stack on a device; 0 if not even one does."""
    return int(SHARE * free_bytes(device)) // bytes_per_trial(recipe, data)


def bytes_per_trial(recipe: Recipe, data: TokenizedTask) -> int:
    """Estimate the memory that one trial of a stack takes.

    Weights, gradients, those of one backward pass, two moments, the weights of the best evaluation and a copy while
    stacks are laid out anew take 28 bytes a parameter, mixed precision 2 more, starting values 4 and mixout 8 more.
    Between forward and backward, every token keeps about 17 vectors of the encoder's width and 4 of the feed-forward
    layer's in each block, and every pair of tokens of a row 4 numbers for each head.
    """
    config = AutoConfig.from_pretrained(resolve_model(recipe.model))
    with torch.device("meta"):
        model = AutoModelForSequenceClassification.from_config(config)
    parts = architecture(config)
    seen = len(np.unique(np.concatenate([split.ids for split in data.splits.values()])))
    words = model.get_parameter(f"{parts.words}.weight")
    numbers = int(sum(p.numel() for p in model.parameters())) - (words.shape[0] - seen) * words.shape[1]
    held = recipe.mixout or recipe.pretrained_weight_decay or "distance" in recipe.track
    each = 28 + 2 * (recipe.dtype == "bfloat16") + 4 * bool(held) + 8 * bool(recipe.mixout)
    return int(numbers) * each + 4 * _between(parts, recipe, data)


def is_out_of_memory(error: BaseException) -> bool:
    """Whether an error means out of memory; torch raises several, and those of a CPU have no type of their own."""
    if isinstance(error, torch.OutOfMemoryError | MemoryError):
        return True
    return isinstance(error, RuntimeError) and any(words in str(error) for words in _LACKING)


def free_bytes(device: torch.device | str) -> int:
    """Return the memory that is free on a device, in bytes."""
    device = torch.device(device)
    if device.type == "cuda":
        return int(torch.cuda.mem_get_info(device)[0])
    meminfo = Path("/proc/meminfo")
    if meminfo.exists():
        for line in meminfo.read_text(encoding="ascii").splitlines():
            if line.startswith("MemAvailable:"):
                return int(line.split()[1]) * 1024
    return int(os.sysconf("SC_PHYS_PAGES")) * int(os.sysconf("SC_PAGE_SIZE"))


def _between(parts: Architecture, recipe: Recipe, data: TokenizedTask) -> int:
    """Count the numbers that a step keeps for its backward pass, for rows as long as the longest tenth."""
    rows = min(recipe.batch_size, len(data.train))
    length = int(np.quantile(data.train.lengths, 0.9))
    by_token = 17 * parts.width + 4 * parts.inner
    return len(parts.blocks) * rows * length * (by_token + 4 * parts.heads * length)
