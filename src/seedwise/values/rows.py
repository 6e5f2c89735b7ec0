"""What does a trial say of each validation and test row, and what is right?"""

from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

__all__ = ["SPLITS", "Predictions", "Targets"]

SPLITS = ("validation", "test")
"""The splits whose rows are scored."""


class Predictions(NamedTuple):
    """What a trial says of every row: the model's outputs before softmax."""

    step: int  # the step at which they were made
    validation: "NDArray[np.float32]"  # outputs on the validation rows, (rows, outputs), float32
    test: "NDArray[np.float32] | None" = None  # outputs on the test rows, if the task has any


class Targets(NamedTuple):
    """The label of every row of a task: the number of its class, or the value to be predicted."""

    validation: "NDArray[np.float32]"  # of the validation rows, (rows,), float32
    test: "NDArray[np.float32] | None" = None  # of the test rows, if the task has any
