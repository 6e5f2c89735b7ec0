"""By how much are Adam's updates too large when its moments are not corrected for starting at 0?"""

import numpy as np
from numpy.typing import ArrayLike, NDArray

from seedwise.stats.checks import check_number, count_array

__all__ = ["update_bias"]

Floats = NDArray[np.float64]


def update_bias(step: ArrayLike, *, beta1: float = 0.9, beta2: float = 0.999) -> Floats:
    """Return the ratio of Adam's update without bias correction to the one with it.

    After t steps the moments are too small by the factors 1 - beta1^t and 1 - beta2^t, whatever the gradients were, so
    that, but for the epsilon in the denominator,

        ratio = (1 - beta1^t) / sqrt(1 - beta2^t).

    With the usual decays that is 3.16 at the first step, 6.6 at its peak at step 12, 1.26 at step 1,000, and 1 in the end.

    Args:
        step: t, optimiser steps done, from 1, shape (m,) or one.
        beta1: Decay of the first moment, in [0, 1).
        beta2: Decay of the second moment, in [0, 1).

    Returns:
        The ratio at each step, above 0, shape (m,).

    Raises:
        ValueError: A step is no whole number of at least 1, or a decay is not in [0, 1).

    Reference:
        Zhang et al. (2021), section 4 and figure 1; Kingma and Ba (2015), "Adam", section 3.

    Example:
        >>> update_bias([1, 12, 1_000]).round(2).tolist()
        [3.16, 6.57, 1.26]
    """
    t = count_array("step", step)
    for name, beta in (("beta1", beta1), ("beta2", beta2)):
        check_number(name, beta)
        if not 0 <= beta < 1:
            raise ValueError(f"{name} must be in [0, 1), not {beta!r}; Adam's own are 0.9 and 0.999.")
    # expm1 keeps the digits that 1 - beta^t loses where beta^t is close to 1.
    first, second = (-np.expm1(t * np.log(beta)) if beta else np.ones(len(t)) for beta in (beta1, beta2))
    return np.asarray(first / np.sqrt(second))
