"""Which stopping rule makes the most of a budget, and what does it gain? Figures 6 and 7 of Dodge et al. (2020)."""

from typing import Any, NamedTuple

import altair as alt
import numpy as np
from numpy.typing import ArrayLike, NDArray

from seedwise.analysis.analysis import Analysis
from seedwise.analysis.cell import Cell
from seedwise.analysis.stopping import BestRules
from seedwise.charts.series import line_channel, shaded_lines
from seedwise.charts.style import GREY, WIDTH, styled
from seedwise.errors import UnknownError
from seedwise.values.labels import metric_words

__all__ = ["BudgetData", "RulesData", "draw_by_budget", "draw_rules", "planned_data", "reduction_data", "rules_data"]

Floats = NDArray[np.float64]

_PANELS = {"t": "t (started)", "f": "f (% of the run)", "p": "p (kept)"}
_PANEL_HEIGHT = 62
_RULE, _FULL = "best rule", "full trainings"
_X = "budget (full trainings)"


class RulesData(NamedTuple):
    """The best stopping rule for every budget."""

    # one mapping for each budget, part of the rule and series: budget, part (t, f in percent, or p), series (the best
    # rule, or full trainings, of which t and p are the budget), value
    points: list[dict[str, Any]]
    title: str  # of the figure
    subtitle: str  # number of trials and of rules compared


class BudgetData(NamedTuple):
    """What is to be expected for every budget."""

    # one mapping for each budget of each series: series, budget, mean, and low and high of the shading
    points: list[dict[str, Any]]
    series: tuple[str, ...]  # their names in the legend's order
    zero: bool  # whether 0 is marked: no gain
    title: str  # of the figure
    subtitle: str  # number of trials, and what is shaded
    y: str  # title of the vertical axis


def rules_data(analysis: Analysis, cell: Cell) -> RulesData:
    """Collect t, f and p of the best rule for every budget, beside those of full trainings (Dodge et al. 2020,
    section 5 and figure 6; computed exactly instead of by simulation).
    """
    found = analysis.best_rules(cell)
    rules = found.rules
    points = [
        point
        for part, values in (("t", rules.t), ("f", 100 * rules.f), ("p", rules.p))
        for point in _points(_RULE, rules.budget, values, key="value", part=part)
    ]
    for part in ("t", "p"):
        points += _points(_FULL, rules.budget, rules.budget, key="value", part=part)
    title = f"{analysis.label(cell)}: best stopping rule"
    return RulesData(points, title, _basis(found))


def reduction_data(
    analysis: Analysis, cell: Cell, *, interval: tuple[ArrayLike, ArrayLike] | None = None
) -> BudgetData:
    """Collect the relative error reduction of the best rule over full trainings, by budget (Dodge et al. 2020,
    section 5 and figure 7).
    """
    found = analysis.best_rules(cell)
    if found.reduction is None:
        raise UnknownError(
            f"an error reduction needs a metric with a known perfect score, and that of {cell.task.metric} is not known; "
            "draw the expected results instead."
        )
    ends = None if interval is None else tuple(100 * np.asarray(end, dtype=np.float64) for end in interval)
    return BudgetData(
        points=_points(_RULE, found.rules.budget, 100 * found.reduction, *(ends or ())),
        series=(_RULE,),
        zero=True,
        title=f"{analysis.label(cell)}: gain over full trainings",
        subtitle=f"{_basis(found)}{'' if ends is None else '; shaded: interval'}",
        y="relative error reduction (%)",
    )


def planned_data(analysis: Analysis, cell: Cell) -> BudgetData:
    """Collect the expected result of the best rule beside that of full trainings, by budget (Dodge et al. 2020,
    section 5: the two results that figure 7 compares).
    """
    found = analysis.best_rules(cell)
    rules = found.rules
    points = _points(_RULE, rules.budget, rules.mean, rules.mean - rules.sd, rules.mean + rules.sd)
    return BudgetData(
        points=points + _points(_FULL, rules.budget, found.full),
        series=(_RULE, _FULL),
        zero=False,
        title=f"{analysis.label(cell)}: expected result by budget",
        subtitle=f"{found.trials} trials; shaded: ± 1 sd of the best rule's result",
        y=metric_words(cell.task.metric, "expected"),
    )


def draw_rules(data: RulesData) -> Any:
    """Draw t, f and p of the best rule against the budget, one panel below the other (Dodge et al. 2020, figure 6)."""
    panels = []
    for part, title in _PANELS.items():
        last = part == "p"
        axis = alt.Axis(labels=last, ticks=last, tickMinStep=1)
        x = alt.X("budget:Q", title=_X if last else None, scale=_budgets(data.points), axis=axis)
        most = [0, 100] if part == "f" else alt.Undefined
        y = alt.Y("value:Q", title=title, scale=alt.Scale(domain=most, zero=True), axis=alt.Axis(tickCount=3))
        source = alt.Chart(alt.Data(values=[point for point in data.points if point["part"] == part]))
        color, dash = (line_channel(channel, (_RULE, _FULL)) for channel in (alt.Color, alt.StrokeDash))
        lines = source.mark_line(strokeWidth=1.4).encode(x=x, y=y, color=color, strokeDash=dash)
        dots = source.transform_filter(f"datum.series == '{_RULE}'").mark_point(size=8, filled=True, opacity=1)
        panels.append(
            alt.layer(lines, dots.encode(x=x, y=y, color=color)).properties(width=WIDTH, height=_PANEL_HEIGHT)
        )
    return styled(alt.vconcat(*panels, spacing=8), data.title, data.subtitle)


def draw_by_budget(data: BudgetData) -> Any:
    """Draw what is to be expected against the budget, one line a series, with shading (Dodge et al. 2020, figure 7)."""
    x = alt.X("budget:Q", title=_X, scale=_budgets(data.points), axis=alt.Axis(tickMinStep=1))
    chart = shaded_lines(data.points, data.series, x, data.y)
    if data.zero:
        rule = alt.Chart(alt.Data(values=[{"mean": 0}])).mark_rule(color=GREY, strokeDash=[2, 2])
        chart = alt.layer(rule.encode(y="mean:Q"), chart).properties(width=WIDTH)
    return styled(chart, data.title, data.subtitle)


def _points(
    series: str, budget: Floats, mean: ArrayLike, low: Any = None, high: Any = None, *, key: str = "mean", **more: str
) -> list[dict[str, Any]]:
    """Return one mapping a budget, without those at which the value is not known."""
    values = np.asarray(mean, dtype=np.float64)
    return [
        {
            "series": series,
            "budget": float(budget[i]),
            key: float(values[i]),
            **more,
            **({} if low is None else {"low": float(low[i]), "high": float(high[i])}),
        }
        for i in np.flatnonzero(np.isfinite(values))
    ]


def _basis(found: BestRules) -> str:
    return f"best of {found.settings:,} rules on these {found.trials} trials"


def _budgets(points: list[dict[str, Any]]) -> alt.Scale:
    return alt.Scale(domain=[0, max((point["budget"] for point in points), default=1)], nice=False)
