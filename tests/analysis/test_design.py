"""What a study says that follows a design: one name may stand for several recipes, and the choices have a study of their own."""

from dataclasses import replace

import pytest

from design_studies import REPORT, TUNING, design_study, methods_design
from seedwise.analysis.analysis import Analysis
from seedwise.tables.results import best_table, results_table
from table_studies import table_study


def score_of(arm, recipe):
    """On entailment L = 2 is best, on acceptability L = 3; length does not matter."""
    best = {"entailment": 2, "acceptability": 3}[arm.task.name]
    return 0.7 + (0.05 * (recipe.reinit_layers == best) if arm.name == "Re-init" else 0.0)


@pytest.fixture(scope="module")
def analysis():
    return Analysis(design_study(methods_design(), score_of))


def test_a_name_stands_for_the_recipe_chosen_on_each_task(analysis):
    cells = [analysis.cell(task, "Re-init") for task in ("entailment", "acceptability")]
    assert [cell.recipe.reinit_layers for cell in cells] == [2, 3]
    assert analysis.recipe_names == ("Standard", "Re-init", "Longer")
    assert [analysis.label(cell) for cell in cells] == ["entailment, Re-init", "acceptability, Re-init"]


def test_a_table_has_a_row_an_arm(analysis):
    table = results_table(analysis)
    assert [row[0] for row in table.rows] == ["Standard", "Re-init", "Longer"]
    assert table.header == ("recipe", "entailment", "acceptability", "n")
    assert all(row[-1] == str(len(REPORT)) for row in table.rows)
    assert {(1, 1), (1, 2)} <= table.bold
    assert len(best_table(analysis).rows) == 2 * 3


def test_arms_with_one_recipe_have_a_row_each_and_one_cell():
    design = methods_design()
    same = {(name, task): 0 for name in ("Re-init",) for task in ("entailment", "acceptability")}
    analysis = Analysis(design_study(_with_a_copy(design), score_of, chosen=same))
    assert list(analysis.rows) == ["Standard", "Copy", "Re-init", "Longer"]
    for task in design.tasks:
        assert analysis.rows["Copy"][task.id] is analysis.rows["Standard"][task.id]
    rows = results_table(analysis).rows
    assert rows[0][1:] == rows[1][1:]
    assert analysis.recipe_names[0] == "Standard = Copy"


def test_names_of_the_tuning_hold_the_searched_values(analysis):
    assert analysis.tuning.recipe_names[:3] == ("Re-init, L = 1", "Re-init, L = 2", "Re-init, L = 3")
    assert {record.trial.seeds for record in analysis.tuning.trials} == set(TUNING)


def test_good_seeds_are_ranked_over_the_tasks_of_an_arm(analysis):
    assert list(analysis.good_seeds()) == ["Standard", "Re-init", "Longer"]


def test_without_a_design_recipes_are_named_by_what_tells_them_apart():
    study = table_study([[0.6], [0.7]], recipe="a") + table_study([[0.6], [0.7]], recipe="b")
    analysis = Analysis(study)
    assert (analysis.design, analysis.tuning) == (None, None)
    assert list(analysis.rows) == list(analysis.recipe_names) == ["a", "b"]


def test_recipes_beside_the_design_are_named_by_their_fields():
    study = design_study(methods_design(), score_of)
    arm = study.design.design.arms[0]
    more = table_study([[0.6], [0.7]], task=arm.task, recipe=arm.recipe.with_changes(mixout=0.9))
    assert list(Analysis(study + more).rows) == ["Standard", "Re-init", "Longer", "bert"]


def _with_a_copy(design):
    arms = []
    for arm in design.arms:
        arms += [arm, replace(arm, name="Copy")] if arm.name == "Standard" else [arm]
    return replace(design, arms=tuple(arms))


def test_a_chosen_recipe_s_tuning_is_not_taken_for_its_report(analysis):
    report, tuning = analysis.cell("entailment", "Re-init"), analysis.tuning.cell("entailment", "Re-init, L = 2")
    assert report.recipe == tuning.recipe
    assert analysis.failed(report).share.n == len(REPORT)
    assert analysis.failed(tuning).share.n == len(TUNING)
