"""The bias of Adam's update: against moments that are really averaged, and against its limits."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from seedwise.stats.adam import update_bias

DECAYS = st.floats(0, 0.9999)


def averaged_updates(gradients, beta1, beta2):
    """Adam's updates m / sqrt(v) without and with lines 9 and 10 of Zhang et al.'s Algorithm 1, step by step."""
    m = v = 0.0
    raw, corrected = [], []
    for t, g in enumerate(gradients, start=1):
        m, v = beta1 * m + (1 - beta1) * g, beta2 * v + (1 - beta2) * g * g
        raw.append(m / np.sqrt(v))
        corrected.append((m / (1 - beta1**t)) / np.sqrt(v / (1 - beta2**t)))
    return np.array(raw), np.array(corrected)


@pytest.mark.parametrize(("beta1", "beta2"), [(0.9, 0.999), (0.9, 0.98), (0.0, 0.99), (0.5, 0.0)])
def test_ratio_is_that_of_the_two_updates_whatever_the_gradients(beta1, beta2):
    gradients = np.random.default_rng(1).normal(size=300)
    raw, corrected = averaged_updates(gradients, beta1, beta2)
    assert raw / corrected == pytest.approx(update_bias(np.arange(1, 301), beta1=beta1, beta2=beta2), rel=1e-9)


def test_first_step_is_too_large_by_the_paper_s_factor():
    assert update_bias(1) == pytest.approx([np.sqrt(10)])


def test_peak_is_at_the_twelfth_step():
    ratio = update_bias(np.arange(1, 100_000))
    assert ratio.argmax() + 1 == 12
    assert np.all(np.diff(ratio[:12]) > 0)
    assert np.all(np.diff(ratio[11:20_000]) < 0)


def test_small_tasks_never_leave_the_bias_and_large_ones_do():
    rte, mnli = update_bias([234, 36_816])
    assert rte > 2
    assert mnli == pytest.approx(1, abs=1e-9)


@given(st.integers(1, 10**7), DECAYS)
def test_equal_roots_leave_a_root_of_the_first_moment_s_bias(step, beta):
    # With beta1 = beta2 = beta the ratio is sqrt(1 - beta^t): never above 1.
    assert update_bias(step, beta1=beta, beta2=beta)[0] == pytest.approx(np.sqrt(1 - beta**step))


@given(st.integers(1, 10**6))
def test_no_decay_of_both_leaves_no_bias(step):
    assert update_bias(step, beta1=0, beta2=0).tolist() == [1]


def test_digits_are_kept_where_the_decay_is_almost_1():
    assert update_bias(1, beta1=1 - 1e-12, beta2=0)[0] == pytest.approx(1e-12, rel=1e-4)


@pytest.mark.parametrize("step", [0, 1.5, [], [3, 0]])
def test_steps_that_are_none_are_refused(step):
    with pytest.raises(ValueError, match="step must be whole numbers of at least 1"):
        update_bias(step)


@pytest.mark.parametrize("name", ["beta1", "beta2"])
@pytest.mark.parametrize("value", [1, -0.1, 1.5, float("nan")])
def test_decay_out_of_range_is_refused(name, value):
    with pytest.raises(ValueError, match=rf"{name} must be in \[0, 1\)"):
        update_bias(1, **{name: value})
