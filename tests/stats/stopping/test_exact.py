"""Is the closed form of the stopping rule's result the truth, by enumeration, by simulation and by the live rule?"""

import itertools
import math
from collections import Counter

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from seedwise import Schedule, StoppingRule
from seedwise.stats.stopping.cutoff import rank_trials
from seedwise.stats.stopping.exact import result_below, result_quantile, stopping_result
from seedwise.study.schedule import Goal, Progress, Standing


def trials(n, seed, levels=3):
    """Early and final scores with ties in both."""
    generator = np.random.default_rng(seed)
    early = generator.integers(0, levels, n)
    return early / 10, (early + generator.integers(0, 4, n)) / 10


def enumerated(early, final, t, p, replacement):
    """The result's distribution over every draw and, within it, every order of the draw: ties are broken by order."""
    draws = (
        itertools.product(range(len(early)), repeat=t) if replacement else itertools.combinations(range(len(early)), t)
    )
    found = Counter()
    for draw in draws:
        for order in itertools.permutations(draw):
            kept = sorted(order, key=lambda i: -early[i])[:p]
            found[max(final[i] for i in kept)] += 1
    return {value: count / found.total() for value, count in found.items()}


def assert_distribution(result, expected, tolerance=1e-12):
    found = dict(zip(result.values.tolist(), result.probability.tolist(), strict=True))
    assert set(expected) <= set(found)
    assert found == pytest.approx({value: expected.get(value, 0.0) for value in found}, abs=tolerance)


@pytest.mark.parametrize("replacement", [True, False])
@pytest.mark.parametrize(("n", "t", "p"), [(5, 3, 2), (5, 4, 2), (5, 4, 1), (4, 4, 3), (4, 4, 4), (5, 1, 1)])
@pytest.mark.parametrize("seed", range(3))
def test_closed_form_is_the_average_over_all_draws_and_all_orders_of_ties(n, t, p, replacement, seed):
    early, final = trials(n, seed)
    result = stopping_result(early, final, t=t, p=p, replacement=replacement)
    assert_distribution(result, enumerated(early, final, t, p, replacement))


@pytest.mark.parametrize(("n", "t", "p"), [(7, 5, 3), (8, 4, 2), (7, 6, 2)])
def test_closed_form_without_replacement_holds_for_large_groups_of_ties(n, t, p):
    early, final = trials(n, seed=1, levels=2)
    result = stopping_result(early, final, t=t, p=p, replacement=False)
    assert_distribution(result, enumerated(early, final, t, p, replacement=False))


@pytest.mark.parametrize("replacement", [True, False])
@pytest.mark.parametrize(("t", "p"), [(5, 5), (10, 3), (20, 2), (30, 29), (40, 12)])
def test_mean_and_sd_agree_with_simulated_draws(t, p, replacement):
    generator = np.random.default_rng(7)
    early, final = trials(60, seed=2, levels=8)
    result = stopping_result(early, final, t=t, p=p, replacement=replacement)
    draws = 20_000
    drawn = generator.integers(0, 60, (draws, t)) if replacement else generator.random((draws, 60)).argsort(1)[:, :t]
    leaders = np.argsort(-early[drawn] - 1e-6 * generator.random(drawn.shape), axis=1)[:, :p]
    best = final[np.take_along_axis(drawn, leaders, axis=1)].max(axis=1)
    assert abs(best.mean() - result.mean) < 4 * result.sd / draws**0.5
    # Four standard errors of a variance, from the fourth moment.
    fourth = result.probability @ (result.values - result.mean) ** 4
    assert abs(best.var() - result.sd**2) < 4 * math.sqrt((fourth - result.sd**4) / draws) + 1e-9


@pytest.mark.parametrize("t", [1, 2, 7, 60])
def test_a_rule_that_stops_nothing_is_the_best_of_t(t):
    early, final = trials(60, seed=3)
    result = stopping_result(early, final, t=t, p=t)
    share = np.array([(final <= value).mean() for value in result.values])
    np.testing.assert_allclose(np.cumsum(result.probability), share**t, atol=1e-14)


@pytest.mark.parametrize("t", [1, 2, 7, 60])
def test_a_rule_that_stops_nothing_without_replacement_is_the_best_of_a_subset(t):
    early, final = trials(60, seed=3)
    result = stopping_result(early, final, t=t, p=t, replacement=False)
    good = [int((final <= value).sum()) for value in result.values]
    expected = [math.comb(count, t) / math.comb(60, t) for count in good]
    np.testing.assert_allclose(np.cumsum(result.probability), expected, atol=1e-12)


@pytest.mark.parametrize("replacement", [True, False])
def test_early_scores_that_tell_all_lose_nothing_by_stopping(replacement):
    final = np.array([0.3, 0.5, 0.5, 0.7, 0.8, 0.9, 0.9])
    stopped = stopping_result(final, final, t=5, p=1, replacement=replacement)
    full = stopping_result(final, final, t=5, p=5, replacement=replacement)
    np.testing.assert_allclose(stopped.probability, full.probability, atol=1e-13)


@pytest.mark.parametrize("replacement", [True, False])
def test_early_scores_that_tell_nothing_leave_the_best_of_p(replacement):
    final = np.array([0.3, 0.5, 0.5, 0.7, 0.8, 0.9, 0.9])
    stopped = stopping_result(np.zeros(7), final, t=6, p=2, replacement=replacement)
    few = stopping_result(np.zeros(7), final, t=2, p=2, replacement=replacement)
    np.testing.assert_allclose(stopped.probability, few.probability, atol=1e-13)


@settings(max_examples=40, deadline=None)
@given(data=st.data())
def test_result_depends_on_neither_the_order_of_trials_nor_the_scale_of_scores(data):
    n = data.draw(st.integers(1, 12))
    replacement = data.draw(st.booleans())
    t = data.draw(st.integers(1, n))
    p = data.draw(st.integers(1, t))
    early, final = trials(n, seed=data.draw(st.integers(0, 1000)))
    order = np.array(data.draw(st.permutations(range(n))))
    given_ = stopping_result(early, final, t=t, p=p, replacement=replacement)
    other = stopping_result(np.exp(early[order]), np.exp(final[order]), t=t, p=p, replacement=replacement)
    np.testing.assert_allclose(other.probability, given_.probability, atol=1e-13)
    np.testing.assert_allclose(other.values, np.exp(given_.values))
    assert given_.probability.sum() == pytest.approx(1, abs=1e-12)
    assert given_.mean == pytest.approx(given_.probability @ given_.values)


@pytest.mark.parametrize("replacement", [True, False])
def test_errors_are_scores_upside_down(replacement):
    early, final = trials(9, seed=4)
    score = stopping_result(early, final, t=6, p=2, replacement=replacement)
    error = stopping_result(-early, -final, t=6, p=2, replacement=replacement, greater_is_better=False)
    assert (error.mean, error.sd) == pytest.approx((-score.mean, score.sd))
    np.testing.assert_allclose(error.values, -score.values[::-1])
    np.testing.assert_allclose(error.probability, score.probability[::-1])


@pytest.mark.parametrize(("t", "p"), [(200, 1), (200, 30), (625, 200), (100, 99)])
@pytest.mark.parametrize("replacement", [True, False])
def test_probabilities_sum_to_one_before_they_are_scaled_for_large_t(t, p, replacement):

    early, final = trials(625, seed=5, levels=60)
    below = result_below(rank_trials(early, final), t, p, replacement=replacement)
    assert below[-1] == pytest.approx(1, abs=1e-10)
    assert (np.diff(below) >= -1e-12).all()


def test_quantile_is_the_smallest_score_not_exceeded_with_that_probability():
    result = stopping_result(np.zeros(4), [0.1, 0.2, 0.3, 0.4], t=1, p=1)
    assert [result_quantile(result, q) for q in (0.01, 0.25, 0.26, 0.5, 0.99)] == [0.1, 0.1, 0.2, 0.2, 0.4]


def played(early, final, order, rule):
    """Let the live schedule decide over trials in some order; return the best final score that was reached."""
    schedule = Schedule.of(rule, (5, 10))
    progress, reached = [Progress() for _ in order], []
    while (decision := schedule.decide(progress)).run:
        place, goal = decision.run[0]
        score = early[order[place]]
        if goal is Goal.END:
            reached.append(final[order[place]])
            progress[place] = Progress(Standing.DONE, score)
        else:
            progress[place] = Progress(Standing.JUDGED, score)
    return max(reached)


@pytest.mark.parametrize("p", [1, 2, 3, 4])
def test_live_rule_over_all_subsets_of_a_study_is_the_closed_form(p):
    generator = np.random.default_rng(6)
    early = generator.permutation(8) / 10  # distinct: the live rule breaks ties by trial order
    final = early + generator.integers(0, 6, 8) / 10
    found = Counter(
        played(early, final, subset, StoppingRule(t=4, f=0.5, p=p)) for subset in itertools.combinations(range(8), 4)
    )
    result = stopping_result(early, final, t=4, p=p, replacement=False)
    assert_distribution(result, {value: count / math.comb(8, 4) for value, count in found.items()})


@pytest.mark.parametrize("p", [1, 2, 3])
def test_live_rule_over_all_orders_of_tied_trials_is_the_closed_form(p):
    early, final = trials(6, seed=8, levels=2)
    orders = list(itertools.permutations(range(6), 4))
    found = Counter(played(early, final, order, StoppingRule(t=4, f=0.5, p=p)) for order in orders)
    result = stopping_result(early, final, t=4, p=p, replacement=False)
    assert_distribution(result, {value: count / len(orders) for value, count in found.items()})


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"final": [0.4, 0.6, 0.9]}, "final must not be worse than early, but trial 0 falls from 0.5 to 0.4"),
        ({"final": [0.6, 0.7]}, "early and final must have one score a trial, not 3 and 2"),
        ({"early": [0.5, np.nan, 0.7]}, "early must be finite"),
        ({"p": 4}, "p .trials kept. must be at most t = 3, not 4"),
        ({"p": 0}, "p .trials kept. must be a whole number"),
        ({"t": 2.5}, "t .trials started. must be a whole number"),
        ({"t": 4, "replacement": False}, "t .trials started. must be at most 3"),
        ({"greater_is_better": False}, "final must not be worse than early"),
    ],
)
def test_misuse_is_refused_with_a_sentence(change, sentence):
    given_ = {"early": [0.5, 0.6, 0.7], "final": [0.7, 0.6, 0.9], "t": 3, "p": 1} | change
    with pytest.raises(ValueError, match=sentence):
        stopping_result(given_.pop("early"), given_.pop("final"), **given_)


def test_a_quantile_outside_the_unit_interval_is_refused():
    with pytest.raises(ValueError, match="quantile"):
        result_quantile(stopping_result([0.5], [0.7], t=1, p=1), 1.0)
