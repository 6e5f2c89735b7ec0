"""Which rows do trials get right, do they differ by more than flips, and how does an ensemble grow?"""

from typing import Any, NamedTuple

import altair as alt
import numpy as np

from seedwise.analysis.analysis import Analysis
from seedwise.analysis.cell import Cell
from seedwise.charts.style import COLORS, GREY, HEIGHT, WIDTH, styled
from seedwise.errors import UnknownError
from seedwise.stats.items.expected import equally_hard, order_band
from seedwise.values.labels import metric_words

__all__ = [
    "EnsembleData",
    "FlipsData",
    "RowsData",
    "draw_ensemble",
    "draw_flips",
    "draw_rows",
    "ensemble_data",
    "flips_data",
    "rows_data",
]

_MOST_BARS = 61  # numbers of trials with a bar of their own; of more, several share one
_LOG_FROM = 30  # members
_LABELLED = 10  # members, up to which every number has its tick


class RowsData(NamedTuple):
    """How many rows are got right by how many trials."""

    points: list[
        dict[str, Any]
    ]  # one mapping for each bar: from, middle, to (share of the trials), floor, rows, expected
    title: str  # of the figure
    subtitle: str  # number of trials and rows, and what is drawn
    y: str  # title of the vertical axis


class FlipsData(NamedTuple):
    """The accuracies of trials in their order, beside those that flips alone would give."""

    points: list[dict[str, Any]]  # one mapping for each trial: place, accuracy, low, high
    mean: float  # their mean
    title: str  # of the figure
    subtitle: str  # number of trials and rows, and the two standard deviations
    y: str  # title of the vertical axis


class EnsembleData(NamedTuple):
    """The score of ensembles by their number of members."""

    points: list[dict[str, Any]]  # one mapping for each number: members, mean, low, high
    singles: list[float]  # score of each trial
    winner: float  # score of the trial that validation chooses
    interval: tuple[float, float] | None  # of the ensemble of all, over rows
    title: str  # of the figure
    subtitle: str  # number of trials and rows
    y: str  # title of the vertical axis


def rows_data(analysis: Analysis, cell: Cell) -> RowsData:
    """Collect how many rows none, some and all trials get right, and what equally hard rows would give."""
    found = analysis.items(cell)
    n, counts = found.trials, found.agreement.right
    expected = equally_hard(n, found.rows, float(found.accuracies.mean()))
    starts = np.arange(0, n + 1, -(-(n + 1) // _MOST_BARS))
    ends = np.append(starts[1:], n + 1)
    bars = [np.add.reduceat(values, starts) / (ends - starts) for values in (counts, expected)]
    points = [
        {
            "from": (start - 0.5) / n,
            "middle": (start + end - 1) / 2 / n,
            "to": (end - 0.5) / n,
            "floor": 0,
            "rows": float(rows),
            "expected": float(even),
        }
        for start, end, rows, even in zip(starts.tolist(), ends.tolist(), *bars, strict=True)
    ]
    y = "rows" if len(points) == n + 1 else "rows, for each number of trials"
    drawn = f"{found.rows:,} {found.split} rows, {n} trials; line: if every row were equally hard"
    return RowsData(points, f"{analysis.label(cell)}: rows that trials get right", drawn, y)


def flips_data(analysis: Analysis, cell: Cell) -> FlipsData:
    """Collect the sorted accuracies, and between what each would lie if trials differed by flips alone (Jordan 2023)."""
    found = analysis.items(cell)
    if found.spread is None:
        raise UnknownError("all trials label every row alike, so their accuracies do not spread.")
    accuracies, mean = np.sort(found.accuracies), float(found.accuracies.mean())
    lower, upper = order_band(found.trials)
    ends = zip(accuracies.tolist(), lower.tolist(), upper.tolist(), strict=True)
    points = [
        {
            "place": place,
            "accuracy": accuracy,
            "low": mean + found.spread.flips * low,
            "high": mean + found.spread.flips * high,
        }
        for place, (accuracy, low, high) in enumerate(ends, start=1)
    ]
    drawn = (
        f"{found.rows:,} rows, {found.trials} trials, sd {found.spread.sd:.3f}; shaded: where 95% would lie if rows flipped at "
        f"random and nothing else differed (sd {found.spread.flips:.3f})"
    )
    title = f"{analysis.label(cell)}: spread of the trials' accuracies"
    return FlipsData(points, mean, title, drawn, metric_words("accuracy", found.split))


def ensemble_data(analysis: Analysis, cell: Cell) -> EnsembleData:
    """Collect the mean score of ensembles, plus and minus one standard deviation, by their number of members."""
    found = analysis.ensemble(cell)
    growth = found.growth
    points = [
        {"members": int(members), "mean": float(mean), "low": float(mean - sd), "high": float(mean + sd)}
        for members, mean, sd in zip(growth.members, growth.mean, growth.sd, strict=True)
        if np.isfinite(mean)
    ]
    interval = None if found.interval is None else (found.interval.lower, found.interval.upper)
    drawn = f"{found.rows:,} rows; circles: {found.members} trials; shaded: ± 1 sd"
    drawn += "; bar: 95% over rows" if interval else ""
    title = f"{analysis.label(cell)}: ensembles of trials"
    return EnsembleData(
        points, found.scores.tolist(), found.winner, interval, title, drawn, metric_words(found.metric, found.split)
    )


def draw_rows(data: RowsData) -> Any:
    """Draw how many rows are got right by how many trials, as bars, and the expectation as a line."""
    source = alt.Data(values=data.points)
    x = alt.X(
        "from:Q",
        title="share of the trials that get a row right",
        scale=alt.Scale(nice=False),
        axis=alt.Axis(format="%"),
    )
    bars = (
        alt.Chart(source)
        .mark_bar(color="#9dbfd8", stroke="white", strokeWidth=0.5)
        .encode(x=x, x2="to:Q", y=alt.Y("rows:Q", title=data.y, scale=alt.Scale(domainMin=0)), y2="floor:Q")
    )
    line = (
        alt.Chart(source)
        .mark_line(color=COLORS[1], strokeWidth=1.6, strokeDash=[6, 3])
        .encode(x="middle:Q", y="expected:Q")
    )
    return styled(alt.layer(bars, line).properties(width=WIDTH, height=HEIGHT), data.title, data.subtitle)


def draw_flips(data: FlipsData) -> Any:
    """Draw the trials in the order of their accuracies over the band that flips alone would give."""
    source, scale = alt.Data(values=data.points), alt.Scale(zero=False, nice=True)
    x = alt.X(
        "place:Q",
        title="trials, by accuracy",
        scale=alt.Scale(nice=False, zero=False, padding=6),
        axis=alt.Axis(tickMinStep=1, format="d"),
    )
    band = (
        alt.Chart(source)
        .mark_area(color=GREY, opacity=0.22)
        .encode(x=x, y=alt.Y("low:Q", title=data.y, scale=scale), y2="high:Q")
    )
    mean = (
        alt.Chart(alt.Data(values=[{"mean": data.mean}]))
        .mark_rule(color=GREY, strokeDash=[2, 2])
        .encode(y=alt.Y("mean:Q", scale=scale))
    )
    dots = (
        alt.Chart(source)
        .mark_point(filled=True, size=22, color=COLORS[0], opacity=1)
        .encode(x=x, y=alt.Y("accuracy:Q", scale=scale))
    )
    return styled(alt.layer(band, mean, dots).properties(width=WIDTH, height=HEIGHT), data.title, data.subtitle)


def draw_ensemble(data: EnsembleData) -> Any:
    """Draw the score by the number of members, beside the winner's."""
    source, scale = alt.Data(values=data.points), alt.Scale(zero=False, nice=True)
    most = data.points[-1]["members"]
    kind = (
        alt.Scale(type="log", nice=False, domain=[0.9, 1.1 * most])
        if most >= _LOG_FROM
        else alt.Scale(nice=False, padding=6)
    )
    ticks = [point["members"] for point in data.points] if most <= _LABELLED else alt.Undefined
    axis = alt.Axis(tickMinStep=1, format="d", values=ticks)
    x = alt.X("members:Q", title="members of the ensemble", scale=kind, axis=axis)
    area = (
        alt.Chart(source)
        .mark_area(color=COLORS[0], opacity=0.18)
        .encode(x=x, y=alt.Y("low:Q", title=data.y, scale=scale), y2="high:Q")
    )
    line = (
        alt.Chart(source)
        .mark_line(color=COLORS[0], strokeWidth=1.6, point=alt.OverlayMarkDef(color=COLORS[0], size=16))
        .encode(x=x, y=alt.Y("mean:Q", scale=scale))
    )
    marks = alt.Chart(alt.Data(values=[{"winner": data.winner, "members": most, "text": "validation's winner"}]))
    rule = marks.mark_rule(color=COLORS[1], strokeDash=[6, 3]).encode(y=alt.Y("winner:Q", scale=scale))
    words = marks.mark_text(color=COLORS[1], align="right", baseline="bottom", dy=-2, fontSize=9).encode(
        x=x, y=alt.Y("winner:Q", scale=scale), text="text:N"
    )
    alone = alt.Chart(alt.Data(values=[{"members": 1, "mean": score} for score in data.singles]))
    dots = alone.mark_point(color=GREY, opacity=0.7, size=10).encode(x=x, y=alt.Y("mean:Q", scale=scale))
    layers = [area, dots, line, rule, words]
    if data.interval is not None:
        ends = alt.Chart(alt.Data(values=[{"members": most, "lower": data.interval[0], "upper": data.interval[1]}]))
        layers.append(ends.mark_rule(strokeWidth=1.2).encode(x=x, y=alt.Y("lower:Q", scale=scale), y2="upper:Q"))
    return styled(alt.layer(*layers).properties(width=WIDTH, height=HEIGHT), data.title, data.subtitle)
