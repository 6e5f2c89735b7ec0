"""How are the GLUE files laid out, and those of the embedded tasks likewise, and which of their lines are rows?

The files are UTF-8 (MRPC with a byte order mark), their fields separated by tabs and never quoted; a line ends at a
newline and nowhere else. CoLA has no header. QQP has some lines that lack fields. Texts are kept to the character,
the space at the end of every SST-2 sentence too, so that the tokens are those of the published results.
"""

import logging
from pathlib import Path
from typing import NamedTuple

from seedwise.data.source import RawLabel, RawText, SourceRows
from seedwise.errors import DataError
from seedwise.values.benchmarks import EMBEDDED, GLUE
from seedwise.values.checks import check_choice, did_you_mean
from seedwise.values.task import Task

__all__ = ["LAYOUTS", "Layout", "read_embedded", "read_glue", "read_glue_folder", "read_layout"]

logger = logging.getLogger(__name__)


class Layout(NamedTuple):
    """Where a file keeps its texts and its label; ``columns`` are given where the file has no header."""

    text: str
    text_pair: str | None
    label: str
    columns: tuple[str, ...] | None = None


LAYOUTS = {
    "cola": Layout("sentence", None, "label", columns=("source", "label", "star", "sentence")),
    "sst2": Layout("sentence", None, "label"),
    "mrpc": Layout("#1 String", "#2 String", "Quality"),
    "stsb": Layout("sentence1", "sentence2", "score"),
    "qqp": Layout("question1", "question2", "is_duplicate"),
    "mnli": Layout("sentence1", "sentence2", "gold_label"),
    "qnli": Layout("question", "sentence", "label"),
    "rte": Layout("sentence1", "sentence2", "label"),
    "wnli": Layout("sentence1", "sentence2", "label"),
}
"""The columns of the GLUE files; `seedwise.values.benchmarks.GLUE` has the hub's names for the same."""

NO_GOLD_LABEL = "-"  # MNLI: the annotators agreed on no label


def read_glue(task: Task, split: str) -> SourceRows:
    """Read one split of a task made by `Task.glue` with a folder."""
    return _read_named(Path(getattr(task, split)), task.name)


def read_embedded(task: Task, split: str) -> SourceRows:
    """Read one split of a task made by `Task.embedded`."""
    check_choice("the embedded task", task.name, EMBEDDED)
    known = EMBEDDED[task.name]
    layout = Layout(known.text, known.text_pair, "score" if known.labels is None else "label")
    return read_layout(Path(getattr(task, split)), layout, label_names=known.labels)


def read_glue_folder(folder: Path, name: str, split: str) -> SourceRows:
    """Read one split of a folder of GLUE files."""
    file = {"train": "train.tsv", "validation": "dev.tsv", "validation_matched": "dev_matched.tsv"}[split]
    return _read_named(folder / file, name)


def read_layout(path: Path, layout: Layout, *, label_names: tuple[str, ...] | None = None) -> SourceRows:
    """Read the rows of a tab-separated file without quoting."""
    lines = _lines(path)
    columns = list(layout.columns or lines.pop(0).split("\t"))
    places = {name: _position(name, columns, path) for name in (layout.text, layout.text_pair, layout.label) if name}
    fields_needed = max(places.values()) + 1
    texts: list[RawText] = []
    pairs: list[RawText] = []
    labels: list[RawLabel] = []
    index: list[int] = []
    for number, line in enumerate(lines):
        fields = line.split("\t")
        if len(fields) < fields_needed or fields[places[layout.label]] == NO_GOLD_LABEL:
            continue
        texts.append(fields[places[layout.text]])
        if layout.text_pair:
            pairs.append(fields[places[layout.text_pair]])
        labels.append(_label(fields[places[layout.label]], label_names))
        index.append(number)
    skipped = len(lines) - len(texts)
    if skipped:
        logger.info("%s: %d of %d lines are no rows and were left out.", path, skipped, len(lines))
    return SourceRows(path.name, texts, pairs if layout.text_pair else None, labels, index, skipped, layout.label)


def _read_named(path: Path, name: str) -> SourceRows:
    check_choice("the GLUE task", name, LAYOUTS)
    return read_layout(path, LAYOUTS[name], label_names=GLUE[name].labels)


def _lines(path: Path) -> list[str]:
    """Return the file's lines; not by splitlines, which also splits on characters inside a text."""
    try:
        text = path.read_bytes().decode("utf-8-sig")
    except OSError as error:
        raise DataError(f"the file {path} cannot be read ({error.strerror}); check the path.") from error
    except UnicodeDecodeError as error:
        raise DataError(
            f"the file {path} must be UTF-8 text, but {error.reason} at byte {error.start}; save it as UTF-8."
        ) from error
    lines = [line.removesuffix("\r") for line in text.split("\n")]
    if lines[-1] == "":
        lines.pop()
    if not lines:
        raise DataError(f"the file {path} must have rows, but it is empty; give one with at least one row.")
    return lines


def _position(name: str, columns: list[str], path: Path) -> int:
    if name not in columns:
        raise DataError(
            f"{path} has no column {name!r}{did_you_mean(name, columns)}; it has {', '.join(columns)}; "
            "use the files as GLUE hands them out."
        )
    return columns.index(name)


def _label(written: str, label_names: tuple[str, ...] | None) -> str:
    """Return the label's name where the file writes its number; anything else as it is."""
    names = {str(number): name for number, name in enumerate(label_names or ())}
    return names.get(written, written)
