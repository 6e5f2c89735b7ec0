"""Are p-values adjusted and combined as statsmodels and scipy do?"""

import gc

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats
from statsmodels.stats.multitest import multipletests

from seedwise.stats.compare.multiplicity import adjust, combine

METHODS = {"holm": "holm", "benjamini_hochberg": "fdr_bh", "bonferroni": "bonferroni"}
P_VALUES = st.lists(st.floats(0, 1, allow_subnormal=False) | st.sampled_from([0.0, 0.01, 0.05, 1.0]), min_size=1)


@pytest.fixture(scope="module")
def no_collection():
    """statsmodels collects garbage in every call of Holm's method: a second each in a process of a million objects."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(gc, "collect", lambda: 0)
        yield


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.usefixtures("no_collection")
@given(p=P_VALUES)
def test_adjusted_p_values_are_those_of_statsmodels(method, p):
    np.testing.assert_allclose(adjust(p, method=method), multipletests(p, method=METHODS[method])[1], rtol=1e-12)


@pytest.mark.parametrize("method", METHODS)
@given(p=P_VALUES, places=st.lists(st.integers(0, 50), max_size=4))
def test_a_test_that_could_not_be_made_does_not_count(method, p, places):
    with_gaps = list(p)
    for place in places:
        with_gaps.insert(place, float("nan"))
    adjusted = adjust(with_gaps, method=method)
    assert np.isnan(adjusted).tolist() == np.isnan(with_gaps).tolist()
    assert adjusted[~np.isnan(adjusted)].tolist() == adjust(p, method=method).tolist()


@pytest.mark.parametrize("method", METHODS)
@given(p=P_VALUES)
def test_adjusting_keeps_the_order_and_never_lowers_a_p_value(method, p):
    adjusted = adjust(p, method=method)
    assert np.all(np.diff(adjusted[np.argsort(p, kind="stable")]) >= 0)
    assert np.all(adjusted >= np.array(p) * (1 - 1e-12))
    assert adjusted.max() <= 1


@given(p=P_VALUES)
def test_holm_lies_between_benjamini_hochberg_and_bonferroni(p):
    mild, holm, strict = (adjust(p, method=method) for method in ("benjamini_hochberg", "holm", "bonferroni"))
    assert np.all(mild <= holm * (1 + 1e-12))
    assert np.all(holm <= strict * (1 + 1e-12))


def test_holm_rarely_claims_anything_where_nothing_differs():
    p = np.random.default_rng(0).random((4000, 8))
    claimed = np.mean([adjust(row).min() < 0.05 for row in p])
    assert claimed == pytest.approx(0.05, abs=4 * np.sqrt(0.05 * 0.95 / 4000))


def test_nothing_but_missing_tests_stay_missing():
    assert np.isnan(adjust([float("nan")] * 3)).all()


def test_the_given_p_values_are_left_as_they_were():
    p = np.array([0.03, 0.01])
    adjust(p)
    assert p.tolist() == [0.03, 0.01]


def test_fisher_is_the_chi_square_of_the_logarithms():
    p = np.array([0.06, 0.2, 0.01])
    assert combine(p) == pytest.approx(stats.chi2.sf(-2 * np.log(p).sum(), 6))


def test_stouffer_is_the_normal_of_the_weighted_sum():
    p, w = np.array([0.06, 0.2, 0.01]), np.array([1.0, 2.0, 3.0])
    z = (w * stats.norm.isf(p)).sum() / np.sqrt((w**2).sum())
    assert combine(p, method="stouffer", weights=w.tolist()) == pytest.approx(stats.norm.sf(z))


@pytest.mark.parametrize("method", ["fisher", "stouffer"])
def test_where_nothing_differs_combined_p_values_are_uniform(method):
    p = np.random.default_rng(1).random((1000, 4))
    combined = [combine(row, method=method) for row in p]
    assert stats.kstest(combined, "uniform").pvalue > 0.01


@pytest.mark.parametrize(
    ("p", "sentence"),
    [
        ([0.5, 1.2], r"p_values must be in \[0, 1\], not 1.2"),
        ([-0.1, float("nan")], r"p_values must be in \[0, 1\], not -0.1"),
        ([[0.5]], "p_values must be one number a trial"),
        ([], "p_values must hold at least 1"),
        ([float("inf")], "p_values must be finite"),
    ],
)
def test_numbers_that_are_no_p_values_are_refused(p, sentence):
    with pytest.raises(ValueError, match=sentence):
        adjust(p)


def test_an_unknown_method_is_refused():
    with pytest.raises(ValueError, match="method must be one of holm, benjamini_hochberg, bonferroni, not 'sidak'"):
        adjust([0.5], method="sidak")
    with pytest.raises(ValueError, match="method must be one of fisher, stouffer, not 'holm'"):
        combine([0.5], method="holm")


@pytest.mark.parametrize(
    ("p", "options", "sentence"),
    [
        ([0.5, 0.0], {}, r"p_values must be in \(0, 1\) to be combined, not 0 or 1"),
        ([0.5, float("nan")], {}, "p_values must be finite"),
        ([0.5, 0.4], {"weights": [1, 2]}, 'weights must be None for method "fisher"'),
        ([0.5, 0.4], {"method": "stouffer", "weights": [1]}, "weights must be one positive number a p-value"),
        ([0.5, 0.4], {"method": "stouffer", "weights": [1, -1]}, "weights must be one positive number a p-value"),
    ],
)
def test_p_values_that_cannot_be_combined_are_refused(p, options, sentence):
    with pytest.raises(ValueError, match=sentence):
        combine(p, **options)
