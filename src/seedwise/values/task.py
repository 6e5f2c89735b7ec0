"""What is learnt? The rows, the columns and the metric."""

import os
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from seedwise.errors import DataError, RequestError
from seedwise.values.benchmarks import EMBEDDED, GLUE, BenchmarkTask, glue_name, glue_task
from seedwise.values.checks import check_choice, check_fields, check_switch, check_text
from seedwise.values.identity import content_hash, digest_files
from seedwise.values.splits import Splits

__all__ = ["CLASSIFICATION_METRICS", "METRICS", "REGRESSION_METRICS", "Task"]

CLASSIFICATION_METRICS = ("accuracy", "f1", "accuracy_f1", "matthews", "loss")
REGRESSION_METRICS = ("pearson", "spearman", "pearson_spearman", "loss")
METRICS = {"classification": CLASSIFICATION_METRICS, "regression": REGRESSION_METRICS}
KINDS = tuple(METRICS)
SOURCES = ("glue", "files", "hub", "embedded")


@dataclass(frozen=True, slots=True, kw_only=True)
class Task:
    """Rows, text columns, label column, kind, metric and splits.

    Two tasks are equal if their settings and the content of their rows are; the location of the files does not matter.
    Build one with `Task.files`, `Task.glue`, `Task.hub` or `Task.embedded`; arguments they do not explain are
    explained here.

    Args:
        name: A short name for tables and figures.
        source: Where rows come from: glue, files, hub or embedded.
        train: The training rows: a file, or the hub's split name.
        validation: The validation rows, if given.
        test: The test rows, if given.
        text: Column of the text, or of the first of a pair.
        text_pair: Column of the second text of a pair.
        label: Column of the label.
        kind: classification or regression.
        metric: The metric that decides, one of those of the kind. By default accuracy or pearson_spearman, and that of the
            benchmark or its protocol where there is one.
        splits: How rows are divided; None follows the benchmark or its protocol.
        drop_empty: Leave out rows with an empty text instead of refusing them.
        digest: Hash of the rows' files, or names on the hub, without a revision; filled in by the constructors.

    Raises:
        RequestError: A field breaks its rule.
    """

    name: str
    source: str
    train: str = field(compare=False)
    validation: str | None = field(default=None, compare=False)
    test: str | None = field(default=None, compare=False)
    text: str
    text_pair: str | None = None
    label: str
    kind: str = "classification"
    metric: str = "accuracy"
    splits: Splits = field(default_factory=Splits)
    drop_empty: bool = False
    digest: str

    def __post_init__(self) -> None:
        for name in ("name", "train", "text", "label", "digest"):
            check_text(f"the task's {name}", getattr(self, name))
        if self.text_pair is not None:
            check_text("the task's text_pair", self.text_pair)
        columns = [self.text, self.label, *filter(None, [self.text_pair])]
        if twice := next((column for column in columns if columns.count(column) > 1), None):
            raise RequestError(f"text, text_pair and label must be different columns, not {twice!r} twice; name each.")
        check_switch("drop_empty", self.drop_empty)
        check_choice("the task's source", self.source, SOURCES)
        check_choice("kind", self.kind, KINDS)
        self._check_metric()
        if self.splits.halve_validation and self.validation is None:
            raise RequestError("halve_validation needs validation rows, not None; name them, or use validation_size.")
        if self.splits.halve_validation and self.test is not None:
            raise RequestError(f"halve_validation makes the test rows itself; leave out test, not {self.test!r}.")

    def _check_metric(self) -> None:
        known = METRICS[self.kind]
        other = next((kind for kind in KINDS if kind != self.kind and self.metric in METRICS[kind]), None)
        if other is None or self.metric in known:
            check_choice(f"metric (for {self.kind})", self.metric, known)
            return
        holds = "classes" if self.kind == "classification" else "numbers"
        remedy = f", or say kind = {other} and name a column that fits it" if self.source == "files" else ""
        raise RequestError(
            f"metric (for {self.kind}) must be one of {', '.join(known)}, because column {self.label!r} holds {holds}, "
            f"not {self.metric!r}, which is for {other}; choose one of them{remedy}."
        )

    @classmethod
    def files(
        cls,
        train: str | Path,
        *,
        text: str,
        label: str,
        validation: str | Path | None = None,
        test: str | Path | None = None,
        text_pair: str | None = None,
        kind: str = "classification",
        metric: str | None = None,
        splits: Splits | None = None,
        drop_empty: bool = False,
        name: str | None = None,
    ) -> "Task":
        """Describe your own rows: CSV, TSV, JSON Lines or Parquet, recognised by the file extension.

        Args:
            train: File of the training rows.
            validation: File of the validation rows; without it some training rows are set aside.
            test: File of the test rows.
            name: The training file's name by default.

        Raises:
            RequestError: A file is missing or a field breaks its rule.
        """
        given = [str(Path(path).absolute()) if path is not None else None for path in (train, validation, test)]
        return cls(
            name=name or Path(train).stem,
            source="files",
            train=str(given[0]),
            validation=given[1],
            test=given[2],
            text=text,
            text_pair=text_pair,
            label=label,
            kind=kind,
            metric=metric or _default_metric(kind),
            splits=splits or Splits(),
            drop_empty=drop_empty,
            digest=digest_files(given),
        )

    @classmethod
    def glue(
        cls,
        task: str | Path,
        *,
        protocol: str | None = None,
        splits: Splits | None = None,
        metric: str | None = None,
        drop_empty: bool = False,
    ) -> "Task":
        """Describe a task of GLUE, by its name on the Hugging Face hub or by the folder of its files.

        Args:
            task: cola, sst2, mrpc, stsb, qqp, mnli, qnli, rte or wnli, downloaded from the hub when first needed; or a
                folder of files as the benchmark distributes them (``data/RTE``, with train.tsv and dev.tsv), whose name
                tells the task. ``rte`` and ``glue/rte`` are names, whatever folders there are. The test files of GLUE carry
                no labels and are not read.
            protocol: The paper whose splits and metric to use: dodge2020, zhang2021 or zhang2021-1k; GLUE's by default.

        Raises:
            DataError: The folder or one of its files is missing.
            RequestError: The name is not a GLUE task, or the protocol is unknown.

        Example:
            >>> Task.glue("mrpc").metric, Task.glue("mrpc", protocol="zhang2021").metric
            ('accuracy_f1', 'f1')
        """
        path = Path(task).absolute()
        word = str(task).removeprefix("glue/")
        is_folder = isinstance(task, Path) or (word not in GLUE and ("/" in task or os.sep in task))
        name = glue_name(path.name if is_folder else word)
        if is_folder and not path.is_dir():
            raise DataError(f"the GLUE folder {task} does not exist; give the folder that holds train.tsv.")
        if is_folder:
            given = [str(path / "train.tsv"), str(path / ("dev_matched.tsv" if name == "mnli" else "dev.tsv"))]
        else:
            given = ["train", "validation_matched" if name == "mnli" else "validation"]
        digest = digest_files(given) if is_folder else f"nyu-mll/glue/{name}"
        known = _chosen(glue_task(name, protocol), splits, metric)
        return cls._benchmark(known, name, "glue" if is_folder else "hub", given, digest, drop_empty=drop_empty)

    @classmethod
    def hub(
        cls,
        name: str,
        *,
        text: str,
        label: str = "label",
        text_pair: str | None = None,
        validation: str | None = None,
        test: str | None = None,
        kind: str = "classification",
        metric: str | None = None,
        splits: Splits | None = None,
        drop_empty: bool = False,
    ) -> "Task":
        """Describe any data set on the Hugging Face hub; its split ``train`` holds the training rows.

        Args:
            name: The data set, as ``stanfordnlp/imdb``, or with a configuration ``org/name:configuration``.
            validation: Name of the split of the validation rows; without it some training rows are set aside.
            test: Name of the split of the test rows.

        Raises:
            RequestError: A field breaks its rule, or the name is a task of GLUE.

        Example:
            >>> Task.hub("stanfordnlp/imdb", text="text", test="test").source
            'hub'
        """
        if name in GLUE:
            raise RequestError(
                f"{name!r} is a task of GLUE, whose columns are known; use Task.glue (--task glue/{name})."
            )
        return cls(
            name=name,
            source="hub",
            train="train",
            validation=validation,
            test=test,
            text=text,
            text_pair=text_pair,
            label=label,
            kind=kind,
            metric=metric or _default_metric(kind),
            splits=splits or Splits(),
            drop_empty=drop_empty,
            digest=f"{name} {validation} {test}",
        )

    @classmethod
    def embedded(
        cls, name: str, *, splits: Splits | None = None, metric: str | None = None, drop_empty: bool = False
    ) -> "Task":
        """Describe one of the three generated tasks inside the package.

        Args:
            name: acceptability, entailment or similarity; scored by matthews, accuracy and spearman by default.

        Raises:
            RequestError: The name is not one of the three.

        Example:
            >>> Task.embedded("entailment").text_pair
            'sentence2'
        """
        check_choice("the embedded task", name, EMBEDDED)
        folder = Path(__file__).parent.parent / "embedded" / name
        files = [str(folder / f"{split}.tsv") for split in ("train", "validation", "test")]
        known = _chosen(EMBEDDED[name], splits, metric)
        return cls._benchmark(known, name, "embedded", files, digest_files(files), drop_empty=drop_empty)

    @classmethod
    def _benchmark(
        cls, known: BenchmarkTask, name: str, source: str, given: Sequence[str], digest: str, *, drop_empty: bool
    ) -> "Task":
        """Describe a task that is known by name; ``given`` are its training, validation and perhaps test rows."""
        return cls(
            name=name,
            source=source,
            train=given[0],
            validation=given[1],
            test=given[2] if len(given) > 2 else None,
            text=known.text,
            text_pair=known.text_pair,
            label="label",
            kind=known.kind,
            metric=known.metric,
            splits=known.splits,
            drop_empty=drop_empty,
            digest=digest,
        )

    @property
    def id(self) -> str:
        """The hash of the task's settings and rows, whatever the location of the files."""
        content = self.to_json()
        return content_hash({key: content[key] for key in content if key not in ("train", "validation", "test")})

    @property
    def greater_is_better(self) -> bool:
        """Whether a higher score is better; true of every metric but the loss."""
        return self.metric != "loss"

    def is_better(self, score: float, *, than: float) -> bool:
        """Whether one score in the task's metric is better than another."""
        return score > than if self.greater_is_better else score < than

    def to_json(self) -> dict[str, Any]:
        """Return the task as plain JSON."""
        return asdict(self)

    @classmethod
    def from_json(cls, content: dict[str, Any]) -> "Task":
        """Build a task from what ``to_json`` returned."""
        check_fields("the task", content, cls)
        splits = content.get("splits", {})
        check_fields("splits", splits, Splits)
        return cls(**{**content, "splits": Splits(**splits)})


def _default_metric(kind: str) -> str:
    return "pearson_spearman" if kind == "regression" else "accuracy"


def _chosen(known: BenchmarkTask, splits: Splits | None, metric: str | None) -> BenchmarkTask:
    """Return a known task with the user's settings in place of its own."""
    return known._replace(splits=splits or known.splits, metric=metric or known.metric)
