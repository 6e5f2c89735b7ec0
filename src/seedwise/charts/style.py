"""What do all figures have in common: size, type, colours, and how they become files?

Figures are drawn 3.3 inches wide, a column of a paper; a page enlarges them. Colours are Okabe and Ito's, which colour-blind
readers tell apart; every series also has a dash of its own, so that greyscale does.
"""

import json
import os
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any, Final

import altair as alt

from seedwise.errors import RequestError

__all__ = [
    "COLORS",
    "DASHES",
    "FORMATS",
    "GREY",
    "HEIGHT",
    "SEQUENTIAL",
    "WIDTH",
    "metric_words",
    "save",
    "series_scale",
    "styled",
    "to_svg",
]

AnyChart = (
    alt.Chart
    | alt.LayerChart
    | alt.FacetChart
    | alt.HConcatChart
    | alt.VConcatChart
    | alt.ConcatChart
    | alt.RepeatChart
)

WIDTH, HEIGHT = 245, 150
"""Of one plot's area, in pixels of 1/96 inch: with its axis 3.3 inches wide."""

COLORS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#000000")
DASHES = ([1, 0], [6, 3], [2, 2], [8, 3, 2, 3], [4, 1], [1, 3], [10, 4])
GREY = "#6b6b6b"
SEQUENTIAL: Final = "viridis"
"""Lightness rises evenly along it, so that it survives greyscale."""

FORMATS = ("svg", "png", "pdf")
_FONT = "Helvetica, Arial, sans-serif"
_CONFIG: dict[str, Any] = {
    "font": _FONT,
    "background": "white",
    "view": {"stroke": None},
    "axis": {
        "labelFontSize": 9,
        "titleFontSize": 10,
        "titleFontWeight": "normal",
        "grid": True,
        "gridColor": "#e6e6e6",
        "domainColor": "#555555",
        "tickColor": "#555555",
        "titlePadding": 4,
        "labelOverlap": True,
    },
    "legend": {
        "labelFontSize": 9,
        "titleFontSize": 9,
        "titleFontWeight": "normal",
        "symbolStrokeWidth": 1.6,
        "orient": "bottom",
        "direction": "horizontal",
        "columnPadding": 8,
        "labelLimit": 240,
    },
    "title": {
        "fontSize": 11,
        "fontWeight": "bold",
        "anchor": "start",
        "subtitleFontSize": 9,
        "subtitleColor": "#444444",
    },
    "header": {"labelFontSize": 9, "titleFontSize": 10},
}


def styled(chart: AnyChart, title: str | Sequence[str], subtitle: str = "") -> Any:
    """Give a chart its title and the common style.

    Args:
        chart: The chart.
        title: What it shows: task and what of it.
        subtitle: How many trials it rests on, and what shading means.
    """
    heading = alt.TitleParams(text=title, subtitle=subtitle) if subtitle else alt.TitleParams(text=title)
    return chart.properties(title=heading, padding=4).configure(**_CONFIG)


def series_scale(channel: Any, names: Sequence[str], *, title: str | None = None, field: str = "series") -> Any:
    """Return the color or dash channel of named series, in their order; past seven they repeat.

    Args:
        channel: ``alt.Color`` or ``alt.StrokeDash``.
        names: The series.
        title: Of the legend.
        field: The field that names the series.
    """
    values: Sequence[Any] = DASHES if channel is alt.StrokeDash else COLORS
    chosen = [values[i % len(values)] for i in range(len(names))]
    legend = alt.Legend(columns=2 if len(names) > 3 else 0)
    return channel(f"{field}:N", title=title, scale=alt.Scale(domain=list(names), range=chosen), legend=legend)


def metric_words(metric: str, split: str = "validation") -> str:
    """Return how an axis names a metric.

    Example:
        >>> metric_words("accuracy_f1"), metric_words("matthews", "test")
        ('validation accuracy and F1', 'test Matthews correlation')
    """
    words = {
        "accuracy_f1": "accuracy and F1",
        "f1": "F1",
        "matthews": "Matthews correlation",
        "pearson": "Pearson correlation",
        "spearman": "Spearman correlation",
        "pearson_spearman": "Pearson and Spearman correlation",
    }
    return f"{split} {words.get(metric, metric.replace('_', ' '))}"


def to_svg(chart: Any) -> str:
    """Return a chart as SVG text; the same chart gives the same text."""
    import vl_convert

    return str(vl_convert.vegalite_to_svg(_spec(chart)))


def save(chart: Any, path: str | Path) -> Path:
    """Write a chart as SVG, PNG (300 dots an inch) or PDF, told by the file's ending.

    Args:
        chart: What a ``draw_...`` function returned.
        path: Where to; an earlier file is replaced as a whole.

    Returns:
        The path.

    Raises:
        RequestError: The ending is none of the three.
        OSError: It cannot be written there.
    """
    import vl_convert

    path = Path(path)
    ending = path.suffix.lower().lstrip(".")
    if ending not in FORMATS:
        raise RequestError(f"a figure must end in .svg, .png or .pdf, not {path.name!r}; rename it.")
    if ending == "svg":
        content = to_svg(chart).encode()
    elif ending == "png":
        content = vl_convert.vegalite_to_png(_spec(chart), ppi=300)
    else:
        content = vl_convert.vegalite_to_pdf(_spec(chart))
    beside = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        beside.write_bytes(content)
        beside.replace(path)
    finally:
        with suppress(OSError):
            beside.unlink(missing_ok=True)
    return path


def _spec(chart: Any) -> str:
    return json.dumps(chart.to_dict())
