"""Is everything that can be said as plain JSON, and the reason where nothing can?"""

import json

import numpy as np
import pytest

from seedwise import Recipe, Task
from seedwise.analysis.analysis import Analysis
from seedwise.analysis.statistics import STATISTICS, Refusal
from seedwise.values.recipe import TRACKED
from table_studies import grid_seeds, table_study

SCORES = 0.5 + 0.4 * np.random.default_rng(0).random((16, 6))


def crossed(**given):
    return table_study(SCORES, **grid_seeds(4, 4), test=SCORES[:, -1], losses=SCORES, epochs=3, **given)


def test_a_crossed_study_with_test_scores_that_tracks_everything_allows_every_statistic():
    tracked = dict.fromkeys(TRACKED, SCORES[:, :, None])
    analysis = Analysis(crossed(task=Task.glue("rte"), recipe=Recipe(model="m", track=TRACKED), tracked=tracked))
    refused = {name for name in STATISTICS if isinstance(analysis.find(name, analysis.cell()), Refusal)}
    assert refused == set()


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
    assert analysis.find("variance", analysis.cell()) is analysis.find("variance", analysis.cell())
