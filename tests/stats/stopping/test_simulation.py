"""Do simulated stopping rules agree with what theory says, and does knowing the seeds help where it must?"""

import numpy as np
import pytest

from seedwise import StoppingRule
from seedwise.stats.stopping.exact import stopping_result
from seedwise.stats.stopping.seed_aware import _Candidate, _play, seed_aware_stopping
from seedwise.stats.stopping.simulation import simulate_stopping, successive_halving


def curves(n, evaluations, seed):
    generator = np.random.default_rng(seed)
    scores = generator.normal(0.7, 0.03, (n, 1)) + generator.normal(0, 0.02, (n, evaluations))
    scores = np.maximum.accumulate(np.round(scores * 100) / 100, axis=1)
    return scores, np.arange(1, evaluations + 1) / evaluations


@pytest.mark.parametrize("replacement", [True, False])
@pytest.mark.parametrize(("t", "p"), [(1, 1), (8, 3), (30, 1), (12, 12)])
def test_simulation_tends_to_the_exact_result(t, p, replacement):
    scores, _ = curves(40, 2, seed=1)
    exact = stopping_result(scores[:, 0], scores[:, 1], t=t, p=p, replacement=replacement)
    found = simulate_stopping(scores[:, 0], scores[:, 1], t=t, p=p, replacement=replacement, draws=20_000, seed=2)
    assert abs(found.mean - exact.mean) < 4 * found.standard_error
    assert found.standard_error == pytest.approx(
        exact.sd / 20_000**0.5, rel=4 * (10 / 80_000) ** 0.5
    )  # a kurtosis of up to 11


def test_same_seed_gives_the_same_simulation_and_another_seed_another():
    scores, _ = curves(40, 2, seed=1)
    same, again, other = (simulate_stopping(*scores.T, t=8, p=2, draws=200, seed=seed) for seed in (3, 3, 4))
    assert same == again
    assert same != other


def test_simulated_errors_are_scores_upside_down():
    scores, _ = curves(40, 2, seed=1)
    score = simulate_stopping(*scores.T, t=8, p=2, draws=200)
    error = simulate_stopping(*-scores.T, t=8, p=2, draws=200, greater_is_better=False)
    assert (error.mean, error.standard_error) == pytest.approx((-score.mean, score.standard_error))


def test_halving_with_one_rung_is_the_plain_rule():
    scores, _ = curves(60, 2, seed=5)
    halved = successive_halving(scores, [0.5, 1], budget=6, draws=20_000)
    assert (halved.t, halved.rungs, halved.kept, halved.cost) == (8, (0.5,), (4,), 6)
    assert StoppingRule(t=8, f=0.5, p=4).cost() == halved.cost
    exact = stopping_result(scores[:, 0], scores[:, 1], t=8, p=4)
    assert abs(halved.mean - exact.mean) < 4 * halved.standard_error


def test_rungs_fall_on_the_nearest_evaluations():
    scores, x = curves(20, 30, seed=6)
    found = successive_halving(scores, x, budget=5, draws=10)
    np.testing.assert_allclose(np.multiply(found.rungs, 30), [1, 2, 4, 8, 15])


def test_halving_spends_what_it_says_and_one_more_trial_would_be_too_dear():
    scores, x = curves(20, 30, seed=6)
    for budget in (1, 2.5, 7, 20):
        found = successive_halving(scores, x, budget=budget, eta=3, draws=10)
        lengths = np.diff([0, *found.rungs, 1])
        assert found.cost == pytest.approx(lengths @ [found.t, *found.kept])
        assert found.cost <= budget + 1e-9
        assert found.cost + found.rungs[0] + 2 * sum(lengths[1:]) > budget
        assert all(
            after == max(1, before // 3) for before, after in zip((found.t, *found.kept), found.kept, strict=False)
        )


def test_halving_without_early_stopping_points_trains_all_to_the_end():
    scores, _ = curves(20, 1, seed=6)
    found = successive_halving(scores, [1.0], budget=3.5, draws=5_000)
    assert (found.t, found.rungs, found.kept, found.cost) == (3, (), (), 3)
    exact = stopping_result(scores[:, 0], scores[:, 0], t=3, p=3)
    assert abs(found.mean - exact.mean) < 4 * found.standard_error


def test_halving_that_early_scores_cannot_mislead_finds_the_best_of_all_it_starts():
    final = np.random.default_rng(7).normal(size=50)
    found = successive_halving(np.repeat(final[:, None], 8, axis=1), np.arange(1, 9) / 8, budget=5, draws=20_000)
    exact = stopping_result(final, final, t=found.t, p=found.t)
    assert abs(found.mean - exact.mean) < 4 * found.standard_error


def grid(shared, seed, n=8):
    """Early scores that say little of one trial; the end is its init seed's, its order seed's and chance's doing."""
    generator = np.random.default_rng(seed)
    init, order = np.repeat(np.arange(n), n), np.tile(np.arange(n), n)
    by_init = generator.normal(size=n) * shared
    end = 10 + by_init[init] + generator.normal(size=n * n) * 0.3
    early = by_init[init] + generator.normal(size=n * n)
    return np.stack([early, end], axis=1), init, order


def test_knowing_the_seeds_helps_where_the_init_seed_decides():
    scores, init, order = grid(shared=1.0, seed=9)
    found = seed_aware_stopping(scores, [0.2, 1.0], init, order, budget=8, draws=5_000)
    assert found.drops == "init"
    assert found.mean > found.plain_mean + 4 * found.standard_error
    assert StoppingRule(found.inits * found.orders, found.f, found.p).cost() == pytest.approx(found.cost) == 8
    assert StoppingRule(found.plain_t, found.plain_f, found.plain_p).cost() == pytest.approx(8)


def test_rows_and_columns_change_roles_with_their_seeds():
    scores, init, order = grid(shared=1.0, seed=9)
    found = seed_aware_stopping(scores, [0.2, 1.0], order, init, budget=8, draws=2_000)
    assert found.drops == "order"


def test_a_sub_grid_of_everything_is_the_rule_played_once():
    scores, _, _ = grid(shared=1.0, seed=10, n=4)
    cells = scores.reshape(4, 4, 2)
    kept_inits = np.argsort(-cells[:, :, 0].mean(axis=1))[:2]
    left = cells[kept_inits].reshape(-1, 2)
    expected = left[np.argsort(-left[:, 0])[:3], 1].max()
    candidate = _Candidate(inits=4, orders=4, f=0.2, p=3, cost=5.6, drops="init", seeds_kept=2)
    result = _play(cells, [0.2, 1.0], [candidate], 20, np.random.default_rng(0))[0]
    np.testing.assert_allclose(result, expected)


def test_a_sub_grid_of_one_row_that_drops_nothing_is_the_plain_rule_on_a_random_row():
    scores, _, _ = grid(shared=1.0, seed=11, n=6)
    cells = np.round(scores, 1).reshape(6, 6, 2)  # with ties
    candidate = _Candidate(inits=1, orders=4, f=0.2, p=2, cost=2.4, drops="none", seeds_kept=1)
    result = _play(cells, [0.2, 1.0], [candidate], 20_000, np.random.default_rng(0))[0]
    exact = np.mean([stopping_result(*row.T, t=4, p=2, replacement=False).mean for row in cells])
    assert abs(result.mean() - exact) < 4 * result.std() / 20_000**0.5


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"t": 2, "p": 3}, "p .trials kept. must be at most t = 2"),
        ({"t": 4, "replacement": False}, "t .trials started. must be at most 3"),
        ({"draws": 1}, "draws must be a whole number of at least 2, for a standard error, not 1"),
        ({"final": [0.5, 0.6, 0.6]}, "final must not be worse than early"),
    ],
)
def test_misuse_of_the_simulation_is_refused(change, sentence):
    given = {"early": [0.5, 0.6, 0.7], "final": [0.6, 0.6, 0.7], "t": 3, "p": 1} | change
    with pytest.raises(ValueError, match=sentence):
        simulate_stopping(given.pop("early"), given.pop("final"), **given)


@pytest.mark.parametrize(
    ("change", "sentence"), [({"budget": 0.5}, "budget must pay"), ({"eta": 1}, "eta must be above")]
)
def test_misuse_of_halving_is_refused(change, sentence):
    with pytest.raises(ValueError, match=sentence):
        successive_halving([[0.5, 0.6]], [0.5, 1], **({"budget": 2} | change))


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"init": [0, 0, 1, 2]}, "complete grid, each pair once, but of 3 x 2 pairs 2 are missing and 0"),
        ({"order": [0, 0, 0, 1]}, "complete grid, each pair once, but of 2 x 2 pairs 1 are missing and 1"),
        ({"order": [0, 1]}, "order must hold one label for each of the 4 trials"),
        ({"budget": 1}, "budget must pay for a sub-grid"),
        ({"draws": 10}, "draws must be a whole number of at least 100"),
    ],
)
def test_incomplete_grids_and_other_misuse_are_refused(change, sentence):
    given = {"init": [0, 0, 1, 1], "order": [0, 1, 0, 1], "budget": 2} | change
    with pytest.raises(ValueError, match=sentence):
        seed_aware_stopping([[0.5, 0.6]] * 4, [0.5, 1], given.pop("init"), given.pop("order"), **given)
