"""Is the best of n what enumeration, exact fractions and simulation say it is?"""

import math
from fractions import Fraction
from itertools import combinations, product
from math import comb

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from seedwise.stats.best.expected_best import best_quantile, best_weights, expected_best

TIED = [0.5, 0.7, 0.7, 0.2, 0.9]
DRAWS = [(True, 1), (True, 2), (True, 4), (True, 7), (False, 1), (False, 2), (False, 4), (False, 5)]

scores = st.lists(st.floats(-10, 10).map(lambda x: round(x, 3)), min_size=1, max_size=12)


def all_bests(values, n, replacement):
    """The best of every possible draw of n, all draws equally likely."""
    return np.array([max(d) for d in (product(values, repeat=n) if replacement else combinations(values, n))])


@pytest.mark.parametrize(("replacement", "n"), DRAWS)
@pytest.mark.parametrize("values", [TIED, [0.1, 0.4, 0.45, 0.8, -0.3], [1.0] * 5])
def test_mean_and_spread_are_those_of_all_draws(values, replacement, n):
    found, bests = expected_best(values, n, replacement=replacement), all_bests(values, n, replacement)
    assert found.mean == pytest.approx([bests.mean()], abs=1e-14)
    assert found.sd == pytest.approx([bests.std()], abs=1e-8)  # the root of a rounded zero


@pytest.mark.parametrize(("replacement", "n"), DRAWS)
@pytest.mark.parametrize("q", [0.001, 0.2, 0.4, 0.5, 0.6, 0.8, 0.999])
def test_quantiles_are_those_of_all_draws(replacement, n, q):
    bests = np.sort(all_bests(TIED, n, replacement))
    enough = np.arange(1, bests.size + 1) >= Fraction(str(q)) * bests.size
    assert best_quantile(TIED, n, q, replacement=replacement).tolist() == [bests[enough][0]]


@pytest.mark.parametrize("replacement", [True, False])
def test_a_chance_that_equals_q_exactly_counts_as_reached(replacement):
    values = np.arange(1, 11)
    found = [best_quantile(values, 1, k / 10, replacement=replacement)[0] for k in range(1, 10)]
    assert found == list(range(1, 10))


def test_weights_with_replacement_are_the_paper_s():
    expected = [[float(Fraction(i**n - (i - 1) ** n, 7**n)) for i in range(1, 8)] for n in (1, 3, 12)]
    np.testing.assert_allclose(best_weights(7, [1, 3, 12], replacement=True), expected, rtol=1e-12)


def test_weights_without_replacement_are_ratios_of_binomial_coefficients():
    expected = [[comb(i - 1, n - 1) / comb(7, n) for i in range(1, 8)] for n in (1, 3, 7)]
    np.testing.assert_allclose(best_weights(7, [1, 3, 7], replacement=False), expected, rtol=1e-12)


@pytest.mark.parametrize("n", [1, 2, 30, 5000])
@pytest.mark.parametrize("i", [200_000, 999_000, 999_999, 1_000_000])
def test_a_million_weights_are_exact(n, i):
    size = 1_000_000
    with_, without = best_weights(size, n, replacement=True)[0], best_weights(size, n, replacement=False)[0]
    exact = Fraction(i**n - (i - 1) ** n, size**n)
    assert with_[i - 1] == pytest.approx(float(exact), rel=1e-8, abs=1e-25)
    assert without[i - 1] == pytest.approx(float(Fraction(comb(i - 1, n - 1), comb(size, n))), rel=1e-8, abs=1e-25)


@pytest.mark.parametrize("replacement", [True, False])
def test_weights_sum_to_one_for_every_n_up_to_n_trials(replacement):
    weights = best_weights(625, range(1, 626), replacement=replacement)
    assert weights.shape == (625, 625)
    assert weights.min() >= 0
    np.testing.assert_allclose(weights.sum(axis=1), 1, atol=1e-12)


@pytest.mark.parametrize("replacement", [True, False])
def test_simulated_draws_agree_within_their_standard_error(replacement):
    generator = np.random.default_rng(5)
    values, rounds = generator.beta(2, 1, size=40).round(2), 20_000
    order = generator.random((rounds, 40)).argsort(axis=1)
    draws = generator.integers(40, size=(rounds, 6)) if replacement else order[:, :6]
    bests = values[draws].max(axis=1)
    found = expected_best(values, 6, replacement=replacement)
    assert found.mean[0] == pytest.approx(bests.mean(), abs=4 * found.sd[0] / np.sqrt(rounds))
    kurtosis = np.mean((bests - bests.mean()) ** 4) / bests.var() ** 2
    assert found.sd[0] == pytest.approx(bests.std(), rel=4 * np.sqrt((kurtosis - 1) / (4 * rounds)))


def test_without_replacement_the_mean_is_unbiased_for_fresh_trials():
    fresh = np.random.default_rng(3).random((4000, 8))  # uniform: the best of 5 has the mean 5/6
    means = np.array([expected_best(study, 5, replacement=False).mean[0] for study in fresh])
    assert means.mean() == pytest.approx(5 / 6, abs=4 * means.std() / np.sqrt(4000))


def test_with_replacement_the_mean_falls_short_of_fresh_trials():
    fresh = np.random.default_rng(3).random((4000, 8))
    means = np.array([expected_best(study, 5).mean[0] for study in fresh])
    assert means.mean() < 5 / 6 - 4 * means.std() / np.sqrt(4000)


@pytest.mark.parametrize("replacement", [True, False])
@given(values=scores)
def test_one_trial_is_the_mean_and_the_population_spread(replacement, values):
    found = expected_best(values, 1, replacement=replacement)
    assert found.mean == pytest.approx([np.mean(values)], abs=1e-9)
    assert found.sd == pytest.approx([np.std(values)], abs=1e-6)


@given(values=scores)
def test_all_trials_without_replacement_are_the_best_one_for_certain(values):
    found = expected_best(values, len(values), replacement=False)
    assert found.mean.tolist() == [max(values)]
    assert found.sd.tolist() == [0]


@pytest.mark.parametrize("replacement", [True, False])
@given(values=scores)
def test_more_trials_are_never_worse(replacement, values):
    found = expected_best(values, range(1, len(values) + 1), replacement=replacement)
    assert np.all(np.diff(found.mean) >= -1e-12)


@given(values=scores)
def test_drawing_another_trial_each_time_is_never_worse_than_drawing_one_twice(values):
    n = range(1, len(values) + 1)
    gain = expected_best(values, n, replacement=False).mean - expected_best(values, n).mean
    assert np.all(gain >= -1e-12)


@pytest.mark.parametrize("replacement", [True, False])
@given(values=scores, data=st.data())
def test_the_order_of_trials_does_not_matter(replacement, values, data):
    n = range(1, len(values) + 1)
    shuffled = data.draw(st.permutations(values))
    before = expected_best(values, n, replacement=replacement)
    after = expected_best(shuffled, n, replacement=replacement)
    assert before.mean.tolist() == after.mean.tolist()
    assert before.sd.tolist() == after.sd.tolist()


@given(values=scores, shift=st.integers(-100, 100), scale=st.integers(1, 100))
def test_another_unit_of_the_score_is_another_unit_of_the_result(values, shift, scale):
    before, after = expected_best(values, [1, 4]), expected_best(shift + scale * np.array(values), [1, 4])
    assert after.mean == pytest.approx(shift + scale * before.mean, abs=1e-9)
    assert after.sd == pytest.approx(scale * before.sd, abs=1e-5)


@pytest.mark.parametrize("replacement", [True, False])
@given(values=scores)
def test_smaller_is_better_mirrors_greater_is_better(replacement, values):
    n, mirrored = [1, len(values)], -np.array(values)
    losses = expected_best(mirrored, n, replacement=replacement, greater_is_better=False)
    gains = expected_best(values, n, replacement=replacement)
    assert losses.mean.tolist() == (-gains.mean).tolist()
    assert losses.sd.tolist() == gains.sd.tolist()
    low = best_quantile(mirrored, n, 0.3, replacement=replacement, greater_is_better=False)
    assert low.tolist() == (-best_quantile(values, n, 0.3, replacement=replacement)).tolist()


@pytest.mark.parametrize("outlier", [0, 1000])
@pytest.mark.parametrize("n", [1, 30, 1000])
def test_the_spread_keeps_its_digits(n, outlier):
    values = np.sort(1e6 + np.append(np.random.default_rng(2).random(999), outlier))
    weights = best_weights(1000, n, replacement=True)[0]
    mean = math.fsum(weights * values)
    twice_around = math.sqrt(math.fsum(weights * (values - mean) ** 2))
    assert expected_best(values, n).sd[0] == pytest.approx(twice_around, rel=1e-6)


def test_of_losses_the_best_is_the_smallest():
    assert expected_best([3.0, 1.0, 2.0], 3, replacement=False, greater_is_better=False).mean.tolist() == [1.0]


def test_the_result_keeps_the_order_of_n_and_says_how_it_drew():
    found = expected_best(TIED, [4, 1], replacement=False)
    assert found.n.tolist() == [4, 1]
    assert found.replacement is False


@pytest.mark.parametrize(
    ("call", "sentence"),
    [
        (lambda: expected_best(TIED, 6, replacement=False), "n must be at most 5 .*draw with replacement"),
        (lambda: best_quantile(TIED, 6, 0.5, replacement=False), "n must be at most 5"),
        (lambda: best_weights(5, 6, replacement=False), "n must be at most 5"),
        (lambda: best_weights(0, 1, replacement=True), "size must be a whole number of at least 1"),
        (lambda: expected_best([], 1), "scores must hold at least 1 trial"),
        (lambda: expected_best([0.5, np.nan], 1), "scores must be finite"),
        (lambda: expected_best([[0.5, 0.6]], 1), "one number a trial"),
        (lambda: expected_best(TIED, 0), "n must be whole numbers of at least 1"),
        (lambda: expected_best(TIED, [1.5]), "n must be whole numbers"),
        (lambda: best_quantile(TIED, 1, 1), r"q must be in \(0, 1\)"),
    ],
)
def test_misuse_is_refused_in_a_sentence(call, sentence):
    with pytest.raises(ValueError, match=sentence):
        call()
