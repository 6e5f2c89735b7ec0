"""Is the chosen trial's test score what enumeration and the published simulation say it is?"""

from itertools import combinations, product

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from seedwise.stats.best.expected_best import expected_best
from seedwise.stats.best.selection import SelectedTest, best_number, bootstrap_selected, expected_selected, falls_after

VALIDATION = [0.5, 0.7, 0.7, 0.2, 0.9]  # two trials are equal
TEST = [0.6, 0.5, 0.8, 0.3, 0.4]
DRAWS = [(True, 1), (True, 2), (True, 5), (False, 1), (False, 2), (False, 4), (False, 5)]

pairs_of_scores = st.lists(st.tuples(st.integers(0, 5), st.integers(-20, 20)), min_size=2, max_size=10)


def all_choices(validation, test, n, replacement):
    """Test scores of the chosen trial of every draw, with their chances: among equals each draw is as likely."""
    trials = range(len(test))
    draws = list(product(trials, repeat=n) if replacement else combinations(trials, n))
    chosen, chances = [], []
    for draw in draws:
        top = max(validation[i] for i in draw)
        equal = [i for i in draw if validation[i] == top]
        chosen += [test[i] for i in equal]
        chances += [1 / len(equal) / len(draws)] * len(equal)
    return np.array(chosen), np.array(chances)


def correlated(size=60, seed=4):
    generator = np.random.default_rng(seed)
    validation = generator.normal(0.7, 0.1, size).round(2)
    return validation, 0.5 * validation + generator.normal(0.3, 0.05, size)


def overfitted():
    """Beyond 0.8 a better validation score comes with a poorer test score."""
    validation, test = correlated(size=200)
    return validation, test - 2 * np.maximum(validation - 0.8, 0)


@pytest.mark.parametrize(("replacement", "n"), DRAWS)
@pytest.mark.parametrize("validation", [VALIDATION, [1, 2, 3, 4, 5], [0.5] * 5])
def test_mean_and_spread_are_those_of_all_draws(validation, replacement, n):
    found = expected_selected(validation, TEST, n, replacement=replacement)
    chosen, chances = all_choices(validation, TEST, n, replacement)
    mean = chances @ chosen
    assert found.test_mean == pytest.approx([mean], abs=1e-14)
    assert found.test_sd == pytest.approx([np.sqrt(chances @ (chosen - mean) ** 2)], abs=1e-8)


@pytest.mark.parametrize("replacement", [True, False])
@given(pairs=pairs_of_scores)
def test_the_validation_mean_is_the_expected_validation_performance(replacement, pairs):
    validation, test = zip(*pairs, strict=True)
    n = range(1, len(pairs) + 1)
    found = expected_selected(validation, test, n, replacement=replacement)
    expected = expected_best(validation, n, replacement=replacement).mean
    assert found.validation_mean == pytest.approx(expected, abs=1e-12)
    assert found.gap == pytest.approx(found.validation_mean - found.test_mean)


@pytest.mark.parametrize("replacement", [True, False])
@given(scores=st.lists(st.integers(0, 9), min_size=1, max_size=9))
def test_choosing_by_the_test_score_itself_is_the_expected_best(replacement, scores):
    n = range(1, len(scores) + 1)
    found = expected_selected(scores, scores, n, replacement=replacement)
    expected = expected_best(scores, n, replacement=replacement)
    assert found.test_mean == pytest.approx(expected.mean, abs=1e-12)
    assert found.test_sd == pytest.approx(expected.sd, abs=1e-6)
    assert found.gap == pytest.approx(np.zeros(len(scores)), abs=1e-12)


def test_choosing_by_nothing_is_the_mean_of_all_trials():
    found = expected_selected([0.5] * 5, TEST, [1, 3, 50])
    assert found.test_mean == pytest.approx(np.full(3, np.mean(TEST)))
    assert found.test_sd == pytest.approx(np.full(3, np.std(TEST)))


@given(pairs=pairs_of_scores, data=st.data())
def test_the_order_of_trials_does_not_matter(pairs, data):
    shuffled = data.draw(st.permutations(pairs))
    before, after = (expected_selected(*zip(*p, strict=True), [1, 2, 7]) for p in (pairs, shuffled))
    assert after.test_mean == pytest.approx(before.test_mean, abs=1e-12)
    assert after.test_sd == pytest.approx(before.test_sd, abs=1e-6)


@given(pairs=pairs_of_scores)
def test_only_the_ranking_by_validation_matters(pairs):
    validation, test = (np.array(x, dtype=float) for x in zip(*pairs, strict=True))
    before, after = (expected_selected(v, test, [1, 2, 7]).test_mean for v in (validation, np.exp(validation)))
    assert before.tolist() == after.tolist()


@given(pairs=pairs_of_scores, shift=st.integers(-9, 9), scale=st.integers(1, 9))
def test_another_unit_of_the_test_score_is_another_unit_of_the_result(pairs, shift, scale):
    validation, test = (np.array(x, dtype=float) for x in zip(*pairs, strict=True))
    before, after = (expected_selected(validation, t, [1, 2, 7]) for t in (test, shift + scale * test))
    assert after.test_mean == pytest.approx(shift + scale * before.test_mean, abs=1e-9)
    assert after.test_sd == pytest.approx(scale * before.test_sd, abs=1e-5)


@pytest.mark.parametrize("function", [expected_selected, bootstrap_selected])
def test_smaller_is_better_mirrors_greater_is_better(function):
    gains = function(VALIDATION, TEST, [1, 2, 4])
    losses = function(-np.array(VALIDATION), -np.array(TEST), [1, 2, 4], greater_is_better=False)
    assert losses.test_mean.tolist() == (-gains.test_mean).tolist()
    assert losses.validation_mean.tolist() == (-gains.validation_mean).tolist()
    assert losses.gap.tolist() == gains.gap.tolist()
    assert best_number(losses) == best_number(gains)


@pytest.mark.slow
def test_the_published_simulation_agrees_within_its_standard_error():
    validation, test = correlated()
    n, repeats = [1, 2, 5, 10, 50], 50_000
    exact = expected_selected(validation, test, n)
    simulated = bootstrap_selected(validation, test, n, repeats=repeats, seed=1)
    error = exact.test_sd / np.sqrt(repeats)
    assert np.all(np.abs(simulated.test_mean - exact.test_mean) < 4 * error)
    assert simulated.test_sd == pytest.approx(exact.test_sd, rel=4 * np.sqrt(1 / repeats))  # a kurtosis of up to 5
    spread = expected_best(validation, n).sd / np.sqrt(repeats)
    assert np.all(np.abs(simulated.validation_mean - exact.validation_mean) < 4 * spread)


def test_the_simulation_breaks_ties_at_random():
    simulated = bootstrap_selected([0.5, 0.5], [0.0, 1.0], [1, 2, 9], repeats=10_000)
    assert np.all(np.abs(simulated.test_mean - 0.5) < 4 * 0.5 / 100)


def test_the_simulation_is_a_function_of_its_seed():
    one, same, other = (bootstrap_selected(VALIDATION, TEST, [1, 3], seed=s).test_mean.tolist() for s in (1, 1, 2))
    assert one == same
    assert one != other


def test_the_simulation_keeps_the_order_of_n():
    up, down = (bootstrap_selected(VALIDATION, TEST, n).test_mean.tolist() for n in ([1, 4], [4, 1]))
    assert up == down[::-1]


def test_the_best_number_is_where_the_test_score_is_highest():
    # The best on validation is poor on test, the second best is the best on test.
    found = expected_selected([1, 2, 3, 4], [0.1, 0.5, 0.9, 0.0], range(1, 5), replacement=False)
    assert found.test_mean == pytest.approx([0.375, (0.5 + 2 * 0.9) / 6, 0.9 / 4, 0])
    assert best_number(found) == 2


def test_of_equal_numbers_the_smallest_is_best():
    flat = np.array([0.3, 0.3 + 1e-16, 0.1 + 0.2])
    assert best_number(SelectedTest(np.array([9, 4, 6]), flat, flat, flat, flat, flat, True, True)) == 4


def test_more_trials_help_for_ever_where_validation_is_the_test():
    found = falls_after([0.5, 0.6, 0.7, 0.8], [0.5, 0.6, 0.7, 0.8], 20)
    assert found.n == 20
    assert found.fall == 0


def test_the_fall_is_that_of_the_exact_curve():
    validation, test = overfitted()
    curve = expected_selected(validation, test, range(1, 51))
    found = falls_after(validation, test, 50)
    assert 1 < found.n < 50
    assert found.n == best_number(curve)
    assert found.fall == pytest.approx(curve.test_mean.max() - curve.test_mean[-1], abs=1e-12)
    assert found.lower <= found.n <= found.upper
    assert 0 < found.fall_lower < found.fall < found.fall_upper


def test_a_resampled_curve_is_that_of_the_trials_it_drew():
    # By hand: every repeat's sample of trials, as multinomial counts from the same generator, written out.
    validation, test = np.array(VALIDATION), np.array(TEST)
    counts = np.random.default_rng(3).multinomial(5, np.full(5, 0.2), size=40)
    peak = best_number(expected_selected(validation, test, range(1, 9)))
    curves = [expected_selected(np.repeat(validation, c), np.repeat(test, c), range(1, 9)) for c in counts]
    falls = np.quantile([c.test_mean[peak - 1] - c.test_mean[-1] for c in curves], [0.1, 0.9])
    peaks = sorted(best_number(c) for c in curves)
    found = falls_after(validation, test, 8, repeats=40, seed=3, confidence=0.8)
    assert [found.fall_lower, found.fall_upper] == pytest.approx(falls, abs=1e-12)
    assert [found.lower, found.upper] == [peaks[3], peaks[35]]  # the 4th and the 36th of 40


def test_many_small_tables_give_what_one_table_gives(monkeypatch):
    validation, test = overfitted()
    at_once = falls_after(validation, test, 20, repeats=50)
    monkeypatch.setattr("seedwise.stats.best.selection._TABLE", 1500)  # 7 samples of 200 trials
    assert falls_after(validation, test, 20, repeats=50) == at_once


def test_the_resampling_is_a_function_of_its_seed():
    validation, test = overfitted()
    one, same, other = (falls_after(validation, test, 20, repeats=200, seed=s) for s in (1, 1, 2))
    assert one == same
    assert one.fall_upper != other.fall_upper


@pytest.mark.slow
def test_pure_chance_is_rarely_called_a_fall():
    generator, rounds = np.random.default_rng(11), 200
    found = [falls_after(*generator.random((2, 50)), 20, repeats=200, seed=k) for k in range(rounds)]
    false = np.mean([f.fall_lower > 1e-12 for f in found])
    assert false < 0.05 + 4 * np.sqrt(0.05 * 0.95 / rounds)


def test_a_fall_of_losses_mirrors_one_of_gains():
    validation, test = overfitted()
    gains, losses = falls_after(validation, test, 20), falls_after(-validation, -test, 20, greater_is_better=False)
    assert gains == losses


@pytest.mark.parametrize(
    ("call", "sentence"),
    [
        (
            lambda: expected_selected(VALIDATION, TEST[:3], 1),
            "test must hold the same trials as validation, .* 3 beside 5",
        ),
        (lambda: expected_selected(VALIDATION, TEST, 6, replacement=False), "n must be at most 5 .*with replacement"),
        (lambda: expected_selected([0.5, np.nan], [0.5, 0.5], 1), "validation must be finite"),
        (lambda: expected_selected([0.5, 0.5], [0.5, np.inf], 1), "test must be finite"),
        (lambda: bootstrap_selected(VALIDATION, TEST, 1, repeats=0), "repeats must be a whole number of at least 1"),
        (lambda: bootstrap_selected(VALIDATION, TEST, 0), "n must be whole numbers of at least 1"),
        (lambda: falls_after([0.5], [0.5], 3), "validation must hold at least 2 trials"),
        (lambda: falls_after(VALIDATION, TEST, 0), "most must be a whole number of at least 1"),
        (lambda: falls_after(VALIDATION, TEST, 3, confidence=1), r"confidence must be in \(0, 1\)"),
    ],
)
def test_misuse_is_refused_in_a_sentence(call, sentence):
    with pytest.raises(ValueError, match=sentence):
        call()


@pytest.mark.parametrize("harder", [-0.05, 0.0, 0.05])
def test_harder_test_rows_are_no_optimism(harder):
    scores = np.random.default_rng(0).random(20)
    found = expected_selected(scores, scores - harder, [1, 5, 20])
    assert found.gap == pytest.approx([harder] * 3)
    assert found.optimism == pytest.approx([0.0] * 3)


def test_optimism_is_what_choosing_adds_to_the_gap():
    generator = np.random.default_rng(0)
    validation, test = generator.random(20), generator.random(20)
    found = expected_selected(validation, test, [1, 5, 20])
    assert found.optimism == pytest.approx(found.gap - (validation.mean() - test.mean()))
    assert found.optimism[0] == pytest.approx(0.0)
    mirrored = expected_selected(-validation, -test, [1, 5, 20], greater_is_better=False)
    assert mirrored.optimism == pytest.approx(found.optimism)
