"""The figures of planning: the rules and results of the analysis, budget by budget."""

import numpy as np
import pytest

from figures import words_of
from seedwise.analysis.analysis import Analysis
from seedwise.charts.budgets import draw_by_budget, draw_rules, planned_data, reduction_data, rules_data
from seedwise.errors import RequestError
from table_studies import table_study

RNG = np.random.default_rng(0)
SCORES = 0.5 + 0.3 * np.sort(RNG.random((30, 5)), axis=1)


def of(**fields):
    analysis = Analysis(table_study(SCORES, **fields))
    return analysis, analysis.cell()


def column(data, key, series, part=None):
    return [p[key] for p in data.points if p["series"] == series and p.get("part") == part]


def test_rules_are_those_of_the_plan():
    analysis, cell = of()
    data, rules = rules_data(analysis, cell), analysis.best_rules(cell).rules
    assert column(data, "budget", "best rule", "t") == list(range(1, 31))
    assert column(data, "value", "best rule", "t") == rules.t.tolist()
    assert column(data, "value", "best rule", "f") == pytest.approx(100 * rules.f)
    assert column(data, "value", "best rule", "p") == rules.p.tolist()


def test_rules_shown_cost_their_budget():
    data = rules_data(*of())
    t, f, p = (np.array(column(data, "value", "best rule", part)) for part in "tfp")
    np.testing.assert_allclose(t * f / 100 + p * (1 - f / 100), np.arange(1, 31))


def test_full_trainings_start_and_keep_the_budget():
    data = rules_data(*of())
    assert column(data, "value", "full trainings", "t") == column(data, "value", "full trainings", "p")
    assert column(data, "value", "full trainings", "p") == list(range(1, 31))


def test_reduction_is_the_share_of_the_error_in_percent():
    data, planned = reduction_data(*of()), planned_data(*of())
    rule, full = (np.array(column(planned, "mean", series)) for series in ("best rule", "full trainings"))
    assert column(data, "mean", "best rule") == pytest.approx(100 * (rule - full) / (1 - full))


def test_reduction_has_an_interval_only_where_one_is_given():
    assert not any("low" in point for point in reduction_data(*of()).points)
    given = reduction_data(*of(), interval=(np.full(30, -0.01), np.full(30, 0.05)))
    assert {(point["low"], point["high"]) for point in given.points} == {(-1.0, 5.0)}
    assert given.subtitle.endswith("shaded: interval")


def test_of_a_loss_the_reduction_is_that_towards_zero():
    analysis, cell = of(metric="loss")
    data = reduction_data(analysis, cell)
    assert all(point["mean"] >= -1e-9 for point in data.points)


def test_a_metric_without_a_perfect_score_has_no_reduction_but_a_plan():
    analysis, cell = of(metric="reward")
    with pytest.raises(RequestError, match="perfect score"):
        reduction_data(analysis, cell)
    assert planned_data(analysis, cell).points


def test_planned_result_is_shaded_by_its_sd():
    analysis, cell = of()
    rules = analysis.best_rules(cell).rules
    points = [point for point in planned_data(analysis, cell).points if point["series"] == "best rule"]
    assert [point["high"] - point["mean"] for point in points] == pytest.approx(rules.sd)
    assert [point["mean"] - point["low"] for point in points] == pytest.approx(rules.sd)


def test_figure_of_rules_names_its_three_panels():
    data = rules_data(*of())
    words = words_of(draw_rules(data))
    expected = {"t (started)", "f (% of the run)", "p (kept)", "budget (full trainings)", "full trainings", data.title}
    assert expected | {data.subtitle} <= set(words)
    assert "30 trials" in data.subtitle


def test_figure_of_reduction_names_axes_and_trials():
    data = reduction_data(*of())
    words = set(words_of(draw_by_budget(data)))
    assert {data.title, data.subtitle, "relative error reduction (%)", "budget (full trainings)"} <= words


def test_figure_of_planned_results_names_both_series():
    data = planned_data(*of())
    words = set(words_of(draw_by_budget(data)))
    assert {data.title, data.subtitle, "best rule", "full trainings", "expected accuracy"} <= words


def test_stopped_trials_are_refused():
    with pytest.raises(RequestError, match="count as stopped"):
        rules_data(*of(states=["stopped"] + ["complete"] * 29))
