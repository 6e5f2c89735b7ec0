"""The papers' tables of a study: their values are the analysis's, and what is missing has its reason below."""

import numpy as np
import pytest

from seedwise.analysis.analysis import Analysis
from seedwise.papers.numbers import DODGE_TABLE_1
from seedwise.tables.comparison import comparison_table
from seedwise.tables.results import (
    best_table,
    failed_table,
    planning_table,
    results_table,
    study_tables,
)
from seedwise.tables.seeds import anova_table, good_seeds_table, grid_table, spread_table
from seedwise.tables.table import to_markdown, to_texts
from table_studies import grid_seeds, table_study

RNG = np.random.default_rng(0)
GRID = grid_seeds(4, 5)
EFFECT = 0.05 * GRID["init"]


def grid_scores(seed):
    noise = np.random.default_rng(seed).normal(size=(20, 3))
    return np.sort(0.5 + EFFECT[:, None] + 0.02 * noise, axis=1)


def grid_study(*, tasks=("RTE", "MRPC")):
    studies = [table_study(grid_scores(i), **GRID, task=task) for i, task in enumerate(tasks)]
    return Analysis(sum(studies[1:], studies[0]))


def recipes_study():
    """Two tasks by two recipes; on MRPC both are the same good."""
    means = {("RTE", "plain"): 0.6, ("RTE", "longer"): 0.75, ("MRPC", "plain"): 0.8, ("MRPC", "longer"): 0.801}
    draw = np.random.default_rng(3)
    studies = [
        table_study(np.sort(m + 0.03 * draw.normal(size=(12, 4)), axis=1), task=task, recipe=recipe, test=None)
        for (task, recipe), m in means.items()
    ]
    return Analysis(sum(studies[1:], studies[0]))


def values(table, name):
    place = table.header.index(name)
    return [row[place] for row in table.rows]


def stopped_study():
    scores = grid_scores(0)
    scores[:6, 1:] = np.nan
    return Analysis(table_study(scores, states=["stopped"] * 6 + ["complete"] * 14, **GRID))


# Results --------------------------------------------------------------------------------------------------------------


def test_results_are_mean_sd_and_number_of_each_cell():
    analysis = recipes_study()
    table = results_table(analysis)
    for cell in analysis.cells:
        row = values(table, "recipe").index(cell.recipe.name)
        final = cell.final()
        assert values(table, cell.task.name)[row] == pytest.approx((final.mean(), final.std(ddof=1), 12))
    assert values(table, "n") == ["12", "12"]


def test_bold_is_best_or_not_told_apart_from_it():
    analysis = recipes_study()
    table = results_table(analysis)
    mrpc, rte = (table.header.index(name) for name in ("MRPC", "RTE"))
    assert table.bold == {(0, mrpc), (1, mrpc), (1, rte)}
    answers = {verdict.task: verdict.better for verdict in analysis.verdicts()}
    assert answers == {"RTE": "longer", "MRPC": None}


def test_results_say_which_scores_they_are():
    assert "RTE: validation accuracy. MRPC: validation accuracy." in results_table(recipes_study()).caption


def test_one_stopped_recipe_takes_no_other_with_it():
    scores = grid_scores(0)
    stopped = scores.copy()
    stopped[:5, 1:] = np.nan
    study = (
        table_study(scores, recipe="a")
        + table_study(scores - 0.1, recipe="b")
        + table_study(stopped, recipe="c", states=["stopped"] * 5 + ["complete"] * 15)
    )
    table = results_table(Analysis(study))
    assert [value is None for value in values(table, "toy")] == [False, False, True]
    assert to_texts(table)[2][1] == "–"
    assert len(table.notes) == 1
    assert table.notes[0].startswith(
        "toy, c: this needs the final score of every trial, but 5 of 20 runs end before the others and count as stopped"
    )


# Best -----------------------------------------------------------------------------------------------------------------


def test_best_and_mean_of_all_trials_are_told_apart():
    analysis = grid_study()
    table = best_table(analysis)
    final = analysis.cell("RTE").final()
    assert [row[0] for row in table.rows] == ["plain: mean of all trials", "plain: best of all trials"]
    assert values(table, "RTE") == pytest.approx([final.mean(), final.max()])
    assert table.bold == {(1, 1), (1, 2)}
    assert "RTE: validation accuracy, 20 trials" in table.caption


@pytest.mark.parametrize("name", ["SST-2", "sst2", "glue/sst2", "SST"])
def test_published_scores_are_found_by_the_task_s_name(name):
    table = best_table(grid_study(tasks=(name,)), DODGE_TABLE_1)
    assert values(table, name)[:7] == [0.925, 0.932, 0.951, 0.932, 0.956, 0.964, 0.969]
    assert table.rows[2][0] == "BERT, best of all trials (Dodge et al., 2020)"


def test_published_scores_of_other_tasks_are_left_out():
    table = best_table(grid_study(tasks=("news",)), DODGE_TABLE_1)
    assert len(table.rows) == 2


def test_published_numbers_are_the_paper_s():
    # Dodge et al. (2020), table 1, the row of their own trials, and the best of each column.
    assert list(DODGE_TABLE_1["BERT, best of all trials (Dodge et al., 2020)"].values()) == [0.914, 0.773, 0.676, 0.951]
    best = {task: max(scores[task] for scores in DODGE_TABLE_1.values()) for task in ("MRPC", "RTE", "CoLA", "SST-2")}
    assert best == {"MRPC": 0.914, "RTE": 0.892, "CoLA": 0.714, "SST-2": 0.969}


def test_best_of_a_loss_is_the_lowest():
    scores = 0.4 + 0.1 * RNG.random((6, 2))
    table = best_table(Analysis(table_study(scores, metric="loss", baseline=0.7)))
    assert values(table, "toy")[1] == scores.min()
    assert table.bold == {(1, 1)}


def test_best_of_a_stopped_study_is_known_and_its_mean_is_not():
    analysis = stopped_study()
    mean, best = values(best_table(analysis), "toy")
    assert (mean, best) == (None, grid_scores(0)[6:].max())


# Failures, plans, comparisons -----------------------------------------------------------------------------------------


def test_failed_trials_are_the_analysis_s():
    scores = np.where(np.arange(20) < 8, 0.5, 0.8)[:, None]
    analysis = Analysis(table_study(scores, **GRID))
    table, share = failed_table(analysis), analysis.failed().share
    assert values(table, "failed") == [8]
    assert values(table, "share") == [(0.4, share.lower, share.upper)]
    assert 0 < values(table, "p, by init")[0] < 1


def test_unknown_guess_is_said():
    table = failed_table(Analysis(table_study(grid_scores(0), baseline=None)))
    assert table.notes == ("toy: no constant guess is known, so only trials without a score count.",)


def test_plans_are_the_analysis_s_for_the_budgets_asked_for():
    analysis = grid_study(tasks=("RTE",))
    table, found = planning_table(analysis, [2, 5]), analysis.best_rules()
    assert values(table, "budget") == [2, 5]
    assert values(table, "t") == found.rules.t[[1, 4]].tolist()
    assert [mean for mean, _ in values(table, "expected")] == found.rules.mean[[1, 4]].tolist()
    assert values(table, "full trainings") == found.full[[1, 4]].tolist()


def test_comparison_holds_both_recipes_and_the_verdict():
    analysis = recipes_study()
    found = [analysis.compare("longer", "plain", task=task) for task in ("RTE", "MRPC")]
    table = comparison_table(found)
    verdicts = [one.verdict for one in found]
    assert values(table, "task") == ["RTE", "MRPC"]
    assert values(table, "A, mean ± sd")[0] == (verdicts[0].mean_a, verdicts[0].sd_a, 12)
    assert values(table, "A better by")[1][1:] == (verdicts[1].corrected_lower, verdicts[1].corrected_upper)
    assert values(table, "p, corrected") == [verdict.p_corrected for verdict in verdicts]
    assert values(table, "answer") == ["longer is better", "not told apart"]


def test_every_pair_of_recipes_has_a_row_of_the_table_of_verdicts():
    analysis = recipes_study()
    made, _ = study_tables(analysis)
    table = next(table for table in made if table.name == "verdicts")
    assert values(table, "p") == [verdict.p for verdict in analysis.verdicts()]


# Seeds ----------------------------------------------------------------------------------------------------------------


def test_spread_and_shares_are_the_analysis_s():
    analysis = grid_study()
    table, cell = spread_table(analysis), analysis.cell("MRPC")
    spread, variance = analysis.spread(cell), analysis.variance(cell)
    assert table.header[-3:] == ("variance, init", "variance, order", "variance, residual")
    assert table.rows[1][1:4] == (spread.mean_by_init, spread.mean_by_order, spread.total)
    assert table.rows[1][4] == (variance.share[0], variance.share_lower[0], variance.share_upper[0])


def test_best_against_worst_is_the_analysis_s_with_both_p_values():
    analysis = grid_study(tasks=("RTE",))
    table, found = anova_table(analysis), analysis.best_worst()
    assert values(table, "seeds") == ["init", "order"]
    assert values(table, "best")[0] == str(found.best) == "4"
    assert values(table, "p, published")[0] == found.p
    assert values(table, "p, corrected")[0] == found.corrected_p > found.p


def test_good_seeds_come_by_mean_rank_with_their_ranks():
    table = good_seeds_table(grid_study(), most=2)
    assert values(table, "seed") == ["4", "3"]
    assert values(table, "rank, RTE") == [1, 2]
    assert values(table, "mean rank") == [1, 2]
    assert "Kendall's W 1.00" in table.notes[0]


def test_good_seeds_of_one_task_are_a_reason_and_no_row():
    table = good_seeds_table(grid_study(tasks=("RTE",)))
    assert table.rows == ()
    assert "need at least 2 tasks" in table.notes[0]
    assert "- globally good seeds" in to_markdown(table)


@pytest.mark.parametrize(("stream", "levels"), [("init", 4), ("order", 5)])
def test_margins_of_the_grid_are_those_of_each_seed(stream, levels):
    analysis = grid_study(tasks=("RTE",))
    table = grid_table(analysis, stream)
    final, seeds = analysis.cell().final(), GRID[stream]
    assert len(table.rows) == levels
    mine = final[seeds == 2]
    assert values(table, "mean ± sd")[1] == pytest.approx((mine.mean(), mine.std(ddof=1), len(mine)))
    assert (values(table, "min")[1], values(table, "max")[1]) == (mine.min(), mine.max())


@pytest.mark.parametrize("build", [spread_table, anova_table, grid_table])
def test_seeds_that_are_not_crossed_leave_dashes_and_the_reason(build):
    table = build(Analysis(table_study(grid_scores(0))))
    assert all(text == "–" for row in to_texts(table) for text in row[-3:])
    assert any("cross" in note for note in table.notes)


def test_reason_of_many_cells_is_given_once():
    studies = [table_study(grid_scores(0), task=f"task {i}") for i in range(6)]
    table = anova_table(Analysis(sum(studies[1:], studies[0])))
    assert [note[: note.index(":")] for note in table.notes] == ["task 0; task 1; task 2 and 3 more"]


def test_rows_come_task_by_task_with_the_recipe_only_where_there_are_several():
    table = failed_table(recipes_study())
    assert [row[:2] for row in table.rows] == [
        ("RTE", "plain"),
        ("RTE", "longer"),
        ("MRPC", "plain"),
        ("MRPC", "longer"),
    ]
    assert failed_table(grid_study()).header[:2] == ("task", "trials")


# All of them ----------------------------------------------------------------------------------------------------------


def test_a_grid_on_two_tasks_has_every_table_but_comparisons():
    names = [table.name for table in study_tables(grid_study())[0]]
    assert set(names) >= {"best", "failed", "spread", "anova", "grid-init", "grid-order", "planning"}
    assert set(names) >= {"good-init-seeds", "good-order-seeds"}
    assert len(set(names)) == len(names)


def test_a_stopped_study_has_the_best_and_early_scores():
    made, refused = study_tables(stopped_study())
    assert [table.name for table in made] == ["best", "early"]
    assert "spread" in [table.name for table in refused]
    assert all(table.notes for table in refused)
