"""Tables of studies with a design: the arms beside the published ones, and what each of them chose."""

from dataclasses import replace

import numpy as np
import pytest

from design_studies import REPORT, TUNING, design_study, methods_design
from seedwise.analysis.analysis import Analysis
from seedwise.papers.numbers import DODGE_TABLE_1, PUBLISHED
from seedwise.stats.compare.printed import difference_of_summaries
from seedwise.study.study import Study
from seedwise.tables.arms import arms_table, candidates_table, tuning_table
from seedwise.tables.results import best_table
from seedwise.tables.seeds import anova_table, spread_table
from seedwise.tables.table import to_markdown
from seedwise.values.choice import DesignRecord
from seedwise.values.task import Task
from seedwise.values.trial import Trial, TrialState
from table_studies import grid_seeds, table_study

PAPER = PUBLISHED["zhang2021-table-2"]


def score_of(arm, recipe):
    """On entailment L = 2 is best, on acceptability L = 3; length does not matter."""
    best = {"entailment": 2, "acceptability": 3}[arm.task.name]
    return 0.7 + (0.05 * (recipe.reinit_layers == best) if arm.name == "Re-init" else 0.0)


def study_of(*, published="zhang2021-table-2", **options):
    return design_study(methods_design(published=published), score_of, **options)


@pytest.fixture(scope="module")
def analysis():
    return Analysis(study_of())


def values(table, name):
    return [row[table.header.index(name)] for row in table.rows]


# Arms -----------------------------------------------------------------------------------------------------------------


def test_each_arm_has_a_row_on_each_task_with_its_own_and_the_published_score(analysis):
    table = arms_table(analysis)
    assert table.name == "published"
    assert values(table, "arm") == ["Standard", "Re-init", "Longer"] * 2
    assert values(table, "task") == ["entailment (for RTE)"] * 3 + ["acceptability (for CoLA)"] * 3
    assert values(table, "published")[1] == (*PAPER.rows["Re-init"]["RTE"], 20)
    assert values(table, "published")[5] == (*PAPER.rows["Longer"]["CoLA"], 20)
    own = analysis.cell("acceptability", "Longer").scores("test")
    assert values(table, "here")[5] == pytest.approx((own.mean(), own.std(ddof=1), len(REPORT)))


def test_differences_are_the_comparison_s_and_welch_s_of_the_printed_numbers(analysis):
    table = arms_table(analysis)
    found = analysis.verdict("Re-init", "Standard", task="entailment")
    assert (found.paired, found.n_a) == (True, len(REPORT))
    assert values(table, "difference to Standard")[1] == (found.difference, found.lower, found.upper)
    printed = [(*PAPER.rows[arm]["RTE"], PAPER.n) for arm in ("Re-init", "Standard")]
    assert values(table, "published difference")[1] == tuple(difference_of_summaries(*printed)[:3])
    assert values(table, "difference to Standard")[0] is None


@pytest.mark.parametrize(
    ("gain", "arm", "task", "says"),
    [
        (0.05, "Re-init", "entailment", "yes"),
        (0.0, "Re-init", "entailment", "not shown here"),
        (-0.05, "Re-init", "entailment", "no, the other way"),
        (0.0, "Longer", "acceptability", "yes, neither"),
        (0.05, "Longer", "acceptability", "no, better here"),
    ],
)
def test_agreement_is_told_by_both_intervals(gain, arm, task, says):
    study = design_study(
        methods_design(published="zhang2021-table-2"), lambda own, _: 0.7 + gain * (own.name == arm), sd=0.005, seed=3
    )
    table = arms_table(Analysis(study))
    place = [row[1] for row in table.rows].index(arm) + 3 * (task == "acceptability")
    assert values(table, "as published?")[place] == says


def test_what_stands_for_what_is_said(analysis):
    notes = " ".join(arms_table(analysis).notes)
    assert "entailment for RTE, acceptability for CoLA" in notes
    assert "At small scale" in notes
    assert PAPER.source in arms_table(analysis).caption


def test_without_a_published_table_ours_stands_alone():
    table = arms_table(Analysis(study_of(published=None)))
    assert table.name == "arms"
    assert table.header[-1] == "difference to Standard"
    assert "published" not in table.caption


def test_arms_that_the_paper_does_not_have_keep_their_row():
    table = arms_table(Analysis(study_of(published="zhang2021-table-4")))
    assert table.name == "arms"
    other = replace(methods_design(published="zhang2021-table-1"), name="other")
    table = arms_table(Analysis(design_study(other, score_of)))
    assert values(table, "published")[:3] == [(0.695, 0.025, 20), (0.726, 0.016, 20), None]


def test_a_task_of_one_s_own_called_rte_has_no_published_numbers(tmp_path):
    (tmp_path / "rows.csv").write_text("text,label\na,b\n")
    own = Task.files(tmp_path / "rows.csv", text="text", label="label", name="RTE")
    design = methods_design(published="zhang2021-table-2", tasks=("entailment",))
    arms = tuple(replace(arm, task=own) for arm in design.arms)
    table = arms_table(Analysis(design_study(replace(design, arms=arms, stands_for={}), lambda *_: 0.7)))
    assert table.name == "arms"
    assert "published" not in table.header


def test_an_arm_that_came_to_another_s_recipe_is_not_compared_with_itself():
    design = methods_design(published="zhang2021-table-2")
    copies = [replace(arm, name="WD") for arm in design.arms if arm.name == "Standard"]
    table = arms_table(Analysis(design_study(replace(design, arms=(*design.arms, *copies)), score_of)))
    place = values(table, "arm").index("WD")
    assert values(table, "here")[place] == values(table, "here")[0]
    assert values(table, "difference to Standard")[place] is None
    assert any("the same trials" in note for note in table.notes)


def test_in_zhang_table_7_each_model_is_held_against_itself():
    against = PUBLISHED["zhang2021-table-7"].against
    assert against["BART, Re-init"] == "BART"
    assert against["BART"] is None


def test_arms_that_are_held_against_several_others_say_which():
    design = methods_design(published="zhang2021-table-7", tasks=("entailment",))
    names = {"Standard": "XLNet", "Re-init": "XLNet, Re-init", "Longer": "BART"}
    copies = [replace(arm, name=names[arm.name]) for arm in design.arms]
    copies.append(replace(copies[-1], name="BART, Re-init", seeds=REPORT[:6]))
    table = arms_table(Analysis(design_study(replace(design, arms=tuple(copies)), lambda *_: 0.7)))
    assert values(table, "held against") == [None, "XLNet", None, "BART"]


def test_arms_of_a_study_without_a_design_are_its_recipes():
    scores = 0.7 + 0.02 * np.random.default_rng(0).normal(size=(2, 8, 1))
    study = table_study(scores[0], recipe="a") + table_study(scores[1], recipe="b")
    table = arms_table(Analysis(study))
    assert [row[:2] for row in table.rows] == [("toy", "a"), ("toy", "b")]
    assert values(table, "difference to a")[0] is None


# Choices --------------------------------------------------------------------------------------------------------------


def test_choice_has_the_best_mean_and_names_the_next(analysis):
    table = tuning_table(analysis)
    assert [row[:2] for row in table.rows] == [
        ("entailment", "Re-init"),
        ("entailment", "Longer"),
        ("acceptability", "Re-init"),
        ("acceptability", "Longer"),
    ]
    assert [chosen for chosen in values(table, "chosen") if chosen.startswith("L")] == ["L = 2", "L = 3"]
    means = {row[2]: row[4][0] for row in candidates_table(analysis).rows if row[:2] == ("entailment", "Re-init")}
    first, second = sorted(means, key=means.get, reverse=True)[:2]
    assert (values(table, "chosen")[0], values(table, "next best")[0]) == (first, second)
    assert values(table, "better by")[0][0] == pytest.approx(means[first] - means[second])


def test_choices_that_the_seeds_do_not_tell_apart_are_said_to_be(analysis):
    assert values(tuning_table(analysis), "separable?") == ["yes", "no", "yes", "no"]


def test_every_candidate_is_listed_best_first_and_the_chosen_one_is_bold(analysis):
    table = candidates_table(analysis)
    assert len(table.rows) == 2 * (3 + 2)
    means = [row[4][0] for row in table.rows if row[:2] == ("acceptability", "Re-init")]
    assert means == sorted(means, reverse=True)
    assert {table.rows[i][2] for i, j in table.bold if j == 2} >= {"L = 2", "L = 3"}
    assert {row[3] for row in table.rows} == {len(TUNING)}


def test_candidates_with_a_trial_without_a_score_come_last_as_they_do_in_the_choice():
    """The best candidate loses a trial: the next is chosen, and no difference is told that would be of other trials."""
    study = study_of()
    best = next(
        r for r in study.tuning.records if r.trial.task.name == "entailment" and r.trial.recipe.reinit_layers == 2
    )
    broken = replace(best, state=TrialState.FAILED, evaluations=())
    records = tuple(broken if record is best else record for record in study.tuning.records)
    arm = next(arm for arm in study.design.design.arms if arm.name == "Re-init")
    second = max((1, 3), key=lambda layers: mean_of(study.tuning, arm, layers))
    chosen = {**study.design.chosen, (arm.name, arm.task.id): arm.recipe.with_changes(reinit_layers=second)}
    record = replace(study.design, chosen=chosen)
    analysis = Analysis(replace(study, design=record, tuning=replace(study.tuning, records=records)))
    table = candidates_table(analysis)
    assert [row[2] for row in table.rows[:3]] == [f"L = {second}", f"L = {4 - second}", "L = 2"]
    assert (0, 2) in table.bold
    assert [row[3] for row in table.rows[:3]] == [4, 4, 3]
    assert (
        "entailment, Re-init, L = 2: 1 of 4 trials have no score, so it comes after those where all have one."
        in table.notes
    )
    two = tuple(record for record in records if record.trial.recipe.reinit_layers != 4 - second)
    tuning = replace(study.tuning, records=two)
    table = tuning_table(Analysis(replace(study, design=record, tuning=tuning)))
    assert values(table, "next best")[0] == "L = 2"
    assert values(table, "better by")[0] is None
    assert "entailment, Re-init: trials without a score, so the difference is not told." in table.notes


def mean_of(study, arm, layers):
    mine = [r for r in study.records if r.trial.task == arm.task and r.trial.recipe.reinit_layers == layers]
    return np.mean([record.best[1] for record in mine])


def test_a_candidate_that_was_left_out_is_said_to_be():
    study = study_of()
    left = [record for record in study.tuning.records if record.trial.recipe.num_train_steps != 200]
    table = tuning_table(Analysis(replace(study, tuning=replace(study.tuning, records=tuple(left)))))
    assert any(note.startswith("entailment, Longer: without scores") and "steps = 200" in note for note in table.notes)


def test_a_study_that_chooses_nothing_says_so():
    table = tuning_table(Analysis(table_study([[0.6], [0.7]])))
    assert table.rows == ()
    assert "no arm chooses anything" in to_markdown(table)


def test_the_tuning_s_own_report_has_the_choices_too(analysis):
    assert tuning_table(analysis.tuning).rows == tuning_table(analysis).rows


def test_before_the_choice_there_is_no_next_best_and_nothing_is_said_to_be_chosen():
    tuning = study_of().tuning
    table = tuning_table(Analysis(replace(tuning, design=replace(tuning.design, chosen={}))))
    assert set(values(table, "chosen")) == set(values(table, "next best")) == {None}
    assert set(values(table, "next, mean ± sd")) == {None}
    assert "entailment, Re-init: nothing is chosen yet." in table.notes


def test_a_tuning_on_disk_knows_from_its_report_what_was_chosen(tmp_path):
    record = study_of().design
    for stage, place, chosen in (("report", tmp_path, record.chosen), ("tuning", tmp_path / "tuning", {})):
        arms = [arm for arm in record.design.arms if arm.search or stage == "report"]
        trials = [Trial(arm.task, arm.candidates()[0].recipe, TUNING[0]) for arm in arms]
        with Study.of_trials(place, trials, design=DesignRecord(design=record.design, stage=stage, chosen=chosen)):
            pass
    with Study.open(tmp_path / "tuning") as tuning:
        assert tuning.design.chosen == {}
        assert tuning.chosen == record.chosen
        assert values(tuning_table(Analysis(tuning)), "chosen")[0] == "L = 2"
    (tmp_path / "study.db").unlink()
    with Study.open(tmp_path / "tuning") as alone:
        assert alone.chosen == {}


# Dodge et al. ---------------------------------------------------------------------------------------------------------


def dodge_study(published):
    """One arm on a crossed grid, on a task that stands for RTE."""
    arms = [arm for arm in methods_design(tasks=("entailment",)).arms if not arm.search]
    design = replace(methods_design(published=published), arms=tuple(arms))
    scores = 0.7 + 0.02 * np.random.default_rng(0).normal(size=(20, 2)) + 0.02 * grid_seeds(4, 5)["init"][:, None]
    grid = table_study(scores, task=arms[0].task, recipe=arms[0].recipe, **grid_seeds(4, 5))
    return Analysis(replace(grid, design=design_study(design, lambda *_: 0.7).design))


def test_spread_anova_and_best_have_dodge_s_numbers_of_the_task_stood_for():
    analysis = dodge_study("dodge2020-table-1")
    spread, anova = spread_table(analysis), anova_table(analysis)
    assert spread.rows[0][:4] == ("RTE, Dodge et al. (2020)", 0.066, 0.067, 0.069)
    assert spread.rows[1][0] == "entailment"
    assert values(anova, "p, published")[:2] == [2.8e-4, 3.2e-3]
    assert values(anova, "seeds") == ["init", "order"] * 2
    best = best_table(analysis, DODGE_TABLE_1)
    assert values(best, "entailment")[2] == 0.773
    assert any("entailment for RTE" in note for note in best.notes)


def test_another_model_than_dodge_s_is_told_in_each_table():
    analysis = dodge_study("dodge2020")
    for table in (spread_table(analysis), anova_table(analysis)):
        assert "Published numbers are of bert-large-uncased; here bert." in table.notes
    assert any(
        note.startswith("Published scores are of large models") for note in best_table(analysis, DODGE_TABLE_1).notes
    )


def test_studies_of_others_have_none_of_dodge_s_numbers():
    assert len(spread_table(dodge_study(None)).rows) == 1
    assert len(anova_table(dodge_study("zhang2021-table-2")).rows) == 2
