"""Is what other rows would do counted as often and as widely as it happens?"""

import math
from contextlib import suppress

import numpy as np
import pytest
from scipy import stats

from seedwise.stats.degrees import satterthwaite
from seedwise.stats.intervals import proportion_interval
from seedwise.stats.items.disagreement import spread_of_flips
from seedwise.stats.items.sampling import paired_interval, row_score_interval, rows_error
from seedwise.stats.items.scores import row_scores


def outputs_of(right):
    """Outputs of two classes that are right, for class 0, where `right` says so."""
    return np.stack([right, ~right], axis=-1).astype(float)


def recipe(generator, hard, seeds, by_row=0.5):
    """Which rows each seed of a recipe gets right; recipes differ by rows, but not over all rows there are."""
    middle = hard + by_row * generator.normal(size=len(hard))
    return middle + generator.normal(size=(seeds, len(hard))) > 0


def hardness(generator, rows):
    return generator.normal(0.9, 1.5, rows)


# Two recipes ----------------------------------------------------------------------------------------------------------


def test_error_of_accuracy_is_that_of_a_mean_over_rows():
    generator = np.random.default_rng(0)
    hard = hardness(generator, 139)
    a, b = recipe(generator, hard, 8), recipe(generator, hard, 12)
    error = rows_error("accuracy", outputs_of(a), outputs_of(b), np.zeros(139))
    differences = a.mean(axis=0) - b.mean(axis=0)
    assert error.se == pytest.approx(differences.std(ddof=1) / math.sqrt(139))
    assert error[1:5] == (138, 139, 8, 12)


def test_flips_are_what_neither_trials_nor_rows_explain():
    generator = np.random.default_rng(0)
    hard = hardness(generator, 139)
    sides = [recipe(generator, hard, 8), recipe(generator, hard, 12)]
    expected = sum(spread_of_flips(outputs_of(side), np.zeros(139)).flips ** 2 / len(side) for side in sides)
    assert rows_error("accuracy", *map(outputs_of, sides), np.zeros(139)).flips == pytest.approx(expected)
    alone = rows_error("accuracy", outputs_of(sides[0][:1]), outputs_of(sides[1][:1]), np.zeros(139))
    assert alone.flips == 0


@pytest.mark.parametrize("metric", ["f1", "matthews", "loss"])
def test_error_equals_that_of_a_bootstrap_over_rows(metric):
    generator = np.random.default_rng(1)
    targets = generator.integers(0, 3, 300)
    shared = generator.normal(size=(1, 300, 3))
    sides = [shared + generator.normal(size=(6, 300, 3)) for _ in range(2)]
    for side in sides:
        side[:, np.arange(300), targets] += 1
    weights = generator.multinomial(300, np.full(300, 1 / 300), size=4000)
    means = [row_scores(metric, side, targets, weights).mean(axis=1) for side in sides]
    assert rows_error(metric, *sides, targets).se == pytest.approx((means[0] - means[1]).std(), rel=0.06)


@pytest.mark.parametrize("metric", ["spearman", "pearson"])
def test_error_of_correlations_equals_that_of_a_bootstrap_over_rows(metric):
    generator = np.random.default_rng(2)
    targets = generator.normal(size=300)
    sides = [targets[:, None] + generator.normal(size=(5, 300, 1)) for _ in range(2)]
    weights = generator.multinomial(300, np.full(300, 1 / 300), size=2000)
    means = [row_scores(metric, side, targets, weights).mean(axis=1) for side in sides]
    assert rows_error(metric, *sides, targets).se == pytest.approx((means[0] - means[1]).std(), rel=0.06)


def test_many_rows_are_left_out_in_groups():
    generator = np.random.default_rng(3)
    a, b = generator.random((2, 3, 5000)) < 0.8
    error = rows_error("accuracy", outputs_of(a), outputs_of(b), np.zeros(5000))
    assert error.df == 999
    assert error.se == pytest.approx((a.mean(axis=0) - b.mean(axis=0)).std(ddof=1) / math.sqrt(5000), rel=0.08)


def test_trials_without_outputs_halve_the_error_where_they_are_half():
    generator = np.random.default_rng(4)
    a, b = (outputs_of(recipe(generator, np.zeros(60), 4)) for _ in range(2))
    targets = (generator.random(60) < 0.5).astype(float)
    whole, half = rows_error("f1", a, b, targets), rows_error("f1", a, b, targets, of_a=8, of_b=8)
    assert half.se == pytest.approx(whole.se / 2)
    assert (half.trials_a, half.trials_b) == (4, 4)
    with pytest.raises(ValueError, match="of_a must be a whole number of at least 4, the trials with outputs, not 3"):
        rows_error("f1", a, b, targets, of_a=3)


def test_a_score_that_is_not_a_number_is_refused():
    broken = np.full((1, 5, 2), np.nan)
    with pytest.raises(ValueError, match="the f1 of a trial is not a number; leave the trial out"):
        rows_error("f1", broken, np.zeros((1, 5, 2)), np.zeros(5))


@pytest.mark.slow
def test_both_variances_and_what_flips_are_the_variance_of_a_bootstrap_over_seeds_and_rows():
    """Sellam et al. (2022): resample seeds of either side and, for all of them, the rows; Owen (2007): flips count thrice."""
    generator = np.random.default_rng(5)
    hard = hardness(generator, 200)
    sides = [recipe(generator, hard, 15) for _ in range(2)]
    drawn = []
    for _ in range(4000):
        rows = generator.integers(0, 200, 200)
        means = [side[generator.integers(0, 15, 15)][:, rows].mean() for side in sides]
        drawn.append(means[0] - means[1])
    over_rows = rows_error("accuracy", *map(outputs_of, sides), np.zeros(200)).se ** 2
    over_seeds = sum(side.mean(axis=1).var(ddof=1) / 15 for side in sides)
    flips = rows_error("accuracy", *map(outputs_of, sides), np.zeros(200)).flips
    assert over_rows + over_seeds + flips == pytest.approx(np.var(drawn), rel=0.08)
    assert over_rows + over_seeds < np.var(drawn)


@pytest.mark.slow
@pytest.mark.parametrize(("rows", "seeds"), [(139, 50), (277, 10)])
def test_recipes_that_are_equal_on_all_rows_there_are_are_told_apart_in_five_percent(rows, seeds):
    generator = np.random.default_rng(6)
    plain = new = once = 0
    for _ in range(300):
        hard = hardness(generator, rows)
        sides = [recipe(generator, hard, seeds) for _ in range(2)]
        scores = [side.mean(axis=1) for side in sides]
        error = rows_error("accuracy", *map(outputs_of, sides), np.zeros(rows))
        variances = [*(score.var(ddof=1) / seeds for score in scores), error.se**2]
        df = satterthwaite(variances, [seeds - 1, seeds - 1, error.df])
        ratio = abs(scores[0].mean() - scores[1].mean()) / math.sqrt(sum(variances))
        new += 2 * stats.t.sf(ratio, df) < 0.05
        least = max(sum(variances) - error.flips, sum(variances[:2]), variances[2])
        once += 2 * stats.t.sf(ratio * math.sqrt(sum(variances) / least), df) < 0.05
        plain += stats.ttest_ind(*scores, equal_var=False).pvalue < 0.05
    assert new <= once
    assert once / 300 < 0.05 + 2 * math.sqrt(0.05 * 0.95 / 300)
    assert plain / 300 > 0.15


# One trial ------------------------------------------------------------------------------------------------------------


def test_accuracy_has_wilsons_interval():
    found = row_score_interval("accuracy", outputs_of(np.arange(50) < 37), np.zeros(50))
    assert found == proportion_interval(37, 50)


def binary(generator, rows, share, accuracy):
    """Outputs of one trial for two classes, of which the second has this share; and the labels."""
    targets = (generator.random(rows) < share).astype(float)
    latent = (2 * targets - 1) * stats.norm.ppf(accuracy) + generator.normal(size=rows)
    return np.stack([np.zeros(rows), latent], axis=-1), targets


def values(generator, rows, r):
    targets = generator.normal(size=rows)
    return (r * targets + math.sqrt(1 - r * r) * generator.normal(size=rows))[:, None], targets


@pytest.mark.slow
@pytest.mark.parametrize(
    ("metric", "make", "how"),
    [
        ("f1", binary, (0.68, 0.85)),
        ("f1", binary, (0.1, 0.9)),
        ("f1", binary, (0.5, 0.97)),
        ("accuracy_f1", binary, (0.68, 0.85)),
        ("matthews", binary, (0.7, 0.8)),
        ("loss", binary, (0.7, 0.8)),
        ("pearson", values, (0.9,)),
        ("spearman", values, (0.9,)),
    ],
)
def test_intervals_over_rows_cover_as_promised(metric, make, how):
    generator = np.random.default_rng(7)
    outputs, targets = make(generator, 200_000, *how)
    truth = row_scores(metric, outputs[None], targets)[0]
    found = []
    for _ in range(400):
        with suppress(ValueError):  # where every row is right, F1 has none
            found.append(row_score_interval(metric, *make(generator, 138, *how)))
    assert len(found) > 390
    assert abs(np.mean([one.lower <= truth <= one.upper for one in found]) - 0.95) < 0.035


@pytest.mark.parametrize(
    ("metric", "right"), [("f1", np.ones(20, bool)), ("matthews", np.ones(20, bool)), ("f1", np.zeros(20, bool))]
)
def test_a_score_that_no_row_changes_has_no_interval(metric, right):
    with pytest.raises(ValueError, match="whichever row is left out, so its interval cannot be told"):
        row_score_interval(metric, outputs_of(right), np.zeros(20))


def test_a_score_that_is_not_defined_has_no_interval():
    with pytest.raises(ValueError, match="the pearson must be a number to have an interval, not nan"):
        row_score_interval("pearson", np.ones((20, 1)), np.arange(20.0))


ROWS_OF_TWO = np.array([[[1.0, 0.0], [0.0, 1.0]]])


@pytest.mark.parametrize("statistic", [rows_error, paired_interval])
@pytest.mark.parametrize(
    ("metric", "a", "b", "says"),
    [
        ("accuracy", ROWS_OF_TWO[..., :1], ROWS_OF_TWO[..., :1], "metric must be one of pearson"),
        ("accuracy", ROWS_OF_TWO * np.nan, ROWS_OF_TWO, "the accuracy of a trial is not a number"),
        ("loss", ROWS_OF_TWO, ROWS_OF_TWO[..., :1], "a and b must have equally many outputs a row, not 2 and 1"),
        ("loss", ROWS_OF_TWO, ROWS_OF_TWO[0], r"b must have the shape \(trials, rows, outputs\)"),
    ],
)
def test_outputs_that_cannot_be_set_beside_each_other_are_refused(statistic, metric, a, b, says):
    with pytest.raises(ValueError, match=says):
        statistic(metric, a, b, [0, 1])


@pytest.mark.parametrize("statistic", [rows_error, paired_interval])
def test_one_row_has_no_error_over_rows(statistic):
    with pytest.raises(ValueError, match="one row tells nothing of other rows"):
        statistic("loss", ROWS_OF_TWO[:, :1], ROWS_OF_TWO[:, 1:], [0])


# Two trials on the same rows ------------------------------------------------------------------------------------------


def test_trials_that_agree_on_every_row_may_differ_on_others():
    right = outputs_of(np.arange(40) < 30)[None]
    found = paired_interval("accuracy", right, right, np.zeros(40))
    assert found.estimate == 0
    assert -0.1 < found.lower < 0 < found.upper < 0.1
    with pytest.raises(ValueError, match="no row tells the two apart by their f1"):
        paired_interval("f1", right, right, np.zeros(40))


@pytest.mark.slow
@pytest.mark.parametrize("metric", ["accuracy", "f1"])
@pytest.mark.parametrize("both", [0.3, 0.95])
def test_paired_intervals_cover_as_promised(metric, both):
    """Two trials whose errors are shared to a small or a large part, with equal scores on all rows there are."""
    generator = np.random.default_rng(8)
    hits = 0
    for _ in range(400):
        targets = (generator.random(138) < 0.6).astype(float)
        shared, own = generator.normal(size=138), generator.normal(size=(2, 138))
        latent = (2 * targets - 1) + math.sqrt(both) * shared + math.sqrt(1 - both) * own
        a, b = np.stack([np.zeros((2, 138)), latent], axis=-1)[:, None]
        try:
            found = paired_interval(metric, a, b, targets)
        except ValueError:  # no row tells them apart, and nothing is claimed
            hits += 1
        else:
            hits += found.lower <= 0 <= found.upper
    assert hits / 400 > 0.92
