"""Which scores did papers print of single runs, for a study to be put beside?"""

from collections.abc import Mapping

__all__ = ["DODGE_TABLE_1"]

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
