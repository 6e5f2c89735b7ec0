"""Which numbers did the papers print, for a study to be put beside?

Everything is as printed, in shares of 1: 69.5 of the papers is 0.695 here. What their figures show and their text does not say
is left out.
"""

from collections.abc import Mapping
from types import MappingProxyType
from typing import NamedTuple, TypeAlias

__all__ = [
    "DEGENERATE",
    "DODGE_TABLE_1",
    "DODGE_TABLE_2",
    "DODGE_TABLE_3",
    "DODGE_TABLE_4",
    "PUBLISHED",
    "REINIT_5_GRID",
    "ZHANG_MAJORITY",
    "PublishedGrid",
    "PublishedScores",
    "PublishedShare",
]

Spread: TypeAlias = tuple[float, float]
"""Mean and standard deviation over seeds."""


class PublishedScores(NamedTuple):
    """One table of a paper: mean and standard deviation of every arm on every task."""

    source: str  # the paper and its table
    split: str  # test or validation: the rows that were scored
    n: int  # seeds behind each mean
    rows: Mapping[str, Mapping[str, Spread]]  # arm -> task -> mean and standard deviation
    models: Mapping[str, str]  # arm -> the model that was fine-tuned, without its organisation on the hub
    presets: Mapping[str, str]  # arm -> the preset with what the paper's arms have in common
    against: Mapping[str, str | None] = MappingProxyType({})  # arm -> the arm that it is held against, None for none
    notes: tuple[str, ...] = ()  # what a reader must know of the numbers


class PublishedShare(NamedTuple):
    """The share of trials that only guess, where a text gives it."""

    source: str  # the paper and its section
    task: str  # the task
    arm: str  # the arm
    below: float  # the validation score below which a trial counts
    share: float  # how many of them, as a share
    n: int  # trials


class PublishedGrid(NamedTuple):
    """What a text says of a grid of init seeds and seeds of order and dropout."""

    source: str  # the paper and its figure
    task: str  # the task
    arm: str  # the arm
    split: str  # test or validation: the rows that were scored
    mean: float  # mean of all trials
    by_order: tuple[float, ...]  # mean of each order seed, over init seeds
    highest_by_order: tuple[float, ...]  # best trial of each order seed
    typical: tuple[float, float, float]  # lowest, mean and highest score over order seeds, averaged over init seeds


DODGE_TABLE_1: Mapping[str, Mapping[str, float]] = {
    "BERT (Phang et al., 2018)": {"MRPC": 0.907, "RTE": 0.700, "CoLA": 0.621, "SST-2": 0.925},
    "BERT (Liu et al., 2019)": {"MRPC": 0.880, "RTE": 0.704, "CoLA": 0.606, "SST-2": 0.932},
    "BERT, best of all trials (Dodge et al., 2020)": {"MRPC": 0.914, "RTE": 0.773, "CoLA": 0.676, "SST-2": 0.951},
    "STILTs (Phang et al., 2018)": {"MRPC": 0.909, "RTE": 0.834, "CoLA": 0.621, "SST-2": 0.932},
    "XLNet (Yang et al., 2019)": {"MRPC": 0.892, "RTE": 0.838, "CoLA": 0.636, "SST-2": 0.956},
    "RoBERTa (Liu et al., 2019)": {"MRPC": 0.909, "RTE": 0.866, "CoLA": 0.680, "SST-2": 0.964},
    "ALBERT (Lan et al., 2019)": {"MRPC": 0.909, "RTE": 0.892, "CoLA": 0.714, "SST-2": 0.969},
}
"""Validation scores of large models as printed in Dodge et al. (2020), table 1: single runs but for the third row. MRPC is
the mean of accuracy and F1, CoLA Matthews correlation, RTE and SST-2 accuracy."""

DODGE_TABLE_2: Mapping[str, float] = {"MRPC": 0.75, "RTE": 0.53, "CoLA": 0.00, "SST-2": 0.51}
"""What the majority class scores on validation rows (Dodge et al. 2020, table 2)."""

DODGE_TABLE_3: Mapping[str, Mapping[str, float]] = {
    "init": {"MRPC": 0.058, "RTE": 0.066, "CoLA": 0.090, "SST-2": 0.0028},
    "order": {"MRPC": 0.059, "RTE": 0.067, "CoLA": 0.095, "SST-2": 0.0024},
    "all": {"MRPC": 0.061, "RTE": 0.069, "CoLA": 0.101, "SST-2": 0.0028},
}
"""Standard deviation of validation scores: averaged over init seeds, over order seeds, and of all trials (Dodge et al. 2020,
table 3); 625 trials, of SST-2 225."""

DODGE_TABLE_4: Mapping[str, Mapping[str, float]] = {
    "init": {"MRPC": 2.0e-6, "RTE": 2.8e-4, "CoLA": 7.0e-3, "SST-2": 3.3e-2},
    "order": {"MRPC": 8.3e-3, "RTE": 3.2e-3, "CoLA": 1.1e-2, "SST-2": 1.3e-5},
}
"""p-values of the best against the worst seed by analysis of variance, not corrected for the choice of the two (Dodge et al.
2020, table 4)."""

ZHANG_MAJORITY: Mapping[str, Mapping[str, float]] = {
    split: dict(zip(("RTE", "MRPC", "STS-B", "CoLA", "SST-2", "QNLI", "QQP", "MNLI"), scores, strict=True))
    for split, scores in {
        "validation": (0.529, 0.813, 0.0, 0.0, 0.500, 0.500, 0.500, 0.333),
        "test": (0.525, 0.812, 0.0, 0.0, 0.491, 0.505, 0.632, 0.318),
    }.items()
}
"""What the majority class scores, in the metrics of Zhang et al. (2021), table 3: accuracy, but F1 on MRPC, Spearman correlation
on STS-B, Matthews correlation on CoLA."""

_ARMS_1 = ("Standard", "Standard, longer", "Re-init", "Re-init, longer")
_ZHANG_1: Mapping[str, tuple[Spread, ...]] = {
    "RTE": ((0.695, 0.025), (0.723, 0.019), (0.726, 0.016), (0.731, 0.013)),
    "MRPC": ((0.908, 0.013), (0.905, 0.015), (0.914, 0.008), (0.910, 0.004)),
    "STS-B": ((0.890, 0.006), (0.896, 0.003), (0.894, 0.002), (0.899, 0.001)),
    "CoLA": ((0.630, 0.015), (0.624, 0.017), (0.639, 0.019), (0.619, 0.023)),
    "RTE (1k)": ((0.625, 0.028), (0.652, 0.021), (0.656, 0.020), (0.658, 0.017)),
    "MRPC (1k)": ((0.805, 0.033), (0.838, 0.021), (0.846, 0.016), (0.860, 0.012)),
    "STS-B (1k)": ((0.847, 0.014), (0.880, 0.004), (0.872, 0.004), (0.884, 0.002)),
    "CoLA (1k)": ((0.459, 0.016), (0.488, 0.014), (0.476, 0.018), (0.484, 0.021)),
    "SST-2 (1k)": ((0.897, 0.015), (0.909, 0.005), (0.908, 0.004), (0.912, 0.005)),
    "QNLI (1k)": ((0.786, 0.020), (0.814, 0.009), (0.819, 0.005), (0.821, 0.003)),
    "QQP (1k)": ((0.740, 0.027), (0.774, 0.008), (0.772, 0.007), (0.776, 0.006)),
    "MNLI (1k)": ((0.522, 0.042), (0.675, 0.011), (0.664, 0.006), (0.688, 0.005)),
}

_FOUR = ("RTE", "MRPC", "STS-B", "CoLA")
_ZHANG_2: Mapping[str, tuple[Spread, ...]] = {
    "Standard": ((0.695, 0.025), (0.908, 0.013), (0.890, 0.006), (0.630, 0.015)),
    "Int. Task": ((0.818, 0.017), (0.918, 0.010), (0.892, 0.003), (0.639, 0.018)),
    "LLRD": ((0.697, 0.032), (0.913, 0.011), (0.892, 0.004), (0.630, 0.025)),
    "Mixout": ((0.713, 0.014), (0.904, 0.014), (0.892, 0.004), (0.616, 0.017)),
    "Pre-trained WD": ((0.696, 0.021), (0.908, 0.013), (0.890, 0.005), (0.634, 0.015)),
    "WD": ((0.695, 0.025), (0.908, 0.013), (0.890, 0.006), (0.630, 0.015)),
    "Re-init": ((0.726, 0.016), (0.914, 0.008), (0.894, 0.002), (0.642, 0.016)),
    "Longer": ((0.723, 0.019), (0.910, 0.013), (0.896, 0.003), (0.624, 0.017)),
}
_ZHANG_4: Mapping[str, tuple[Spread, ...]] = {
    "Mixed precision": ((0.718, 0.021), (0.892, 0.012), (0.901, 0.007), (0.603, 0.015)),
    "Full precision": ((0.714, 0.022), (0.887, 0.014), (0.901, 0.007), (0.599, 0.015)),
}
_ZHANG_7: Mapping[str, tuple[Spread, ...]] = {
    "XLNet": ((0.717, 0.126), (0.923, 0.043), (0.868, 0.204), (0.518, 0.225)),
    "XLNet, Re-init": ((0.801, 0.016), (0.945, 0.008), (0.917, 0.003), (0.620, 0.021)),
    "RoBERTa": ((0.782, 0.121), (0.944, 0.009), (0.918, 0.003), (0.684, 0.022)),
    "RoBERTa, Re-init": ((0.835, 0.014), (0.948, 0.009), (0.918, 0.002), (0.676, 0.015)),
    "ELECTRA": ((0.871, 0.012), (0.957, 0.008), (0.918, 0.019), (0.621, 0.204)),
    "ELECTRA, Re-init": ((0.861, 0.019), (0.953, 0.008), (0.921, 0.005), (0.613, 0.201)),
    "BART": ((0.841, 0.020), (0.935, 0.009), (0.917, 0.003), (0.654, 0.019)),
    "BART, Re-init": ((0.835, 0.015), (0.937, 0.012), (0.918, 0.003), (0.649, 0.023)),
}


_MODELS_7 = {
    "XLNet": "xlnet-large-cased",
    "RoBERTa": "roberta-large",
    "ELECTRA": "electra-large-discriminator",
    "BART": "bart-large",
}


def _of_bert(
    number: int, n: int, rows: Mapping[str, Mapping[str, Spread]], notes: tuple[str, ...] = ()
) -> PublishedScores:
    """Return a table of Zhang et al. whose arms all fine-tune BERT."""
    source, models = f"Zhang et al. (2021), table {number}", dict.fromkeys(rows, "bert-large-uncased")
    return PublishedScores(source, "test", n, rows, models, dict.fromkeys(rows, "zhang2021"), notes=notes)


def _on_four(table: Mapping[str, tuple[Spread, ...]]) -> dict[str, dict[str, Spread]]:
    return {arm: dict(zip(_FOUR, values, strict=True)) for arm, values in table.items()}


def _before(arm: str) -> str | None:
    """Return the arm of table 7 that one with re-init is held against."""
    return arm.removesuffix(", Re-init") if arm.endswith(", Re-init") else None


PUBLISHED: Mapping[str, PublishedScores] = {
    "zhang2021-table-1": _of_bert(
        1, 20, {arm: {task: values[i] for task, values in _ZHANG_1.items()} for i, arm in enumerate(_ARMS_1)}
    ),
    "zhang2021-table-2": _of_bert(
        2,
        20,
        _on_four(_ZHANG_2),
        ("Re-init on CoLA and Longer on MRPC are printed otherwise in table 1: 0.639 ± 0.019 and 0.905 ± 0.015.",),
    ),
    "zhang2021-table-4": _of_bert(
        4,
        20,
        _on_four(_ZHANG_4),
        ("The paper's mixed precision is of 16-bit floats (Apex, level O1); here it is of bfloat16.",),
    ),
    "zhang2021-table-5": _of_bert(
        5,
        3,
        {"Bias correction": {"MNLI": (0.869, 0.003)}, "No bias correction": {"MNLI": (0.870, 0.004)}},
        ("On development rows: 0.859 ± 0.003 with bias correction, 0.860 ± 0.003 without.",),
    ),
    "zhang2021-table-7": PublishedScores(
        "Zhang et al. (2021), table 7",
        "test",
        20,
        _on_four(_ZHANG_7),
        models={arm: _MODELS_7[_before(arm) or arm] for arm in _ZHANG_7},
        presets={arm: f"zhang2021-{(_before(arm) or arm).lower()}-{{task}}" for arm in _ZHANG_7},
        against={arm: _before(arm) for arm in _ZHANG_7},
    ),
}
"""The papers' tables of means and standard deviations, by the key that a study names."""

DEGENERATE = PublishedShare("Zhang et al. (2021), section 4", "RTE", "No bias correction", 0.55, 0.48, 50)
"""Without bias correction, 48 % of fine-tuning runs have an accuracy below 55 %."""

REINIT_5_GRID = PublishedGrid(
    "Zhang et al. (2021), figure 9",
    "RTE",
    "Re-init",
    "validation",
    0.7435,
    (0.7449, 0.7478, 0.7232, 0.7529, 0.7377, 0.7507, 0.7442, 0.7449, 0.7341, 0.7543),
    (0.7754, 0.7754, 0.7391, 0.7899, 0.7609, 0.7681, 0.7609, 0.7681, 0.7536, 0.7754),
    (0.7210, 0.7435, 0.7652),
)
"""Re-init with L = 5, 10 init seeds by 10 seeds of order and dropout. The margins of the standard recipe cannot be read from the
text of the figure."""
