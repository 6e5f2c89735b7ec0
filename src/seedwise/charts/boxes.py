"""How are final scores spread under each recipe? Figures 2, 5 and 13 of Zhang et al. (2021)."""

from collections.abc import Mapping
from typing import Any, Literal, NamedTuple

import altair as alt
import numpy as np
from numpy.typing import NDArray

from seedwise.analysis.analysis import Analysis
from seedwise.analysis.cell import Cell
from seedwise.charts.series import task_of
from seedwise.charts.style import COLORS, GREY, styled
from seedwise.values.labels import metric_words

__all__ = ["MOST_POINTS", "RecipesData", "draw_recipes", "recipes_data"]

MOST_POINTS = 60
"""Of more trials of one recipe only those beyond the whiskers are drawn one by one."""

_WHOLE, _LEAST = 290, 150  # pixels: of a row's name and its boxes, and of the boxes alone
_LETTER = 4.7  # pixels of a letter of a row's name, on average
_LONGEST = 24  # letters of a row's name on one line
_ROW = 44  # pixels from box to box, at least
_POINTS = (5, 19)  # pixels below the top of a row between which its trials lie
_BOX_SHIFT, _BOX_SIZE = 9, 14  # pixels: below the middle of a row, and its thickness
_LINE = 11  # pixels from line to line of a row's name


class RecipesData(NamedTuple):
    """Final scores of several recipes on one task."""

    # one mapping for each recipe: series, n, q1, median, q3, low and high (ends of the whiskers: the furthest scores
    # within 1.5 interquartile ranges of the box), mean, failed (how many trials ended about where the constant guess
    # is) and of (how many ended)
    boxes: list[dict[str, Any]]
    # one mapping for each trial that is drawn by itself: series, score, and offset, its place across the row in [0,
    # 1), the same at every call
    points: list[dict[str, Any]]
    series: tuple[str, ...]  # names of the recipes from the top down
    baseline: float | None  # what the best constant guess scores; None where it is not known, and for test rows
    title: str  # of the figure
    subtitle: str  # what box, whiskers and points are
    x: str  # title of the axis of scores


def recipes_data(analysis: Analysis, cells: Mapping[str, Cell], *, split: str = "validation") -> RecipesData:
    """Collect quartiles, whiskers and single trials of the final scores of recipes."""
    task = task_of(cells)
    scores = {name: cell.scores(split) for name, cell in cells.items()}
    failed = {name: analysis.failed(cell) for name, cell in cells.items()}
    boxes = [
        {"series": name, **_box(own), "failed": failed[name].share.failed, "of": failed[name].share.n}
        for name, own in scores.items()
    ]
    points = [point for box in boxes for point in _points(box, scores[box["series"]])]
    alone = "each point a trial" if max(map(len, scores.values())) <= MOST_POINTS else "points: trials beyond"
    return RecipesData(
        boxes,
        points,
        tuple(cells),
        next(iter(cells.values())).baseline if split == "validation" else None,
        f"{task.name}: final scores by recipe",
        f"box: quartiles, median; whiskers: to 1.5 IQR; {alone}",
        metric_words(task.metric, split),
    )


def draw_recipes(data: RecipesData) -> Any:
    """Draw one box a recipe, with its trials, how many of them failed, and the line of the constant guess."""
    rows = {box["series"]: _row_name(box) for box in data.boxes}
    boxes = alt.Chart(alt.Data(values=[{**box, "row": rows[box["series"]]} for box in data.boxes]))
    points = alt.Chart(alt.Data(values=[{**point, "row": rows[point["series"]]} for point in data.points]))
    letters = max(len(line) for row in rows.values() for line in row.split("\n"))
    height = max(_ROW, *(_LINE * (row.count("\n") + 1) + 8 for row in rows.values()))
    y = _row_axis(list(rows.values()))
    across = alt.YOffset("offset:Q", scale=alt.Scale(domain=[0, 1], range=list(_POINTS)))
    layers = [
        *_boxes(boxes, data.x, y),
        points.mark_circle(size=11, color=COLORS[1], opacity=0.6).encode(x="score:Q", y=y, yOffset=across),
        *([] if data.baseline is None else _guess(data)),
    ]
    width = max(_LEAST, _WHOLE - _LETTER * letters)
    chart = alt.layer(*layers).properties(width=width, height=height * len(rows))
    return styled(chart, data.title, data.subtitle)


def _box(scores: NDArray[np.float64]) -> dict[str, Any]:
    q1, median, q3 = np.quantile(scores, [0.25, 0.5, 0.75]).tolist()
    reach = 1.5 * (q3 - q1)
    within = scores[(scores >= q1 - reach) & (scores <= q3 + reach)]
    ends = {"low": float(within.min()), "high": float(within.max())}
    return {"n": len(scores), "q1": q1, "median": median, "q3": q3, **ends, "mean": float(scores.mean())}


def _points(box: Mapping[str, Any], scores: NDArray[np.float64]) -> list[dict[str, Any]]:
    beyond = (scores < box["low"]) | (scores > box["high"])
    drawn = scores if len(scores) <= MOST_POINTS else scores[beyond]
    # Multiples of the golden ratio, modulo 1, never gather, and neighbours in score lie far apart across the row.
    offsets = np.argsort(np.argsort(drawn, kind="stable")) * 0.6180339887498949 % 1
    pairs = zip(drawn.tolist(), offsets.tolist(), strict=True)
    return [{"series": box["series"], "score": score, "offset": offset} for score, offset in pairs]


def _boxes(chart: alt.Chart, title: str, y: alt.Y) -> list[Any]:
    scale, axis = alt.Scale(zero=False, nice=False, padding=8), alt.Axis(tickCount=5, labelFlush=False)
    low = alt.X("low:Q", title=title, scale=scale, axis=axis)
    bar: dict[str, Any] = {"yOffset": _BOX_SHIFT, "size": _BOX_SIZE}
    return [
        chart.mark_rule(yOffset=_BOX_SHIFT, color="#333333").encode(x=low, x2="high:Q", y=y),
        chart.mark_bar(**bar, color="#cfe3f1", stroke=COLORS[0], strokeWidth=1).encode(x="q1:Q", x2="q3:Q", y=y),
        chart.mark_tick(**bar, thickness=2.4, color=COLORS[0], opacity=1).encode(x="median:Q", y=y),
    ]


def _row_axis(names: list[str]) -> alt.Y:
    lines = max(name.count("\n") for name in names)
    axis = alt.Axis(
        labelExpr="split(datum.value, '\\n')",
        labelLimit=0,
        labelOverlap=False,
        labelLineHeight=_LINE,
        labelOffset=-_LINE * lines / 2,
        ticks=False,
        domain=False,
        grid=False,
    )
    scale = alt.Scale(domain=names, paddingInner=0, paddingOuter=0)
    return alt.Y("row:N", title=None, sort=names, scale=scale, axis=axis)


def _guess(data: RecipesData) -> list[Any]:
    """Draw the line of the constant guess, its words above the plot on the side where there is room."""
    lowest, highest = min(box["low"] for box in data.boxes), max(box["high"] for box in data.boxes)
    align: Literal["left", "right"] = (
        "left" if data.baseline is None or data.baseline <= (lowest + highest) / 2 else "right"
    )
    source = alt.Chart(alt.Data(values=[{"score": data.baseline, "text": "constant guess"}]))
    rule = source.mark_rule(color=GREY, strokeDash=[5, 3]).encode(x="score:Q")
    words = source.mark_text(align=align, baseline="bottom", fontSize=8, color=GREY)
    return [rule, words.encode(x="score:Q", y=alt.value(-2), text="text:N")]


def _row_name(box: Mapping[str, Any]) -> str:
    """Return a recipe's name on lines that fit, and what share of its trials failed."""
    lines = [""]
    for word in box["series"].replace(", ", ",\n").replace(" ", "\n").split("\n"):
        if lines[-1] and len(lines[-1]) + len(word) >= _LONGEST:
            lines.append("")
        lines[-1] = f"{lines[-1]} {word}".strip()
    failed = f"{box['failed'] / box['of']:.0%} failed" if box["failed"] else "none failed"
    return "\n".join([*lines, f"n = {box['n']}, {failed}"])
