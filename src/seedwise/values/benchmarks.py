"""Which tasks are known by name, and how did each paper split and score them?"""

from collections.abc import Mapping
from typing import NamedTuple

from seedwise.values.checks import check_choice
from seedwise.values.splits import Splits

__all__ = ["EMBEDDED", "GLUE", "PROTOCOLS", "BenchmarkTask", "Protocol", "glue_name", "glue_task"]


class BenchmarkTask(NamedTuple):
    """What is fixed about one task: its folder, text columns (the hub's names), labels, metric and splits."""

    folder: str
    text: str
    text_pair: str | None
    labels: tuple[str, ...] | None
    metric: str
    splits: Splits = Splits()

    @property
    def kind(self) -> str:
        """Regression where there are no labels."""
        return "regression" if self.labels is None else "classification"


class Protocol(NamedTuple):
    """How a paper splits and scores the tasks of GLUE."""

    small: Splits  # splits of a task with fewer than 10,000 training rows
    large: Splits  # splits of the others
    metrics: Mapping[str, str]  # the metric by task, where it differs from `GLUE`


_ENTAILED = ("entailment", "not_entailment")
GLUE = {
    "cola": BenchmarkTask("CoLA", "sentence", None, ("unacceptable", "acceptable"), "matthews"),
    "sst2": BenchmarkTask("SST-2", "sentence", None, ("negative", "positive"), "accuracy"),
    "mrpc": BenchmarkTask("MRPC", "sentence1", "sentence2", ("not_equivalent", "equivalent"), "accuracy_f1"),
    "stsb": BenchmarkTask("STS-B", "sentence1", "sentence2", None, "pearson_spearman"),
    "qqp": BenchmarkTask("QQP", "question1", "question2", ("not_duplicate", "duplicate"), "accuracy_f1"),
    "mnli": BenchmarkTask("MNLI", "premise", "hypothesis", ("entailment", "neutral", "contradiction"), "accuracy"),
    "qnli": BenchmarkTask("QNLI", "question", "sentence", _ENTAILED, "accuracy"),
    "rte": BenchmarkTask("RTE", "sentence1", "sentence2", _ENTAILED, "accuracy"),
    "wnli": BenchmarkTask("WNLI", "sentence1", "sentence2", ("not_entailment", "entailment"), "accuracy"),
}
"""The GLUE tasks with labelled rows, by the hub's names; labels in the hub's order, so that ids agree."""

EMBEDDED = {
    "acceptability": BenchmarkTask("acceptability", "sentence", None, ("unacceptable", "acceptable"), "matthews"),
    "entailment": BenchmarkTask("entailment", "sentence1", "sentence2", _ENTAILED, "accuracy"),
    "similarity": BenchmarkTask("similarity", "sentence1", "sentence2", None, "spearman"),
}
"""The three generated tasks inside the package."""

_LARGE = ("sst2", "qqp", "mnli", "qnli")
_ZHANG_METRICS = {"mrpc": "f1", "stsb": "spearman", "qqp": "accuracy"}
PROTOCOLS = {
    # Dodge et al. (2020), section 2: the rows and metrics of GLUE.
    "dodge2020": Protocol(Splits(), Splits(), {}),
    # Zhang et al. (2021), section 3: halves of the validation rows, or 1,000 training rows aside and all of them to test.
    "zhang2021": Protocol(Splits(halve_validation=True), Splits(validation_size=1000), _ZHANG_METRICS),
    # The same rows to validate and test, and 1,000 of those left to train.
    "zhang2021-1k": Protocol(
        Splits(train_size=1000, halve_validation=True), Splits(train_size=1000, validation_size=1000), _ZHANG_METRICS
    ),
}
"""The papers' splits and metrics, by name."""


def glue_name(name: str) -> str:
    """Return the hub's name of a GLUE task for a folder's or the hub's name, whatever its case and hyphens.

    Example:
        >>> glue_name("STS-B")
        'stsb'
    """
    plain = name.lower().replace("-", "").replace("_", "")
    check_choice("the GLUE task", plain, GLUE)
    return plain


def glue_task(name: str, protocol: str | None = None) -> BenchmarkTask:
    """Return a GLUE task with the splits and the metric of a protocol.

    Example:
        >>> glue_task("mrpc", "zhang2021").metric
        'f1'
    """
    known = GLUE[name]
    if protocol is None:
        return known
    check_choice("the protocol", protocol, PROTOCOLS)
    chosen = PROTOCOLS[protocol]
    splits = chosen.large if name in _LARGE else chosen.small
    return known._replace(metric=chosen.metrics.get(name, known.metric), splits=splits)
