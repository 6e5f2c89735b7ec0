"""How did every trial's validation score develop, and which were stopped?"""

import math
from typing import Any, NamedTuple

import altair as alt

from seedwise.analysis import Analysis
from seedwise.record import TrialRecord
from seedwise.trial import TrialState

__all__ = ["CurvesData", "curves_data", "draw_curves"]

# Okabe and Ito's palette, safe for colour-blind readers; each state also has its own dash and width for greyscale.
_STYLES = {
    "the winner": ("#0072B2", 2.4, [1, 0]),
    "trained to the end": ("#56B4E9", 1.2, [1, 0]),
    "stopped early": ("#8a8a8a", 1.0, [3, 2]),
    "failed": ("#D55E00", 1.2, [1, 2]),
    "not finished": ("#CC79A7", 1.0, [5, 2]),
}


class CurvesData(NamedTuple):
    """The curves of one task and recipe.

    Args:
        points: One mapping for each evaluation: trial, share of the run in percent, score, fate.
        metric: The task's metric.
        task: The task's name.
        trials: How many trials have a curve.
        baseline: What the best constant guess scores; None if unknown.
    """

    points: list[dict[str, Any]]
    metric: str
    task: str
    trials: int
    baseline: float | None


def curves_data(analysis: Analysis, trials: tuple[TrialRecord, ...]) -> CurvesData:
    """Collect the validation curves of one of an analysis's cells."""
    facts, task = analysis.facts(trials), trials[0].trial.task
    summary = next(s for s in analysis.summary() if (s.task, s.recipe_id) == (task, trials[0].trial.recipe.id))
    steps = facts.get("steps") or max((r.scores[-1][0] for r in trials if r.scores), default=1)
    points = [
        {"trial": record.id, "run": 100 * step / steps, "score": score, "fate": _fate(record, summary.winner)}
        for record in trials
        for step, score in record.scores
        if math.isfinite(score)
    ]
    shown = len({point["trial"] for point in points})
    return CurvesData(points, task.metric, task.name, shown, summary.baseline)


def draw_curves(data: CurvesData, *, width: int = 460, height: int = 240) -> alt.LayerChart | alt.FacetChart:
    """Draw validation score against the share of the run, one line a trial.

    Args:
        data: What ``curves_data`` returned.
        width: Width of the plot in pixels.
        height: Height of the plot in pixels.
    """
    fates = [fate for fate in _STYLES if any(point["fate"] == fate for point in data.points)]
    score = alt.Y(
        "score:Q", title=f"validation {data.metric.replace('_', ' and ')}", scale=alt.Scale(zero=False, padding=8)
    )
    lines = (
        alt.Chart(alt.Data(values=data.points))
        .mark_line(interpolate="linear")
        .encode(
            x=alt.X("run:Q", title="share of the full run (%)", scale=alt.Scale(domain=[0, 100])),
            y=score,
            detail="trial:N",
            color=_scale(alt.Color, fates, 0),
            strokeWidth=_scale(alt.StrokeWidth, fates, 1),
            strokeDash=_scale(alt.StrokeDash, fates, 2),
        )
    )
    layers: list[Any] = [lines]
    if data.baseline is not None:
        guess = alt.Data(values=[{"score": data.baseline, "text": "best constant guess"}])
        rule = alt.Chart(guess).mark_rule(color="#444444", strokeDash=[6, 3]).encode(y="score:Q")
        words = alt.Chart(guess).mark_text(align="right", x=width - 4, dy=-6, color="#444444", fontSize=11)
        layers += [rule, words.encode(y="score:Q", text="text:N")]
    title = f"{data.task}, n = {data.trials} trials"
    return alt.layer(*layers).properties(width=width, height=height, title=title)


def _scale(channel: Any, fates: list[str], part: int) -> Any:
    styles = [_STYLES[fate][part] for fate in fates]
    return channel(
        "fate:N", title=None, scale=alt.Scale(domain=fates, range=styles), legend=alt.Legend(orient="bottom")
    )


def _fate(record: TrialRecord, winner: TrialRecord | None) -> str:
    if winner is not None and record.id == winner.id:
        return "the winner"
    names = {
        TrialState.COMPLETE: "trained to the end",
        TrialState.STOPPED: "stopped early",
        TrialState.FAILED: "failed",
    }
    return names.get(record.state, "not finished")
