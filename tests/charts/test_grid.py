"""The heat map of init and order seeds: every pair in its place, sorted as the papers do, with margins."""

import math

import numpy as np
import pytest

from figures import words_of
from seedwise.analysis.analysis import Analysis
from seedwise.charts.grid import draw_grid, margin_grid_data, sorted_grid_data
from seedwise.errors import RequestError
from table_studies import grid_seeds, table_study

RNG = np.random.default_rng(0)
FINAL = RNG.uniform(0.5, 0.8, size=(4, 6))  # init seeds 1..4 x order seeds 1..6


def grid_of(final=FINAL, **fields):
    """Return the analysis and cell of a grid whose trials have one evaluation each."""
    return of(table_study(np.reshape(final, (-1, 1)), **{**grid_seeds(*final.shape), **fields}))


def of(study):
    analysis = Analysis(study)
    return analysis, analysis.cell()


def values(data):
    return {(entry["row"], entry["column"]): entry["value"] for entry in (*data.cells, *data.sds)}


def test_sorted_grid_has_every_trial_in_its_cell():
    found = values(sorted_grid_data(*grid_of()))
    assert found == {(str(i + 1), str(j + 1)): FINAL[i, j] for i in range(4) for j in range(6)}


def test_sorted_grid_has_the_best_init_on_top_and_the_best_order_at_the_right():
    data = sorted_grid_data(*grid_of())
    by_init = [FINAL[int(name) - 1].mean() for name in data.rows]
    by_order = [FINAL[:, int(name) - 1].mean() for name in data.columns]
    assert by_init == sorted(by_init, reverse=True)
    assert by_order == sorted(by_order)


def test_of_a_loss_the_lowest_is_the_best():
    data = sorted_grid_data(*grid_of(metric="loss"))
    by_init = [FINAL[int(name) - 1].mean() for name in data.rows]
    by_order = [FINAL[:, int(name) - 1].mean() for name in data.columns]
    assert by_init == sorted(by_init)
    assert by_order == sorted(by_order, reverse=True)


def test_a_pair_that_was_not_run_is_empty_and_said():
    seeds = grid_seeds(4, 6)
    data = sorted_grid_data(
        *of(table_study(FINAL.reshape(-1, 1)[1:], init=seeds["init"][1:], order=seeds["order"][1:]))
    )
    assert [pair for pair, value in values(data).items() if value is None] == [("1", "1")]
    assert data.subtitle.startswith("23 trials, 1 pair not run (×)")
    assert "×" in words_of(draw_grid(data))


def test_a_trial_without_a_score_gets_the_constant_guess():
    final = FINAL.copy()
    final[2, 3] = math.nan
    assert values(sorted_grid_data(*grid_of(final, baseline=0.4)))["3", "4"] == 0.4


def test_margins_are_minimum_mean_maximum_and_sd_of_each_seed():
    found = values(margin_grid_data(*grid_of()))
    for name, function in (("min", np.min), ("mean", np.mean), ("max", np.max)):
        for i in range(4):
            assert found[str(i + 1), name] == pytest.approx(function(FINAL[i]))
        for j in range(6):
            assert found[name, str(j + 1)] == pytest.approx(function(FINAL[:, j]))
    assert found["2", "sd"] == pytest.approx(FINAL[1].std(ddof=1))
    assert found["sd", "6"] == pytest.approx(FINAL[:, 5].std(ddof=1))


def test_margin_grid_is_in_the_order_of_the_seeds():
    data = margin_grid_data(*grid_of())
    assert data.rows == ("1", "2", "3", "4", " ", "min", "mean", "max", "sd")
    assert data.columns[:6] == ("1", "2", "3", "4", "5", "6")


def test_numbers_drop_the_zero_before_the_point_only():
    final = np.array([[0.0, 1.0, -0.25], [0.999, 10.04, 123.4]])
    texts = {entry["text"] for entry in margin_grid_data(*grid_of(final)).cells}
    assert {".00", "1.00", "-.25", "10", "123"} <= texts


@pytest.mark.parametrize("data_of", [sorted_grid_data, margin_grid_data])
def test_figure_names_task_seeds_metric_and_trials(data_of):
    data = data_of(*grid_of())
    words = words_of(draw_grid(data))
    assert {"init seed", "order seed", "validation accuracy", data.title, data.subtitle} <= set(words)
    assert data.title.startswith("toy: ")
    assert data.subtitle.startswith("24 trials")


def test_cells_hold_their_numbers_up_to_ten_seeds():
    final = RNG.uniform(0.5, 0.8, size=(10, 10))
    words = words_of(draw_grid(margin_grid_data(*grid_of(final))))
    assert f"{final[0, 0]:.2f}"[1:] in words
    assert f"{final[3].std(ddof=1):.3f}"[1:] in words


def test_cells_of_25_seeds_hold_none_and_every_seed_is_named():
    final = RNG.uniform(0.5, 0.8, size=(25, 25))
    words = words_of(draw_grid(margin_grid_data(*grid_of(final))))
    assert f"{final[0, 0]:.2f}"[1:] not in words
    assert all(words.count(str(seed)) == 2 for seed in range(1, 26))


def test_of_more_seeds_than_have_room_some_are_named():
    words = words_of(draw_grid(sorted_grid_data(*grid_of(RNG.uniform(0.5, 0.8, size=(2, 45))))))
    named = [word for word in words if word.isdecimal() and int(word) > 2]
    assert 15 <= len(named) <= 30


def test_seeds_that_change_together_are_refused():
    with pytest.raises(RequestError, match="crossed with order seeds"):
        sorted_grid_data(*of(table_study(FINAL.reshape(-1, 1))))
