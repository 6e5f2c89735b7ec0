"""Does the page say of a study with a design what it asks, what was chosen, what was published, and what was promised?"""

import re
from dataclasses import replace

import numpy as np
import pytest

from design_studies import design_study, methods_design
from seedwise.analysis.analysis import Analysis
from seedwise.designs.file import DesignFile, design_names
from seedwise.papers.numbers import DEGENERATE, PUBLISHED
from seedwise.report.catalogue import CATALOGUE
from seedwise.report.figures import Figure, cell_figures, study_figures, tuning_figures
from seedwise.report.question import PROMISED, design_sentences, promises, published_sentences
from seedwise.report.report import Report
from seedwise.values.task import Task
from seedwise.values.trial import TrialState
from table_studies import grid_seeds, table_study

SHOWS = ("published", "tuning", "recipes", "reinit", "length", "grid", "distance")


def score_of(arm, recipe):
    """On entailment L = 2 is best, on acceptability L = 3; length does not matter."""
    best = {"entailment": 2, "acceptability": 3}[arm.task.name]
    return 0.7 + (0.05 * (recipe.reinit_layers == best) if arm.name == "Re-init" else 0.0)


@pytest.fixture(scope="module")
def analysis():
    return Analysis(design_study(methods_design(published="zhang2021-table-2", shows=SHOWS), score_of))


@pytest.fixture(scope="module")
def report(analysis):
    return Report(analysis, title="methods")


@pytest.fixture(scope="module")
def page(report):
    return report.to_html()


def values_of(figure):
    """All values of a figure, wherever they stand in it."""
    spec = figure.chart.to_dict()
    return [value for data in (*spec.get("datasets", {}).values(), *_inline(spec)) for value in data]


def _inline(spec):
    if isinstance(spec, dict):
        yield from ([spec["data"]["values"]] if "values" in spec.get("data", {}) else [])
        for part in spec.values():
            yield from _inline(part)
    elif isinstance(spec, list):
        for part in spec:
            yield from _inline(part)


def boxes_of(figure):
    """The names of the rows of a figure of boxes, without how many trials each has."""
    rows = dict.fromkeys(value["row"] for value in values_of(figure) if "q1" in value)
    return [row.split("\nn = ")[0].replace("\n", " ") for row in rows]


# The section ----------------------------------------------------------------------------------------------------------


def test_question_source_scale_and_both_stages_are_said(analysis):
    said = " ".join(design_sentences(analysis, analysis.design.design))
    assert "Question: Do they help?" in said
    assert "Source: Zhang et al. (2021), section 7." in said
    assert "at small scale" in said
    assert "Stage tuning: 40 trainings" in said
    assert "init 101–104" in said
    assert "Stage report: 72 trainings" in said


def test_a_stage_that_is_not_done_says_how_far_it_is():
    design = methods_design(tasks=("entailment",))
    study = design_study(design, score_of)
    waiting = [replace(r, state=TrialState.WAITING, evaluations=()) for r in study.records[5:]]
    analysis = Analysis(replace(study, records=(*study.records[:5], *waiting)))
    said = list(design_sentences(analysis, design))
    assert said[-1].startswith("Stage report: 36 trainings, 5 of them at their end.")


def test_a_design_without_a_choice_has_one_stage():
    design = methods_design(tasks=("entailment",))
    fixed = replace(design, arms=tuple(arm for arm in design.arms if not arm.search))
    analysis = Analysis(design_study(fixed, lambda *_: 0.7))
    said = " ".join(design_sentences(analysis, fixed))
    assert "Stage tuning" not in said
    assert "had a say" not in said
    assert 'id="table-tuning"' not in Report(analysis).to_html()


def test_the_section_comes_before_the_figures_with_both_tables(page):
    places = [page.index(text) for text in ('id="study"', 'id="table-published"', 'id="table-tuning"', "side by side")]
    assert places == sorted(places)
    assert page.count('id="table-published"') == page.count('id="table-tuning"') == 1


def test_names_in_a_design_that_look_like_scripts_stay_text():
    design = replace(
        methods_design(shows=("<b>x</b>",), tasks=("entailment",)),
        title="<script>alert(1)</script>",
        question="<i>?</i>",
    )
    page = Report(Analysis(design_study(design, score_of))).to_html()
    assert "<script>alert(1)" not in page
    assert "<i>?" not in page
    assert "<b>x</b>" not in page


def test_agreement_with_the_paper_is_counted(analysis, report):
    table = next(table for table in report._tables[0] if table.name == "published")
    said = next(published_sentences(analysis, analysis.design.design, table))
    found = [row[-1] for row in table.rows if row[-1]]
    same = sum(word.startswith("yes") for word in found)
    assert said.startswith(f"Of {len(found)} differences beside published ones, as published: {same} ")


def test_degenerate_runs_are_told_beside_the_published_share():
    arms = [replace(arm, name=DEGENERATE.arm) for arm in methods_design().arms if arm.name == "Standard"]
    design = replace(methods_design(), arms=tuple(arms))
    analysis = Analysis(design_study(design, lambda *_: 0.5, sd=0.0))
    (said,) = published_sentences(analysis, design)
    assert "48% of 50 trials" in said
    assert "12 of 12 (100% [76%, 100%]) at or below 0.52, which is where guessing is on this other task." in said


def test_degenerate_runs_of_the_published_task_are_counted_by_the_published_bound():
    rte = Task.glue("rte", protocol="zhang2021")
    arms = [replace(arm, name=DEGENERATE.arm, task=rte) for arm in methods_design(tasks=("entailment",)).arms[:1]]
    design = replace(methods_design(), arms=tuple(arms), stands_for={"rte": "RTE"})
    analysis = Analysis(design_study(design, lambda *_: 0.54, sd=0.0))
    (said,) = published_sentences(analysis, design)
    assert "rte, No bias correction: 12 of 12 (100% [76%, 100%]) below 0.55." in said


def test_the_margins_of_a_grid_are_told_beside_the_published_ones():
    arm = next(arm for arm in methods_design().arms if arm.name == "Re-init")
    arm = replace(arm, search={}, tuning_seeds=())
    design = replace(methods_design(shows=("grid-margins",)), arms=(arm,))
    study = design_study(design, lambda *_: 0.7)
    grid = table_study(
        0.7 + 0.01 * np.random.default_rng(0).random((12, 1)), task=arm.task, recipe=arm.recipe, **grid_seeds(3, 4)
    )
    (said,) = published_sentences(Analysis(replace(grid, design=study.design)), design)
    assert "between 0.723 and 0.754" in said
    assert "entailment, Re-init: mean 0.70" in said


def test_recipes_of_one_name_say_on_which_task_each_was_chosen(report):
    header = re.search(r"<h3>Recipes</h3>.*?</thead>", report.to_html())[0]
    names = re.findall(r"<th>(.*?)</th>", header)[1:]
    assert len(set(names)) == len(names)
    assert {"Standard", "Re-init (entailment)", "Re-init (acceptability)"} <= set(names)


def test_a_recipe_that_has_other_names_on_other_tasks_says_each():
    design = methods_design()
    arms = [arm for arm in design.arms if arm.name == "Standard"]
    arms[1] = replace(arms[1], name="Plain")
    page = Report(Analysis(design_study(replace(design, arms=tuple(arms)), lambda *_: 0.7))).to_html()
    assert "<th>Standard (entailment); Plain (acceptability)</th>" in page


# What was promised ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", design_names())
@pytest.mark.parametrize("scale", ["full", "small"])
def test_every_ready_made_study_promises_what_is_known_and_names_a_table_that_has_its_arms(name, scale):
    design = DesignFile.read(name).design(scale=scale)
    assert set(design.shows) <= set(PROMISED)
    if design.published is None or design.published.startswith("dodge2020"):
        return
    paper = PUBLISHED[design.published]
    assert set(design.names) <= set(paper.rows)
    tasks = {design.stands_for.get(task.name, task.name) for task in design.tasks}
    assert tasks <= set(next(iter(paper.rows.values())))


def test_each_promise_is_kept_or_its_reason_told(report, analysis):
    found = {one.name: one for one in promises(analysis.design.design, report.figures, report._tables)}
    assert list(found) == list(SHOWS)
    assert found["published"].places == ("table-published",)
    assert found["reinit"].places == ("entailment-reinit-Re-init", "acceptability-reinit-Re-init")
    assert found["length"].places == ("entailment-length", "acceptability-length")
    assert found["grid"].places == ()
    assert "crossed with order seeds" in found["grid"].reason
    assert found["distance"].reason == "the study has nothing to draw it from."


def test_every_place_that_a_promise_links_to_is_on_the_page(page):
    links = set(re.findall(r'href="#([^"]+)"', page))
    assert links <= set(re.findall(r'id="([^"]+)"', page))


def test_a_promised_figure_of_cells_is_also_kept_by_that_of_recipes_together(report, analysis):
    design = replace(analysis.design.design, shows=("training-loss",))
    (one,) = promises(design, report.figures, report._tables)
    assert "entailment-recipes-training-loss" in one.places
    assert "entailment-Standard-training-loss" in one.places


def test_kinds_are_told_apart_by_their_names():
    kinds = [entry.kind for entry in CATALOGUE]
    assert [kind for kind in kinds if kinds.count(kind) > 1] == ["length", "length"]  # of the report or of the choice


# Figures --------------------------------------------------------------------------------------------------------------


def test_boxes_by_layer_stand_in_the_order_of_the_search_beside_the_first_arm(analysis):
    figure = next(figure for figure in tuning_figures(analysis) if figure.kind == "reinit")
    assert boxes_of(figure) == ["Standard, report's seeds", "L = 1", "L = 2", "L = 3"]


def test_lengths_are_those_of_the_search_and_the_arm_s_own(analysis):
    figure = next(figure for figure in tuning_figures(analysis) if figure.kind == "length")
    points = {(value["value"], value["n"]) for value in values_of(figure)}
    assert points == {(96, 12), (200, 4), (400, 4)}


def test_a_study_without_a_design_has_no_figure_of_choices(study):
    assert list(tuning_figures(Analysis(study))) == []


def test_the_report_s_lengths_are_not_drawn_where_lengths_were_searched(analysis):
    assert "length" not in {figure.kind for figure in study_figures(analysis)}


def test_the_tuning_has_a_report_of_its_own():
    design = methods_design(tasks=("entailment",))
    study = design_study(replace(design, arms=design.arms[:2]), score_of)
    page = Report(Analysis(study.tuning), title="tuning").to_html()
    assert "Re-init, L = 2" in page
    assert 'id="table-tuning"' in page
    assert "Stage tuning: 12 trainings" in page
    assert "test accuracy" not in page[: page.index('id="cell-0"')]
    assert "What this study shows" not in page


def test_recipes_together_have_their_expected_best(analysis):
    figures = {figure.kind: figure for figure in study_figures(analysis)}
    points = values_of(figures["recipes-expected-best"])
    assert {point["series"] for point in points} == {"Standard", "Re-init", "Longer"}
    cell = analysis.cell("acceptability", "Longer")
    assert max(point["mean"] for point in points if point["series"] == "Longer") <= cell.final().max()


def test_every_figure_has_a_known_kind(analysis):
    figures = [*study_figures(analysis), *tuning_figures(analysis), *cell_figures(analysis, analysis.cells[0])]
    assert {figure.kind for figure in figures} <= set(PROMISED)
    assert sum(isinstance(figure, Figure) for figure in figures) > 10


def test_distances_by_layer_are_drawn_where_they_were_tracked():
    design = methods_design(tasks=("entailment",))
    arms = [replace(arm, recipe=arm.recipe.with_changes(track=("distance",))) for arm in design.arms[:2]]
    study = design_study(replace(design, arms=tuple(arms)), score_of)

    def tracked(part):
        return {record.id: {"distance": np.arange(96.0)[:, None] * [0.01, 0.02]} for record in part.records}

    study = replace(study, tracked_of=tracked(study), tuning=replace(study.tuning, tracked_of=tracked(study.tuning)))
    figures = {figure.kind: figure for figure in tuning_figures(Analysis(study))}
    assert set(figures) == {"reinit", "reinit-distance"}
    found = values_of(figures["reinit-distance"])
    assert {value["series"] for value in found} == {"Standard, report's seeds", "L = 1", "L = 2", "L = 3"}
