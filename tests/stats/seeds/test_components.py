"""Are variance components unbiased, their intervals honest, and designs that cannot tell factors apart refused?"""

import numpy as np
import pandas as pd
import pytest
import statsmodels.api as sm
from statsmodels.regression.mixed_linear_model import MixedLM
from statsmodels.stats.anova import anova_lm

from seedwise.stats.seeds.components import variance_components


def crossed(shape, variances, seed=0):
    """Scores of a full grid with normal effects; the last variance is the residual's."""
    generator = np.random.default_rng(seed)
    scores = np.sqrt(variances[-1]) * generator.normal(size=shape)
    for axis, variance in enumerate(variances[:-1]):
        sizes = [1] * len(shape)
        sizes[axis] = shape[axis]
        scores = scores + np.sqrt(variance) * generator.normal(size=sizes)
    names = ["init", "order", "dropout"][: len(shape)]
    return scores.ravel(), dict(zip(names, (index.ravel() for index in np.indices(shape)), strict=True))


def some(scores, factors, keep):
    return scores[keep], {name: labels[keep] for name, labels in factors.items()}


def indicators(labels):
    return (np.asarray(labels)[:, None] == np.unique(labels)).astype(float)


def by_hand(scores, factors):
    """Henderson's method III with explicit projections: E[y'Qy] = tr(Z'QZ) variance + tr(Q) residual variance."""

    def projection(names):
        X = np.hstack([np.ones((len(scores), 1)), *(indicators(factors[name]) for name in names)])
        return X @ np.linalg.pinv(X)

    full = projection(list(factors))
    residual = scores @ (scores - full @ scores) / (len(scores) - np.trace(full))
    variances = []
    for name, labels in factors.items():
        Q, Z = full - projection([other for other in factors if other != name]), indicators(labels)
        variances.append((scores @ Q @ scores - np.trace(Q) * residual) / np.trace(Z.T @ Q @ Z))
    return [*variances, residual]


def frame(scores, factors):
    return pd.DataFrame({"score": scores, **factors})


def test_a_full_grid_has_the_components_of_the_textbooks_table():
    scores, factors = crossed((5, 7), (1, 0.5, 1))
    formula = "score ~ C(init) + C(order)"
    table = anova_lm(sm.OLS.from_formula(formula, frame(scores, factors)).fit())
    squares = table["mean_sq"]
    residual = squares["Residual"]
    expected = [(squares["C(init)"] - residual) / 7, (squares["C(order)"] - residual) / 5, residual]
    np.testing.assert_allclose(variance_components(scores, factors).variance, expected)


def test_with_missing_cells_each_factor_is_fitted_last():
    scores, factors = some(*crossed((5, 7), (1, 0.5, 1)), np.random.default_rng(1).permutation(35)[:24])
    table = anova_lm(sm.OLS.from_formula("score ~ C(init) + C(order)", frame(scores, factors)).fit(), typ=2)
    result = variance_components(scores, factors)
    residual = table["sum_sq"]["Residual"] / table["df"]["Residual"]
    assert result.variance[2] == pytest.approx(residual)
    Z, X = indicators(factors["init"]), np.hstack([np.ones((24, 1)), indicators(factors["order"])])
    weight = np.trace(Z.T @ (Z - X @ np.linalg.pinv(X) @ Z))
    expected = (table["sum_sq"]["C(init)"] - table["df"]["C(init)"] * residual) / weight
    assert result.variance[0] == pytest.approx(expected)


@pytest.mark.parametrize("shape", [(9,), (5, 6), (4, 3, 5)])
@pytest.mark.parametrize("duplicates", [0, 6])
def test_any_connected_design_agrees_with_explicit_projections(shape, duplicates):
    scores, factors = crossed((*shape,), (1,) * (len(shape) + 1))
    generator = np.random.default_rng(2)
    drawn = generator.permutation(len(scores))[: round(0.8 * len(scores))]
    keep = np.concatenate([drawn, drawn[:duplicates], drawn[:2] if len(shape) == 1 else drawn[:0]])
    scores, factors = some(scores, factors, keep)
    scores += 0.1 * generator.normal(size=len(scores))
    result = variance_components(scores, factors)
    assert not result.balanced
    np.testing.assert_allclose(result.variance, by_hand(scores, factors), rtol=1e-9, atol=1e-12)


def test_a_full_grid_and_the_same_grid_one_trial_short_take_different_paths_to_nearly_the_same_variances():
    scores, factors = crossed((30, 30), (1, 0.5, 1))
    grid = variance_components(scores, factors)
    short = variance_components(*some(scores, factors, np.arange(899)))
    assert (grid.balanced, short.balanced) == (True, False)
    # One trial of 900 is one of 30 of a seed: it moves that seed's mean by up to 3 / 30 of a deviation, and a variance of
    # 29 degrees of freedom by a hundredth; the intervals are exact for grids alone.
    np.testing.assert_allclose(grid.variance, short.variance, rtol=0.02)
    np.testing.assert_allclose(grid.share_lower, short.share_lower, atol=0.03)


def mixed(scores, factors):
    """Restricted maximum likelihood of the same model: statsmodels, all trials one group."""
    model = MixedLM.from_formula(
        "score ~ 1",
        frame(scores, factors),
        groups=np.ones(len(scores)),
        vc_formula={name: f"0 + C({name})" for name in factors},
    ).fit(reml=True)
    return [*(model.vcomp[sorted(factors).index(name)] for name in factors), model.scale]


@pytest.mark.slow
def test_a_full_grid_has_the_components_of_restricted_likelihood():
    scores, factors = crossed((7, 9), (1, 0.5, 1), seed=3)
    result = variance_components(scores, factors)
    assert min(result.variance) > 0  # where the two are equal
    np.testing.assert_allclose(
        result.variance, mixed(scores, factors), rtol=1e-3
    )  # where the search for the maximum ends


@pytest.mark.slow
def test_with_missing_cells_restricted_likelihood_is_near():
    scores, factors = some(*crossed((8, 9), (1, 0.5, 1), seed=3), np.random.default_rng(4).permutation(72)[:58])
    # Two estimators of the same variances: they differ by less than half of their standard error, sqrt(2 / 7) of a variance.
    np.testing.assert_allclose(variance_components(scores, factors).variance, mixed(scores, factors), rtol=0.15)


@pytest.mark.slow
@pytest.mark.parametrize("kept", [1.0, 0.6])
def test_components_are_unbiased(kept):
    truth, repeats = np.array([0.5, 0.1, 1.0]), 600
    keep = np.random.default_rng(5).permutation(63)[: round(kept * 63)]
    found = np.array(
        [variance_components(*some(*crossed((7, 9), truth, seed=i), keep), repeats=1).variance for i in range(repeats)]
    )
    error = found.std(axis=0) / np.sqrt(repeats)
    assert np.all(np.abs(found.mean(axis=0) - truth) < 4 * error)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("shape", "variances", "kept"),
    [
        ((8, 8), (1, 0.5, 1), 1.0),
        ((25, 25), (0.1, 0.05, 1), 1.0),
        ((10, 10), (0, 0.2, 1), 1.0),
        ((4, 4, 4), (1, 0.5, 0.5, 1), 1.0),
        ((10, 10), (1, 0.5, 1), 0.6),
        ((12, 12), (2, 2, 1), 0.35),
    ],
)
def test_intervals_of_shares_hold_the_truth_as_often_as_promised(shape, variances, kept):
    truth, repeats = np.array(variances) / sum(variances), 400
    size = np.prod(shape)
    keep = np.random.default_rng(6).permutation(size)[: round(kept * size)]
    held = np.zeros(len(truth))
    for i in range(repeats):
        result = variance_components(*some(*crossed(shape, variances, seed=i), keep), seed=i, repeats=400)
        held += (result.share_lower <= truth) & (truth <= result.share_upper)
    assert np.all(held / repeats > 0.95 - 4 * np.sqrt(0.95 * 0.05 / repeats))


def test_a_narrower_confidence_has_narrower_intervals():
    scores, factors = crossed((6, 6), (1, 1, 1))
    wide, narrow = (variance_components(scores, factors, confidence=c) for c in (0.95, 0.5))
    assert np.all(wide.share_lower < narrow.share_lower)
    assert np.all(narrow.share_upper < wide.share_upper)


def test_shares_add_up_to_one():
    assert variance_components(*crossed((4, 5, 3), (1, 0.5, 0.2, 1))).share.sum() == pytest.approx(1)


def test_a_negative_variance_counts_as_no_share():
    scores = np.array([[1.0, -1.0], [-1.0, 1.0]]).ravel()  # every row and column has mean 0
    result = variance_components(scores, {"init": [0, 0, 1, 1], "order": [0, 1, 0, 1]})
    assert result.variance.tolist() == [-2, -2, 4]
    assert result.share.tolist() == [0, 0, 1]
    assert result.total == 4


def test_scores_that_depend_on_one_seed_alone_are_all_its_share():
    _, factors = crossed((4, 5), (0, 0, 0))
    result = variance_components(factors["init"] / 8, factors)
    np.testing.assert_allclose(result.share, [1, 0, 0], atol=1e-12)
    np.testing.assert_allclose(result.share_lower, [1, 0, 0], atol=1e-12)
    assert result.total == pytest.approx(np.var(np.arange(4) / 8, ddof=1))


@pytest.mark.parametrize("trials", [20, 19])
def test_equal_scores_have_no_variance_to_share(trials):
    _, factors = some(*crossed((4, 5), (0, 0, 0)), np.arange(trials))
    result = variance_components(np.full(trials, 0.1), factors)
    assert result.variance.tolist() == [0, 0, 0]
    assert np.isnan([result.share, result.share_lower, result.share_upper]).all()


@pytest.mark.parametrize("kept", [35, 30])
def test_shares_depend_on_neither_place_nor_unit_nor_labels_nor_the_order_of_trials(kept):
    scores, factors = some(*crossed((5, 7), (1, 0.5, 1)), np.arange(kept))
    shuffled = np.random.default_rng(7).permutation(kept)
    renamed = {"init": [f"seed {i}" for i in factors["init"][shuffled]], "order": factors["order"][shuffled] ** 2}
    one, other = variance_components(scores, factors), variance_components(3 + 100 * scores[shuffled], renamed)
    np.testing.assert_allclose(one.share, other.share)
    np.testing.assert_allclose(one.share_upper, other.share_upper)


def test_the_same_seed_gives_the_same_intervals_and_another_seed_others():
    scores, factors = crossed((5, 7), (1, 0.5, 1))
    first, again, other = (variance_components(scores, factors, seed=seed).share_upper for seed in (1, 1, 2))
    assert first.tolist() == again.tolist() != other.tolist()


def test_what_was_done_is_told():
    grid = variance_components(*crossed((3, 4), (1, 1, 1)))
    part = variance_components(*some(*crossed((3, 4), (1, 1, 1)), np.arange(11)))
    assert (grid.n, grid.balanced, grid.method) == (12, True, "analysis of variance")
    assert (part.n, part.balanced, part.method) == (11, False, "Henderson's method III")
    assert grid.factors == ("init", "order", "residual")


@pytest.mark.parametrize(
    ("factors", "says"),
    [
        ({}, "at least one seed"),
        ({"residual": [1, 1, 2, 2, 3, 3]}, "none 'residual'"),
        ({"init": [1] * 6, "order": [1, 1, 2, 2, 3, 3]}, "init must have at least two levels, not one for all 6"),
        ({"init": [1, 2, 3, 4, 5, 6]}, "more trials than the init seeds use up, not 6"),
        ({"init": [1, 2, 3, 4, 5, 6], "order": [1, 2, 3, 4, 5, 6]}, "always change together and cannot be told apart"),
        ({"init": [1, 1, 2, 2, 3, 3], "order": [5, 5, 4, 4, 6, 6]}, "always change together and cannot be told apart"),
        (
            {"init": [1, 1, 1, 1, 2, 2], "order": [1, 1, 2, 2, 3, 3]},
            "every level of order occurs with one level of init",
        ),
        ({"init": [1, 1, 2], "order": [1, 2, 3]}, "one label for each of the 6 trials"),
    ],
)
def test_a_design_that_cannot_tell_is_refused(factors, says):
    with pytest.raises(ValueError, match=says):
        variance_components([0.1, 0.2, 0.3, 0.4, 0.5, 0.7], factors)


def test_groups_without_a_common_seed_are_refused():
    block = np.repeat([0, 1], 4)
    init, order = np.tile([0, 0, 1, 1], 2) + 2 * block, np.tile([0, 1, 0, 1], 2) + 2 * block
    with pytest.raises(ValueError, match=r"init and order must be connected.*full grid"):
        variance_components(np.arange(8.0), {"init": init, "order": order})


def test_three_factors_of_which_two_decide_the_third_are_refused():
    init, order = (index.ravel() for index in np.indices((5, 5)))
    with pytest.raises(ValueError, match=r"must be connected|cannot be told apart"):
        variance_components(np.arange(25.0), {"init": init, "order": order, "dropout": order})


def test_a_latin_square_can_tell_three_factors_apart():
    init, order = (index.ravel() for index in np.indices((5, 5)))
    scores = np.random.default_rng(8).normal(size=25)
    factors = {"init": init, "order": order, "dropout": (init + order) % 5}
    np.testing.assert_allclose(variance_components(scores, factors).variance, by_hand(scores, factors))


def test_a_failed_trial_must_be_given_a_score():
    with pytest.raises(ValueError, match="say what a failed trial scores"):
        variance_components([0.5, float("nan"), 0.6], {"init": [1, 1, 2]})
