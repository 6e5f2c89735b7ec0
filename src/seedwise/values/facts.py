"""What did preparing a task find, how were imported runs read, and what did a trial run on?"""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields
from typing import Any

__all__ = ["Environment", "ImportSource", "TaskFacts"]


@dataclass(frozen=True, slots=True)
class ImportSource:
    """The files that imported runs were read from, and how."""

    files: tuple[str, ...] = ()  # the names of the files
    mapping: Mapping[str, str] = field(default_factory=dict)  # field -> the column it was read from
    pattern: str | None = None  # the regular expression for the paths of the runs
    # what the best constant guess scores, as given: one number, or one for each task
    baseline: float | Mapping[str, float] = field(default_factory=dict)
    lower_is_better: bool | None = None  # whether lower is better; None if the metric's name decided
    all_complete: bool = False  # whether runs shorter than the longest counted as complete

    def to_json(self) -> dict[str, Any]:
        """Return the source as plain JSON."""
        options = asdict(self)
        return {"files": list(options.pop("files")), "mapping": options.pop("mapping"), "options": options}

    @classmethod
    def from_json(cls, content: Mapping[str, Any]) -> "ImportSource":
        """Build a source from what ``to_json`` returned; options that an older version did not store have their default."""
        return cls(tuple(content["files"]), content["mapping"], **_known(cls, content.get("options", {})))


@dataclass(frozen=True, slots=True)
class TaskFacts:
    """What preparing a task for a recipe found; for imported runs, what their files say.

    Fields that are not known are empty or None.

    Example:
        >>> facts = TaskFacts(rows={"train": 90, "validation": 10}, steps=12)
        >>> facts.rows["train"], facts.is_imported, TaskFacts.from_json(facts.to_json()) == facts
        (90, False, True)
    """

    digest: str | None = None  # hash of what the model sees: every row's token ids and label
    kind: str | None = None  # classification or regression
    # how many rows each split has: train, validation and, where there are any, test
    rows: Mapping[str, int] = field(default_factory=dict)
    label_names: tuple[str, ...] | None = None  # the classes in the order of their numbers; None for regression
    class_counts: Mapping[str, tuple[int, ...]] | None = None  # by split, how many rows each class has
    truncated: Mapping[str, int] = field(default_factory=dict)  # by split, how many rows were cut at max_length
    # how many validation and test rows are, to the model, also training rows
    repeated: Mapping[str, int] = field(default_factory=dict)
    dropped: int = 0  # how many rows of the sources were left out
    max_length: int | None = None  # the longest input allowed, in tokens
    max_tokens: int | None = None  # the longest row, in tokens
    baselines: Mapping[str, float] = field(default_factory=dict)  # metric -> what the best constant guess scores
    blocks: int | None = None  # how many blocks the model has
    steps: int | None = None  # optimiser steps of a full run
    evaluation_steps: tuple[int, ...] = ()  # the steps of a full run's evaluations
    epochs: float | None = None  # epochs of a full imported run
    imported: ImportSource | None = None  # where imported runs come from; None for trials of our own

    @property
    def is_imported(self) -> bool:
        """Whether the trials are imported runs."""
        return self.imported is not None

    def to_json(self) -> dict[str, Any]:
        """Return the facts as plain JSON, without unknown fields except those that preparing always stored."""
        always = () if self.digest is None else _PREPARED
        known = {f.name: getattr(self, f.name) for f in fields(self)}
        return {name: _plain(value) for name, value in known.items() if value or name in always}

    @classmethod
    def from_json(cls, content: Mapping[str, Any]) -> "TaskFacts":
        """Build facts from what ``to_json`` returned, or an older version stored."""
        known = _known(cls, content)
        known = {name: tuple(value) if isinstance(value, list) else value for name, value in known.items()}
        if (counts := known.get("class_counts")) is not None:
            known["class_counts"] = {split: tuple(each) for split, each in counts.items()}
        if "imported" in known:
            known["imported"] = ImportSource.from_json(known["imported"])
        return cls(**known)


@dataclass(frozen=True, slots=True)
class Environment:
    """What a trial's latest attempt ran on: bits are equal only where all of it is equal.

    Everything is None where it is not known, and all of it before the trial ran.

    Example:
        >>> environment = Environment.from_json({"device": "cpu", "threads": 1, "path": "packed"})
        >>> environment.engine, environment.to_json()
        ('packed', {'device': 'cpu', 'threads': 1, 'path': 'packed'})
    """

    seedwise: str | None = None  # version of seedwise; likewise of torch, transformers and Python
    torch: str | None = None
    transformers: str | None = None
    python: str | None = None
    device: str | None = None  # where it ran: cpu or cuda:0
    device_name: str | None = None  # what the device calls itself
    dtype: str | None = None  # the precision of its products
    threads: int | None = None  # threads of its worker
    engine: str | None = None  # name of the engine; stored as ``path``
    width: int | None = None  # how many trials shared its stack, 1 for none
    imported_from: str | None = None  # of an imported run, the files it was read from
    more: Mapping[str, Any] = field(default_factory=dict)  # what another version has stored besides

    @property
    def is_known(self) -> bool:
        """Whether the trial ever ran."""
        return self != Environment()

    def to_json(self) -> dict[str, Any]:
        """Return what is known as plain JSON."""
        found = {"path" if f.name == "engine" else f.name: getattr(self, f.name) for f in fields(self)}
        more = found.pop("more")
        return {name: value for name, value in found.items() if value is not None} | dict(more)

    @classmethod
    def from_json(cls, content: Mapping[str, Any]) -> "Environment":
        """Build an environment from what ``to_json`` returned, or any version stored."""
        named = {"engine" if name == "path" else name: value for name, value in content.items()}
        known = _known(cls, named)
        return cls(**known, more={name: value for name, value in named.items() if name not in known})


_PREPARED = frozenset(
    "kind rows label_names class_counts truncated repeated dropped max_length max_tokens baselines blocks".split()
)


def _known(kind: type, content: Mapping[str, Any]) -> dict[str, Any]:
    return {f.name: content[f.name] for f in fields(kind) if f.name in content}


def _plain(value: Any) -> Any:
    if isinstance(value, ImportSource):
        return value.to_json()
    if isinstance(value, Mapping):
        return {key: _plain(one) for key, one in value.items()}
    return list(value) if isinstance(value, tuple) else value
