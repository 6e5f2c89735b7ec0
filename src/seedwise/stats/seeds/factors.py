"""Which seeds do trials share, so that their scores rise and fall together?"""

from collections.abc import Iterable, Mapping
from itertools import combinations
from types import MappingProxyType
from typing import Any

import numpy as np
from numpy.typing import NDArray

from seedwise.stats.checks import label_array

__all__ = ["NO_FACTORS", "Codes", "Factors", "levels_of", "repeated_factors"]

Codes = dict[str, NDArray[np.intp]]
Factors = Mapping[str, Iterable[Any]]
NO_FACTORS: Factors = MappingProxyType({})
"""Of trials that are independent."""


def repeated_factors(factors: Factors, n: int) -> Codes:
    """Return the factors that say which of n trials belong together, as whole numbers from 0.

    A factor whose labels all differ ties no trials together. Of factors that part the trials alike, the first stays. A
    factor that lies within another, such as order seeds of which each goes with one init seed, goes: trials that share it
    share the other too.
    """
    codes = {name: label_array(name, labels, n) for name, labels in factors.items()}
    codes = {name: code for name, code in codes.items() if code.max(initial=0) + 1 < n}
    for first, second in combinations(list(codes), 2):
        if first in codes and second in codes:
            together = len(np.unique(codes[first] * n + codes[second]))
            sizes = {name: int(codes[name].max()) + 1 for name in (first, second)}
            if together == sizes[second]:  # each level of the second occurs with one of the first
                del codes[second]
            elif together == sizes[first]:
                del codes[first]
    return codes


def levels_of(codes: Codes, n: int) -> int:
    """Return the fewest levels of any factor; the n trials where they share none."""
    return min((int(code.max()) + 1 for code in codes.values()), default=n)
