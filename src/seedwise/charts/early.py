"""What did trials score when they were judged, which went on, and where did those end?"""

from typing import Any, NamedTuple

import altair as alt
import numpy as np

from seedwise.analysis.analysis import Analysis
from seedwise.analysis.cell import Cell
from seedwise.charts.correlation import CorrelationData, correlation_data
from seedwise.charts.density import DensityData, spread_density_data
from seedwise.charts.expected import ExpectedData, expected_band_data
from seedwise.charts.grid import GridData, margin_grid_data
from seedwise.charts.style import HEIGHT, WIDTH, styled
from seedwise.errors import UnknownError
from seedwise.values.labels import metric_words
from seedwise.values.record import winner
from seedwise.values.trial import TrialState

__all__ = [
    "JudgedData",
    "draw_judged",
    "early_band_data",
    "early_correlation_data",
    "early_grid_data",
    "early_spread_data",
    "judged_data",
]

# Each fate has its own colour and shape, so that greyscale tells them apart.
_STYLES = {
    "stopped": ("#9a9a9a", "circle"),
    "went on": ("#56B4E9", "triangle-up"),
    "the winner": ("#0072B2", "diamond"),
}


class JudgedData(NamedTuple):
    """Early scores of all trials of a study that was stopped early, and final ones of those that went on."""

    # one mapping for each trial with an early score: place (from the best), early, final (None where it was stopped),
    # fate
    points: list[dict[str, Any]]
    fates: tuple[str, ...]  # the fates that occur
    baseline: float | None  # what the best constant guess scores; None where it is not known
    title: str  # of the figure
    subtitle: str  # number of trials, and how to read the figure
    y: str  # title of the vertical axis


def judged_data(analysis: Analysis, cell: Cell) -> JudgedData:
    """Collect every trial's score when it was judged, and the final score of those that went on."""
    found, early = analysis.stopped_early(cell), analysis.early(cell)
    scores, last = early.curves.best[:, -1], cell.curves.best[:, -1]
    known = np.flatnonzero(np.isfinite(scores))
    if not len(known):
        raise UnknownError("no trial had a finite score when it was judged.")
    order = known[np.argsort(-scores[known] if cell.greater_is_better else scores[known], kind="stable")]
    best = winner(cell.records, cell.task)
    points = []
    for place, row in enumerate(order.tolist(), start=1):
        record = cell.records[row]
        went_on = record.state is TrialState.COMPLETE
        fate = "the winner" if record is best else "went on" if went_on else "stopped"
        final = float(last[row]) if went_on else None
        points.append({"place": place, "early": float(scores[row]), "final": final, "fate": fate})
    return JudgedData(
        points=points,
        fates=tuple(fate for fate in _STYLES if any(point["fate"] == fate for point in points)),
        baseline=cell.baseline,
        title=f"{analysis.label(cell)}: scores when trials were judged",
        subtitle=f"{len(points)} trials after {100 * found.until:.0f} % of a run; lines: to the final score",
        y=metric_words(cell.task.metric),
    )


def draw_judged(data: JudgedData) -> Any:
    """Draw a point for each trial, the best at the left, and a line to the final score of each that went on."""
    source = alt.Chart(alt.Data(values=data.points))
    scale = alt.Scale(domain=[0.5, len(data.points) + 0.5], nice=False)
    x = alt.X("place:Q", title="place when judged", scale=scale, axis=alt.Axis(tickMinStep=1, grid=False))
    y = alt.Y("early:Q", title=data.y, scale=alt.Scale(zero=False, padding=6))
    legend = alt.Legend(symbolSize=45)
    color, shape = (
        channel("fate:N", title=None, legend=legend, scale=alt.Scale(domain=list(data.fates), range=list(values)))
        for channel, values in zip(
            (alt.Color, alt.Shape), zip(*map(_STYLES.__getitem__, data.fates), strict=True), strict=True
        )
    )
    layers: list[Any] = []
    if data.baseline is not None:
        guess = alt.Chart(alt.Data(values=[{"early": data.baseline, "text": "best constant guess"}]))
        layers.append(guess.mark_rule(color="#444444", strokeDash=[6, 3], strokeWidth=0.8).encode(y=y))
        words = guess.mark_text(align="left", baseline="bottom", x=2, dy=-2, color="#444444", fontSize=9)
        layers.append(words.encode(y=y, text="text:N"))
    ends = source.transform_filter("isValid(datum.final)")
    layers.append(ends.mark_rule(strokeWidth=1.4).encode(x=x, y=y, y2="final:Q", color=color))
    layers.append(ends.mark_tick(orient="horizontal", size=8, thickness=1.6).encode(x=x, y="final:Q", color=color))
    layers.append(source.mark_point(filled=True, size=26, opacity=1).encode(x=x, y=y, color=color, shape=shape))
    return styled(alt.layer(*layers).properties(width=WIDTH, height=HEIGHT), data.title, data.subtitle)


def early_band_data(analysis: Analysis, cell: Cell) -> ExpectedData:
    """Collect the expected best of n early scores with its band."""
    found = expected_band_data(analysis, analysis.early(cell))
    return found._replace(
        title=_title(analysis, cell, "best early score of n"), x=f"trials n ({_share(analysis, cell)} each)"
    )


def early_correlation_data(analysis: Analysis, cell: Cell) -> CorrelationData:
    """Collect the rank correlations of scores up to the moment when trials were judged."""
    found = correlation_data(analysis, analysis.early(cell))
    trials = len(analysis.early(cell).full())
    subtitle = f"{trials} trials, up to {_share(analysis, cell)}, when they were judged"
    return found._replace(title=_title(analysis, cell, "ranking before judging"), subtitle=subtitle, trusted=None)


def early_grid_data(analysis: Analysis, cell: Cell) -> GridData:
    """Collect the grid of early scores in the order of the seeds."""
    return margin_grid_data(analysis, analysis.early(cell))._replace(
        title=_title(analysis, cell, "early scores by seed")
    )


def early_spread_data(analysis: Analysis, cell: Cell) -> DensityData:
    """Collect the density of the standard deviations of early scores under each init and each order seed."""
    found = spread_density_data(analysis, analysis.early(cell))
    return found._replace(title=_title(analysis, cell, "spread of early scores"))


def _title(analysis: Analysis, cell: Cell, what: str) -> str:
    return f"{analysis.label(cell)}: {what}"


def _share(analysis: Analysis, cell: Cell) -> str:
    return f"{100 * analysis.stopped_early(cell).until:.0f} % of a run"
