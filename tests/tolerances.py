"""How far may rounding move a number? Each numerical bound of a test is one of these, or says its own reason.

Sums are added up in an order that depends on the processor, its vector width, the library of matrix products and the
number of threads. Equal formulas therefore agree to rounding only, and each bound here is what rounding can do at
worst or nearly so, never what one machine happened to show. A wrong formula is off by thousands of times as much.

Bounds of float64 formulas: ``pytest.approx`` without arguments allows 1e-6 of the number, and ``assert_allclose`` 1e-7.
These are 4.5e9 and 4.5e8 units in the last place: room for formulas with condition numbers up to 1e6 and for an oracle
that iterates to a tolerance of its own. A bound of 1e-9 or 1e-12 on shares, scores and probabilities (numbers below 1)
likewise leaves a factor of a thousand or more for sums of up to some hundred terms. Bounds of simulations are given in
standard errors: 4 of them fail one seed in 16,000, and the seed is fixed.
"""

import numpy as np

__all__ = ["drift", "ulps"]

EPSILON = float(np.finfo(np.float32).eps)


def ulps(count, scale=1.0):
    """So many units in the last place of a float32 number of this size: 2^-23 of it each."""
    return count * EPSILON * scale


def drift(steps, scale=1.0):
    """How far two float32 trainings by the same formulas are apart after so many steps, in a loss or logit of this size.

    A forward pass through a few layers rounds by some 16 ulps. Each step's rounding moves the weights by a few ulps of
    a step, which all later losses keep: one ulp a step where learning rates are small enough that a loss falls.
    """
    return ulps(16 + steps, scale)
