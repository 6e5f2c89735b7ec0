"""Which tasks are known by name: those of GLUE, and the three inside the package?"""

from typing import NamedTuple

__all__ = ["EMBEDDED", "GLUE", "BenchmarkTask"]


class BenchmarkTask(NamedTuple):
    """What is fixed about one task: its folder, text columns (the hub's names), labels and metric."""

    folder: str
    text: str
    text_pair: str | None
    labels: tuple[str, ...] | None
    metric: str

    @property
    def kind(self) -> str:
        """Regression where there are no labels."""
        return "regression" if self.labels is None else "classification"


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
