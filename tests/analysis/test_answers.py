"""Is everything that can be said as plain JSON, and the reason where nothing can?"""

import json

import numpy as np
import pytest

from seedwise import Recipe, Task
from seedwise.analysis.analysis import Analysis
from seedwise.analysis.answers import STATISTICS
from seedwise.analysis.cell import Cell
from seedwise.errors import UnknownError
from seedwise.values.recipe import TRACKED
from table_studies import grid_seeds, table_study

SCORES = 0.5 + 0.4 * np.random.default_rng(0).random((16, 6))


def crossed(**given):
    return table_study(SCORES, **grid_seeds(4, 4), test=SCORES[:, -1], losses=SCORES, epochs=3, **given)


def outputs():
    said = {split: np.random.default_rng(1).normal(size=(16, 30, 2)) for split in ("validation", "test")}
    return {"outputs": said, "targets": dict.fromkeys(said, np.arange(30) % 2)}


def test_a_crossed_study_with_test_scores_that_tracks_everything_allows_every_statistic():
    tracked = dict.fromkeys(TRACKED, SCORES[:, :, None])
    analysis = Analysis(
        crossed(task=Task.glue("rte"), recipe=Recipe(model="m", track=TRACKED), tracked=tracked, **outputs())
    )
    (cell,) = analysis.to_json()["cells"]
    assert [name for name in STATISTICS if "reason" in cell[name]] == []


def test_json_has_every_statistic():
    content = Analysis(crossed(task="x") + crossed(task="y")).to_json()
    assert json.loads(json.dumps(content, allow_nan=False)) == content
    assert set(STATISTICS) <= set(content["cells"][0])
    assert content["good_init_seeds"]["plain"]["tasks"] == ["x", "y"]


def test_what_the_design_does_not_allow_is_a_reason():
    content = Analysis(table_study(SCORES)).to_json()
    assert "change together" in content["cells"][0]["variance"]["reason"]
    assert "no test scores" in content["cells"][0]["expected_test"]["reason"]
    assert "at least 2 tasks" in content["good_init_seeds"]["reason"]


@pytest.mark.parametrize("states", [["waiting"] * 16, ["stopped"] * 16, ["failed"] * 16])
def test_a_study_without_complete_trials_is_all_reasons_or_numbers_but_no_error(states):
    scores = np.full_like(SCORES, np.nan) if states[0] == "waiting" else SCORES
    assert json.dumps(Analysis(table_study(scores, states=states)).to_json(), allow_nan=False)


def test_a_statistic_is_computed_once():
    analysis = Analysis(crossed())
    assert analysis.variance() is analysis.variance(analysis.cell())


def test_other_arguments_are_another_statistic():
    analysis = Analysis(crossed())
    assert analysis.expected_best(n=range(1, 3)).n.tolist() == [1, 2]
    assert analysis.expected_best(n=[2]).n.tolist() == [2]
    assert analysis.expected_best(n=iter([2])) is analysis.expected_best(n=[2])


def test_what_is_unknown_is_said_each_time_but_computed_once(monkeypatch):
    analysis, asked = Analysis(table_study(SCORES)), []
    full = Cell.full
    monkeypatch.setattr(Cell, "full", lambda cell, *args, **given: asked.append(1) or full(cell, *args, **given))
    with pytest.raises(UnknownError, match="change together"):
        analysis.variance()
    again = len(asked)
    with pytest.raises(UnknownError, match="change together"):
        analysis.variance()
    assert len(asked) == again


def test_every_statistic_is_a_method_that_may_do_without_a_cell_where_there_is_one():
    analysis = Analysis(
        crossed(
            task=Task.glue("rte"),
            recipe=Recipe(model="m", track=TRACKED),
            tracked=dict.fromkeys(TRACKED, SCORES[:, :, None]),
            **outputs(),
        )
    )
    names = {name for name in STATISTICS if hasattr(Analysis, name)}
    assert {"variance", "grid", "failed", "bias_ratio"} <= names
    for name in names:
        assert getattr(analysis, name)() is getattr(analysis, name)(analysis.cell())


def test_studies_of_one_recipe_are_compared_by_their_cells():
    ours, theirs = Analysis(table_study(SCORES, recipe="a")), Analysis(table_study(SCORES[::-1], recipe="b"))
    found = ours.verdict(ours.cell(), theirs.cell())
    assert (found.a, found.b, found.n_a, found.n_b) == ("a", "b", 16, 16)
    assert (
        found.difference
        == Analysis(table_study(SCORES, recipe="a") + table_study(SCORES[::-1], recipe="b"))
        .verdict("a", "b")
        .difference
    )
