"""How do numbers become bytes and text, and come back bit for bit?

Losses and predictions are little-endian float32, compressed by zlib; metrics are JSON at full float64 precision, with
nan and infinity as texts, because JSON knows neither.
"""

import json
import math
import zlib
from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from seedwise.values.identity import json_number

__all__ = ["differs", "metrics_from_text", "metrics_to_text", "pack", "to_float32", "unpack"]


def to_float32(numbers: Sequence[float] | NDArray[np.floating]) -> NDArray[np.float32]:
    """Round to float32; what is too large becomes infinite, as it would in training."""
    with np.errstate(over="ignore"):
        return np.asarray(numbers, dtype=np.float32)


def pack(numbers: NDArray[np.float32]) -> bytes:
    """Compress an array; its shape is kept elsewhere."""
    # Level 1: the mantissas are close to random, so that more effort saves hardly a byte.
    return zlib.compress(np.ascontiguousarray(numbers, dtype="<f4").tobytes(), 1)


def unpack(blob: bytes) -> NDArray[np.float32]:
    """Return the numbers that ``pack`` was given, as a flat array of this machine's byte order."""
    return np.frombuffer(zlib.decompress(blob), dtype="<f4").astype(np.float32)


def metrics_to_text(metrics: Mapping[str, float]) -> str:
    """Write metrics as JSON, in their order.

    Example:
        >>> metrics_to_text({"accuracy": 0.1, "loss": float("inf")})
        '{"accuracy":0.1,"loss":"inf"}'
    """
    plain = {name: json_number(float(value)) for name, value in metrics.items()}
    return json.dumps(plain, separators=(",", ":"), allow_nan=False)


def metrics_from_text(text: str) -> dict[str, float]:
    """Read what ``metrics_to_text`` wrote."""
    return {name: float(value) for name, value in json.loads(text).items()}


def differs(one: float, other: float) -> bool:
    """Whether two numbers differ in a bit; every nan counts as the same one.

    Example:
        >>> differs(0.0, -0.0), differs(float("nan"), float("nan"))
        (True, False)
    """
    if math.isnan(one) or math.isnan(other):
        return math.isnan(one) != math.isnan(other)
    return one != other or math.copysign(1, one) != math.copysign(1, other)
