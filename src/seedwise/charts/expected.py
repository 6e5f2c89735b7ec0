"""How good is the best of n trials expected to be? Figure 1 of Dodge et al. (2020); figures 4 and 12 of Zhang et al. (2021)."""

from collections.abc import Mapping
from typing import Any, NamedTuple

import altair as alt
import numpy as np
from numpy.typing import NDArray

from seedwise.analysis.analysis import Analysis
from seedwise.analysis.best import BestOfN, schedules
from seedwise.analysis.cell import Cell
from seedwise.charts.series import in_words, shaded_lines, task_of
from seedwise.charts.style import styled
from seedwise.errors import UnknownError
from seedwise.values.labels import metric_words

__all__ = [
    "ExpectedData",
    "draw_expected",
    "expected_band_data",
    "expected_best_data",
    "expected_recipes_data",
    "expected_test_data",
]

_SCHEDULE_WORDS = {"all": "all evaluations", "epoch": "one per epoch", "last": "only the last"}
_LOG_FROM = 100
_MOST_POINTS = 80  # of n on one curve: more cannot be told apart at this size


class ExpectedData(NamedTuple):
    """Curves of an expected score against the number of trials."""

    # one mapping for each n of each series: series, n, mean, and low and high of the shading
    points: list[dict[str, Any]]
    series: tuple[str, ...]  # their names in the legend's order
    title: str  # of the figure
    subtitle: str  # number of trials, and what is shaded
    y: str  # title of the vertical axis
    x: str = "trials n (full trainings)"  # title of the horizontal axis


def expected_best_data(analysis: Analysis, cell: Cell) -> ExpectedData:
    """Collect expected validation performance for every evaluation schedule, plus and minus one standard deviation."""
    found = {name: analysis.expected_best(cell, schedule=name) for name in schedules(cell)}
    points: list[dict[str, Any]] = []
    for name, best in found.items():
        points += _points(_SCHEDULE_WORDS[name], best.n, best.mean, *_one_sd(best, cell.final(name)))
    shaded = f"{next(iter(found.values())).trials} trials; shaded: ± 1 sd within the observed range"
    series = tuple(_SCHEDULE_WORDS[name] for name in found)
    title = f"{analysis.label(cell)}: expected best of n"
    return ExpectedData(points, series, title, shaded, metric_words(cell.task.metric), _cost_words(cell))


def expected_recipes_data(analysis: Analysis, cells: Mapping[str, Cell]) -> ExpectedData:
    """Collect expected validation performance of several recipes, plus and minus one standard deviation."""
    task = task_of(cells)
    found = {name: analysis.expected_best(cell) for name, cell in cells.items()}
    points = [
        point
        for name, best in found.items()
        for point in _points(name, best.n, best.mean, *_one_sd(best, cells[name].final()))
    ]
    trials = in_words((best.trials for best in found.values()), "trials")
    return ExpectedData(
        points,
        tuple(found),
        f"{task.name}: expected best of n",
        f"{trials}; shaded: ± 1 sd within the observed range",
        metric_words(task.metric),
    )


def expected_band_data(analysis: Analysis, cell: Cell) -> ExpectedData:
    """Collect the expected best of n with its simultaneous confidence band."""
    best = analysis.expected_best(cell)
    if best.lower is None or best.upper is None:
        raise UnknownError(
            f"a band on a mean needs a metric with known bounds, and those of {cell.task.metric} are not known."
        )
    points = _points("expected best of n", best.n, best.mean, best.lower, best.upper)
    title = f"{analysis.label(cell)}: how sure the curve is"
    subtitle = f"{best.trials} trials; shaded: {best.confidence:.0%} band for all n at once"
    y = metric_words(cell.task.metric)
    return ExpectedData(points, ("expected best of n",), title, subtitle, y, _cost_words(cell))


def expected_test_data(analysis: Analysis, cells: Mapping[str, Cell]) -> ExpectedData:
    """Collect the expected test score of the trial that validation chooses, plus and minus one standard deviation."""
    task, alone = task_of(cells), len(cells) == 1
    chosen = {name: analysis.expected_test(cell) for name, cell in cells.items()}
    points: list[dict[str, Any]] = []
    for name, found in chosen.items():
        low, high = found.test_mean - found.test_sd, found.test_mean + found.test_sd
        points += _points("test" if alone else name, found.n, found.test_mean, low, high)
        if alone:
            points += _points("validation", found.n, found.validation_mean)
    title = analysis.label(next(iter(cells.values()))) if alone else task.name
    trials = in_words((len(found.n) for found in chosen.values()), "trials")
    return ExpectedData(
        points,
        ("test", "validation") if alone else tuple(chosen),
        f"{title}: test score of the chosen trial",
        f"{trials}; shaded: ± 1 sd of the test score",
        metric_words(task.metric, "expected" if alone else "test"),
    )


def draw_expected(data: ExpectedData) -> Any:
    """Draw expected score against the number of trials, one line a series, with shading."""
    many = max(point["n"] for point in data.points) > _LOG_FROM  # then a linear axis would show little but the plateau
    scale = alt.Scale(type="log", nice=False) if many else alt.Scale(nice=False)
    x = alt.X("n:Q", title=data.x, scale=scale, axis=alt.Axis(tickMinStep=1))
    return styled(shaded_lines(data.points, data.series, x, data.y), data.title, data.subtitle)


def _one_sd(best: BestOfN, observed: NDArray[np.float64]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return the ends of the shading; as in the paper's figure it ends at the observed scores."""
    low, high = (np.clip(best.mean + side * best.sd, observed.min(), observed.max()) for side in (-1, 1))
    return low, high


def _cost_words(cell: Cell) -> str:
    """Return what n costs."""
    seconds = float(cell.seconds[cell.full()].mean())
    time = f"{seconds / 60:.1f} min" if seconds >= 60 else f"{seconds:.0f} s"
    return f"trials n (full trainings of {time} device time)" if seconds > 0 else "trials n (full trainings)"


def _points(
    series: str,
    n: NDArray[np.int64],
    mean: NDArray[np.float64],
    low: NDArray[np.float64] | None = None,
    high: NDArray[np.float64] | None = None,
) -> list[dict[str, Any]]:
    """Return points of a curve; of very many they are thinned towards large n, where it is flat."""
    places = np.arange(len(n))
    if len(n) > _MOST_POINTS:
        places = np.unique(np.geomspace(1, len(n), _MOST_POINTS).round().astype(int) - 1)
    shaded = low is not None and high is not None
    return [
        {
            "series": series,
            "n": int(n[i]),
            "mean": float(mean[i]),
            **({"low": float(low[i]), "high": float(high[i])} if shaded else {}),  # type: ignore[index]
        }
        for i in places
    ]
