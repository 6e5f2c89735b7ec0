"""Which published tables and figures may a design name, and which published task does one of ours stand for?"""

from collections.abc import Sequence
from dataclasses import replace

from seedwise.values.benchmarks import GLUE, glue_task
from seedwise.values.task import Task

__all__ = ["PUBLISHED", "SHOWS", "glue_of", "stands_for"]

SHOWS = (
    *("published", "arms", "tuning", "candidates", "results", "best", "failed", "spread", "anova"),
    *("grid-init", "grid-order", "good-init-seeds", "good-order-seeds", "planning"),
    *("curves", "expected-best", "expected-best-band", "expected-test", "grid", "grid-margins", "best-worst-seeds"),
    *("spread-by-seed", "spearman", "pearson", "best-rules", "planned", "error-reduction", "training-loss"),
    *("early", "early-scores", "early-grid", "early-expected-best", "early-spearman", "early-spread-by-seed"),
    *("items", "rows-right", "flips", "ensemble", "ensemble-growth", "verdicts", "profiles"),
    *("gradient-norm", "distance", "recipes", "recipes-expected-best", "recipes-expected-test"),
    *("recipes-training-loss", "recipes-gradient-norm", "recipes-distance", "length", "bias-ratio", "reinit"),
    "reinit-distance",
)
"""The tables and figures that a design may promise; the report draws them by these names."""

PUBLISHED = (
    "dodge2020",
    "zhang2021-table-1",
    "zhang2021-table-2",
    "zhang2021-table-4",
    "zhang2021-table-5",
    "zhang2021-table-7",
)
"""The published tables that a design's results may be put beside; of Dodge et al. all of them at once."""

_EMBEDDED_FOR = {"entailment": "rte", "similarity": "stsb", "acceptability": "cola"}


def glue_of(task: Task) -> str | None:
    """Return which task of GLUE one is, or stands for where it is embedded; None for any other.

    Example:
        >>> glue_of(Task.embedded("similarity"))
        'stsb'
    """
    name = _EMBEDDED_FOR.get(task.name) if task.source == "embedded" else task.name
    return name if name in GLUE and task.source in ("glue", "hub", "embedded") else None


def stands_for(
    task: Task, *, protocol: str | None, small: bool = False, own: Sequence[str] = (), stand_ins: Sequence[str] = ()
) -> str | None:
    """Return the published task that one is, or stands in for, as the papers write it; None for any other.

    A task of GLUE is the published one where it is split and scored so, whichever rows the seed of its splits draws.

    Example:
        >>> stands_for(Task.glue("rte", protocol="zhang2021-1k"), protocol="zhang2021-1k")
        'RTE (1k)'
        >>> stands_for(Task.glue("rte", protocol="zhang2021"), protocol="zhang2021-1k") is None
        True
    """
    name = glue_of(task)
    if name is None or not (task.source == "embedded" or _is_split_so(task, protocol, small=small)):
        return None
    if task.source == "embedded" and len(own) == 1 and task.name in stand_ins and own[0] in GLUE:
        name = own[0]  # whatever stands in for the only task stands for that one
    return GLUE[name].folder + (" (1k)" if (protocol or "").endswith("-1k") else "")


def _is_split_so(task: Task, protocol: str | None, *, small: bool) -> bool:
    known = glue_task(task.name, protocol)
    size = known.splits.train_size if small else task.splits.train_size
    splits = replace(task.splits, seed=known.splits.seed, train_size=size)
    return (splits, task.metric) == (known.splits, known.metric)
