"""What does the optimiser do to the weights? Figures 1, 7 and 15 to 18 of Zhang et al. (2021)."""

from collections.abc import Mapping, Sequence
from contextlib import suppress
from typing import Any, Literal, NamedTuple

import altair as alt
import numpy as np
from numpy.typing import ArrayLike

from seedwise.analysis.analysis import Analysis
from seedwise.analysis.cell import Cell
from seedwise.charts.series import in_words, line_channel, task_of
from seedwise.charts.style import COLORS, GREY, HEIGHT, SEQUENTIAL, WIDTH, styled
from seedwise.errors import RequestError, UnknownError
from seedwise.stats.adam import update_bias
from seedwise.values.checks import check_choice
from seedwise.values.recipe import Recipe

__all__ = [
    "BiasData",
    "DistancesData",
    "bias_data",
    "distances_data",
    "draw_bias",
    "draw_distances",
    "has_bias",
    "study_bias_data",
    "tracked_distances_data",
]

_MOST_STEPS = 1_000_000  # of the paper's figure
_ROOM = 30  # times the last mark: room for its name on the axis
_POINTS = 240  # of the curve: one a pixel
_HIGHEST_LABEL, _LABEL_STEP = 4, 13  # pixels from the top, and from label to label
_PANEL = (104, 72)  # pixels
_MOST_DISTANCES = 60  # points of one line in a panel


class BiasData(NamedTuple):
    """How much too large Adam's updates are without bias correction, by step."""

    points: list[dict[str, Any]]  # one mapping for each step of the curve: step and ratio
    marks: list[dict[str, Any]]  # one mapping for each task, by its number of steps: name, step, ratio
    measured: list[dict[str, Any]]  # one mapping for each step of each recipe that tracked the ratio: name, step, ratio
    title: str  # of the figure
    subtitle: str  # the decays


class DistancesData(NamedTuple):
    """Distance of Transformer blocks from where they started, by step."""

    # one mapping for each step of each block of each recipe: recipe, block, step, distance
    points: list[dict[str, Any]]
    recipes: tuple[str, ...]  # names of the recipes, in order
    blocks: tuple[int, ...]  # numbers of the blocks, from 1 at the bottom, ascending
    title: str  # of the figure
    subtitle: str  # what a distance is


def bias_data(
    marks: Mapping[str, int] | None = None,
    *,
    measured: Mapping[str, tuple[ArrayLike, ArrayLike]] | None = None,
    beta1: float = 0.9,
    beta2: float = 0.999,
) -> BiasData:
    """Collect the ratio of Adam's update without bias correction to the one with it (Zhang et al. 2021, figure 1)."""
    named = dict(sorted((marks or {}).items(), key=lambda item: item[1]))
    most = max([_MOST_STEPS, *(_ROOM * steps for steps in named.values())])
    steps = np.unique(np.geomspace(1, most, _POINTS).round().astype(int))
    ratio = update_bias(steps, beta1=beta1, beta2=beta2)
    at_marks = update_bias(list(named.values()), beta1=beta1, beta2=beta2).tolist() if named else []
    points = [{"step": s, "ratio": r} for s, r in zip(steps.tolist(), ratio.tolist(), strict=True)]
    marked = [{"name": n, "step": s, "ratio": r} for (n, s), r in zip(named.items(), at_marks, strict=True)]
    trained = [
        {"name": name, "step": step, "ratio": ratio}
        for name, (at, ratios) in (measured or {}).items()
        for step, ratio in zip(np.asarray(at).tolist(), np.asarray(ratios).tolist(), strict=True)
    ]
    legend = "; marks: steps of a full run" if marked else ""
    legend += "; circles: as trained" if trained else ""
    subtitle = f"1 is no bias; decays {beta1:g} and {beta2:g}{legend}"
    return BiasData(points, marked, trained, "Adam's update without bias correction", subtitle)


def has_bias(analysis: Analysis) -> bool:
    """Whether there is something to say of Adam's bias: a recipe that leaves the correction out, or tracks the ratio."""
    return any(_bias_of(analysis))


def study_bias_data(analysis: Analysis) -> BiasData:
    """Collect the ratio with a mark for each task of a recipe without correction, and what trials tracked."""
    marks, measured = _bias_of(analysis)
    return bias_data(marks, measured=measured)


def _bias_of(analysis: Analysis) -> tuple[dict[str, int], dict[str, tuple[ArrayLike, ArrayLike]]]:
    marks: dict[str, int] = {}
    measured: dict[str, tuple[ArrayLike, ArrayLike]] = {}
    for cell in analysis.cells:
        if isinstance(cell.recipe, Recipe) and not cell.recipe.bias_correction and cell.facts.steps:
            marks[cell.task.name] = cell.facts.steps
        with suppress(UnknownError):  # it does not track the ratio, or has not been trained yet
            found = analysis.bias_ratio(cell)
            measured[analysis.label(cell)] = (found.step, found.ratio)
    return marks, measured


def distances_data(
    distances: Mapping[str, tuple[ArrayLike, ArrayLike]],
    *,
    blocks: Sequence[int] | None = None,
    title: str = "Distance from the starting values",
) -> DistancesData:
    """Collect the L2 distance of each Transformer block's parameters from their starting values.

    For each block that is the norm of the difference of all its parameters, put into one vector, from what they were
    before the first step: drawn anew or pretrained. `tracked_distances_data` collects those that a study's trials tracked.

    Reference:
        Zhang et al. (2021), section 5, figures 7 and 15 to 18.
    """
    if not distances:
        raise RequestError("distances must hold at least one recipe, not none; name one.")
    points: list[dict[str, Any]] = []
    shown: set[int] = set()
    for name, (steps, table) in distances.items():
        step, values = np.asarray(steps), np.asarray(table, dtype=np.float64)
        if step.ndim != 1 or values.ndim != 2 or len(step) != len(values) or not values.size:
            raise RequestError(
                f"distances of {name} must be steps (S,) and values (S, blocks), not {step.shape} and {values.shape}."
            )
        wanted = range(1, values.shape[1] + 1) if blocks is None else blocks
        if unknown := [block for block in wanted if not 1 <= block <= values.shape[1]]:
            raise RequestError(f"blocks must be from 1 to {values.shape[1]}, as {name} has, not {unknown[0]}; drop it.")
        shown |= set(wanted)
        places = np.unique(np.linspace(0, len(step) - 1, min(len(step), _MOST_DISTANCES)).round().astype(int))
        points += [
            {"recipe": name, "block": block, "step": int(step[i]), "distance": float(values[i, block - 1])}
            for block in wanted
            for i in places
        ]
    subtitle = "L2 norm of the change of all parameters of a Transformer block"
    return DistancesData(points, tuple(distances), tuple(sorted(shown)), title, subtitle)


def tracked_distances_data(
    analysis: Analysis, cells: Mapping[str, Cell], *, blocks: Sequence[int] | None = None
) -> DistancesData:
    """Collect the mean distance over trials that their recipes tracked, for cells of one task by the name of their
    recipe (Zhang et al. 2021, section 5, figures 7 and 15 to 18).
    """
    task = task_of(cells)
    found = {name: analysis.distance(cell) for name, cell in cells.items()}
    title = analysis.label(next(iter(cells.values()))) if len(cells) == 1 else task.name
    arrays = {name: (curve.step, curve.mean) for name, curve in found.items()}
    data = distances_data(arrays, blocks=blocks, title=f"{title}: distance from the starting values")
    trials = in_words((int(curve.trials.max()) for curve in found.values()), "trials")
    return data._replace(subtitle=f"{data.subtitle}; mean of {trials}")


def draw_bias(data: BiasData) -> Any:
    """Draw the ratio against the step on a logarithmic axis, with a mark for each task's number of steps."""
    last = max(point["step"] for point in data.points)
    x = alt.X(
        "step:Q",
        title="optimiser step",
        scale=alt.Scale(type="log", domain=[1, last], nice=False),
        axis=alt.Axis(values=[10**i for i in range(len(str(last)))], format="~s", labelFlush=False),
    )
    y = alt.Y("ratio:Q", title="update without / with correction", scale=alt.Scale(zero=True, nice=True))
    curve = alt.Chart(alt.Data(values=data.points)).mark_line(strokeWidth=1.6, color=COLORS[0]).encode(x=x, y=y)
    even = alt.Chart(alt.Data(values=[{"ratio": 1}])).mark_rule(color=GREY, strokeDash=[5, 3]).encode(y="ratio:Q")
    circle = alt.Chart(alt.Data(values=data.measured)).mark_point(
        color=COLORS[1], size=18, strokeWidth=1.2, filled=False
    )
    circles = [circle.encode(x=x, y=y)] if data.measured else []
    layers = [even, *_marks(data.marks, x), curve, *circles]
    return styled(alt.layer(*layers).properties(width=WIDTH, height=HEIGHT), data.title, data.subtitle)


def draw_distances(data: DistancesData, *, panels: Literal["block", "recipe"] = "block") -> Any:
    """Draw the distance against the step in small panels with one axis for all."""
    check_choice("panels", panels, ("block", "recipe"))
    base = (
        alt.Chart()
        .mark_line(strokeWidth=1.3)
        .encode(
            x=alt.X(
                "step:Q", title="optimiser step", scale=alt.Scale(nice=False), axis=alt.Axis(grid=False, tickCount=4)
            ),
            y=alt.Y("distance:Q", title="L2 distance", scale=alt.Scale(zero=True), axis=alt.Axis(tickCount=4)),
        )
    )
    if panels == "block":
        points = [{**point, "series": point["recipe"], "panel": f"block {point['block']}"} for point in data.points]
        names = [f"block {block}" for block in data.blocks]
        lines = base.encode(
            color=line_channel(alt.Color, data.recipes), strokeDash=line_channel(alt.StrokeDash, data.recipes)
        )
    else:
        points = [{**point, "panel": point["recipe"]} for point in data.points]
        names = list(data.recipes)
        # The lightest fifth of the scale is not seen on white.
        scheme = alt.SchemeParams(name=SEQUENTIAL, extent=[0, 0.8])
        legend = alt.Legend(
            gradientLength=90, gradientThickness=6, tickCount=4, tickMinStep=1, titleOrient="left", offset=6
        )
        color = alt.Color("block:Q", title="block", scale=alt.Scale(scheme=scheme), legend=legend)
        lines = base.encode(color=color, detail="block:N")
    if panels == "recipe" and len(names) == 1:  # the title names it
        alone = lines.properties(data=alt.Data(values=points), width=WIDTH, height=HEIGHT)
        return styled(alone, data.title, data.subtitle)
    facet = alt.Facet("panel:N", title=None, sort=names, header=alt.Header(labelFontSize=9, labelPadding=2))
    width, height = _PANEL if len(names) > 1 else (WIDTH, HEIGHT)
    chart = lines.properties(width=width, height=height).facet(
        facet, data=alt.Data(values=points), columns=2, spacing=8
    )
    return styled(chart, data.title, data.subtitle)


def _marks(marks: Sequence[Mapping[str, Any]], x: alt.X) -> list[Any]:
    """Draw a line up from each mark, the shorter the later it is, so that no line crosses a name."""
    if not marks:
        return []
    step = min(_LABEL_STEP, (HEIGHT - 20) / len(marks))
    layers: list[Any] = []
    for place, mark in enumerate(marks):
        top = _HIGHEST_LABEL + step * place
        source = alt.Chart(alt.Data(values=[{**mark, "text": f"{mark['name']} {mark['step']:,}"}]))
        rule = source.mark_rule(color=GREY).encode(x=x, y=alt.value(top), y2=alt.value(HEIGHT))
        words = source.mark_text(align="left", baseline="top", dx=3, fontSize=9, color="#333333")
        layers += [rule, words.encode(x=x, y=alt.value(top - 1), text="text:N")]
    return layers
