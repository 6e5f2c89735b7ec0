"""Scores as fine-tuning gives them: normal, skewed, and of two peaks where trials fail; and how often an interval holds."""

import numpy as np

SIMULATIONS = 500


def normal(generator, size):
    return generator.normal(0.70, 0.02, size)


def skewed(generator, size):
    return 0.75 - generator.exponential(0.03, size)


def two_peaked(share):
    def draw(generator, size):
        failed = generator.random(size) < share
        return np.where(failed, generator.normal(0.53, 0.005, size), generator.normal(0.70, 0.015, size))

    return draw


def often_failing(generator, size):
    return two_peaked(0.3)(generator, size)


def half_failing(generator, size):
    return two_peaked(0.5)(generator, size)


SHAPES = [(normal, normal), (skewed, normal), (skewed, skewed), (half_failing, often_failing), (often_failing, normal)]
MEANS = {normal: 0.70, skewed: 0.72, often_failing: 0.3 * 0.53 + 0.7 * 0.70, half_failing: (0.53 + 0.70) / 2}


def spread(share):
    return np.sqrt(share * 0.005**2 + (1 - share) * 0.015**2 + share * (1 - share) * 0.17**2)


SPREADS = {normal: 0.02, skewed: 0.03, often_failing: spread(0.3), half_failing: spread(0.5)}


def coverage(interval, truth, shapes, sizes=(20, 20), seed=0):
    """Share of simulated studies whose interval holds the truth."""
    generator = np.random.default_rng(seed)
    held = 0
    for _ in range(SIMULATIONS):
        lower, upper = interval(*(shape(generator, size) for shape, size in zip(shapes, sizes, strict=True)))
        held += lower <= truth <= upper
    return held / SIMULATIONS


NOISE = 3 * np.sqrt(0.95 * 0.05 / SIMULATIONS)  # 0.029
