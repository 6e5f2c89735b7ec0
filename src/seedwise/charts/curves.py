"""How did the trials' validation scores develop, and which were stopped? Figure 4 of Dodge et al. (2020)."""

from typing import Any, NamedTuple

import altair as alt
import numpy as np
from numpy.typing import NDArray

from seedwise.analysis.analysis import Analysis
from seedwise.analysis.cell import Cell
from seedwise.charts.style import HEIGHT, WIDTH, styled
from seedwise.errors import UnknownError
from seedwise.values.checks import check_count
from seedwise.values.labels import metric_words
from seedwise.values.record import TrialRecord, winner
from seedwise.values.trial import TrialState

__all__ = ["CurvesData", "curves_data", "draw_curves"]

# Okabe and Ito's palette, safe for colour-blind readers; each fate also has its own width and dash for greyscale.
_STYLES: dict[str, tuple[str, float, list[int]]] = {
    "trained to the end": ("#56B4E9", 1.0, [1, 0]),
    "stopped early": ("#8a8a8a", 1.0, [3, 2]),
    "failed": ("#D55E00", 1.2, [1, 2]),
    "not finished": ("#CC79A7", 1.0, [6, 2]),
    "the winner": ("#0072B2", 2.2, [1, 0]),  # the last is drawn on top
}
_FATES = {TrialState.COMPLETE: "trained to the end", TrialState.STOPPED: "stopped early", TrialState.FAILED: "failed"}


class CurvesData(NamedTuple):
    """The validation curves of some trials of one task and recipe."""

    # one mapping for each finite score: trial, piece (which unbroken piece of its curve), run (share of the full run
    # in percent), score, fate, dot (whether it is marked: the end of a curve that stops early, or a score with none
    # beside it)
    points: list[dict[str, Any]]
    fates: tuple[str, ...]  # the fates that occur, in the order they are drawn
    shown: int  # how many trials have a curve here
    trials: int  # how many have a finite score at all
    baseline: float | None  # what the best constant guess scores; None if unknown
    title: str  # of the figure
    subtitle: str  # how many of how many trials
    y: str  # title of the vertical axis


def curves_data(analysis: Analysis, cell: Cell, *, most: int = 20, seed: int = 0) -> CurvesData:
    """Collect the validation curves of trials drawn at random, the winner always among them (Dodge et al. 2020,
    figure 4: training curves of 20 random trials).
    """
    check_count("most", most)
    curves = cell.curves
    with_scores = np.flatnonzero(np.isfinite(curves.scores).any(axis=1))
    if not len(with_scores):
        raise UnknownError(
            f"no trial of {cell.task.name} has a finite score yet, so there are no curves; run the study."
        )
    best = winner(cell.records, cell.task)
    chosen = _draw(cell, with_scores, best, most, seed)
    points = [
        point
        for row in chosen
        for point in _points(cell.records[row], curves.scores[row], 100 * curves.fractions, best)
    ]
    count = len(with_scores)
    drawn = "the winner and others drawn at random" if best else "drawn at random"
    return CurvesData(
        points=points,
        fates=tuple(fate for fate in _STYLES if any(point["fate"] == fate for point in points)),
        shown=len(chosen),
        trials=count,
        baseline=cell.baseline,
        title=f"{analysis.label(cell)}: validation curves",
        subtitle=f"{len(chosen)} of {count} trials{'' if len(chosen) == count else ': ' + drawn}",
        y=metric_words(cell.task.metric),
    )


def draw_curves(data: CurvesData) -> Any:
    """Draw validation score against the share of the run, one line a trial; a dot ends a curve that stops early
    (Dodge et al. 2020, figure 4).
    """
    x = alt.X("run:Q", title="share of the full run (%)", scale=alt.Scale(domain=[0, 100]))
    y = alt.Y("score:Q", title=data.y, scale=alt.Scale(zero=False, padding=6))
    layers: list[Any] = []
    if data.baseline is not None:
        guess = alt.Chart(alt.Data(values=[{"score": data.baseline, "text": "best constant guess"}]))
        layers.append(guess.mark_rule(color="#444444", strokeDash=[6, 3], strokeWidth=0.8).encode(y=y))
        words = guess.mark_text(align="right", baseline="bottom", x=WIDTH, dy=-2, color="#444444", fontSize=9)
        layers.append(words.encode(y=y, text="text:N"))
    for fate in data.fates:  # one layer each: later ones lie on top
        source = alt.Chart(alt.Data(values=[point for point in data.points if point["fate"] == fate]))
        color, width, dash = (_channel(channel, data.fates) for channel in (alt.Color, alt.StrokeWidth, alt.StrokeDash))
        layers.append(
            source.mark_line().encode(x=x, y=y, detail="piece:N", color=color, strokeWidth=width, strokeDash=dash)
        )
        ends = source.transform_filter("datum.dot").mark_point(filled=True, size=12, opacity=1)
        layers.append(ends.encode(x=x, y=y, color=color))
    return styled(alt.layer(*layers).properties(width=WIDTH, height=HEIGHT), data.title, data.subtitle)


def _channel(channel: Any, fates: tuple[str, ...]) -> Any:
    part = (alt.Color, alt.StrokeWidth, alt.StrokeDash).index(channel)
    scale = alt.Scale(type="ordinal", domain=list(fates), range=[_STYLES[fate][part] for fate in fates])
    legend = alt.Legend(
        symbolType="stroke", symbolSize=300, symbolOpacity=1, offset=6, columns=3 if len(fates) > 3 else 0
    )
    return channel("fate:N", title=None, scale=scale, legend=legend)


def _draw(cell: Cell, candidates: NDArray[np.intp], best: TrialRecord | None, most: int, seed: int) -> list[int]:
    """Return which trials are shown, ascending: at most so many, drawn at random, and always the winner."""
    always = [int(row) for row in candidates if best is not None and cell.records[row].id == best.id]
    others = [int(row) for row in candidates if int(row) not in always]
    count = min(most - len(always), len(others))
    return sorted([*always, *np.random.default_rng(seed).choice(others, count, replace=False).tolist()])


def _points(
    record: TrialRecord, scores: NDArray[np.float64], share: NDArray[np.float64], best: TrialRecord | None
) -> list[dict[str, Any]]:
    """Return a trial's finite scores; one that is not finite breaks its curve."""
    fate = "the winner" if best is not None and record.id == best.id else _FATES.get(record.state, "not finished")
    known = np.flatnonzero(np.isfinite(scores))
    pieces = np.cumsum(np.diff(known, prepend=known[0]) > 1)
    return [
        {
            "trial": record.id,
            "piece": f"{record.id} {piece}",
            "run": float(share[i]),
            "score": float(scores[i]),
            "fate": fate,
            "dot": bool((i == known[-1] and share[i] < 100) or np.sum(pieces == piece) == 1),
        }
        for i, piece in zip(known, pieces.tolist(), strict=True)
    ]
