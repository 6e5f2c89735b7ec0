"""How are the scores of single seeds distributed, and how far do they spread? Figures 3 and 8 of Dodge et al. (2020)."""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import altair as alt
import numpy as np
from numpy.typing import NDArray

from seedwise.analysis.analysis import Analysis
from seedwise.analysis.cell import Cell
from seedwise.charts.series import line_channel
from seedwise.charts.style import GREY, WIDTH, styled
from seedwise.stats.kernel_density import bandwidth, density
from seedwise.values.labels import metric_words

__all__ = ["DensityData", "draw_density", "seed_density_data", "spread_density_data"]

Floats = NDArray[np.float64]

_PLACES = 161  # of a curve
_PANEL_HEIGHT = 90
_RUG_SHARE = 0.2  # of the curves' height, below them, for each series


class DensityData(NamedTuple):
    """Densities of scores, or of standard deviations, with the single values below them."""

    points: list[dict[str, Any]]  # one mapping for each place of each curve: panel, series, value, density
    # one mapping for each distinct value: panel, series, value, count (how many trials or seeds have it)
    rug: list[dict[str, Any]]
    panels: tuple[str, ...]  # names of the panels from the top down; one empty name where there is a single panel
    series: tuple[str, ...]  # names of the curves in the legend's order
    marks: Mapping[str, float]  # by what they are, values that are marked by a line
    title: str  # of the figure
    subtitle: str  # number of trials, and how to read the figure
    x: str  # title of the horizontal axis


def seed_density_data(analysis: Analysis, cell: Cell) -> DensityData:
    """Collect the density of the scores of the best and the worst init seed, and of the best and the worst order
    seed (Dodge et al. 2020, figure 3; a Gaussian kernel with Scott's bandwidth).
    """
    scores, index = cell.final(), cell.full()
    groups: dict[str, dict[str, Floats]] = {}
    for stream in ("init", "order"):
        found = analysis.best_worst(cell, stream)
        mine = cell.seeds(stream)[index]
        name = f"{stream} seed {found.best} (best) and {found.worst} (worst): corrected p {_p(found.corrected_p)}"
        groups[name] = {"best seed": scores[mine == found.best], "worst seed": scores[mine == found.worst]}
    points, rug = _curves(groups, cell.support)
    title = f"{analysis.label(cell)}: best and worst seeds"
    return DensityData(
        points=points,
        rug=rug,
        panels=tuple(groups),
        series=("best seed", "worst seed"),
        marks={},
        title=title,
        subtitle=f"{len(scores)} trials; lines below: each trial, longer where several are equal",
        x=metric_words(cell.task.metric),
    )


def spread_density_data(analysis: Analysis, cell: Cell) -> DensityData:
    """Collect the density of the standard deviations under each init seed and under each order seed, beside that of
    all (Dodge et al. 2020, appendix, figure 8; a Gaussian kernel with Scott's bandwidth).
    """
    found = analysis.spread(cell)
    points, rug = _curves({"": {"init seeds": found.by_init, "order seeds": found.by_order}}, (0.0, np.inf))
    return DensityData(
        points=points,
        rug=rug,
        panels=("",),
        series=("init seeds", "order seeds"),
        marks={"all trials": found.total},
        title=f"{analysis.label(cell)}: spread under a fixed seed",
        subtitle=f"{len(found.by_init)} init and {len(found.by_order)} order seeds; lines below: each seed",
        x=f"sd of {metric_words(cell.task.metric)}",
    )


def draw_density(data: DensityData) -> Any:
    """Draw densities as curves with the single values as a rug below, one panel below the other (Dodge et al. 2020,
    figures 3 and 8).
    """
    values = [entry["value"] for entry in (*data.points, *data.rug)] + list(data.marks.values())
    domain = [min(values), max(values)]
    panels = [
        _panel(data, panel, domain, data.x if panel == data.panels[-1] else "").properties(
            width=WIDTH, height=_PANEL_HEIGHT, title=alt.TitleParams(panel, fontSize=9, fontWeight="normal", offset=2)
        )
        for panel in data.panels
    ]
    chart = alt.vconcat(*panels, spacing=6) if len(panels) > 1 else panels[0].properties(height=2 * _PANEL_HEIGHT)
    return styled(chart, data.title, data.subtitle)


def _panel(data: DensityData, panel: str, domain: list[float], title: str) -> Any:
    points = [point for point in data.points if point["panel"] == panel]
    top = 1.05 * max((point["density"] for point in points), default=1.0)
    room = _RUG_SHARE * top
    rug = _ticks([entry for entry in data.rug if entry["panel"] == panel], data.series, room)
    x = alt.X("value:Q", title=title, scale=alt.Scale(domain=domain, nice=False, zero=False))
    axis = alt.Axis(labels=False, ticks=False, grid=False, domain=False)
    y: dict[str, Any] = {
        "scale": alt.Scale(domain=[-room * len(data.series), top], nice=False),
        "axis": axis,
        "title": "density",
    }
    color = line_channel(alt.Color, data.series)
    dash = line_channel(alt.StrokeDash, data.series)
    curves = (
        _source(points).mark_line(strokeWidth=1.6).encode(x=x, y=alt.Y("density:Q", **y), color=color, strokeDash=dash)
    )
    ticks = _source(rug).mark_rule(strokeWidth=0.8).encode(x=x, y=alt.Y("low:Q", **y), y2="high:Q", color=color)
    floor = _source([{"density": 0}]).mark_rule(color="#555555", strokeWidth=0.6).encode(y=alt.Y("density:Q", **y))
    layers = [floor, ticks, curves]
    if data.marks:
        marks = _source([{"value": value, "text": name} for name, value in data.marks.items()])
        layers.append(marks.mark_rule(color=GREY, strokeDash=[2, 2]).encode(x=x))
        layers.append(
            marks.mark_text(color=GREY, align="left", baseline="top", dx=3, y=0, fontSize=9).encode(x=x, text="text:N")
        )
    return alt.layer(*layers)


def _ticks(entries: list[dict[str, Any]], series: Sequence[str], room: float) -> list[dict[str, Any]]:
    """Give each single value a line in its series' row below the curves, the longer the more trials have that value."""
    most = max((entry["count"] for entry in entries), default=1)
    rows = {name: -room * (row + 1) for row, name in enumerate(series)}  # where each row ends below
    found = []
    for entry in entries:
        height = 0.9 if most == 1 else 0.25 + 0.65 * (entry["count"] - 1) / (most - 1)
        found.append({**entry, "low": rows[entry["series"]], "high": rows[entry["series"]] + height * room})
    return found


def _source(entries: list[dict[str, Any]]) -> alt.Chart:
    return alt.Chart(alt.Data(values=entries))


def _curves(
    groups: Mapping[str, Mapping[str, Floats]], support: tuple[float, float] | None
) -> tuple[list[Any], list[Any]]:
    """Return curves and single values of all panels, the curves over a common range, within what is possible."""
    everything = np.concatenate([values for panel in groups.values() for values in panel.values()])
    margin = 3 * max(bandwidth(values) for panel in groups.values() for values in panel.values())
    least, most = support or (-np.inf, np.inf)
    at = np.linspace(max(everything.min() - margin, least), min(everything.max() + margin, most), _PLACES)
    points, rug = [], []
    for panel, series in groups.items():
        for name, values in series.items():
            distinct, counts = np.unique(values, return_counts=True)
            rug += [
                {"panel": panel, "series": name, "value": value, "count": count}
                for value, count in zip(distinct.tolist(), counts.tolist(), strict=True)
            ]
            for place, height in zip(at, density(values, at), strict=True):
                if np.isfinite(height):
                    points.append({"panel": panel, "series": name, "value": float(place), "density": float(height)})
    return points, rug


def _p(p: float) -> str:
    return f"= {p:.2g}" if p >= 0.001 else "< 0.001"
