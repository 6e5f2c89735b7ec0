"""The published numbers say what their papers say of them."""

from itertools import chain

import numpy as np
import pytest
from scipy import stats

from seedwise.papers.numbers import (
    DEGENERATE,
    DODGE_TABLE_1,
    DODGE_TABLE_2,
    DODGE_TABLE_3,
    DODGE_TABLE_4,
    PUBLISHED,
    REINIT_5_GRID,
    ZHANG_MAJORITY,
)

TABLE_1, TABLE_2, TABLE_4, TABLE_5, TABLE_7 = (PUBLISHED[f"zhang2021-table-{i}"] for i in (1, 2, 4, 5, 7))
DODGE_TASKS = {"MRPC", "RTE", "CoLA", "SST-2"}
ALL_TASKS = list(TABLE_1.rows["Standard"])


def p_of(table, better, worse, task, alternative="greater"):
    """Student's t-test from means and standard deviations, as the papers do it."""
    (a, sd_a), (b, sd_b) = table.rows[better][task], table.rows[worse][task]
    return stats.ttest_ind_from_stats(a, sd_a, table.n, b, sd_b, table.n, alternative=alternative).pvalue


@pytest.mark.parametrize("key", PUBLISHED)
def test_every_arm_of_a_table_has_every_task_and_scores_are_shares(key):
    table = PUBLISHED[key]
    tasks = {tuple(scores) for scores in table.rows.values()}
    assert len(tasks) == 1
    values = np.array([spread for scores in table.rows.values() for spread in scores.values()])
    assert np.all((values > 0) & (values < 1))
    assert np.all(values[:, 1] < 0.25)


def test_zhang_table_1_has_two_recipes_by_two_lengths_on_eight_tasks_and_four_of_them_twice():
    assert (len(TABLE_1.rows), len(ALL_TASKS)) == (4, 12)
    assert sum(task.endswith("(1k)") for task in ALL_TASKS) == 8


@pytest.mark.parametrize("task", ALL_TASKS)
def test_reinit_improves_the_mean_on_every_task_and_longer_training_narrows_the_gap(task):
    mean = {arm: scores[task][0] for arm, scores in TABLE_1.rows.items()}
    assert mean["Re-init"] > mean["Standard"]
    assert mean["Re-init, longer"] - mean["Standard, longer"] < mean["Re-init"] - mean["Standard"]


@pytest.mark.parametrize("task", ["MRPC", "MRPC (1k)", "MNLI (1k)"])
def test_reinit_still_improves_mrpc_and_mnli_when_training_is_longer(task):
    assert TABLE_1.rows["Re-init, longer"][task] > TABLE_1.rows["Standard, longer"][task]


@pytest.mark.parametrize(
    ("task", "best", "equal"),
    [
        ("RTE", "Re-init, longer", {"Re-init", "Standard, longer"}),
        ("MRPC", "Re-init", set()),
        ("STS-B", "Re-init, longer", set()),
        ("CoLA", "Re-init", {"Standard"}),
        ("RTE (1k)", "Re-init, longer", {"Re-init", "Standard, longer"}),
        ("MRPC (1k)", "Re-init, longer", set()),
        ("STS-B (1k)", "Re-init, longer", set()),
        ("CoLA (1k)", "Standard, longer", {"Re-init, longer"}),
        ("SST-2 (1k)", "Re-init, longer", set()),
        ("QNLI (1k)", "Re-init, longer", {"Re-init"}),
        ("QQP (1k)", "Re-init, longer", {"Standard, longer"}),
        ("MNLI (1k)", "Re-init, longer", set()),
    ],
)
def test_best_of_each_group_of_four_and_its_equals_follow_from_a_one_tailed_t_test(task, best, equal):
    assert max(TABLE_1.rows, key=lambda arm: TABLE_1.rows[arm][task][0]) == best
    assert {arm for arm in set(TABLE_1.rows) - {best} if p_of(TABLE_1, best, arm, task) >= 0.05} == equal


@pytest.mark.parametrize("task", TABLE_2.rows["Standard"])
def test_an_intermediate_task_improves_every_mean_and_the_two_weight_decays_none_noticeably(task):
    assert TABLE_2.rows["Int. Task"][task][0] > TABLE_2.rows["Standard"][task][0]
    assert all(p_of(TABLE_2, arm, "Standard", task) > 0.05 for arm in ("WD", "Pre-trained WD"))


def test_zhang_table_2_copies_table_1_but_for_two_cells():
    here = {"Standard": "Standard", "Re-init": "Re-init", "Longer": "Standard, longer"}
    cells = [(arm, task) for arm in here for task in TABLE_2.rows["Standard"]]
    other = [(arm, task) for arm, task in cells if TABLE_2.rows[arm][task] != TABLE_1.rows[here[arm]][task]]
    assert other == [("Re-init", "CoLA"), ("Longer", "MRPC")]


@pytest.mark.parametrize("task", TABLE_4.rows["Full precision"])
def test_precision_makes_no_significant_difference(task):
    assert p_of(TABLE_4, "Mixed precision", "Full precision", task, "two-sided") > 0.05


def test_bias_correction_makes_no_significant_difference_on_all_of_mnli():
    assert p_of(TABLE_5, "Bias correction", "No bias correction", "MNLI", "two-sided") > 0.05


def test_reinit_lowers_the_spread_of_xlnet_and_does_not_improve_electra_and_bart():
    tasks = TABLE_7.rows["XLNet"]
    assert all(TABLE_7.rows["XLNet, Re-init"][task][1] < TABLE_7.rows["XLNet"][task][1] for task in tasks)
    for model in ("ELECTRA", "BART"):
        assert all(p_of(TABLE_7, f"{model}, Re-init", model, task) > 0.05 for task in tasks)


def test_scores_are_above_the_majority_class_s_but_for_few_rows_of_mrpc():
    majority = ZHANG_MAJORITY["test"]
    cells = [
        (task, arm, mean) for t in PUBLISHED.values() for arm, row in t.rows.items() for task, (mean, _) in row.items()
    ]
    below = [(task, arm) for task, arm, mean in cells if mean <= majority[task.removesuffix(" (1k)")]]
    assert below == [("MRPC (1k)", "Standard")]


def test_degenerate_runs_are_a_whole_number():
    assert DEGENERATE.share * DEGENERATE.n == 24
    assert ZHANG_MAJORITY["validation"][DEGENERATE.task] < DEGENERATE.below


def test_the_grid_s_margins_agree_and_its_single_trials_are_shares_of_the_rows():
    grid = REINIT_5_GRID
    assert np.mean(grid.by_order) == pytest.approx(grid.mean, abs=5e-5)
    assert grid.typical[1] == grid.mean
    rows = np.array(grid.highest_by_order) * 138  # scores of single trials on half of RTE's 277 validation rows
    assert np.abs(rows - rows.round()).max() < 138 * 5.1e-5
    assert all(high > mean for high, mean in zip(grid.highest_by_order, grid.by_order, strict=True))


def test_the_spread_under_a_fixed_seed_is_at_most_the_spread_of_all():
    for task in DODGE_TASKS:
        assert max(DODGE_TABLE_3[stream][task] for stream in ("init", "order")) <= DODGE_TABLE_3["all"][task]


def test_best_against_worst_seed_is_significant_everywhere():
    assert max(p for stream in DODGE_TABLE_4.values() for p in stream.values()) < 0.05


def test_dodge_tables_have_four_tasks_each():
    tables = chain(DODGE_TABLE_1.values(), DODGE_TABLE_3.values(), DODGE_TABLE_4.values(), [DODGE_TABLE_2])
    assert all(set(scores) == DODGE_TASKS for scores in tables)


def test_best_of_many_seeds_beats_every_published_single_run_of_the_same_model():
    own = DODGE_TABLE_1["BERT, best of all trials (Dodge et al., 2020)"]
    single = [scores for name, scores in DODGE_TABLE_1.items() if name.startswith("BERT (")]
    assert all(own[task] > max(scores[task] for scores in single) for task in DODGE_TASKS)
