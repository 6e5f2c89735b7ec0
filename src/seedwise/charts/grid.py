"""Which pairs of init and order seed did well? Figure 2 of Dodge et al. (2020); figures 9 and 10 of Zhang et al. (2021)."""

import math
from collections.abc import Iterable
from typing import Any, NamedTuple

import altair as alt
import numpy as np
from numpy.typing import NDArray

from seedwise.analysis.analysis import Analysis
from seedwise.analysis.cell import Cell
from seedwise.analysis.seeds import Grid
from seedwise.charts.style import GREY, SEQUENTIAL, WIDTH, styled
from seedwise.values.labels import metric_words

__all__ = ["GridData", "draw_grid", "margin_grid_data", "sorted_grid_data"]

_MARGINS = ("min", "mean", "max", "sd")
_GAP = " "  # an empty row and column between the grid and its margins
_MOST_NUMBERS = 10  # rows and columns whose cells are large enough for a number
_MOST_LABELS = 30
_LOWEST, _HIGHEST = 60, 300  # pixels


class GridData(NamedTuple):
    """A grid of final scores by init and order seed."""

    # one mapping for each pair, and each minimum, mean and maximum: row, column, value (None where the pair was not
    # run), text (its number)
    cells: list[dict[str, Any]]
    sds: list[dict[str, Any]]  # the same for each standard deviation; empty without margins
    rows: tuple[str, ...]  # names of the rows from the top down: init seeds, then what the margins hold
    columns: tuple[str, ...]  # names of the columns from left to right: order seeds, then what the margins hold
    domain: tuple[float, float]  # the lowest and the highest value of the cells
    title: str  # of the figure
    subtitle: str  # number of trials, and how to read the figure
    metric: str  # title of the colours


def sorted_grid_data(analysis: Analysis, cell: Cell) -> GridData:
    """Collect the grid with the best init seed at the top and the best order seed at the right (Dodge et al. 2020,
    figure 2).
    """
    found = analysis.grid(cell)
    sign = 1.0 if cell.greater_is_better else -1.0
    rows = np.argsort(-sign * found.by_init.mean, kind="stable")
    columns = np.argsort(sign * found.by_order.mean, kind="stable")
    cells = _pairs(found, rows, columns)
    return GridData(
        cells=cells,
        sds=[],
        rows=_names(found.init[rows]),
        columns=_names(found.order[columns]),
        domain=_domain(cells),
        title=f"{analysis.label(cell)}: every pair of seeds",
        subtitle=f"{_count(found)}; best init at the top, best order at the right",
        metric=metric_words(cell.task.metric),
    )


def margin_grid_data(analysis: Analysis, cell: Cell) -> GridData:
    """Collect the grid in the order of the seeds, with minimum, mean, maximum and standard deviation by row and
    column (Zhang et al. 2021, appendix B, figures 9 and 10).
    """
    found = analysis.grid(cell)
    rows, columns = np.arange(len(found.init)), np.arange(len(found.order))
    margins = {name: _margin(found, name) for name in _MARGINS}
    cells = [*_pairs(found, rows, columns), *(entry for name in _MARGINS[:3] for entry in margins[name])]
    sds = [entry for entry in margins["sd"] if entry["value"] is not None]
    least, most = _domain(sds)
    return GridData(
        cells=cells,
        sds=sds,
        rows=(*_names(found.init), _GAP, *_MARGINS),
        columns=(*_names(found.order), _GAP, *_MARGINS),
        domain=_domain(cells),
        title=f"{analysis.label(cell)}: spread by seed",
        subtitle=f"{_count(found)}; sd in grey, {_number(least, 3)} to {_number(most, 3)}",
        metric=metric_words(cell.task.metric),
    )


def draw_grid(data: GridData) -> Any:
    """Draw a grid of final scores as a heat map, with its margins where the data have them (Dodge et al. 2020,
    figure 2; Zhang et al. 2021, appendix B, figures 9 and 10).
    """
    legend = alt.Legend(gradientLength=WIDTH, gradientThickness=8, titleLimit=WIDTH, tickCount=5, offset=6)
    scale = alt.Scale(scheme=SEQUENTIAL, domain=list(data.domain))
    run = _source(entry for entry in data.cells if entry["value"] is not None)
    layers = [run.mark_rect().encode(color=alt.Color("value:Q", title=data.metric, scale=scale, legend=legend))]
    if missing := [entry for entry in data.cells if entry["value"] is None]:
        layers.append(_source(missing).mark_text(text="×", color=GREY, fontSize=8))
    if data.sds:
        grey = alt.Scale(scheme="greys", domain=[0, 1.6 * _domain(data.sds)[1]])
        layers.append(_source(data.sds).mark_rect().encode(color=alt.Color("value:Q", scale=grey, legend=None)))
        if max(len(data.rows), len(data.columns)) <= _MOST_NUMBERS + len(_MARGINS) + 1:
            layers.append(_numbers(data))
    x, y = _axes(data)
    height = min(max(WIDTH * len(data.rows) / len(data.columns), _LOWEST, 9 * len(data.rows)), _HIGHEST)
    chart = alt.layer(*(layer.encode(x=x, y=y) for layer in layers)).resolve_scale(color="independent")
    return styled(chart.properties(width=WIDTH, height=height), data.title, data.subtitle)


def _axes(data: GridData) -> tuple[Any, Any]:
    """Return one band a seed, labelled as far as there is room."""
    found: list[Any] = []
    for channel, field, names in ((alt.X, "column", data.columns), (alt.Y, "row", data.rows)):
        seeds = names[: -len(_MARGINS)] if data.sds else names
        skipped = sorted(set(seeds) - set(seeds[:: math.ceil(len(seeds) / _MOST_LABELS)]))
        lies = channel is alt.Y or (max(map(len, names)) <= 2 and len(names) <= _MOST_LABELS)
        axis = alt.Axis(
            labelExpr=f"indexof({skipped}, datum.value) < 0 ? datum.label : ''",
            labelAngle=0 if lies else -90,
            labelFontSize=7 if len(names) > 15 else 8,
            labelOverlap=False,
            labelLimit=60,
            grid=False,
            ticks=False,
            domain=False,
        )
        title = {"column": "order seed", "row": "init seed"}[field]
        found.append(
            channel(f"{field}:N", title=title, sort=None, scale=alt.Scale(domain=list(names), padding=0), axis=axis)
        )
    return found[0], found[1]


def _numbers(data: GridData) -> Any:
    """Write every cell's number in it, light on dark and dark on light."""
    low, high = data.domain
    middle = low + 0.5 * (high - low)  # viridis is dark below
    texts = [
        {**entry, "ink": "white" if entry in data.cells and entry["value"] < middle else "black"}
        for entry in (*data.cells, *data.sds)
        if entry["value"] is not None
    ]
    size = min(8.0, 0.45 * WIDTH / len(data.columns))
    return _source(texts).mark_text(fontSize=size).encode(text="text:N", color=alt.Color("ink:N", scale=None))


def _pairs(found: Grid, rows: NDArray[np.intp], columns: NDArray[np.intp]) -> list[dict[str, Any]]:
    scores = found.scores[np.ix_(rows, columns)]
    return [
        _entry(row, column, float(scores[i, j]), 2)
        for i, row in enumerate(_names(found.init[rows]))
        for j, column in enumerate(_names(found.order[columns]))
    ]


def _margin(found: Grid, name: str) -> list[dict[str, Any]]:
    digits = 3 if name == "sd" else 2
    by_row, by_column = getattr(found.by_init, name).tolist(), getattr(found.by_order, name).tolist()
    return [
        *(_entry(row, name, value, digits) for row, value in zip(_names(found.init), by_row, strict=True)),
        *(_entry(name, column, value, digits) for column, value in zip(_names(found.order), by_column, strict=True)),
    ]


def _entry(row: str, column: str, value: float, digits: int) -> dict[str, Any]:
    if math.isnan(value):
        return {"row": row, "column": column, "value": None, "text": ""}
    return {"row": row, "column": column, "value": value, "text": _number(value, digits)}


def _number(value: float, digits: int) -> str:
    """Return a number as short as it can be read: .73, 1.00, 12.3."""
    text = f"{value:.{digits}f}" if abs(value) < 10 else f"{value:.3g}"
    return text.replace("0.", ".", 1) if abs(value) < 1 and not text.lstrip("-").startswith("1") else text


def _domain(entries: Iterable[dict[str, Any]]) -> tuple[float, float]:
    values = [entry["value"] for entry in entries if entry["value"] is not None]
    return (min(values), max(values)) if values else (math.nan, math.nan)


def _names(seeds: NDArray[np.int64]) -> tuple[str, ...]:
    return tuple(str(seed) for seed in seeds.tolist())


def _count(found: Grid) -> str:
    missing = int(np.isnan(found.scores).sum())
    words = f"{int(found.by_init.n.sum())} trials"
    return f"{words}, {missing} {'pair' if missing == 1 else 'pairs'} not run (×)" if missing else words


def _source(entries: Iterable[dict[str, Any]]) -> alt.Chart:
    return alt.Chart(alt.Data(values=list(entries)))
