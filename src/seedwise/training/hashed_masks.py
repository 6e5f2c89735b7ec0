"""Which numbers does a mask keep? A hash of each number's position decides, whatever the padding, order or batch.

A mask belongs to one seed and step. Within it, a site is a place in the model where numbers are dropped, a row is a row
of the step's batch, a line is a token of the row (or, in attention, a query of one head), and a line's numbers follow one
another. Lines get 64-bit keys from SplitMix64; two neighbouring numbers of a line share one 32-bit hash, 16 bits each, so
that probabilities are multiples of 1/65536. The same code runs on NumPy arrays, which is fastest on a CPU, and on torch
tensors on any device; the kernels in `seedwise.engines.kernels` repeat it in C.
"""

import hashlib
from typing import Any

import numpy as np
import torch

from seedwise.training.randomness import key

__all__ = ["Array", "keep", "keep_mask", "line_keys", "mask_fingerprint", "step_key", "threshold"]

Array = Any  # of NumPy or of torch

# Multipliers of 64 and 32 bits as signed integers, as both libraries use.
_GOLDEN = 0x9E3779B97F4A7C15 - 2**64
_MIX = (0xBF58476D1CE4E5B9 - 2**64, 0x94D049BB133111EB - 2**64)
_ODD, _FIRST, _SECOND = 0x9E3779B1 - 2**32, 0x7FEB352D, 0x846CA68B - 2**32


def step_key(dropout_seed: int, step: int, *place: str) -> int:
    """Return the key of all masks of one seed and step, a signed 64-bit integer."""
    return key("dropout", dropout_seed, step, "masks", *place) % 2**64 - 2**63


def line_keys(step_keys: Array, sites: Array | int, rows: Array | int, lines: Array) -> Array:
    """Return the key of each line: int64, of the shape to which the arguments broadcast."""
    found = (lines + (rows * 2**28 + sites * 2**48)) * _GOLDEN + step_keys
    found = found ^ ((found >> 30) & (2**34 - 1))  # shifted without the sign
    found = found * _MIX[0]
    found = found ^ ((found >> 27) & (2**37 - 1))
    found = found * _MIX[1]
    return found ^ ((found >> 31) & (2**33 - 1))


def keep(keys: Array, width: int, limit: Array | int) -> Array:
    """Return which numbers of each line are kept."""
    pairs = (width + 1) // 2
    words: Array
    hashed: Array
    halves: Any
    if isinstance(keys, torch.Tensor):
        words = keys.contiguous().view(torch.int32).view(*keys.shape, 2)
        hashed, halves = torch.arange(pairs, dtype=torch.int32, device=keys.device) * _ODD, torch.int16
    else:
        words = np.ascontiguousarray(keys).view(np.int32).reshape(*keys.shape, 2)
        hashed, halves = np.arange(pairs, dtype=np.int32) * np.int32(_ODD), np.int16
    hashed = hashed + words[..., :1]
    hashed ^= (hashed >> 16) & 0xFFFF
    hashed *= _FIRST
    hashed ^= words[..., 1:]
    hashed ^= (hashed >> 15) & 0x1FFFF
    hashed *= _SECOND
    hashed ^= (hashed >> 16) & 0xFFFF
    return hashed.view(halves)[..., :width] >= limit


def mask_fingerprint(dropout_seed: int) -> str:
    """Return the hash of a trial's first dropout mask, 16 hexadecimal digits."""
    kept = keep(line_keys(np.int64(step_key(dropout_seed, 1)), 0, 0, np.arange(8)), 128, threshold(0.5))
    return hashlib.sha256(np.packbits(kept).tobytes()).hexdigest()[:16]


def threshold(p: float) -> int:
    """Return the threshold for a number's 16 signed bits that drops it with probability p < 1."""
    return round(p * 2**16) - 2**15


def keep_mask(
    dropout_seed: int, step: int, name: str, like: torch.Tensor, p: float, rows: torch.Tensor | None = None
) -> torch.Tensor:
    """Draw which numbers of a parameter mixout keeps at one step."""
    if p == 1:
        return torch.zeros_like(like)
    lines = 1 if like.dim() < 2 else like.shape[0]
    numbers = np.arange(lines) if rows is None else rows.cpu().numpy()
    keys = line_keys(step_key(dropout_seed, step, "mixout", name), 0, 0, numbers)
    width = like.numel() // lines
    if like.device.type == "cpu":
        kept = torch.from_numpy(keep(keys, width, threshold(p)))
    else:
        kept = keep(torch.from_numpy(keys).to(like.device), width, threshold(p))
    return kept.view(like.shape).to(like.dtype)
