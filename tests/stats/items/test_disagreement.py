"""Is it counted right where trials disagree, and does "more than flips" hold as often as it promises?"""

import math
from itertools import combinations

import numpy as np
import pytest
from scipy import stats
from statsmodels.stats.contingency_tables import cochrans_q

from seedwise.stats.items.disagreement import disagreement, spread_of_flips


def outputs_of(right):
    """Outputs of two classes that are right, for class 0, where `right` says so."""
    return np.stack([right, ~right], axis=-1).astype(float)


# Disagreement ---------------------------------------------------------------------------------------------------------


def test_shares_are_those_counted_pair_by_pair_and_row_by_row():
    generator = np.random.default_rng(0)
    outputs, targets = generator.normal(size=(7, 50, 3)), generator.integers(0, 3, 50)
    said = outputs.argmax(axis=2)
    found = disagreement(outputs, targets)
    pairs = [(a != b).mean() for a, b in combinations(said, 2)]
    assert found.churn == pytest.approx(np.mean(pairs))
    assert found.differ == np.mean([len(set(row)) > 1 for row in said.T])
    assert found.never == np.mean([target not in row for row, target in zip(said.T, targets, strict=True)])
    assert found.always == np.mean([set(row) == {target} for row, target in zip(said.T, targets, strict=True)])
    assert found.right.tolist() == [(np.sum(said == targets, axis=0) == k).sum() for k in range(8)]
    assert (found.trials, found.rows) == (7, 50)


def test_trials_that_are_one_never_disagree():
    outputs = np.tile(np.random.default_rng(1).normal(size=(1, 20, 2)), (3, 1, 1))
    found = disagreement(outputs, np.zeros(20))
    assert (found.churn, found.differ, found.never + found.always) == (0, 0, 1)


@pytest.mark.parametrize("statistic", [disagreement, spread_of_flips])
@pytest.mark.parametrize(
    ("outputs", "says"),
    [
        (np.zeros((3, 5, 1)), "outputs must be of at least two classes; values neither agree nor flip"),
        (np.zeros((1, 5, 2)), "outputs must be of at least two trials, not 1"),
        (np.full((2, 5, 2), np.nan), "outputs must be finite; leave out trials that diverged"),
    ],
)
def test_what_cannot_disagree_is_refused(statistic, outputs, says):
    with pytest.raises(ValueError, match=says):
        statistic(outputs, np.zeros(5))


# Spread ---------------------------------------------------------------------------------------------------------------


def some_trials(generator, n, rows, *, seeds=0.0, failing=0.0, shared=None):
    """Which rows each trial gets right, and the standard deviation of the trials' scores over all rows there are.

    Args:
        generator: Draws.
        n: Trials.
        rows: Rows, of different difficulty.
        seeds: How much trials differ on all rows.
        failing: Share of trials that do far worse.
        shared: Which trials share half of what makes rows flip, (n,).
    """
    hard, flips = generator.normal(0.9, 1.5, rows), generator.normal(size=(n, rows))
    if shared is not None:
        flips = math.sqrt(0.5) * (flips + generator.normal(size=(n, rows))[shared])
    good = np.where(generator.random(n) < failing, -1.5, seeds * generator.normal(size=n))
    scores = stats.norm.cdf((0.9 + good) / math.sqrt(1.5**2 + 1))
    return hard + good[:, None] + flips > 0, float(scores.std(ddof=1))


def test_the_test_is_cochrans():
    right, _ = some_trials(np.random.default_rng(2), 12, 139)
    found = spread_of_flips(outputs_of(right), np.zeros(139))
    ratio = (found.sd / found.flips) ** 2
    expected = cochrans_q(right.T.astype(int))
    assert 11 * 139 * ratio / (ratio + 138) == pytest.approx(expected.statistic)
    assert found.p == pytest.approx(expected.pvalue, abs=0.02)
    assert found.sd == pytest.approx(right.mean(axis=1).std(ddof=1))


def test_published_example_of_cochrans_test():
    """Grizzle, Starmer and Koch (1969): 46 patients, three drugs, favourable or not; Q = 8.4706."""
    counts = {
        (1, 1, 1): 6,
        (1, 1, 0): 16,
        (1, 0, 1): 2,
        (1, 0, 0): 4,
        (0, 1, 1): 2,
        (0, 1, 0): 4,
        (0, 0, 1): 6,
        (0, 0, 0): 6,
    }
    right = np.array([answer for answer, count in counts.items() for _ in range(count)], bool).T
    found = spread_of_flips(outputs_of(right), np.zeros(46))
    ratio = (found.sd / found.flips) ** 2
    assert 2 * 46 * ratio / (ratio + 45) == pytest.approx(8.4706, abs=5e-5)
    assert found.p == pytest.approx(0.0145, abs=0.004)


def test_flips_are_the_binomial_standard_deviation_of_every_row_added_up():
    right, _ = some_trials(np.random.default_rng(3), 20, 2000)
    found, p = spread_of_flips(outputs_of(right), np.zeros(2000)), right.mean(axis=0)
    assert found.flips == pytest.approx(math.sqrt(20 / 19 * (p * (1 - p)).sum()) / 2000, rel=1e-3)
    assert found.excess**2 == pytest.approx(max(found.sd**2 - found.flips**2, 0))


def test_excess_is_within_its_interval_and_in_line_with_the_test():
    generator = np.random.default_rng(4)
    for seeds in (0.0, 0.1, 0.3):
        right, _ = some_trials(generator, 10, 400, seeds=seeds)
        found = spread_of_flips(outputs_of(right), np.zeros(400))
        assert found.lower <= found.excess <= found.upper
        assert (found.lower > 0) == (found.p < 0.025)


def test_trials_that_never_differ_have_no_flips():
    right = np.tile(np.arange(20) < 5, (4, 1))
    with pytest.raises(ValueError, match="on no row do the trials differ"):
        spread_of_flips(outputs_of(right), np.zeros(20))


def rates(n, rows, repeats=400, **how):
    """How often p < 0.05, and how often the interval of the excess is too low and too high."""
    generator = np.random.default_rng(5)
    found = []
    for _ in range(repeats):
        right, truth = some_trials(generator, n, rows, **how)
        spread = spread_of_flips(outputs_of(right), np.zeros(rows))
        found.append((spread.p < 0.05, spread.upper < truth, spread.lower > truth))
    return np.mean(found, axis=0)


@pytest.mark.slow
@pytest.mark.parametrize(("n", "rows"), [(5, 138), (20, 138), (50, 277)])
def test_trials_that_differ_by_flips_alone_are_found_out_in_five_percent(n, rows):
    found, too_low, _ = rates(n, rows)
    assert 0.02 < found < 0.075
    assert too_low < 0.05


@pytest.mark.slow
def test_trials_that_share_seeds_are_found_out_in_no_more():
    grid = np.repeat(np.arange(5), 10)
    found, too_low, _ = rates(50, 138, shared=grid)
    assert found < 0.075
    assert too_low < 0.05


@pytest.mark.slow
@pytest.mark.parametrize(("n", "rows"), [(8, 138), (20, 400)])
@pytest.mark.parametrize("how", [{"seeds": 0.05}, {"seeds": 0.2}, {"seeds": 0.05, "failing": 0.2}], ids=str)
def test_the_interval_of_the_excess_covers_whatever_the_seeds_do(n, rows, how):
    _, too_low, too_high = rates(n, rows, **how)
    assert too_low < 0.05
    assert too_high < 0.05
