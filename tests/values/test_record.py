"""Is the cause of a failure on record read from its error, and only there?"""

from dataclasses import replace

import pytest

from seedwise.values.record import Cause
from table_studies import table_study


@pytest.mark.parametrize(
    ("error", "cause"),
    [
        (None, None),
        ("diverged: the training loss became nan at step 7", Cause.DIVERGED),  # as 684e371 stored it
        ("RuntimeError: the solver diverged", Cause.CRASHED),
        ("the worker died 3 times, last: exit code 0", Cause.CRASHED),
    ],
)
def test_cause_of_a_failure_on_record(error, cause):
    (record,) = table_study([[0.5]]).records
    assert replace(record, error=error).cause is cause
