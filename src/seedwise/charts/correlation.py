"""How early can trials be ranked? Figures 5 and 9 of Dodge et al. (2020)."""

from typing import Any, Literal, NamedTuple

import altair as alt
import numpy as np
from numpy.typing import NDArray

from seedwise.analysis.analysis import Analysis
from seedwise.analysis.cell import Cell
from seedwise.analysis.stopping import trusted_from
from seedwise.charts.style import GREY, SEQUENTIAL, WIDTH, styled
from seedwise.values.checks import check_choice

__all__ = ["CorrelationData", "correlation_data", "draw_correlation"]

_NAMES = {"spearman": "Spearman's rank correlation", "pearson": "Pearson's correlation"}
_MOST_EVALUATIONS = 60  # along one axis: a cell of less than 4 pixels cannot be told from its neighbours


class CorrelationData(NamedTuple):
    """Correlation over trials between the best scores so far at two moments of the run."""

    # one mapping for each pair of evaluations: x and y (share of the run in percent), left, right, low and high
    # (edges of the cell), r; None where r is undefined because all trials are equal there
    cells: list[dict[str, Any]]
    domain: tuple[float, float]  # from the first to the last edge, in percent
    trusted: float | None  # share of the run in percent from which the ranking can be trusted
    title: str  # of the figure
    subtitle: str  # number of trials, from when the ranking can be trusted, and how to read the figure
    measure: str  # title of the colours


def correlation_data(
    analysis: Analysis, cell: Cell, method: Literal["spearman", "pearson"] = "spearman", *, at_least: float = 0.8
) -> CorrelationData:
    """Collect the correlations of the best score so far between all pairs of evaluations.

    Of more than 60 evaluations an even choice is shown, the last one included.

    Reference:
        Dodge et al. (2020), figure 5 (Spearman) and appendix, figure 9 (Pearson).
    """
    check_choice("method", method, tuple(_NAMES))
    found = analysis.correlation(cell, method)
    shown = _shown(len(found.r))
    share = 100 * cell.curves.fractions[shown]
    edges = _edges(share)
    r = found.r[np.ix_(shown, shown)]
    cells = [
        {
            "x": float(share[i]),
            "y": float(share[j]),
            "left": float(edges[i]),
            "right": float(edges[i + 1]),
            "low": float(edges[j]),
            "high": float(edges[j + 1]),
            "r": float(r[i, j]) if np.isfinite(r[i, j]) else None,
        }
        for i in range(len(share))
        for j in range(len(share))
    ]
    trusted = trusted_from(found, cell, at_least=at_least)
    return CorrelationData(
        cells=cells,
        domain=(float(edges[0]), float(edges[-1])),
        trusted=None if trusted is None else 100 * trusted,
        title=f"{analysis.label(cell)}: best score so far, early and late",
        subtitle=_notes(found.n, trusted, undefined=bool(np.isnan(r).any())),
        measure=_NAMES[method] + (" (below 0 as 0)" if np.nanmin(r, initial=0) < 0 else ""),
    )


def draw_correlation(data: CorrelationData) -> Any:
    """Draw the correlations as a heat map of fixed colours, 0 to 1, with a dashed line where the ranking can be
    trusted (Dodge et al. 2020, figures 5 and 9).
    """
    legend = alt.Legend(gradientLength=WIDTH, gradientThickness=8, titleLimit=WIDTH, tickCount=5, offset=6)
    color = alt.Scale(scheme=SEQUENTIAL, domain=[0, 1], clamp=True)
    x, y = _axis(alt.X, "left", data), _axis(alt.Y, "low", data)
    run = _source([cell for cell in data.cells if cell["r"] is not None])
    layers: list[Any] = [
        run.mark_rect().encode(
            x=x, x2="right:Q", y=y, y2="high:Q", color=alt.Color("r:Q", title=data.measure, scale=color, legend=legend)
        )
    ]
    if undefined := [cell for cell in data.cells if cell["r"] is None]:
        layers.append(
            _source(undefined)
            .mark_text(text="×", color=GREY, fontSize=7)
            .encode(x=_axis(alt.X, "x", data), y=_axis(alt.Y, "y", data))
        )
    if data.trusted is not None:
        line = _source([{"x": data.trusted}])
        at = _axis(alt.X, "x", data)
        layers += [
            line.mark_rule(color="white", strokeWidth=2.4).encode(x=at),
            line.mark_rule(color="black", strokeWidth=1, strokeDash=[4, 3]).encode(x=at),
        ]
    return styled(alt.layer(*layers).properties(width=WIDTH, height=WIDTH), data.title, data.subtitle)


def _axis(channel: Any, field: str, data: CorrelationData) -> Any:
    scale = alt.Scale(domain=list(data.domain), nice=False, zero=False)
    return channel(
        f"{field}:Q", title="share of the full run (%)", scale=scale, axis=alt.Axis(grid=False, domain=False)
    )


def _source(entries: list[dict[str, Any]]) -> alt.Chart:
    return alt.Chart(alt.Data(values=entries))


def _notes(n: int, trusted: float | None, *, undefined: bool) -> str:
    known_from = "not trusted before the end" if trusted is None else f"trusted from {100 * trusted:.0f} % on (dashed)"
    return f"{n} trials; {known_from}{'; ×: r undefined' if undefined else ''}"


def _shown(count: int) -> NDArray[np.intp]:
    """Return which evaluations are shown: all, or an even choice that ends with the last."""
    return np.unique(np.linspace(count - 1, 0, min(count, _MOST_EVALUATIONS)).round().astype(np.intp))


def _edges(share: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return where each evaluation's cell begins and ends: halfway to its neighbours, and as far on the outer sides."""
    if len(share) == 1:
        return np.array([share[0] - 50, share[0] + 50])
    middle = (share[1:] + share[:-1]) / 2
    return np.array([max(share[0] - (middle[0] - share[0]), 0.0), *middle, share[-1] + (share[-1] - middle[-1])])
