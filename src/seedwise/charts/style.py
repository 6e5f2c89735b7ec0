"""What do all figures have in common: size, type, colours, and how they become files?

Figures are drawn 3.3 inches wide, a column of a paper; a page enlarges them. Colours are Okabe and Ito's, which colour-blind
readers tell apart; every series also has a dash of its own, so that greyscale does.
"""

import json
import re
import textwrap
from pathlib import Path
from typing import Any, Final

import altair as alt

from seedwise.errors import RequestError
from seedwise.files import replacing

__all__ = ["COLORS", "DASHES", "FORMATS", "GREY", "HEIGHT", "SEQUENTIAL", "WIDTH", "save", "styled", "to_svg"]

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
_INCH = 72 / 96  # files count 72 pixels an inch, pages 96
_TITLE, _SUBTITLE = 50, 68  # characters that fit above a plot
_FONT = "Helvetica, Arial, sans-serif"
_CONFIG: dict[str, Any] = {
    "font": _FONT,
    "background": "white",
    "aria": False,  # else every mark of a heat map carries its own description, ten times its size
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
        "symbolSize": 300,
        "offset": 6,
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


def styled(chart: AnyChart, title: str, subtitle: str = "") -> Any:
    """Give a chart its title and the common style."""
    lines = textwrap.wrap(title, _TITLE) or [title]
    small = textwrap.wrap(subtitle, _SUBTITLE)
    heading = alt.TitleParams(text=lines, subtitle=small) if subtitle else alt.TitleParams(text=lines)
    return chart.properties(title=heading, padding=4).configure(**_CONFIG)


def to_svg(chart: Any) -> str:
    """Return a chart as SVG text; the same chart gives the same text."""
    import vl_convert

    return str(vl_convert.vegalite_to_svg(_spec(chart)))


def save(chart: Any, path: str | Path) -> Path:
    """Write a chart as SVG, PNG (300 dots an inch) or PDF, told by the file's ending."""
    import vl_convert

    path = Path(path)
    ending = path.suffix.lower().lstrip(".")
    if ending not in FORMATS:
        raise RequestError(f"a figure must end in .svg, .png or .pdf, not {path.name!r}; rename it.")
    if ending == "svg":
        content = to_svg(chart).encode()
    elif ending == "png":
        content = vl_convert.vegalite_to_png(_spec(chart), scale=_INCH, ppi=300)
    else:
        content = vl_convert.svg_to_pdf(_in_points(to_svg(chart)))
    with replacing(path) as beside:
        beside.write_bytes(content)
    return path


def _in_points(svg: str) -> str:
    """Give a figure its size in the points of a PDF, 72 an inch."""
    return re.sub(
        r'(<svg [^>]*?width=")([\d.]+)(" height=")([\d.]+)',
        lambda m: f"{m[1]}{float(m[2]) * _INCH:g}{m[3]}{float(m[4]) * _INCH:g}",
        svg,
        count=1,
    )


def _spec(chart: Any) -> str:
    return json.dumps(chart.to_dict(validate=False))  # tests validate: of a heat map that takes a second
