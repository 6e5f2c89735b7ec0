"""Do jobs and reports come back equal from their line of JSON?"""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from seedwise.executors.messages import Failed, Measured, read_message, write_message
from seedwise.values.record import Cause
from seedwise.values.trial import Measurement

values = st.lists(st.floats(), min_size=1, max_size=3).map(tuple)
tracked = st.none() | st.dictionaries(st.sampled_from(["distance", "gradient_norm", "bias_ratio"]), values)
measurements = st.builds(
    Measurement, st.integers(1), st.floats(), st.none() | st.dictionaries(st.text(), st.floats(), max_size=2), tracked
)


@given(st.lists(measurements, min_size=1, max_size=3).map(tuple), st.floats(0, allow_infinity=False))
def test_measured_with_nan_infinity_and_tracked_values_comes_back(steps, seconds):
    report = Measured("trial", steps, seconds)
    line = write_message(report)
    assert "\n" not in line
    json.loads(line, parse_constant=pytest.fail)  # nan is no word of JSON
    assert repr(read_message(line)) == repr(report)  # nan equals no nan, its word does


@pytest.mark.parametrize("cause", Cause)
def test_a_failure_comes_back_with_its_cause(cause):
    found = read_message(write_message(Failed("trial", "it would not", cause)))
    assert found == Failed("trial", "it would not", cause)
    assert found.cause is cause
