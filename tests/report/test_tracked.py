"""Does the report draw what trials tracked, and leave alone those that tracked nothing?"""

import numpy as np
import pytest

from seedwise import Recipe, Task
from seedwise.analysis.analysis import Analysis
from seedwise.report.figures import Figure, cell_figures, study_figures
from seedwise.report.report import Report
from table_studies import table_study

TRACKED = {"distance": (4, 12, 3), "gradient_norm": (4, 12, 1), "bias_ratio": (4, 12, 1)}
OF_CELL = {"gradient-norm", "distance"}


def of_recipe(track, task="rte", **changes):
    tracked = {name: np.random.default_rng(0).random(TRACKED[name]) for name in track}
    recipe = Recipe(model="m", track=track, **changes)
    scores = np.linspace(0.5, 0.9, 12).reshape(4, 3)
    return table_study(scores, steps=[4, 8, 12], task=Task.glue(task), recipe=recipe, tracked=tracked)


def endings(figures):
    return {figure.name.rsplit("rte-", 1)[-1] for figure in figures if isinstance(figure, Figure)}


def test_trials_that_tracked_have_figures_of_it():
    analysis = Analysis(of_recipe(tuple(TRACKED)))
    names = [figure.name for figure in cell_figures(analysis, analysis.cell())]
    assert names[-3:] == ["rte-training-loss", "rte-gradient-norm", "rte-distance"]
    assert endings(cell_figures(analysis, analysis.cell())) >= OF_CELL
    assert [figure.name for figure in study_figures(analysis)] == ["bias-ratio"]


@pytest.mark.parametrize("name", ["distance", "gradient_norm"])
def test_only_what_was_tracked_is_drawn_and_nothing_else_is_missed(name):
    analysis = Analysis(of_recipe((name,)))
    names = {figure.name for figure in cell_figures(analysis, analysis.cell())}
    assert {f"rte-{ending}" for ending in OF_CELL} & names == {f"rte-{name.replace('_', '-')}"}


def test_trials_that_tracked_nothing_have_no_figure_of_it_and_miss_none():
    analysis = Analysis(of_recipe(()))
    names = {figure.name for figure in cell_figures(analysis, analysis.cell())}
    assert not {f"rte-{ending}" for ending in OF_CELL} & names
    assert list(study_figures(analysis)) == []


def test_recipes_that_tracked_are_drawn_together_and_the_others_left_out():
    track = ("distance", "gradient_norm")
    study = of_recipe(track, reinit_layers=1) + of_recipe(track, reinit_layers=2) + of_recipe((), reinit_layers=3)
    figures = {figure.name: figure for figure in study_figures(Analysis(study))}
    assert {"rte-recipes-gradient-norm", "rte-recipes-distance"} <= set(figures)
    drawn = str(figures["rte-recipes-distance"].chart.to_dict())
    assert [f"reinit_layers={layers}" in drawn for layers in (1, 2, 3)] == [True, True, False]


def test_page_holds_the_figures():
    page = Report(Analysis(of_recipe(tuple(TRACKED)))).to_html()
    assert "distance from the starting values" in page
    assert "gradient norm" in page
    assert "circles: as trained" in page
