"""Which share of each recipe's trials on several tasks reaches a score? Performance profiles, Agarwal et al. (2021)."""

from typing import Any, NamedTuple

import altair as alt

from seedwise.analysis.analysis import Analysis
from seedwise.charts.series import in_words, shaded_lines
from seedwise.charts.style import styled

__all__ = ["ProfilesData", "draw_profiles", "profiles_data"]


class ProfilesData(NamedTuple):
    """Performance profiles of recipes over tasks."""

    # one mapping for each score of each series: series, score, mean (share of trials above it), low and high of the band
    points: list[dict[str, Any]]
    series: tuple[str, ...]  # the recipes, in the legend's order
    title: str  # of the figure
    subtitle: str  # number of trials, and what is shaded


def profiles_data(analysis: Analysis) -> ProfilesData:
    """Collect the share of trials above each score, with its band, for every recipe."""
    found = analysis.over_tasks()
    points = [
        {"series": one.recipe, "score": at, "mean": share, "low": low, "high": high}
        for one in found.recipes
        for at, share, low, high in zip(*(values.tolist() for values in one.profile[:4]), strict=True)
    ]
    trials = in_words((one.n for one in found.recipes), "trials")
    confidence = found.recipes[0].profile.confidence
    return ProfilesData(
        points,
        tuple(one.recipe for one in found.recipes),
        f"{', '.join(found.tasks)}: how many trials reach a score",
        f"{trials}; shaded: {confidence:.0%} band for all scores at once",
    )


def draw_profiles(data: ProfilesData) -> Any:
    """Draw the share of trials above each score, one line a recipe, with its band."""
    x = alt.X("score:Q", title="score (0: constant guess, 1: perfect)", scale=alt.Scale(nice=False, zero=False))
    return styled(
        shaded_lines(data.points, data.series, x, "share of trials above", zero=True), data.title, data.subtitle
    )
