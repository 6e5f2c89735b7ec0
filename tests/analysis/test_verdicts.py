"""Is one question answered by one test on one set of trials, in every design, and corrected for all that was asked?"""

import numpy as np
import pytest
from scipy import stats
from statsmodels.stats.multitest import multipletests

from seedwise.analysis.analysis import Analysis
from seedwise.analysis.verdicts import Answer
from seedwise.errors import RequestError, UnknownError
from seedwise.stats.compare.mean_difference import crossed_difference
from seedwise.stats.compare.means import MeanTest
from seedwise.stats.compare.sequential import sequential_difference
from seedwise.stats.intervals import Interval
from table_studies import grid_seeds, table_study

GENERATOR = np.random.default_rng(0)
A, B = GENERATOR.normal(0.72, 0.02, (20, 1)), GENERATOR.normal(0.70, 0.02, (20, 1))
LATER = {"init": range(101, 121), "order": range(101, 121)}


def study_of(a=A, b=B, **given):
    return table_study(a, recipe="a", **given) + table_study(b, recipe="b", **given)


def verdict_of(study, **options):
    return Analysis(study).verdict("a", "b", **options)


# One set of trials, one test -------------------------------------------------------------------------------------------


def test_equal_seeds_are_compared_in_pairs_by_one_test():
    found, expected = verdict_of(study_of()), stats.ttest_rel(A[:, 0], B[:, 0])
    assert (found.test, found.paired, found.n_a) == (MeanTest.PAIRED, True, 20)
    assert found.p == pytest.approx(expected.pvalue)
    assert (found.lower, found.upper) == pytest.approx(tuple(expected.confidence_interval()))


def test_pairs_follow_the_seeds_and_not_the_order_of_trials():
    mixed = np.random.default_rng(1).permutation(20)
    seeds = np.arange(1, 21)[mixed]
    study = table_study(A, recipe="a") + table_study(B[mixed], recipe="b", init=seeds, order=seeds)
    assert verdict_of(study).p == pytest.approx(stats.ttest_rel(A[:, 0], B[:, 0]).pvalue)


def test_other_seeds_are_compared_as_two_samples():
    study = table_study(A, recipe="a") + table_study(B, recipe="b", **LATER)
    found, expected = verdict_of(study), stats.ttest_ind(A[:, 0], B[:, 0], equal_var=False)
    assert (found.test, found.p) == (MeanTest.WELCH, pytest.approx(expected.pvalue))


def test_a_few_common_seeds_do_not_turn_the_sign_of_all_trials():
    generator = np.random.default_rng(11)
    a = np.r_[generator.normal(0.72, 0.01, 20), generator.normal(0.60, 0.02, 30)]
    b = generator.normal(0.70, 0.01, 20)
    found = verdict_of(table_study(a[:, None], recipe="a") + table_study(b[:, None], recipe="b"))
    assert (found.paired, found.n_a, found.n_b) == (False, 50, 20)
    assert found.mean_a < found.mean_b
    assert found.difference == pytest.approx(found.mean_a - found.mean_b)
    assert found.better == "b"


def test_the_means_that_are_told_are_those_of_the_trials_that_are_compared():
    found = verdict_of(table_study(A, recipe="a") + table_study(B[:18], recipe="b"))
    assert (found.paired, found.n_a, found.n_b) == (True, 18, 18)
    assert found.mean_a == pytest.approx(A[:18].mean())
    assert found.left_out == ("a: 2 with seeds that b was not run with",)


@pytest.mark.parametrize("shift", [0.0, 0.01, 0.05])
@pytest.mark.parametrize("later", [{}, LATER])
def test_a_winner_is_named_if_and_only_if_its_interval_excludes_0_on_its_side(shift, later):
    found = verdict_of(table_study(B + shift, recipe="a") + table_study(B[::-1], recipe="b", **later))
    sides = {"a": found.corrected_lower > 0, "b": found.corrected_upper < 0}
    assert found.better == next((name for name, excludes in sides.items() if excludes), None)
    assert (found.p < 0.05) == any(sides.values())


def test_a_difference_speaks_for_a_whatever_the_metric():
    scores, losses = verdict_of(study_of()), verdict_of(study_of(1 - A, 1 - B, metric="loss", baseline=None))
    assert losses.difference == pytest.approx(scores.difference)
    assert losses.better == scores.better
    assert losses.mean_a == pytest.approx(1 - A.mean())


def test_test_scores_are_compared_where_all_have_them():
    tests = np.linspace(0.5, 0.6, 20), np.linspace(0.6, 0.5, 20) ** 2
    found = verdict_of(table_study(A, recipe="a", test=tests[0]) + table_study(B, recipe="b", test=tests[1]))
    assert (found.split, found.mean_a) == ("test", pytest.approx(0.55))


def test_following_the_advice_would_take_more_seeds_than_there_are():
    found = verdict_of(table_study(B + 0.004, recipe="a") + table_study(B[::-1], recipe="b", **LATER))
    assert found.answer is Answer.NOT_TOLD_APART
    assert found.needed.n_each > 20


def test_two_tasks_are_not_compared():
    study = table_study(A, task="x", recipe="a") + table_study(B, task="y", recipe="b")
    with pytest.raises(RequestError, match="recipe must be one of"):
        Analysis(study).verdict("a", "b", task="x")


# Scores without spread -------------------------------------------------------------------------------------------------


def test_equal_scores_are_no_difference():
    found = verdict_of(study_of(np.full((5, 1), 0.5634), np.full((5, 1), 0.5634)))
    assert (found.answer, found.p, found.difference) == (Answer.SAME_SCORES, 1, 0)


def test_six_pairs_that_differ_alike_are_the_strongest_evidence_that_six_pairs_can_be():
    found = verdict_of(study_of(B[:6] + 2 / 277, B[:6]))
    assert (found.test, found.p, found.better) == (MeanTest.SIGN_FLIPS, 2**-5, "a")


# Shared seeds ----------------------------------------------------------------------------------------------------------


def grid(level, generator):
    effect = generator.normal(0, 0.03, (6, 1)) + generator.normal(0, 0.02, (1, 6))
    return (level + effect + generator.normal(0, 0.01, (6, 6))).reshape(-1, 1)


def test_trials_that_share_seeds_are_not_taken_for_independent():
    a, b = grid(0.7, np.random.default_rng(0)), grid(0.7, np.random.default_rng(1))
    seeds = grid_seeds(6, 6)
    later = {name: labels + 100 for name, labels in seeds.items()}
    found = verdict_of(table_study(a, recipe="a", **seeds) + table_study(b, recipe="b", **later))
    expected = crossed_difference(a[:, 0], b[:, 0], seeds, later)
    assert (found.test, found.p, found.lower) == (
        MeanTest.SEEDS,
        pytest.approx(expected.p),
        pytest.approx(expected.lower),
    )
    assert found.p > stats.ttest_ind(a[:, 0], b[:, 0], equal_var=False).pvalue


def test_grids_of_the_same_seeds_are_compared_cell_by_cell():
    shared = grid(0.7, np.random.default_rng(0))
    better = shared + 0.01 + np.random.default_rng(1).normal(0, 0.005, (36, 1))
    found = verdict_of(study_of(better, shared, **grid_seeds(6, 6)))
    assert (found.test, found.n_a, found.better) == (MeanTest.PAIRED_SEEDS, 36, "a")


def test_a_grid_is_compared_with_independent_trials():
    found = verdict_of(
        table_study(grid(0.7, np.random.default_rng(0)), recipe="a", **grid_seeds(6, 6))
        + table_study(B, recipe="b", **LATER)
    )
    assert (found.test, found.n_a, found.n_b) == (MeanTest.SEEDS, 36, 20)


def test_two_coincident_seeds_refuse_nothing():
    generator = np.random.default_rng(2)
    seeds = {name: generator.integers(40, size=20) for name in ("init", "order")}
    analysis = Analysis(
        table_study(A, recipe="a", **seeds) + table_study(B, recipe="b", init=range(100, 120), order=range(100, 120))
    )
    assert analysis.verdict("a", "b").test is MeanTest.SEEDS
    assert analysis.failed(analysis.cell(recipe="a")).share.n == 20


@pytest.mark.parametrize("other", [2, range(20)])
def test_no_winner_is_named_where_the_difference_may_be_the_seeds(other):
    study = table_study(A + 1, recipe="a", init=[1] * 20, order=range(20)) + table_study(
        B, recipe="b", init=[other] * 20 if other == 2 else other, order=range(20)
    )
    found = verdict_of(study)
    assert (found.answer, found.better, found.test) == (Answer.NOT_SEPARABLE, None, None)
    assert found.reason.startswith("a has init seed 1 alone and b has ")
    compared = Analysis(study).compare("a", "b")
    assert (compared.improvement, compared.spread, compared.failed, compared.failed_at_the_end) == (None,) * 4


def test_what_stands_beside_a_verdict_claims_nothing_either_where_the_difference_may_be_the_seeds():
    sides = [table_study(x, recipe=name, init=[seed] * 20) for name, x, seed in (("a", A + 1, 1), ("b", B, 2))]
    found = Analysis(sides[0] + sides[1]).compare("a", "b")
    assert found.verdict.answer is Answer.NOT_SEPARABLE
    assert (found.improvement, found.spread, found.failed, found.failed_at_the_end) == (None,) * 4
    assert found.meaningfully_better is None


def test_of_many_comparisons_only_a_winner_is_meaningfully_better():
    found = many(20, np.random.default_rng(3)).compare("r1", "r2", task="toy")
    assert found.verdict.better is None
    lucky = found._replace(improvement=Interval(0.8, 0.6, 0.9, 0.95))
    assert lucky.meaningfully_better is None


def test_one_init_seed_of_both_is_what_the_answer_holds_for():
    seeds = {"init": [1] * 20, "order": range(20)}
    found = verdict_of(study_of(A, B - 0.1, **seeds))
    assert (found.better, found.holds_for) == ("a", ("init seed 1",))


# Many recipes ----------------------------------------------------------------------------------------------------------


def many(count, generator, n=10, **means):
    scores = {name: generator.normal(0.7, 0.02, (n, 1)) for name in map(str, range(count))}
    return Analysis(
        sum(
            (
                table_study(each + means.get(f"r{name}", 0), recipe=f"r{name}", init=seeds, order=seeds)
                for (name, each), seeds in zip(scores.items(), np.arange(n * count).reshape(count, n), strict=True)
            ),
            start=table_study(np.zeros((2, 1)), task="alone", recipe="r0"),
        )
    )


def test_all_pairs_of_a_study_are_corrected_together_by_holm():
    verdicts = many(4, np.random.default_rng(3), r1=0.05).verdicts()
    assert len(verdicts) == 6
    expected = multipletests([verdict.p for verdict in verdicts], method="holm")[1]
    assert [verdict.p_corrected for verdict in verdicts] == pytest.approx(expected)
    assert all((v.better is not None) == (v.corrected_lower > 0 or v.corrected_upper < 0) for v in verdicts)


def test_two_recipes_of_a_study_are_compared_as_among_all_of_its_pairs():
    analysis = many(4, np.random.default_rng(3), r1=0.05)
    for verdict in analysis.verdicts():
        assert analysis.verdict(verdict.a, verdict.b, task="toy") == verdict
        assert analysis.verdict(verdict.b, verdict.a, task="toy").p_corrected == verdict.p_corrected


def test_the_headline_names_the_best_mean_and_the_recipes_that_are_worse():
    analysis = many(4, np.random.default_rng(3), r1=0.05, r2=-0.1)
    found = analysis.headline("toy")
    assert found.best.recipe == "r1"
    assert "r2" in {verdict.b for verdict in found.worse}
    assert found.top == {"r1"} | {verdict.b for verdict in found.open}
    assert found.left_out == {}


def test_a_recipe_that_is_compared_with_no_other_is_left_out_of_the_headline_with_a_reason():
    few = table_study(A[:2] + 0.2, recipe="few")
    found = Analysis(study_of() + few).headline("toy")
    assert found.best.recipe != "few"
    assert found.left_out["few"].startswith("two recipes are compared on at least 3 trials each, not 2")


def test_a_task_that_allows_no_comparison_has_a_reason_although_others_do():
    pair = table_study(A[:2], recipe="a", task="other") + table_study(A[:2], recipe="b", task="other")
    with pytest.raises(UnknownError, match="at least 3 trials each, not 2"):
        Analysis(study_of() + pair).headline("other")


@pytest.mark.slow
@pytest.mark.parametrize("count", [2, 6])
def test_equal_recipes_are_seldom_told_apart_however_many_they_are(count):
    generator, repeats = np.random.default_rng(4), 60
    told = sum(any(v.better is not None for v in many(count, generator).verdicts()) for _ in range(repeats))
    assert told / repeats < 0.05 + 3 * np.sqrt(0.05 * 0.95 / repeats)


# Equal within a margin -------------------------------------------------------------------------------------------------


def test_recipes_are_equal_within_a_margin_that_two_one_sided_tests_allow():
    study = table_study(A, recipe="a") + table_study(A + GENERATOR.normal(0, 0.002, A.shape), recipe="b")
    assert verdict_of(study, margin=0.01).answer is Answer.WITHIN_MARGIN
    assert verdict_of(study, margin=1e-5).answer is not Answer.WITHIN_MARGIN


def test_the_same_scores_are_equal_within_any_margin_and_end_nothing():
    found = Analysis(table_study(A, recipe="a") + table_study(A, recipe="b")).compare("a", "b", margin=0.01)
    assert (found.verdict.answer, found.improvement, found.spread) == (Answer.WITHIN_MARGIN, None, None)


def test_stopped_trials_allow_no_verdict():
    states = ["stopped"] * 5 + ["complete"] * 15
    with pytest.raises(UnknownError, match="final score of every trial"):
        verdict_of(table_study(A, recipe="a", states=states) + table_study(B, recipe="b"))


# New rows --------------------------------------------------------------------------------------------------------------


def scored_study(generator, rows, seeds=20, recipe_sd=0.0):
    """Two recipes that are equally good on all rows there are, each with its own luck on these."""
    hard = generator.normal(0.9, 1.5, rows)
    studies = []
    for name in "ab":
        latent = hard + recipe_sd * generator.normal(size=rows)
        margins = latent + generator.normal(size=(seeds, rows))
        outputs = np.stack([-margins / 2, margins / 2], axis=-1)  # class 1 is right where the margin is above 0
        score = (margins > 0).mean(axis=1)
        studies.append(
            table_study(
                score[:, None],
                recipe=name,
                test=score,
                outputs={"validation": outputs, "test": outputs},
                targets={"validation": np.ones(rows), "test": np.ones(rows)},
            )
        )
    return studies[0] + studies[1]


def test_on_new_rows_the_variance_of_the_rows_comes_on_top_of_that_of_the_seeds():
    found = Analysis(scored_study(np.random.default_rng(6), 139, recipe_sd=0.3)).compare("a", "b")
    verdict, rows = found.verdict, found.new_rows
    assert (rows.rows, found.new_rows_reason) == (139, "")
    assert (rows.lower + rows.upper) / 2 == pytest.approx(verdict.difference)
    assert rows.upper - rows.lower > verdict.upper - verdict.lower
    assert rows.p > verdict.p
    assert (rows.p_corrected < 0.05) == (rows.better is not None)


def test_without_the_rows_labels_it_is_said_that_new_rows_are_not_known():
    found = Analysis(study_of()).compare("a", "b")
    assert found.new_rows is None
    assert found.new_rows_reason.startswith("imported runs come without predictions")


@pytest.mark.slow
def test_recipes_that_are_equally_good_on_all_rows_are_seldom_told_apart_on_new_ones():
    generator, repeats = np.random.default_rng(7), 60
    here = new = 0
    for _ in range(repeats):
        found = Analysis(scored_study(generator, 139, recipe_sd=0.5)).compare("a", "b")
        here += found.verdict.better is not None
        new += found.new_rows.better is not None
    assert here / repeats > 0.2  # on these rows they do differ
    assert new / repeats < 0.05 + 3 * np.sqrt(0.05 * 0.95 / repeats)


# Looking again and again ----------------------------------------------------------------------------------------------


def test_a_sequential_verdict_is_that_of_the_sequential_test():
    found, expected = verdict_of(study_of(), sequential=True), sequential_difference(A[:, 0], B[:, 0])
    assert (found.test, found.n_a) == (MeanTest.SEQUENTIAL, 20)
    assert (found.difference, found.lower, found.upper, found.p) == pytest.approx((*expected[1:4], expected.p))
    assert found.p > verdict_of(study_of()).p


def test_a_sequential_verdict_names_a_winner_where_its_corrected_interval_excludes_0():
    third = np.random.default_rng(4).normal(0.71, 0.02, (20, 1))
    study = study_of() + table_study(third, recipe="c")
    verdicts = Analysis(study).verdicts(sequential=True)
    assert {verdict.comparisons for verdict in verdicts} == {3}
    sided = [verdict.corrected_lower > 0 or verdict.corrected_upper < 0 for verdict in verdicts]
    assert [verdict.better is not None for verdict in verdicts] == sided
    holm = multipletests([verdict.p for verdict in verdicts], method="holm")[1]
    assert [verdict.p_corrected for verdict in verdicts] == pytest.approx(holm)


def test_a_sequential_verdict_of_equality_inverts_the_same_interval():
    a = np.random.default_rng(5).normal(0.70, 0.01, (40, 1))
    study = study_of(a, a[::-1])
    for margin in (0.004, 0.006, 0.008, 0.012):
        found = verdict_of(study, margin=margin, sequential=True)
        inside = -margin < found.lower and found.upper < margin
        assert (found.answer is Answer.WITHIN_MARGIN) == inside == (found.p_margin < 0.05)


def test_a_sequential_verdict_of_other_seeds_is_refused():
    study = table_study(A, recipe="a") + table_study(B, recipe="b", **LATER)
    with pytest.raises(UnknownError, match="compares trials of the same seeds, pair by pair"):
        verdict_of(study, sequential=True)


def test_a_sequential_verdict_is_of_all_common_seeds_and_so_is_what_stands_beside_it():
    more = np.random.default_rng(6).normal(0.6, 0.02, (30, 1))
    found = Analysis(table_study(np.r_[A, more], recipe="a") + table_study(B, recipe="b")).compare(
        "a", "b", sequential=True
    )
    alone = Analysis(study_of()).compare("a", "b", sequential=True)
    assert (found.verdict.n_a, found.verdict.mean_a) == (20, pytest.approx(A.mean()))
    assert found.verdict.left_out == ("a: 30 with seeds that b was not run with",)
    assert (found.verdict.p, found.improvement) == (alone.verdict.p, alone.improvement)


def test_a_sequential_verdict_of_seeds_that_repeat_is_refused():
    with pytest.raises(UnknownError, match="but init and order seeds repeat"):
        verdict_of(study_of(**grid_seeds(4, 5)), sequential=True)


def test_too_few_pairs_leave_a_sequential_verdict_without_an_interval():
    found = verdict_of(study_of(A[:7], B[:7]), sequential=True)
    assert (found.p, found.lower, found.upper, found.answer) == (1, -np.inf, np.inf, Answer.NOT_TOLD_APART)


def test_the_p_value_of_a_margin_is_corrected_as_the_answer_is():
    generator = np.random.default_rng(8)
    shared = generator.normal(0.7, 0.02, (12, 1))
    study = sum(
        (table_study(shared + generator.normal(0, 0.004, (12, 1)), recipe=name) for name in "bcd"),
        start=table_study(shared, recipe="a"),
    )
    analysis = Analysis(study)
    for margin in (0.001, 0.002, 0.004, 0.01):
        found = analysis.verdict("a", "b", margin=margin)
        assert found.p_margin == pytest.approx(min(1, 6 * found.compared.within(margin)))
        assert (found.answer is Answer.WITHIN_MARGIN) == (found.p_margin < 0.05)


@pytest.mark.parametrize("seed", range(8))
def test_nothing_is_surer_on_new_rows_than_on_these(seed):
    generator = np.random.default_rng(seed)
    found = Analysis(scored_study(generator, 180, seeds=6, recipe_sd=float(generator.uniform(0, 2)))).compare("a", "b")
    verdict, rows = found.verdict, found.new_rows
    assert rows.p >= verdict.p
    assert rows.lower <= verdict.corrected_lower
    assert rows.upper >= verdict.corrected_upper
    assert (rows.better is not None) == (rows.p_corrected < 0.05)
