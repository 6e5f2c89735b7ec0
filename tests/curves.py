"""Curves of trials, and whether two are the same."""

import numpy as np

from seedwise.training.loop import train
from tolerances import drift


def curves(training, steps=None):
    """Train a trial, and return its losses and evaluations."""
    return split(train(training, steps))


def split(measured):
    """Return the losses and the evaluations among measurements."""
    measured = list(measured)
    return [m.loss for m in measured], [m.metrics for m in measured if m.metrics is not None]


def close(ours, theirs, tolerance=None):
    """Fail where two curves differ by more than a tolerance anywhere, by default more than rounding makes of them."""
    tolerance = drift(len(ours[0])) if tolerance is None else tolerance
    np.testing.assert_allclose(ours[0], theirs[0], rtol=0, atol=tolerance)
    assert len(ours[1]) == len(theirs[1])
    for mine, other in zip(ours[1], theirs[1], strict=True):
        assert mine.keys() == other.keys()
        for name in mine:
            np.testing.assert_allclose(mine[name], other[name], rtol=0, atol=tolerance)
