"""Are correlations between evaluations those of scipy, and is an early ranking trusted only where it holds to the end?"""

import numpy as np
import pytest
from scipy import stats

from seedwise.stats.correlation import EvaluationCorrelation, best_so_far, earliest_trusted, evaluation_correlation
from seedwise.stats.intervals import correlation_interval

NAN = float("nan")
CURVES = np.cumsum(np.random.default_rng(0).normal(size=(20, 6)), axis=1)


def with_last(lower):
    """A correlation whose lower ends with the last evaluation are these."""
    matrix = np.tile(np.array(lower)[:, None], len(lower))
    return EvaluationCorrelation(matrix, matrix, matrix, "spearman", 20, 0.95)


def test_the_best_so_far_never_falls_and_ends_with_the_best():
    best = best_so_far(CURVES)
    assert np.all(np.diff(best, axis=1) >= 0)
    assert best[:, -1].tolist() == CURVES.max(axis=1).tolist()
    assert best[:, 0].tolist() == CURVES[:, 0].tolist()


def test_a_missing_score_changes_no_best_so_far():
    np.testing.assert_equal(best_so_far([[NAN, 2, NAN, 1, 3], [NAN] * 5]), [[NAN, 2, 2, 2, 3], [NAN] * 5])


def test_the_best_loss_so_far_never_rises():
    assert best_so_far(-CURVES, greater_is_better=False).tolist() == (-best_so_far(CURVES)).tolist()


def test_an_infinite_score_is_refused():
    with pytest.raises(ValueError, match="scores must be finite, but 1 are infinite; put nan"):
        best_so_far([[0.5, float("inf")]])


@pytest.mark.parametrize(("method", "oracle"), [("spearman", stats.spearmanr), ("pearson", stats.pearsonr)])
@pytest.mark.parametrize("decimals", [8, 0])  # 0: many ties
def test_correlations_are_those_of_scipy(method, oracle, decimals):
    best = best_so_far(CURVES.round(decimals))
    result = evaluation_correlation(best, method=method, confidence=0.9)
    assert (result.method, result.n, result.confidence) == (method, 20, 0.9)
    for i in range(6):
        for j in range(6):
            assert result.r[i, j] == pytest.approx(oracle(best[:, i], best[:, j]).statistic)
            if i != j:
                interval = correlation_interval(result.r[i, j], 20, confidence=0.9, method=method)
                assert (result.lower[i, j], result.upper[i, j]) == pytest.approx((interval.lower, interval.upper))


def test_an_evaluation_is_perfectly_correlated_with_itself_for_sure():
    result = evaluation_correlation(CURVES)
    for matrix in (result.r, result.lower, result.upper):
        assert np.diag(matrix).tolist() == [1] * 6


def test_every_matrix_is_symmetric():
    for matrix in evaluation_correlation(CURVES)[:3]:
        np.testing.assert_allclose(matrix, matrix.T)


@pytest.mark.parametrize("method", ["spearman", "pearson"])
def test_an_evaluation_at_which_all_trials_are_equal_has_no_correlation(method):
    curves = CURVES.copy()
    curves[:, 2] = 0.1
    result = evaluation_correlation(curves, method=method)
    for matrix in result[:3]:
        undefined = np.isnan(matrix)
        assert undefined[2].all()
        assert undefined[:, 2].all()
        assert undefined.sum() == 11


def test_ranks_do_not_change_with_the_scale_of_an_evaluation():
    bent = np.exp(CURVES / 3)
    np.testing.assert_allclose(evaluation_correlation(CURVES).r, evaluation_correlation(bent).r)
    assert not np.allclose(
        evaluation_correlation(CURVES, method="pearson").r, evaluation_correlation(bent, method="pearson").r
    )


@pytest.mark.parametrize("method", ["spearman", "pearson"])
def test_intervals_hold_the_truth_as_often_as_promised(method):
    evaluations, n, rho = 2000, 25, 0.8
    generator = np.random.default_rng(1)
    held = []
    for _ in range(10):  # in one matrix all evaluations share the last one, so that several are needed
        last = generator.normal(size=(n, 1))
        early = rho * last + np.sqrt(1 - rho**2) * generator.normal(size=(n, evaluations // 10))
        result = evaluation_correlation(np.c_[early, last], method=method)
        truth = rho if method == "pearson" else 6 / np.pi * np.arcsin(rho / 2)
        held.append(np.mean((result.lower[:-1, -1] <= truth) & (truth <= result.upper[:-1, -1])))
    assert np.mean(held) > 0.95 - 4 * max(np.std(held, ddof=1) / np.sqrt(10), 0.005)


@pytest.mark.parametrize(
    ("lower", "first"),
    [
        ([0.1, 0.5, 0.85, 0.9, 1], 2),
        ([0.85, 0.5, 0.85, 0.9, 1], 2),
        ([0.8, 0.8, 0.8, 0.8, 1], 0),
        ([0.9, 0.9, 0.9, 0.7, 1], None),
        ([0.9, 0.9, 0.9, NAN, 1], None),
        ([NAN, 0.9, 0.9, 0.9, 1], 1),
        ([1], None),
    ],
)
def test_an_evaluation_is_trusted_if_it_and_all_later_ones_agree_with_the_last(lower, first):
    assert earliest_trusted(with_last(lower)) == first


def test_a_lower_demand_is_met_earlier():
    assert earliest_trusted(with_last([0.1, 0.5, 0.85, 0.9, 1]), at_least=0.5) == 1


def test_perfect_agreement_of_few_trials_is_not_trusted():
    curves = np.repeat([[0.1], [0.2], [0.3], [0.4]], 3, axis=1)
    assert earliest_trusted(evaluation_correlation(curves)) is None


@pytest.mark.parametrize(
    ("scores", "says"),
    [
        (CURVES[0], "one row a trial and one column an evaluation"),
        (CURVES[:3], "at least 4 trials for intervals, not 3"),
        (np.where(np.arange(6) == 0, NAN, CURVES), "20 of 20 trials lack one"),
    ],
)
def test_scores_that_cannot_be_correlated_are_refused(scores, says):
    with pytest.raises(ValueError, match=says):
        evaluation_correlation(scores)


def test_an_unknown_method_is_refused():
    with pytest.raises(ValueError, match="method must be one of spearman, pearson, not 'kendall'"):
        evaluation_correlation(CURVES, method="kendall")


@pytest.mark.parametrize("at_least", [-1, 1.1, 80])
def test_a_demand_that_is_no_correlation_is_refused(at_least):
    with pytest.raises(ValueError, match="at_least must be in"):
        earliest_trusted(evaluation_correlation(CURVES), at_least=at_least)
