"""Does a study that was stopped early tell of all its trials what was known when they were judged, and nothing more?"""

import numpy as np
import pytest

from seedwise.analysis.analysis import Analysis
from seedwise.analysis.answers import EARLY
from seedwise.analysis.early import early_cell
from seedwise.errors import UnknownError
from seedwise.tables.early import early_table
from table_studies import grid_seeds, table_study

NAN = np.nan
FULL = np.clip(
    np.random.default_rng(0).normal(0.7, 0.05, (20, 1)) + np.random.default_rng(1).normal(0, 0.02, (20, 8)), 0, 1
)
STATES = ["complete"] * 4 + ["stopped"] * 15 + ["failed"]


def stopped(scores=FULL, states=STATES, **given):
    """Trials judged after two of eight evaluations; four went on, and one crashed after the first."""
    cut = np.array(scores)
    for row, state in enumerate(states):
        if state != "complete":
            cut[row, 1 if state == "failed" else 2 :] = NAN
    return table_study(cut, states=states, steps=range(10, 81, 10), **given)


def test_early_scores_are_those_of_a_study_that_ended_when_trials_were_judged():
    early = early_cell(Analysis(stopped()).cell())
    short = Analysis(table_study(np.where(np.arange(20)[:, None] < 19, FULL[:, :2], [FULL[19, 0], NAN]))).cell()
    assert early.until == 0.25
    assert early.curves.fractions.tolist() == [0.125, 0.25]
    assert early.final().tolist() == short.final().tolist()
    assert early.failed.tolist() == [False] * 19 + [True]


@pytest.mark.parametrize(
    "name", ["expected_best", "failed", "low_quantile", "correlation", "variance", "spread", "grid"]
)
def test_statistics_of_early_scores_are_those_of_the_short_study(name):
    seeds = grid_seeds(4, 5)
    analysis = Analysis(stopped(states=["complete"] * 4 + ["stopped"] * 16, **seeds))
    short = Analysis(table_study(FULL[:, :2], **seeds))
    mine, other = (getattr(one, name)(cell) for one, cell in ((analysis, analysis.early()), (short, short.cell())))
    if name == "expected_best":  # a training of them costs less
        mine, other = (one._replace(seconds=0) for one in (mine, other))
    np.testing.assert_equal(mine, other)


def test_the_early_cell_is_not_mistaken_for_the_whole_one():
    analysis = Analysis(stopped())
    assert len(analysis.expected_best(analysis.early()).mean) == 20
    with pytest.raises(UnknownError, match="15 of 20"):
        analysis.expected_best(analysis.cell())


def test_a_trial_that_diverged_later_has_its_early_score():
    scores = np.array(FULL)
    scores[0, 5:] = NAN
    study = table_study(
        np.where((np.arange(20) > 3)[:, None] & (np.arange(8) > 1), NAN, scores),
        states=["failed"] + ["complete"] * 3 + ["stopped"] * 16,
        steps=range(10, 81, 10),
    )
    early = early_cell(Analysis(study).cell())
    assert not early.failed.any()
    assert early.final()[0] == FULL[0, :2].max()


def test_what_the_rule_did_is_counted():
    test = np.where(np.arange(20) < 4, 0.65, NAN)
    found = Analysis(stopped(test=test)).stopped_early()
    assert (found.started, found.stopped, found.step, found.until) == (20, 15, 20, 0.25)
    assert found.cost == pytest.approx((4 * 80 + 15 * 20 + 10) / 80)
    best = FULL[:4].max(axis=1)
    assert found.validation[:3] == pytest.approx((4, best.mean(), best.std(ddof=1)))
    assert found.test[:3] == pytest.approx((4, 0.65, 0))
    early = np.where(np.arange(20) < 19, FULL[:, :2].max(axis=1), FULL[:, 0])
    assert found.place_of_winner == 1 + np.sum(early > early[best.argmax()])
    assert found.early_of_winner == early[best.argmax()]


def test_a_study_that_stopped_none_has_no_early_cell():
    with pytest.raises(UnknownError, match="no trial was stopped early"):
        Analysis(table_study(FULL)).early()


def test_trials_that_are_equal_up_to_then_are_told():
    scores = np.array(FULL)
    scores[:19, :2] = scores[0, :2]
    losses = np.tile(np.linspace(0.7, 0.1, 80), (20, 1))
    analysis = Analysis(stopped(scores, losses=losses))
    with pytest.raises(UnknownError, match="gave the same curve"):
        analysis.expected_best(analysis.early())


def test_json_tells_early_scores_beside_the_reasons():
    (cell,) = Analysis(stopped()).to_json()["cells"]
    assert "stopped early" in cell["expected_best"]["reason"] or "count as stopped" in cell["expected_best"]["reason"]
    assert set(EARLY) < set(cell["early"])
    assert cell["early"]["until"] == 0.25
    assert len(cell["early"]["expected_best"]["all"]["mean"]) == 20
    (whole,) = Analysis(table_study(FULL)).to_json()["cells"]
    assert "no trial was stopped early" in whole["early"]["reason"]


def test_the_table_tells_one_row_for_each_cell():
    (row,) = early_table(Analysis(stopped())).rows
    assert row[1:3] == (20, 0.25)
    assert row[5] == 4
    assert row[7] is None  # there are no test rows
