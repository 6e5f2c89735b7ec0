"""How far may rounding move a number? Each numerical bound of a test is one of these, or says its own reason beside it.

Sums are added up in an order that depends on the processor, its vector width, the library of matrix products and the
number of threads. Equal formulas therefore agree to rounding only, and each bound here is what rounding can do at
worst or nearly so, never what one machine happened to show. A wrong formula is off by hundreds of times as much.

Bounds of float64 formulas: ``pytest.approx`` without arguments allows 1e-6 of the number, and ``assert_allclose`` 1e-7.
These are 4.5e9 and 4.5e8 units in the last place: room for formulas with condition numbers up to 1e6 and for an oracle
that iterates to a tolerance of its own. A bound of 1e-9 to 1e-14 on means, shares and probabilities, numbers around 1,
is 4.5e6 to 45 units: some hundred terms are added up there, each of which rounds by half a unit. Where a root is taken
of what cancels out, as in a standard deviation of equal scores, half of the digits are lost and the bound is 1e-8 to 1e-5.

Bounds of simulations are given in standard errors, with a fixed seed: 4 of them fail one seed in 16,000.
"""

import numpy as np

__all__ = ["SEVERAL_LAYERS", "drift", "ulps"]


def ulps(count, scale=1.0):
    """So many units in the last place of float32 numbers of this size: 2^-23 of it each."""
    return count * float(np.finfo(np.float32).eps) * scale


SEVERAL_LAYERS = ulps(100)
"""What logits and losses of about 1 may differ by: some ten sums one after the other, each off by up to ten units."""


def drift(steps):
    """How far the losses (of about 1) of two float32 trainings by the same formulas are apart after so many steps.

    A loss is a sum of a few rows and rounds by some ten units in the last place. Each step's update moves the weights by
    a thousandth of their size or less, so that the rounding of its gradients, which all later losses keep, comes to at
    most one unit a step. That holds where learning rates are small enough that the loss falls.
    """
    return ulps(16 + steps)
