"""Are the t-tests those of the books, and is a table's bold what the papers print bold?"""

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from scipy import stats
from statsmodels.stats.weightstats import DescrStatsW, ttest_ind

from seedwise.stats.compare.tests import equal_to_best, paired, student, welch

ALTERNATIVES = ("greater", "less", "two-sided")
STATSMODELS = {"greater": "larger", "less": "smaller", "two-sided": "two-sided"}


def two_recipes(n=20, m=15, seed=0):
    generator = np.random.default_rng(seed)
    return generator.normal(0.70, 0.02, n), generator.normal(0.69, 0.04, m)


@pytest.mark.parametrize("alternative", ALTERNATIVES)
@pytest.mark.parametrize(("test", "usevar"), [(student, "pooled"), (welch, "unequal")])
def test_t_tests_agree_with_statsmodels(test, usevar, alternative):
    a, b = two_recipes()
    statistic, p, _ = ttest_ind(a, b, alternative=STATSMODELS[alternative], usevar=usevar)
    result = test(a, b, alternative=alternative)
    assert (result.statistic, result.p) == pytest.approx((statistic, p), rel=1e-10)


@pytest.mark.parametrize("alternative", ALTERNATIVES)
@pytest.mark.parametrize(("test", "equal_var"), [(student, True), (welch, False)])
def test_t_tests_agree_with_scipy(test, equal_var, alternative):
    a, b = two_recipes(n=3, m=8)
    expected = stats.ttest_ind(a, b, equal_var=equal_var, alternative=alternative)
    assert test(a, b, alternative=alternative)[1:3] == pytest.approx((expected.statistic, expected.pvalue), rel=1e-10)


@pytest.mark.parametrize("alternative", ALTERNATIVES)
def test_the_paired_test_is_the_test_of_the_mean_difference(alternative):
    a, b = two_recipes(n=20, m=20)
    statistic, p, _ = DescrStatsW(a - b).ttest_mean(0, alternative=STATSMODELS[alternative])
    assert paired(a, b, alternative=alternative)[1:3] == pytest.approx((statistic, p), rel=1e-10)


def test_a_test_says_which_it_is():
    a, b = two_recipes(n=15)
    assert [test(a, b).test for test in (student, welch, paired)] == ["student", "welch", "paired t"]
    assert student(a, b, alternative="less").alternative == "less"


@pytest.mark.parametrize("test", [student, welch, paired])
@given(
    scores=st.lists(st.tuples(st.integers(0, 400), st.integers(0, 400)), min_size=3, max_size=12),
    scale=st.floats(0.01, 100),
    shift=st.floats(-10, 10),
)
def test_p_depends_on_neither_unit_nor_origin_nor_the_order_of_recipes(test, scores, scale, shift):
    a, b = np.array(scores).T / 400
    gaps = a - b
    assume(np.ptp(np.round(gaps * 400)) > 0 and max(np.ptp(a), np.ptp(b)) > 0)  # else refused
    p = test(a, b).p
    assert test(a * scale + shift, b * scale + shift).p == pytest.approx(p, abs=1e-6)
    assert test(b, a).p == pytest.approx(1 - p, abs=1e-9)
    assert test(a, b, alternative="two-sided").p == pytest.approx(2 * min(p, 1 - p), abs=1e-9)


@pytest.mark.parametrize("test", [student, welch, paired])
def test_equal_recipes_are_told_apart_as_often_as_the_level_says(test):
    generator = np.random.default_rng(1)
    p = [test(*generator.normal(0.7, 0.02, (2, 10))).p for _ in range(2000)]
    assert np.mean(np.array(p) < 0.05) == pytest.approx(0.05, abs=4 * np.sqrt(0.05 * 0.95 / 2000))


@pytest.mark.slow
def test_welch_keeps_the_level_where_student_does_not():
    generator = np.random.default_rng(2)
    drawn = [(generator.normal(0.7, 0.1, 5), generator.normal(0.7, 0.01, 40)) for _ in range(2000)]
    assert np.mean([student(a, b).p < 0.05 for a, b in drawn]) > 0.15
    assert np.mean([welch(a, b).p < 0.05 for a, b in drawn]) == pytest.approx(0.05, abs=4 * np.sqrt(0.05 * 0.95 / 2000))


def test_pairs_that_share_their_seeds_luck_need_fewer_trials():
    generator = np.random.default_rng(3)
    luck = generator.normal(0, 0.05, 10)
    a, b = 0.71 + luck + generator.normal(0, 0.005, 10), 0.70 + luck + generator.normal(0, 0.005, 10)
    assert paired(a, b).p < 0.01
    assert welch(a, b).p > 0.3


def test_one_recipe_without_spread_can_be_compared():
    a, b = [0.53, 0.53, 0.53, 0.53], [0.60, 0.65, 0.70]
    expected = stats.ttest_1samp(b, 0.53, alternative="greater").pvalue
    assert welch(b, a).p == pytest.approx(expected)


@pytest.mark.parametrize("test", [student, welch])
def test_recipes_without_any_spread_are_refused(test):
    with pytest.raises(ValueError, match=r"a t-test needs scores that vary, but every one is 0.53 and 0.6; run more"):
        test([0.53] * 3, [0.60] * 3)


def test_equal_differences_are_refused_even_where_rounding_parts_them():
    a = np.array([0.52, 0.62, 0.71])
    with pytest.raises(ValueError, match=r"a paired t-test needs scores that vary, but every one is 0.1;"):
        paired(a + 0.1, a)


@pytest.mark.parametrize("test", [student, welch, paired])
@pytest.mark.parametrize(
    ("a", "b", "sentence"),
    [
        ([0.7], [0.6, 0.7], "a must hold at least 2 trials, not 1; run more seeds"),
        ([0.7, 0.8], [0.6], "b must hold at least 2 trials, not 1; run more seeds"),
        ([0.7, float("nan")], [0.6, 0.7], "a must be finite"),
        ([0.7, 0.8], [[0.6, 0.7]], "b must be one number a trial"),
        ([0.7, 0.8], [0.7, 0.8], "a and b must be two recipes' scores, but are equal trial by trial"),
    ],
)
def test_misuse_is_refused(test, a, b, sentence):
    with pytest.raises(ValueError, match=sentence):
        test(a, b)


def test_unequally_many_pairs_are_refused():
    with pytest.raises(ValueError, match=r"as many for a as for b, not 3 and 2; keep the trials whose seeds both"):
        paired([0.7, 0.8, 0.9], [0.6, 0.7])


@pytest.mark.parametrize("test", [student, welch, paired])
def test_an_unknown_alternative_is_refused(test):
    with pytest.raises(ValueError, match="alternative must be one of greater, less, two-sided, not 'larger'"):
        test([0.7, 0.8], [0.6, 0.9], alternative="larger")


def row(seed=0, **means):
    generator = np.random.default_rng(seed)
    return {name: generator.normal(mean, 0.02, 20) for name, mean in means.items()}


def test_the_bold_numbers_are_those_a_one_tailed_student_test_does_not_reject():
    groups = row(standard=0.60, longer=0.695, reinit=0.70, both=0.67)
    result = equal_to_best(groups)
    best = max(groups, key=lambda name: groups[name].mean())
    worse = {
        name
        for name in groups
        if name != best and stats.ttest_ind(groups[best], groups[name], alternative="greater").pvalue < 0.05
    }
    assert result.best == best
    assert result.equal == tuple(name for name in groups if name not in worse)
    assert set(result.p) == set(groups) - {best}


def test_holms_adjustment_never_takes_a_bold_number_away():
    for seed in range(30):
        result = equal_to_best(row(seed, a=0.700, b=0.695, c=0.690, d=0.685))
        assert set(result.equal) <= set(result.equal_holm)
        assert all(result.p_holm[name] >= p for name, p in result.p.items())


def test_holms_adjustment_can_give_a_bold_number():
    found = [equal_to_best(row(seed, a=0.700, b=0.690, c=0.690, d=0.690)) for seed in range(30)]
    assert any(len(result.equal_holm) > len(result.equal) for result in found)


def test_for_a_loss_the_lowest_is_best():
    groups = row(a=0.60, b=0.70)
    mirrored = {name: -scores for name, scores in groups.items()}
    assert equal_to_best(mirrored, greater_is_better=False) == equal_to_best(groups)


def test_recipes_that_never_vary_are_equal_only_where_their_scores_are():
    result = equal_to_best({"a": [0.53] * 3, "b": [0.53] * 5, "c": [0.50] * 3, "d": [0.4, 0.5, 0.3]})
    assert (result.best, result.equal, result.equal_holm) == ("a", ("a", "b"), ("a", "b"))
    assert np.isnan([result.p["b"], result.p["c"], result.p_holm["b"]]).all()
    assert result.p["d"] == result.p_holm["d"] < 0.05


def test_the_order_of_the_recipes_changes_nothing():
    groups = row(a=0.70, b=0.695, c=0.65)
    result, back = equal_to_best(groups), equal_to_best(dict(reversed(groups.items())))
    assert (back.best, set(back.equal), back.p) == (result.best, set(result.equal), result.p)


@pytest.mark.parametrize(
    ("groups", "level", "sentence"),
    [
        ({"a": [0.6, 0.7]}, 0.05, "groups must hold at least two recipes to compare, not 1"),
        ({"a": [0.6, 0.7], "b": [0.5]}, 0.05, r"groups\['b'\] must hold at least 2 trials, not 1"),
        ({"a": [0.6, 0.7], "b": [0.5, float("inf")]}, 0.05, r"groups\['b'\] must be finite"),
        ({"a": [0.6, 0.7], "b": [0.5, 0.6]}, 5, r"level must be in \(0, 1\), not 5"),
    ],
)
def test_a_row_that_cannot_be_judged_is_refused(groups, level, sentence):
    with pytest.raises(ValueError, match=sentence):
        equal_to_best(groups, level=level)
