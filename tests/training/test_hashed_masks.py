"""Do hashed masks behave as random ones, whichever library computes them and whatever stands beside them?"""

import numpy as np
import pytest
import torch
from scipy import stats

from seedwise.training.hashed_masks import keep, keep_mask, line_keys, step_key, threshold


def keys(seed=1, step=1, site=0, rows=64, lines=64):
    return line_keys(np.int64(step_key(seed, step)), site, np.arange(rows)[:, None], np.arange(lines))


def mixed(z):
    """SplitMix64's finaliser in Python's own integers."""
    z = ((z ^ (z >> 30)) * 0xBF58476D1CE4E5B9) % 2**64
    z = ((z ^ (z >> 27)) * 0x94D049BB133111EB) % 2**64
    return z ^ (z >> 31)


def hashed(key, j):
    """The 16 bits of number j of a line, as a signed integer, in Python's own integers."""
    x = ((j >> 1) * 0x9E3779B1 + key) % 2**32
    x = ((x ^ (x >> 16)) * 0x7FEB352D) % 2**32
    x ^= key >> 32
    x = ((x ^ (x >> 15)) * 0x846CA68B) % 2**32
    x ^= x >> 16
    half = (x >> 16 if j % 2 else x) % 2**16
    return half - 2**16 if half >= 2**15 else half


def test_a_mask_is_what_its_definition_says():
    step, site, row, line, p = step_key(3, 7), 5, 2, 11, 0.3
    key = mixed((step + (line + row * 2**28 + site * 2**48) * 0x9E3779B97F4A7C15) % 2**64)
    expected = [hashed(key, j) >= round(p * 2**16) - 2**15 for j in range(33)]
    ours = keep(line_keys(np.int64(step), site, np.array([row]), np.array([line])), 33, threshold(p))
    assert ours[0].tolist() == expected


@pytest.mark.parametrize("width", [1, 7, 64])
def test_numpy_and_torch_keep_the_same(width):
    step = step_key(4, 9)
    rows, lines = np.arange(5)[:, None], np.arange(6)
    ours = keep(line_keys(np.int64(step), 3, rows, lines), width, threshold(0.1))
    theirs = keep(
        line_keys(torch.tensor(step), 3, torch.from_numpy(rows), torch.from_numpy(lines)), width, threshold(0.1)
    )
    np.testing.assert_array_equal(ours, theirs.numpy())


@pytest.mark.parametrize("p", [0.01, 0.1, 0.5, 0.9])
def test_numbers_are_dropped_with_their_probability(p):
    kept = keep(keys(), 128, threshold(p))
    error = np.sqrt(p * (1 - p) / kept.size)
    assert abs(kept.mean() - (1 - p)) < 4 * error + 2**-16
    by_line = (~kept).sum(axis=-1).ravel()  # binomial: its variance too
    assert by_line.var() == pytest.approx(128 * p * (1 - p), rel=0.1)


def test_the_sixteen_bits_are_uniform():
    """Every one of 16 thresholds cuts off its share: the counts between them are as a uniform's."""
    limits = [round(k * 2**12) - 2**15 for k in range(1, 16)]
    above = [int(keep(keys(), 128, limit).sum()) for limit in limits]
    counts = -np.diff([keys().size * 128, *above, 0])
    assert stats.chisquare(counts).pvalue > 1e-3


@pytest.mark.parametrize("other", [{"seed": 2}, {"step": 2}, {"site": 1}], ids=str)
def test_masks_of_another_seed_step_or_site_are_unrelated(other):
    one, two = (keep(keys(**which), 128, threshold(0.5)).ravel() for which in ({}, other))
    agreement = (one == two).mean()
    assert abs(agreement - 0.5) < 4 * 0.5 / np.sqrt(one.size)


@pytest.mark.parametrize("axis", [0, 1, 2], ids=["rows", "lines", "numbers"])
def test_neighbours_are_unrelated(axis):
    kept = keep(keys(), 128, threshold(0.5))
    one, two = np.take(kept, range(kept.shape[axis] - 1), axis), np.take(kept, range(1, kept.shape[axis]), axis)
    assert abs((one == two).mean() - 0.5) < 4 * 0.5 / np.sqrt(one.size)


def test_a_longer_line_or_more_rows_change_nothing():
    short = keep(keys(rows=3, lines=4), 10, threshold(0.3))
    wide = keep(keys(rows=8, lines=9), 40, threshold(0.3))
    np.testing.assert_array_equal(short, wide[:3, :4, :10])


def test_probability_nought_keeps_all():
    assert keep(keys(), 64, threshold(0.0)).all()


def test_rows_of_a_parameter_keep_what_they_keep_in_the_whole():
    whole = keep_mask(1, 2, "words", torch.zeros(50, 8), 0.5)
    rows = torch.tensor([3, 17, 40])
    assert torch.equal(keep_mask(1, 2, "words", torch.zeros(3, 8), 0.5, rows), whole[rows])
