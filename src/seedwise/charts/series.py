"""What do figures of several cells of one task have in common?"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import altair as alt

from seedwise.analysis.cell import Cell
from seedwise.charts.style import COLORS, DASHES, HEIGHT, WIDTH
from seedwise.errors import RequestError
from seedwise.values.imported import AnyTask

__all__ = ["in_words", "line_channel", "shaded_lines", "task_of"]


def task_of(cells: Mapping[str, Cell]) -> AnyTask:
    """Return the one task of a figure's series."""
    tasks = {cell.task.id: cell.task for cell in cells.values()}
    if len(tasks) != 1:
        names = ", ".join(task.name for task in tasks.values()) or "none"
        raise RequestError(f"a figure of several recipes must have cells of one task, not of {names}; draw one each.")
    return next(iter(tasks.values()))


def in_words(counts: Iterable[int], noun: str) -> str:
    """Return how many of something several series have.

    Example:
        >>> in_words([20, 20], "trials"), in_words([50, 20], "trials")
        ('20 trials each', '20 or 50 trials')
    """
    given = list(counts)
    numbers = " or ".join(str(count) for count in sorted(set(given)))
    return f"{numbers} {noun}{' each' if len(given) > 1 and len(set(given)) == 1 else ''}"


def shaded_lines(
    points: Sequence[Mapping[str, Any]], series: Sequence[str], x: alt.X, y: str, *, zero: bool = False
) -> Any:
    """Draw one line a series, with its shading where there is one."""
    source, scale = alt.Data(values=list(points)), alt.Scale(zero=zero, nice=True)
    area = alt.Chart(source).transform_filter("isValid(datum.low)").mark_area(opacity=0.18)
    line = alt.Chart(source).mark_line(strokeWidth=1.6)
    color, dash = (line_channel(channel, series) for channel in (alt.Color, alt.StrokeDash))
    shading = area.encode(x=x, y=alt.Y("low:Q", title=y, scale=scale), y2="high:Q", color=color)
    lines = line.encode(x=x, y=alt.Y("mean:Q", title=y, scale=scale), color=color, strokeDash=dash)
    return alt.layer(shading, lines).properties(width=WIDTH, height=HEIGHT)


def line_channel(channel: Any, series: Sequence[str]) -> Any:
    """Return the color or dash channel of lines, whose legend shows lines; past seven, colors repeat with other dashes."""
    values: Sequence[Any] = DASHES if channel is alt.StrokeDash else COLORS
    shift = channel is alt.StrokeDash
    chosen = [values[(i + shift * (i // len(values))) % len(values)] for i in range(len(series))]
    scale = alt.Scale(domain=list(series), range=chosen)
    return channel("series:N", title=None, scale=scale, legend=_line_legend(series))


def _line_legend(series: Sequence[str]) -> alt.Legend | None:
    if len(series) < 2:
        return None
    columns = next((n for n in range(min(4, len(series)), 1, -1) if _legend_width(series, n) <= WIDTH + 20), 1)
    return alt.Legend(
        symbolType="stroke", symbolSize=300, symbolOpacity=1, symbolStrokeWidth=1.6, offset=6, columns=columns
    )


def _legend_width(series: Sequence[str], columns: int) -> float:
    """Return about how many pixels a legend of so many columns takes: line, gaps, and letters of the longest names."""
    return sum(31 + 4.6 * max(map(len, series[i::columns])) for i in range(columns))
