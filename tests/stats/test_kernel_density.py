"""Kernel densities: against their definition, scikit-learn's, and scores that do not vary."""

import numpy as np
import pytest
from scipy.integrate import trapezoid
from sklearn.neighbors import KernelDensity

from seedwise.stats.kernel_density import bandwidth, density

SCORES = np.random.default_rng(0).normal(0.7, 0.05, size=25)


def test_density_is_the_mean_of_normal_densities_around_the_scores():
    at = np.linspace(0.5, 0.9, 17)
    width = SCORES.std(ddof=1) * 25 ** (-1 / 5)
    kernels = np.exp(-(((at[:, None] - SCORES) / width) ** 2) / 2) / (width * np.sqrt(2 * np.pi))
    np.testing.assert_allclose(density(SCORES, at), kernels.mean(axis=1), rtol=1e-10)


def test_density_is_that_of_scikit_learn_with_the_same_bandwidth():
    at = np.linspace(0.5, 0.9, 17)
    fitted = KernelDensity(bandwidth=bandwidth(SCORES)).fit(SCORES[:, None])
    np.testing.assert_allclose(density(SCORES, at), np.exp(fitted.score_samples(at[:, None])), rtol=1e-10)


def test_density_integrates_to_one():
    at = np.linspace(0, 1.4, 2001)
    assert trapezoid(density(SCORES, at), at) == pytest.approx(1, abs=1e-6)


def test_density_moves_and_stretches_with_the_scores():
    at = np.linspace(0.5, 0.9, 17)
    np.testing.assert_allclose(density(100 * SCORES - 3, 100 * at - 3), density(SCORES, at) / 100, rtol=1e-9)


def test_equal_scores_have_no_density():
    assert np.isnan(density([0.1 + 0.2, 0.3, 0.3], [0.2, 0.3])).all()
    assert bandwidth([0.1 + 0.2, 0.3, 0.3]) == 0


@pytest.mark.parametrize(
    ("scores", "at", "sentence"),
    [
        ([0.5], [0.5], "at least 2 trials, not 1"),
        ([0.5, float("nan")], [0.5], "scores must be finite"),
        ([0.5, 0.6], [float("inf")], "at must be finite"),
    ],
)
def test_what_cannot_be_estimated_is_refused(scores, at, sentence):
    with pytest.raises(ValueError, match=sentence):
        density(scores, at)
