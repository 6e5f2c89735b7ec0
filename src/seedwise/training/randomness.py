"""Which random numbers does a trial draw? They are hash-based, a function of names and numbers alone.

A draw is fixed by its stream, seed, and epoch or step. Nothing is drawn in sequence from a shared generator, so
neighbouring seeds share nothing, evaluating changes nothing, and step k can be drawn without steps 1..k-1.
"""

import hashlib
from collections.abc import Iterator
from contextlib import contextmanager
from functools import lru_cache

import numpy as np
import torch

from seedwise.values.seeds import Seeds

__all__ = ["dropout_masks", "fingerprint", "key", "normal", "permutation"]


def key(stream: str, *place: int | str) -> int:
    """Hash a stream's name and the position of a draw to 128 bits."""
    text = "/".join(["seedwise", stream, *map(str, place)])
    return int.from_bytes(hashlib.sha256(text.encode()).digest()[:16], "little")


@lru_cache(maxsize=8)
def permutation(order_seed: int, epoch: int, rows: int) -> np.ndarray:
    """Return the order of the training rows in one epoch.

    It is the order of 64-bit Philox numbers, whose bits NumPy promises never to change, unlike its shuffles'.

    Args:
        order_seed: The trial's order seed.
        epoch: Epoch, from 0.
        rows: How many training rows there are.

    Returns:
        Row numbers, shape (rows,); read-only.

    Example:
        >>> sorted(permutation(1, 0, 5).tolist())
        [0, 1, 2, 3, 4]
    """
    order = np.argsort(_philox("order", order_seed, epoch).random_raw(rows), kind="stable")
    order.flags.writeable = False
    return order


def normal(init_seed: int, name: str, shape: tuple[int, ...], std: float) -> torch.Tensor:
    """Draw one new parameter from N(0, std^2)."""
    drawn = np.random.Generator(_philox("init", init_seed, name)).standard_normal(shape)
    return torch.from_numpy((drawn * std).astype(np.float32))


@contextmanager
def dropout_masks(dropout_seed: int, step: int, part: int, device: torch.device) -> Iterator[None]:
    """Within this context, the library's dropout draws the masks of one part of one step; generators are restored after."""
    devices = [device] if device.type == "cuda" else []
    with torch.random.fork_rng(devices=devices):
        torch.manual_seed(key("dropout", dropout_seed, step, part) % 2**63)
        yield


def fingerprint(seeds: Seeds, head: dict[str, torch.Tensor], train_rows: int, device: torch.device) -> dict[str, str]:
    """Hash what each seed actually drew: the drawn head, the first epoch's order, the first dropout mask.

    Two trials of one task and recipe with different seeds and equal hashes are secretly one.
    """
    drawn = hashlib.sha256()
    for name in sorted(head):
        drawn.update(name.encode() + head[name].detach().cpu().numpy().tobytes())
    with dropout_masks(seeds.dropout, 1, 0, device):
        mask = torch.nn.functional.dropout(torch.ones(1024, device=device), 0.5).cpu().numpy()
    order = np.ascontiguousarray(permutation(seeds.order, 0, train_rows), dtype="<i8")
    return {
        "init": drawn.hexdigest()[:16],
        "order": hashlib.sha256(order.tobytes()).hexdigest()[:16],
        "dropout": hashlib.sha256(mask.tobytes()).hexdigest()[:16],
    }


def _philox(stream: str, *place: int | str) -> np.random.Philox:
    return np.random.Philox(key=key(stream, *place))
