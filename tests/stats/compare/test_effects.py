"""Do the intervals hold the truth as often as they say, for scores as fine-tuning gives them?"""

import numpy as np
import pytest
from scipy import stats
from sklearn.metrics import roc_auc_score

from seedwise.stats.compare.effects import difference, probability_of_improvement
from shapes import MEANS, NOISE, SHAPES, SIMULATIONS, coverage, normal, often_failing


@pytest.mark.slow
@pytest.mark.parametrize("shapes", SHAPES)
def test_the_difference_lies_in_its_interval_as_often_as_promised(shapes):
    truth = MEANS[shapes[0]] - MEANS[shapes[1]]
    held = coverage(lambda a, b: difference(a, b, repeats=500)[1:3], truth, shapes)
    assert 0.945 - NOISE <= held <= 0.98 + NOISE


@pytest.mark.slow
def test_the_paired_difference_lies_in_its_interval_as_often_as_promised():
    def interval(luck, noise):
        return difference(0.01 + luck + noise, luck, paired=True, repeats=500)[1:3]

    held = coverage(interval, 0.01, (often_failing, lambda g, size: g.normal(0, 0.01, size)))
    assert held == pytest.approx(0.95, abs=NOISE)


@pytest.mark.slow
def test_the_level_of_the_difference_is_kept():
    held = coverage(lambda a, b: difference(a, b, repeats=500, confidence=0.8)[1:3], 0, (normal, normal))
    assert held == pytest.approx(0.8, abs=3 * np.sqrt(0.8 * 0.2 / SIMULATIONS) + 0.01)


def test_for_many_normal_scores_the_interval_is_students():
    a, b = np.random.default_rng(0).normal([[0.71], [0.70]], 0.02, (2, 300))
    expected = stats.ttest_ind(a, b).confidence_interval()
    result = difference(a, b)
    assert result[1:3] == pytest.approx((expected.low, expected.high), abs=2e-4)  # 6 % of its half width


def test_the_paired_interval_ignores_what_pairs_share():
    luck, noise = np.random.default_rng(1).normal(0, [[0.1], [0.01]], (2, 20))
    alone = difference(noise + 0.01, np.zeros(20), paired=True)
    assert difference(luck + noise + 0.01, luck, paired=True)[:3] == pytest.approx(alone[:3], abs=1e-9)
    assert difference(luck + noise + 0.01, luck).lower < alone.lower


def test_the_difference_is_symmetric_and_moves_with_the_unit():
    a, b = np.random.default_rng(2).normal(0.7, 0.02, (2, 10))
    result = difference(a, b)
    percent = difference(100 * a + 5, 100 * b + 5)
    assert percent[:3] == pytest.approx([100 * end for end in result[:3]])
    assert result.upper - result.estimate == pytest.approx(result.estimate - result.lower)


def test_the_same_seed_gives_the_same_interval():
    a, b = np.random.default_rng(3).normal(0.7, 0.02, (2, 10))
    assert difference(a, b, seed=1) == difference(a, b, seed=1) != difference(a, b, seed=2)


def test_resamples_held_in_parts_are_the_same_resamples(monkeypatch):
    a, b = np.random.default_rng(4).normal(0.7, 0.02, (2, 10))
    at_once = difference(a, b, repeats=1000)
    monkeypatch.setattr("seedwise.stats.compare.effects.AT_ONCE", 77)
    assert difference(a, b, repeats=1000) == at_once


def test_three_trials_and_a_recipe_without_spread_still_have_an_interval():
    result = difference([0.70, 0.72, 0.71], [0.53, 0.53, 0.53])
    assert np.isfinite(result).all()
    assert result.lower < 0.18 < result.upper


@pytest.mark.parametrize(
    ("a", "b", "options", "sentence"),
    [
        ([0.7, 0.8], [0.6, 0.7, 0.8], {}, "a must hold at least 3 trials, not 2"),
        ([0.7, 0.8, 0.9], [0.6, 0.7, float("nan")], {}, "b must be finite"),
        (
            [0.7] * 3,
            [0.6] * 3,
            {},
            r"the interval of a difference needs scores that vary, but every one is 0.7 and 0.6",
        ),
        ([0.7, 0.8, 0.9], [0.6, 0.7, 0.8], {"paired": True}, r"needs scores that vary, but every one is 0.1;"),
        ([0.7, 0.8, 0.9], [0.6, 0.7, 0.9, 0.8], {"paired": True}, "as many for a as for b, not 3 and 4"),
        ([0.7, 0.8, 0.9], [0.7, 0.8, 0.9], {}, "equal trial by trial"),
        ([0.7, 0.8, 0.9], [0.6, 0.7, 0.9], {"confidence": 95}, r"confidence must be in \(0, 1\), not 95"),
        ([0.7, 0.8, 0.9], [0.6, 0.7, 0.9], {"repeats": 0}, "repeats must be a whole number of at least 1"),
    ],
)
def test_a_difference_that_cannot_be_judged_is_refused(a, b, options, sentence):
    with pytest.raises(ValueError, match=sentence):
        difference(a, b, **options)


def pairs(seed=0, n=12, m=9):
    generator = np.random.default_rng(seed)
    return np.round(generator.normal(0.72, 0.03, n), 2), np.round(generator.normal(0.70, 0.03, m), 2)


@pytest.mark.parametrize("seed", range(5))
def test_the_probability_of_improvement_is_the_share_of_pairs_won(seed):
    a, b = pairs(seed)
    estimate = probability_of_improvement(a, b).estimate
    assert estimate == pytest.approx(np.mean((a[:, None] > b) + (a[:, None] == b) / 2))
    assert estimate == pytest.approx(stats.mannwhitneyu(a, b).statistic / (len(a) * len(b)))
    assert estimate == pytest.approx(roc_auc_score([1] * len(a) + [0] * len(b), [*a, *b]))


@pytest.mark.slow
@pytest.mark.parametrize("sizes", [(20, 20), (8, 30)])
@pytest.mark.parametrize("shapes", [*SHAPES, (normal, lambda g, size: g.normal(0.67, 0.005, size))])
def test_the_probability_of_improvement_lies_in_its_interval_as_often_as_promised(shapes, sizes):
    generator = np.random.default_rng(9)
    truth = np.mean(shapes[0](generator, 400_000) > shapes[1](generator, 400_000))
    held = coverage(lambda a, b: probability_of_improvement(a, b)[1:3], truth, shapes, sizes)
    assert held >= 0.95 - NOISE


def test_the_probability_of_improvement_knows_ranks_only():
    a, b = pairs()
    assert probability_of_improvement(np.exp(9 * a), np.exp(9 * b)) == probability_of_improvement(a, b)


def test_the_other_recipe_improves_with_the_rest_of_the_probability():
    a, b = pairs()
    there, back = probability_of_improvement(a, b), probability_of_improvement(b, a)
    assert back[:3] == pytest.approx([1 - there.estimate, 1 - there.upper, 1 - there.lower])
    assert probability_of_improvement(a, b, greater_is_better=False)[:3] == pytest.approx(back[:3])


def test_a_recipe_that_wins_every_pair_is_not_certain_to_win():
    result = probability_of_improvement([0.7] * 10, [0.6] * 10)
    assert (result.estimate, result.upper) == (1, 1)
    assert result.lower == pytest.approx(10 / (10 + stats.norm.isf(0.025) ** 2))  # Wilson's, 10 of 10


def test_recipes_that_always_tie_are_even():
    result = probability_of_improvement([0.53] * 5, [0.53] * 5)
    assert result.estimate == 0.5
    assert result.lower < 0.2


@pytest.mark.parametrize(
    ("a", "b", "confidence", "sentence"),
    [
        ([0.7], [0.6, 0.7], 0.95, "a must hold at least 2 trials, not 1"),
        ([0.7, 0.8], [0.6, float("inf")], 0.95, "b must be finite"),
        ([0.7, 0.8], [0.7, 0.8], 0.95, "equal trial by trial"),
        ([0.7, 0.8], [0.6, 0.8], 1.0, r"confidence must be in \(0, 1\), not 1.0"),
    ],
)
def test_an_improvement_that_cannot_be_judged_is_refused(a, b, confidence, sentence):
    with pytest.raises(ValueError, match=sentence):
        probability_of_improvement(a, b, confidence=confidence)


@pytest.mark.slow
@pytest.mark.parametrize("orders", ["shared", "own"])
def test_two_equal_recipes_whose_trials_share_seeds_are_even_as_often_as_promised(orders):
    generator, excluded, repeats = np.random.default_rng(8), 0, 150
    init = np.repeat(np.arange(8), 6)
    seeds = {"init": init, "order": np.tile(np.arange(6), 8) if orders == "shared" else np.arange(48)}
    for _ in range(repeats):
        a, b = (
            generator.normal(size=8)[init]
            + generator.normal(0, 0.5, seeds["order"].max() + 1)[seeds["order"]]
            + generator.normal(size=48)
            for _ in "ab"
        )
        chance = probability_of_improvement(a, b, seeds, seeds)
        excluded += not chance.lower <= 0.5 <= chance.upper
    assert excluded / repeats < 0.05 + 3 * np.sqrt(0.05 * 0.95 / repeats)


def test_seeds_that_no_trials_share_change_nothing():
    a, b = np.random.default_rng(9).normal(size=(2, 12))
    seeds = {"init": range(12), "order": range(12)}
    assert probability_of_improvement(a, b, seeds, seeds, paired=True) == probability_of_improvement(a, b)
