"""Are init and order told apart where the design allows it, and refused where it does not?"""

import numpy as np
import pytest

from seedwise.analysis.analysis import Analysis
from seedwise.analysis.seeds import best_worst, components, failed_trials, good_seeds, grid, spread
from seedwise.errors import UnknownError
from seedwise.stats.failures import failed_share
from table_studies import grid_seeds, table_study

GENERATOR = np.random.default_rng(0)
EFFECTS = 0.7 + 0.05 * GENERATOR.standard_normal((8, 1)) + 0.01 * GENERATOR.standard_normal((8, 10))


def cell_of(scores=EFFECTS, seeds=None, **given):
    rows, columns = scores.shape
    return Analysis(table_study(scores.reshape(-1, 1), **(seeds or grid_seeds(rows, columns)), **given)).cell()


def test_grid_holds_every_score_in_its_place():
    found = grid(cell_of())
    assert found.scores == pytest.approx(EFFECTS)
    assert found.init.tolist() == list(range(1, 9))
    assert found.by_init.mean == pytest.approx(EFFECTS.mean(axis=1))
    assert found.by_order.mean == pytest.approx(EFFECTS.mean(axis=0))


def test_grid_with_a_missing_cell_has_a_gap():
    seeds = {name: values[1:] for name, values in grid_seeds(8, 10).items()}
    found = grid(Analysis(table_study(EFFECTS.reshape(-1, 1)[1:], **seeds)).cell())
    assert np.isnan(found.scores).sum() == 1


def test_variance_goes_to_the_seed_that_makes_it():
    found = components(cell_of())
    assert found.factors == ("init", "order", "residual")
    assert found.share[0] > 0.8


def test_dropout_is_a_third_component_where_it_is_crossed():
    init, order, dropout = (axis.ravel() for axis in np.meshgrid(range(4), range(4), range(4), indexing="ij"))
    scores = 0.5 + 0.1 * np.random.default_rng(0).random(64)
    study = table_study(scores[:, None], init=init, order=order, dropout=dropout)
    assert components(Analysis(study).cell()).factors == ("init", "order", "dropout", "residual")


def test_paired_seeds_cannot_be_told_apart():
    cell = Analysis(table_study(EFFECTS.reshape(-1, 1))).cell()
    with pytest.raises(UnknownError, match="change together"):
        components(cell)
    with pytest.raises(UnknownError, match="crossed"):
        spread(cell)
    with pytest.raises(UnknownError, match="crossed"):
        grid(cell)


def test_equal_seeds_are_refused():
    cell = Analysis(table_study(EFFECTS[:1, :3].reshape(-1, 1), init=[1, 1, 1], order=[1, 2, 3])).cell()
    with pytest.raises(UnknownError, match="change together"):
        components(cell)


def test_best_and_worst_seed_are_those_of_the_means():
    found = best_worst(cell_of(), "init")
    means = EFFECTS.mean(axis=1)
    assert (found.best, found.worst) == (means.argmax() + 1, means.argmin() + 1)


def test_trials_about_the_guess_failed():
    scores = np.array([[0.53, 0.70, 0.54], [0.51, 0.72, 0.71]])
    found = failed_trials(cell_of(scores, baseline=0.53))
    assert found.threshold == pytest.approx(0.55)
    assert (found.share.failed, found.share.n) == (3, 6)
    assert found.by_init.failed.tolist() == [2, 1]
    assert found.by_order.share.tolist() == [1.0, 0.0, 0.5]
    assert 0 < found.gather_in_order.p <= 1


def test_failures_that_gather_in_seeds_tell_less_than_independent_ones():
    scores = np.where(np.arange(8)[:, None] < 3, 0.5, 0.8) + np.zeros((8, 10))
    scores[3, 0] = 0.5
    found = failed_trials(cell_of(scores))
    independent = failed_share(scores.ravel() <= 0.52)
    assert found.share.failed == independent.failed
    assert found.share.lower < independent.lower
    assert independent.upper < found.share.upper


def test_a_complete_run_that_ended_before_the_others_did_not_fail_by_that():
    cell = Analysis(table_study([[0.6, 0.7], [0.8, np.nan], [0.7, 0.5]])).cell()
    assert failed_trials(cell).last.failed == 1


def test_without_a_guess_only_trials_without_a_score_failed():
    found = failed_trials(cell_of(np.array([[0.5, np.nan], [0.1, 0.6]]), baseline=None))
    assert found.threshold is None
    assert found.share.failed == 1


def test_no_margin_is_given_where_the_metric_has_no_bounds():
    assert failed_trials(cell_of(baseline=3.0, metric="points")).threshold == 3.0


def test_seeds_are_ranked_over_tasks():
    order_only = np.random.default_rng(1).random((8, 10)) * 0.001
    tasks = [
        table_study((EFFECTS + order_only * k).reshape(-1, 1), task=f"t{k}", **grid_seeds(8, 10)) for k in range(3)
    ]
    found = Analysis(tasks[0] + tasks[1] + tasks[2]).good_seeds()["plain"]
    assert found.seeds[found.ranks.best] == EFFECTS.mean(axis=1).argmax() + 1
    assert found.ranks.w > 0.9
    assert found.means.shape == (3, 8)


def test_only_seeds_that_all_tasks_have_are_ranked():
    small = table_study(EFFECTS[:4].reshape(-1, 1), task="small", **grid_seeds(4, 10))
    large = table_study(EFFECTS.reshape(-1, 1), task="large", **grid_seeds(8, 10))
    cells = Analysis(small + large).cells
    assert good_seeds(cells).seeds.tolist() == [1, 2, 3, 4]


def test_one_task_has_no_globally_good_seeds():
    with pytest.raises(UnknownError, match="at least 2 tasks"):
        Analysis(table_study(EFFECTS.reshape(-1, 1), **grid_seeds(8, 10))).good_seeds()
