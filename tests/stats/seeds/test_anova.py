"""Does the published test find differences where there are none, and the corrected one only where there are some?"""

import itertools

import numpy as np
import pytest
from scipy import stats

from seedwise.stats.seeds.anova import best_against_worst, one_way


def grid(shape, *, init=0.0, order=0.0, seed=0):
    """Scores of a full grid with normal effects of these standard deviations and noise of 1, and the two labels."""
    generator = np.random.default_rng(seed)
    scores = init * generator.normal(size=(shape[0], 1)) + order * generator.normal(size=(1, shape[1]))
    labels = np.indices(shape)
    return (scores + generator.normal(size=shape)).ravel(), labels[0].ravel(), labels[1].ravel()


def rejections(shape, repeats, *, within, **effects):
    """How often the published and the corrected p-value are at most 0.05."""
    found = []
    for i in range(repeats):
        scores, init, order = grid(shape, **effects, seed=i)
        result = best_against_worst(scores, init, within=order if within else None, permutations=199, seed=i)
        found.append((result.p <= 0.05, result.corrected_p <= 0.05))
    return np.mean(found, axis=0)


def test_the_published_test_is_a_one_way_analysis_of_the_two_extreme_levels():
    scores, init, _ = grid((6, 9), init=0.5)
    means = [scores[init == i].mean() for i in range(6)]
    best, worst = int(np.argmax(means)), int(np.argmin(means))
    expected = stats.f_oneway(scores[init == best], scores[init == worst])
    result = best_against_worst(scores, init, permutations=1)
    assert (result.best, result.worst, result.n_best, result.n_worst) == (best, worst, 9, 9)
    assert (result.best_mean, result.worst_mean) == pytest.approx((max(means), min(means)))
    assert (result.f, result.p) == pytest.approx((expected.statistic, expected.pvalue))


def test_levels_of_unequal_size_are_compared_as_they_are():
    scores, init, _ = grid((5, 8), init=0.5)
    scores, init = scores[:-5], init[:-5]
    result = best_against_worst(scores, init, permutations=1)
    expected = stats.f_oneway(scores[init == result.best], scores[init == result.worst])
    assert (result.f, result.p) == pytest.approx((expected.statistic, expected.pvalue))
    assert result.best_mean == max(scores[init == i].mean() for i in range(5))


def test_labels_come_back_as_they_were_given():
    result = best_against_worst([1, 2, 8, 9, 5, 6], ["a", "a", "b", "b", "c", "c"], permutations=1)
    assert (result.best, result.worst) == ("b", "a")


def picked_f(scores, init):
    groups = [scores[init == i] for i in np.unique(init)]
    best, worst = max(groups, key=np.mean), min(groups, key=np.mean)
    return stats.f_oneway(best, worst).statistic


def test_the_corrected_p_is_that_of_all_permutations():
    scores, init, _ = grid((3, 2), init=1)
    every = np.array([picked_f(scores[list(order)], init) for order in itertools.permutations(range(6))])
    exact = np.mean(every >= picked_f(scores, init) * (1 - 1e-9))
    result = best_against_worst(scores, init, permutations=20_000)
    assert result.corrected_p == pytest.approx(exact, abs=5 * np.sqrt(exact * (1 - exact) / 20_000))


def test_within_permutes_under_each_seed_of_the_other_factor_only():
    scores, init, order = grid((3, 3), init=1, order=3)
    table = scores.reshape(3, 3)
    columns = [list(itertools.permutations(table[:, j] - table[:, j].mean())) for j in range(3)]
    every = np.array([picked_f(np.array(c).T.ravel(), init) for c in itertools.product(*columns)])
    exact = np.mean(every >= picked_f((table - table.mean(axis=0)).ravel(), init) * (1 - 1e-9))
    result = best_against_worst(scores, init, within=order, permutations=20_000)
    assert result.corrected_p == pytest.approx(exact, abs=5 * np.sqrt(exact * (1 - exact) / 20_000))


@pytest.mark.slow
@pytest.mark.parametrize("within", [False, True])
def test_where_no_seed_is_better_the_published_test_finds_one_and_the_corrected_test_does_not(within):
    published, corrected = rejections((15, 15), 400, within=within)
    assert published > 0.6
    assert corrected == pytest.approx(0.05, abs=4 * np.sqrt(0.05 * 0.95 / 400))


@pytest.mark.slow
def test_the_corrected_p_is_uniform_where_no_seed_is_better():
    p = [best_against_worst(*grid((6, 6), seed=i)[:2], permutations=199, seed=i).corrected_p for i in range(400)]
    assert stats.kstest(p, "uniform").pvalue > 0.001


@pytest.mark.slow
def test_an_effect_of_the_other_seed_leaves_the_corrected_test_within_it_honest():
    _, corrected = rejections((8, 8), 400, within=True, order=3.0)
    assert corrected == pytest.approx(0.05, abs=4 * np.sqrt(0.05 * 0.95 / 400))


@pytest.mark.slow
def test_better_seeds_are_found():
    assert rejections((15, 15), 100, within=True, init=0.7)[1] > 0.9


def test_a_crossed_effect_hides_nothing_from_the_test_within_it():
    scores, init, order = grid((8, 8), init=1.0)
    moved = scores + 3 * order
    assert best_against_worst(scores, init, permutations=999).corrected_p < 0.05
    assert best_against_worst(moved, init, permutations=999).corrected_p > 0.2
    assert best_against_worst(moved, init, within=order, permutations=999).corrected_p < 0.05


@pytest.mark.parametrize("kept", [64, 45])
def test_what_the_other_seed_adds_does_not_change_the_p_value_within_it(kept):
    keep = np.sort(np.random.default_rng(1).permutation(64)[:kept])
    scores, init, order = (values[keep] for values in grid((8, 8), init=0.4))
    one, other = (
        best_against_worst(s, init, within=order, permutations=999).corrected_p for s in (scores, scores + 3 * order)
    )
    assert one == other


def test_a_lower_loss_is_better():
    scores, init, order = grid((5, 5), init=1)
    score = best_against_worst(scores, init, within=order, permutations=99)
    loss = best_against_worst(-scores, init, within=order, permutations=99, greater_is_better=False)
    assert (loss.best, loss.worst, loss.best_mean) == (score.best, score.worst, -score.best_mean)
    assert (loss.f, loss.p, loss.corrected_p) == (score.f, score.p, score.corrected_p)


def test_the_corrected_p_depends_on_neither_place_nor_unit():
    scores, init, _ = grid((5, 5), init=0.3)
    one, other = (best_against_worst(s, init, permutations=499) for s in (scores, 10 + 0.01 * scores))
    assert one.corrected_p == other.corrected_p
    assert one.f == pytest.approx(other.f)


def test_the_same_seed_draws_the_same_permutations_and_another_seed_others():
    scores, init, _ = grid((5, 5), init=0.3)
    p = [best_against_worst(scores, init, permutations=499, seed=seed).corrected_p for seed in (1, 1, 2)]
    assert p[0] == p[1] != p[2]


def test_many_permutations_are_drawn_in_parts_without_losing_one(monkeypatch):
    scores, init, _ = grid((5, 5), init=0.3)
    monkeypatch.setattr("seedwise.stats.seeds.anova.AT_ONCE", 1000)  # 40 permutations at once
    constant = np.zeros(25)
    assert best_against_worst(constant, init, permutations=99).corrected_p == 1
    assert 0 < best_against_worst(scores, init, permutations=99).corrected_p < 1


def test_equal_scores_differ_in_nothing():
    result = best_against_worst(np.full(9, 0.1), np.repeat([1, 2, 3], 3), permutations=9)
    assert (result.f, result.p, result.corrected_p) == (0, 1, 1)


def test_levels_without_any_noise_differ_for_sure():
    result = best_against_worst([0, 0, 0, 1, 1, 1], [1, 1, 1, 2, 2, 2], permutations=999)
    assert (result.f, result.p) == (np.inf, 0)
    assert result.corrected_p == pytest.approx(
        2 / 20, abs=4 * np.sqrt(0.1 * 0.9 / 999)
    )  # 2 of the 20 ways to split six trials


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        ({"levels": [1, 1, 1, 1, 1, 1]}, "at least two labels, not one for all 6"),
        ({"levels": [1, 2, 3, 4, 5, 6]}, "6 of 6 labels have one trial; cross the seeds"),
        ({"levels": [1, 1, 2]}, "one label for each of the 6 trials"),
        ({"levels": [1, 1, 2, 2, 3, 3], "within": [1, 1, 2, 2, 3, 3]}, "nothing can be permuted"),
        ({"levels": [1, 1, 2, 2, 3, 3], "permutations": 0}, "permutations must be a whole number of at least 1"),
    ],
)
def test_a_design_that_cannot_be_tested_is_refused(arguments, says):
    with pytest.raises(ValueError, match=says):
        best_against_worst([0.1, 0.2, 0.3, 0.4, 0.5, 0.7], **arguments)


def test_a_failed_trial_must_be_given_a_score():
    with pytest.raises(ValueError, match="say what a failed trial scores"):
        best_against_worst([0.1, 0.2, float("nan"), 0.4], [1, 1, 2, 2])


@pytest.mark.parametrize("kept", [40, 33])
def test_all_levels_together_are_compared_as_scipy_does(kept):
    scores, init, _ = grid((5, 8), init=0.5)
    scores, init = scores[:kept], init[:kept]
    groups = [scores[init == i] for i in np.unique(init)]
    groups = [group for group in groups if len(group) > 1]
    scores, init = np.concatenate(groups), np.repeat(np.arange(len(groups)), [len(g) for g in groups])
    expected, result = stats.f_oneway(*groups), one_way(scores, init)
    assert (result.f, result.p) == pytest.approx((expected.statistic, expected.pvalue))
    assert (result.df_between, result.df_within) == (len(groups) - 1, len(scores) - len(groups))
