"""How does the score depend on one setting of the recipe? Figures 8 and 14 of Zhang et al. (2021): longer training."""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import altair as alt

from seedwise.analysis.cell import Cell
from seedwise.charts.series import in_words, line_channel, shaded_lines, task_of
from seedwise.charts.style import styled
from seedwise.errors import RequestError, UnknownError
from seedwise.stats.intervals import mean_interval
from seedwise.values.imported import AnyRecipe, ImportedRecipe
from seedwise.values.labels import metric_words, recipe_labels

__all__ = ["SettingData", "by_setting", "draw_setting", "setting_data"]

STEPS = "steps"
"""The setting that stands for the optimiser steps of the full run, whichever field they come from."""

_LENGTHS = {"num_train_steps": None, "num_train_epochs": 3.0}  # a recipe's fields that say how long it trains
_MOST_TICKS = 7
_APART = 4  # pixels
_LOG_FROM = 10  # times the smallest value


class SettingData(NamedTuple):
    """Mean final score against the value of a setting."""

    # one mapping for each cell: series, value, n, mean, sd, lower and upper (of the mean's interval), and low and
    # high (the range of the trials)
    points: list[dict[str, Any]]
    series: tuple[str, ...]  # their names in the legend's order
    setting: str  # the setting's name
    log: bool  # whether the values span more than a factor of ten, so that their axis is logarithmic
    title: str  # of the figure
    subtitle: str  # number of trials, and what is drawn
    y: str  # title of the vertical axis


def by_setting(cells: Sequence[Cell], setting: str) -> dict[str, list[Cell]]:
    """Return the cells whose recipes differ in one setting only, as one series each, named by what tells them apart."""
    having = [cell for cell in cells if setting == STEPS or setting in _content(cell.recipe)]
    if not having:
        raise RequestError(f"the setting must be a field of the recipes or {STEPS!r}, not {setting!r}; name another.")
    rest = [_without(cell.recipe, setting, having[0].recipe) for cell in having]
    labels = recipe_labels(rest)
    found: dict[str, list[Cell]] = {}
    for cell, other in zip(having, rest, strict=True):
        found.setdefault(labels[other.id], []).append(cell)
    return found


def setting_data(
    series: Mapping[str, Sequence[Cell]], setting: str, *, split: str = "validation", confidence: float = 0.95
) -> SettingData:
    """Collect the mean final score of cells by the value that one setting of their recipes has."""
    task = task_of({f"{name} {i}": cell for name, cells in series.items() for i, cell in enumerate(cells)})
    points = [
        point
        for name, cells in series.items()
        for point in sorted(
            (_point(name, cell, setting, split, confidence) for cell in cells), key=lambda p: p["value"]
        )
    ]
    places = [(point["series"], point["value"]) for point in points]
    if twice := next((place for place in places if places.count(place) > 1), None):
        raise UnknownError(
            f"a series must have one cell for each value of {setting}, but {twice[0]} has {twice[1]:g} twice; make it two."
        )
    values = [point["value"] for point in points]
    words = setting.replace("_", " ")
    shown = f"shaded: range, bars: {confidence:.0%} interval of the mean"
    return SettingData(
        points,
        tuple(series),
        setting,
        min(values) > 0 and max(values) > _LOG_FROM * min(values),
        f"{task.name}: score by {'length of training' if setting == STEPS else words}",
        f"{in_words((point['n'] for point in points), 'trials')}; {shown}",
        metric_words(task.metric, split),
    )


def draw_setting(data: SettingData) -> Any:
    """Draw the mean score against a setting's value, one line a series, with interval and range."""
    title = "optimiser steps of the run" if data.setting == STEPS else data.setting.replace("_", " ")
    values = sorted({point["value"] for point in data.points})
    ticks = {"values": values} if len(values) <= _MOST_TICKS else {"tickCount": 5}
    scale = alt.Scale(type="log" if data.log else "linear", nice=False, zero=False, padding=6)
    x = alt.X("value:Q", title=title, scale=scale, axis=alt.Axis(grid=False, labelFlush=False, **ticks))
    layers = [shaded_lines(data.points, data.series, x, data.y)]
    for place, name in enumerate(data.series):
        shift = _APART * (place - (len(data.series) - 1) / 2)  # so that bars at one value do not hide each other
        chart = alt.Chart(alt.Data(values=[point for point in data.points if point["series"] == name]))
        color = line_channel(alt.Color, data.series)
        bars = chart.mark_rule(strokeWidth=1.3, xOffset=shift).encode(x=x, y="lower:Q", y2="upper:Q", color=color)
        means = chart.mark_circle(size=22, opacity=1, xOffset=shift).encode(x=x, y="mean:Q", color=color)
        layers += [bars, means]
    return styled(alt.layer(*layers), data.title, data.subtitle)


def _point(name: str, cell: Cell, setting: str, split: str, confidence: float) -> dict[str, Any]:
    scores = cell.scores(split)
    mean, lower, upper, _ = mean_interval(scores, confidence=confidence)
    spread = {"sd": float(scores.std(ddof=1)), "lower": lower, "upper": upper}
    ends = {"low": float(scores.min()), "high": float(scores.max())}
    return {"series": name, "value": _value(cell, setting), "n": len(scores), "mean": mean, **spread, **ends}


def _value(cell: Cell, setting: str) -> float:
    steps = cell.curves.steps
    length = cell.facts.steps or (None if steps is None else int(steps[-1]))
    value = length if setting == STEPS else _content(cell.recipe).get(setting)
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise UnknownError(
            f"{setting} must be a number in every recipe, but in {cell.recipe.model_name} it is {value!r}; draw another."
        )
    return float(value)


def _content(recipe: AnyRecipe) -> Mapping[str, Any]:
    return recipe.settings if isinstance(recipe, ImportedRecipe) else recipe.to_json()


def _without(recipe: AnyRecipe, setting: str, first: AnyRecipe) -> AnyRecipe:
    """Return the recipe with the setting the same in all: left out, or as the first of ours has it."""
    names = _LENGTHS if setting == STEPS else {setting: _content(first).get(setting)}
    if isinstance(recipe, ImportedRecipe):
        return ImportedRecipe(recipe.name, {key: value for key, value in recipe.settings.items() if key not in names})
    return recipe.with_changes(**names)
