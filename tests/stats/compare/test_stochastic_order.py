"""Does almost stochastic order agree with integrals done plainly, with a published example, and how often is it wrong?"""

import numpy as np
import pytest

from seedwise.stats.compare.stochastic_order import almost_stochastic_order

A, B = [0.71, 0.74, 0.72, 0.66, 0.73], [0.69, 0.70, 0.75]


def by_steps(a, b, steps=30_000):
    """The violation by a sum over many quantiles, as Dror et al. compute it."""
    u = (np.arange(steps) + 0.5) / steps
    gaps = np.sort(a)[(u * len(a)).astype(int)] - np.sort(b)[(u * len(b)).astype(int)]
    return (gaps[gaps < 0] ** 2).sum() / (gaps**2).sum()


@pytest.mark.parametrize(("a", "b"), [(A, B), (B, A), ([1.0, 2.0], [1.5, 1.5, 1.5]), (A, B[:2])])
def test_the_violation_is_the_share_of_the_integral_where_b_is_ahead(a, b):
    assert almost_stochastic_order(a, b).violation == pytest.approx(by_steps(a, b), abs=1e-3)


def test_the_violations_of_both_directions_sum_to_one():
    both = almost_stochastic_order(A, B).violation + almost_stochastic_order(B, A).violation
    assert both == pytest.approx(1)


def test_nothing_is_violated_where_a_is_better_at_every_quantile():
    assert almost_stochastic_order([0.7, 0.8, 0.9], [0.6, 0.7, 0.8]).violation == 0
    assert almost_stochastic_order([0.6, 0.7, 0.8], [0.7, 0.8, 0.9]).violation == 1


def test_a_published_example():
    # Ulmer et al. (2022), first example of the manual of deep-significance: 0.225, from 1,000 random bootstrap samples.
    generator = np.random.RandomState(1234)
    a, b = generator.normal(0.9, 0.8, 5), generator.normal(0, 1, 5)
    assert almost_stochastic_order(a, b, repeats=20_000).epsilon == pytest.approx(0.225, abs=0.01)


def test_the_violation_of_large_normal_samples_is_that_of_the_distributions():
    # N(0.5, 1) against N(0, 2): the quantiles cross where 0.5 + z = 2 z, at z = 0.5, and B is ahead above.
    z = np.random.default_rng(0).standard_normal(400_000)
    expected = ((0.5 - z)[z > 0.5] ** 2).sum() / ((0.5 - z) ** 2).sum()
    a, b = np.random.default_rng(1).normal([[0.5], [0]], [[1], [2]], (2, 100_000))
    assert almost_stochastic_order(a, b, repeats=2).violation == pytest.approx(expected, abs=0.01)


def test_of_losses_the_smaller_ones_are_ahead():
    losses = almost_stochastic_order(np.negative(A), np.negative(B), greater_is_better=False)
    assert losses == pytest.approx(almost_stochastic_order(A, B))


@pytest.mark.slow
@pytest.mark.parametrize("failing", [0, 0.1, 0.3])
def test_only_the_stricter_threshold_is_about_as_strict_as_a_test_at_5_percent(failing):
    generator = np.random.default_rng(2)
    scores = generator.normal(0.7, 0.02, (400, 2, 20)) - 0.17 * (generator.random((400, 2, 20)) < failing)
    epsilon = np.array([almost_stochastic_order(a, b, repeats=300).epsilon for a, b in scores])
    assert np.mean(epsilon < 0.2) < 0.07
    assert np.mean(epsilon < 0.5) > 0.10


@pytest.mark.parametrize(
    ("a", "b", "options", "sentence"),
    [
        ([0.7], [0.6, 0.7], {}, "a must hold at least 2 trials"),
        ([0.7, 0.8], [0.8, 0.7, 0.7, 0.8], {}, "a and b must differ at some quantile"),
        (A, B, {"confidence": 1}, "confidence must be in"),
        (A, B, {"repeats": 0}, "repeats must be a whole number of at least 1"),
    ],
)
def test_misuse_is_refused(a, b, options, sentence):
    with pytest.raises(ValueError, match=sentence):
        almost_stochastic_order(a, b, **options)
